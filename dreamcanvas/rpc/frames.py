"""Websocket frames as nearly all of them are (RFC 6455, 5.2): a whole message, masked by clients only (pure).

To read a short call, a general parser takes four times as long as all the rest. So frames that are one whole
message of less than 64 KiB are read here. What else there is, and everything that is wrong, goes to the
library, which judges it; it never sees a part of what was read here.
"""

import struct
from collections.abc import Callable
from typing import Final

OTHER: Final = 0
TEXT: Final = 0x81
BINARY: Final = 0x82
_CONTROLS: Final = (0x88, 0x89, 0x8A)  # close, ping, pong
_MASKED: Final = 0x80
_SHORT: Final = 125
SLICE: Final = 256
_TWO_BYTES, _EIGHT_BYTES = 126, 127  # of length follow


def frame(data: bytes | str) -> bytes:
    """A message framed for any client: servers do not mask, so that all can share the same bytes."""
    kind, payload = (TEXT, data.encode()) if isinstance(data, str) else (BINARY, data)
    length = len(payload)
    if length <= _SHORT:
        return bytes((kind, length)) + payload
    if length < 2**16:
        return struct.pack("!BBH", kind, 126, length) + payload
    return struct.pack("!BBQ", kind, 127, length) + payload


class Splitter:
    """Takes the messages out of what a client sends.

    `unmask(data, mask)` undoes the masking; a message of more than `limit` bytes (0: any) is the library's.
    """

    def __init__(self, unmask: Callable[[bytes, bytes], bytes], limit: int) -> None:
        self._unmask = unmask
        most = min(limit or 2**16, 2**16 - 1)
        self._most = {TEXT: most, BINARY: most, **dict.fromkeys(_CONTROLS, _SHORT)}
        self._data = b""
        self._at = 0
        self._passing = False

    def pass_on(self) -> None:
        """Leaves everything from now on to the library."""
        self._passing = True

    def feed(self, data: bytes) -> None:
        """Takes in what was read."""
        self._data = self._data[self._at :] + data if self._at < len(self._data) else data
        self._at = 0

    def take(self) -> tuple[int, bytes] | None:
        """The next of what came: a message as TEXT or BINARY, or as OTHER what the library is to be fed.

        None where nothing is whole yet. The library gets no more than `SLICE` bytes at a time: it reads all
        that it is given in one go, and there are 42 empty fragments in 256 bytes.
        """
        data, start = self._data, self._at
        size = len(data)
        if not self._passing:
            if size - start < 2:
                self._rest()
                return None
            kind, length, begin = data[start], data[start + 1] - _MASKED, start + 6
            if length == _TWO_BYTES and size - start >= 4:
                length, begin = data[start + 2] << 8 | data[start + 3], start + 8
            elif length == _EIGHT_BYTES:
                length = -1
            if 0 <= length <= self._most.get(kind, -1):
                end = begin + length
                if end > size:
                    self._rest()
                    return None
                self._at = end
                if kind in (BINARY, TEXT):
                    return kind, self._unmask(data[begin:end], data[begin - 4 : begin])
                return OTHER, data[start:end]
            self._passing = True
        end = min(size, start + SLICE)
        self._at = end
        if start < end:
            return OTHER, data[start:end]
        self._rest()
        return None

    def _rest(self) -> None:
        """Keeps no more than what is not whole yet."""
        if self._at:
            self._data, self._at = self._data[self._at :], 0

    def split(self, data: bytes) -> list[tuple[int, bytes]]:
        """All that is whole, of what waited and of `data`."""
        self.feed(data)
        return list(iter(self.take, None))
