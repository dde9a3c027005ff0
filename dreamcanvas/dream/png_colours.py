"""What a PNG says beside its pixels: which of that is kept, and what its colours are, as sRGB.

Of the chunks that tell of colours the first one counts that is sound: cICP, iCCP, sRGB, then gAMA with cHRM
(PNG, third edition, 4.3). Where browsers differ from the letter of that, this does as they do: a gAMA near
1/2.2 is sRGB, and a cHRM alone says nothing.
"""

import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Numbers = NDArray[np.floating]
Curve = Callable[[Numbers], Numbers]
"""Levels of 0 to 1, as they are stored, to light."""
Place = tuple[float, float]
Primaries = tuple[Place, Place, Place, Place]
"""CIE x and y of white, red, green and blue."""

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
LARGEST_PROFILE: Final = 16 * 2**20
_XMP: Final = b"XML:com.adobe.xmp\0\0"
_GREYS: Final = {b"\2": 85, b"\4": 17}  # what a step of a grey of so many bits is of 255
_FAR: Final = 0.05  # gammas nearer than that to 1/2.2 mean sRGB
_BAND: Final = 256  # rows that are converted at a time

_D65: Final = (0.3127, 0.3290)
_SRGB: Final[Primaries] = (_D65, (0.640, 0.330), (0.300, 0.600), (0.150, 0.060))
_PAL: Final[Primaries] = (_D65, (0.640, 0.330), (0.290, 0.600), (0.150, 0.060))
_NTSC: Final[Primaries] = (_D65, (0.630, 0.340), (0.310, 0.595), (0.155, 0.070))
_2020: Final[Primaries] = (_D65, (0.708, 0.292), (0.170, 0.797), (0.131, 0.046))
_P3: Final = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
# By their numbers in ITU-T H.273, tables 2 and 3
_PRIMARIES: Final[dict[int, Primaries]] = {
    **{1: _SRGB, 5: _PAL, 6: _NTSC, 7: _NTSC, 9: _2020},
    **{11: ((0.314, 0.351), *_P3), 12: (_D65, *_P3)},
}


class Space(NamedTuple):
    """What the levels of a picture mean: primaries, and the curve from levels to light."""

    primaries: Primaries
    curve: Curve


class Slim(NamedTuple):
    """A PNG without what Pillow stumbles over, and its colours: a profile, a space, or sRGB where neither."""

    data: bytes
    profile: bytes | None
    space: Space | None


def slim(data: bytes) -> Slim:
    """What of a PNG has to do with its pixels, and how its camera was held. Of texts, XMP tells of that."""
    kept, told, pixels = [SIGNATURE], dict[bytes, bytes](), False
    for kind, chunk in _chunks(data):
        pixels = pixels or kind == b"IDAT"
        if not pixels:  # what comes later does not tell of colours
            told.setdefault(kind, chunk[8:-4])
        if not kind[0] & 0x20 or kind == b"eXIf" or (kind == b"iTXt" and chunk[8:].startswith(_XMP)):
            kept.append(chunk)
        elif kind == b"tRNS":
            kept.append(_clear(chunk[8:-4], told.get(b"IHDR", b"")))
    space = _coded(told.get(b"cICP", b""))
    profile = None if space else _inflated(told.get(b"iCCP", b""))
    if space is None and profile is None and len(told.get(b"sRGB", b"")) != 1:
        space = _measured(told.get(b"gAMA", b""), told.get(b"cHRM", b""))
    return Slim(b"".join(kept), profile, space)


def standard(image: Image.Image, space: Space) -> Image.Image:
    """Colours of a space as sRGB; `image` is L or RGB."""
    levels = space.curve(np.linspace(0, 1, 256))
    if image.mode == "L":
        return image.point(_stored(levels).tolist())
    matrix = (_to_rgb(_SRGB) @ _adapted(space.primaries)).T
    pixels = np.array(image)
    for top in range(0, len(pixels), _BAND):
        band = pixels[top : top + _BAND]
        band[:] = _stored(levels[band] @ matrix)
    return Image.fromarray(pixels)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kinds, and the chunks whole; the last is what is left where a file ends early."""
    at = len(SIGNATURE)
    while at + 8 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        yield data[at + 4 : at + 8], data[at : at + 12 + length]
        at += 12 + length


def _clear(content: bytes, header: bytes) -> bytes:
    """The chunk that tells what is transparent; nothing where it is not of the picture's kind."""
    depth, kind = header[8:9], header[9:10]
    if len(content) != {b"\0": 2, b"\2": 6}.get(kind, -1) and not (kind == b"\3" and 0 < len(content) <= 256):
        return b""
    if kind == b"\0" and depth in _GREYS:  # Pillow compares it with levels that it has scaled
        content = bytes((0, content[1] * _GREYS[depth] & 0xFF))
    checksum = zlib.crc32(b"tRNS" + content)
    return struct.pack(">I", len(content)) + b"tRNS" + content + struct.pack(">I", checksum)


def _inflated(chunk: bytes) -> bytes | None:
    """The profile in an iCCP chunk; None where there is none, it is broken, or too large to be one."""
    inflater = zlib.decompressobj()
    try:
        profile = inflater.decompress(chunk.partition(b"\0")[2][1:], LARGEST_PROFILE)
    except zlib.error:
        return None
    return None if inflater.unconsumed_tail or not profile else profile


def _coded(chunk: bytes) -> Space | None:
    """What a cICP chunk names. None where that is none of the usual, or not RGB in full range."""
    if len(chunk) != 4 or chunk[2:] != b"\0\1" or chunk[0] not in _PRIMARIES or chunk[1] not in _CURVES:
        return None
    return Space(_PRIMARIES[chunk[0]], _CURVES[chunk[1]])


def _measured(gama: bytes, chrm: bytes) -> Space | None:
    """What gAMA and cHRM say, or None where it is sRGB as far as browsers see."""
    exponent = struct.unpack(">I", gama)[0] / 100_000 if len(gama) == 4 else 0.0
    if exponent <= 0:
        return None
    curve = _srgb if abs(exponent * 2.2 - 1) < _FAR else _power(1 / exponent)
    primaries = _SRGB
    if len(chrm) == 32:
        numbers = [number / 100_000 for number in struct.unpack(">8I", chrm)]
        white, red, green, blue = zip(numbers[::2], numbers[1::2], strict=True)
        if _is_sound((white, red, green, blue)):
            primaries = (white, red, green, blue)
    return None if curve is _srgb and primaries == _SRGB else Space(primaries, curve)


def _is_sound(primaries: Primaries) -> bool:
    """Whether there are such colours: none without light, and white between the other three."""
    if not all(0 <= x <= 1 and 0 < y <= 1 for x, y in primaries):
        return False
    try:
        return bool((_amounts(primaries) > 0).all())
    except np.linalg.LinAlgError:
        return False


def _xyz(place: Place) -> Numbers:
    x, y = place
    return np.array([x / y, 1, (1 - x - y) / y])


def _amounts(primaries: Primaries) -> Numbers:
    """How much of red, green and blue is white. Raises LinAlgError where the three lie on a line."""
    white, *colours = map(_xyz, primaries)
    amounts: Numbers = np.linalg.solve(np.array(colours).T, white)
    return amounts


def _from_rgb(primaries: Primaries) -> Numbers:
    """Light of the primaries to XYZ."""
    colours: Numbers = np.array([_xyz(place) for place in primaries[1:]]).T
    return colours * _amounts(primaries)


def _to_rgb(primaries: Primaries) -> Numbers:
    """XYZ to light of the primaries."""
    inverse: Numbers = np.linalg.inv(_from_rgb(primaries))
    return inverse


_BRADFORD: Final = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def _adapted(primaries: Primaries) -> Numbers:
    """Light of the primaries to XYZ as it looks under sRGB's white (Bradford's adaptation)."""
    cones = _BRADFORD @ _xyz(_D65) / (_BRADFORD @ _xyz(primaries[0]))
    adaptation: Numbers = np.linalg.inv(_BRADFORD) @ np.diag(cones) @ _BRADFORD
    return adaptation @ _from_rgb(primaries)


def _stored(light: Numbers) -> NDArray[np.uint8]:
    """Light as levels of sRGB (IEC 61966-2-1); what sRGB cannot show is the nearest level of each colour."""
    light = np.clip(light, 0, 1)
    levels = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    whole: NDArray[np.uint8] = np.rint(255 * levels).astype(np.uint8)
    return whole


def _srgb(levels: Numbers) -> Numbers:
    return np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)


def _power(exponent: float) -> Curve:
    return lambda levels: levels**exponent


# By their numbers in ITU-T H.273, table 3; those of HDR are not here: their white is no level. Television's
# are what its screens make of them (BT.1886), not what cameras do
_CURVES: Final[dict[int, Curve]] = {
    **dict.fromkeys((1, 6, 14, 15), _power(2.4)),
    **{4: _power(2.2), 5: _power(2.8), 8: _power(1), 13: _srgb},
}
