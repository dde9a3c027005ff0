"""Make PNG files in bands of rows, each compressed alone, so that a change costs only its rows (pure).

A PNG's pixels are one zlib stream. Between bands the stream is flushed to a whole byte, and refers to nothing
before (zlib's Z_FULL_FLUSH, an empty stored block of RFC 1951, 3.2.4). So one band can be replaced. But a row
may be filtered by the row above it: when a band's last row changes, the next band is made again, too.
"""

import io
import struct
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

from PIL import Image

ROWS: Final = 32
_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_ZLIB_HEADER: Final = b"\x78\x01"
_LAST_BLOCK: Final = b"\x03\x00"  # an empty block with the mark of the last one
_MODULUS: Final = 65521  # of Adler-32
_RGBA: Final = bytes((8, 6, 0, 0, 0))  # bits of a channel, colour type, compression, filter, interlace

Look = Callable[[int, int], Image.Image]


@dataclass(frozen=True, slots=True)
class _Band:
    """Compressed rows, with the length and the Adler-32 of the bytes before compression."""

    data: bytes
    length: int
    adler: int


@dataclass(frozen=True, slots=True)
class BandedPng:
    """A picture of `width` × `height`, RGBA, in bands."""

    width: int
    height: int
    bands: tuple[_Band, ...]

    @staticmethod
    def of(width: int, height: int, look: Look) -> "BandedPng":
        """Return the PNG of a picture; `look(top, bottom)` gives its rows from `top` up to `bottom`."""
        bands = (_band(look, top, min(top + ROWS, height), width) for top in range(0, height, ROWS))
        return BandedPng(width, height, tuple(bands))

    def changed(self, spans: Iterable[tuple[int, int]], look: Look) -> "BandedPng":
        """Return the PNG after a change of the rows in `spans`, each (first, first after it)."""
        bands = list(self.bands)
        for number in self._touched(spans):
            start = number * ROWS
            bands[number] = _band(look, start, min(start + ROWS, self.height), self.width)
        return replace(self, bands=tuple(bands))

    def rows(self, spans: Iterable[tuple[int, int]]) -> int:
        """Return how many rows `changed` would compress again for `spans`."""
        return len(self._touched(spans)) * ROWS

    def _touched(self, spans: Iterable[tuple[int, int]]) -> set[int]:
        last = self.height - 1
        return {
            number
            for top, bottom in spans
            for number in range(min(max(0, top), last) // ROWS, min(bottom, last) // ROWS + 1)
        }

    def file(self) -> bytes:
        """Return the bytes of the PNG file."""
        adler = 1
        for band in self.bands:
            adler = _joined(adler, band.adler, band.length)
        pixels = b"".join((_ZLIB_HEADER, *(band.data for band in self.bands), _LAST_BLOCK))
        header = struct.pack(">II", self.width, self.height) + _RGBA
        return b"".join(
            (
                _SIGNATURE,
                _chunk(b"IHDR", header),
                _chunk(b"IDAT", pixels + struct.pack(">I", adler)),
                _chunk(b"IEND", b""),
            )
        )


def _band(look: Look, top: int, bottom: int, width: int) -> _Band:
    above = 1 if top else 0
    buffer = io.BytesIO()
    look(top - above, bottom).save(buffer, "PNG", compress_level=0)  # filtered, not compressed
    filtered = memoryview(zlib.decompress(_pixels(buffer.getvalue())))[above * (1 + 4 * width) :]
    # Z_RLE looks for runs only: half the time of the usual strategy, and dreams become hardly larger
    compressor = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS, 9, zlib.Z_RLE)
    data = compressor.compress(filtered) + compressor.flush(zlib.Z_FULL_FLUSH)
    return _Band(data, len(filtered), zlib.adler32(filtered))


def _pixels(png: bytes) -> bytes:
    """Return the zlib stream of a PNG file."""
    found, at = [], len(_SIGNATURE)
    while at < len(png):
        length = int.from_bytes(png[at : at + 4], "big")
        if png[at + 4 : at + 8] == b"IDAT":
            found.append(png[at + 8 : at + 8 + length])
        at += 12 + length
    return b"".join(found)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(data, zlib.crc32(kind)))


def _joined(one: int, other: int, length: int) -> int:
    """Return the Adler-32 of two joined texts from those of each; `length` is the second's (RFC 1950)."""
    low = (one & 0xFFFF) + (other & 0xFFFF) - 1
    high = (one >> 16) + (other >> 16) + length * ((one & 0xFFFF) - 1)
    return (high % _MODULUS) << 16 | low % _MODULUS
