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
        self._tail = b""
        self._passing = False

    def pass_on(self) -> None:
        """Leaves everything from now on to the library."""
        self._passing = True

    def split(self, data: bytes) -> list[tuple[int, bytes]]:
        """What came, in order: messages as TEXT or BINARY, and as OTHER what the library is to be fed."""
        if self._tail:
            data, self._tail = self._tail + data, b""
        pieces: list[tuple[int, bytes]] = []
        start, size = 0, len(data)
        while not self._passing and size - start >= 2:
            kind, length, begin = data[start], data[start + 1] - _MASKED, start + 6
            if length == _TWO_BYTES and size - start >= 4:
                length, begin = data[start + 2] << 8 | data[start + 3], start + 8
            elif length == _EIGHT_BYTES:
                length = -1
            if not 0 <= length <= self._most.get(kind, -1):
                self._passing = True
                break
            end = begin + length
            if end > size:
                break
            if kind in (BINARY, TEXT):
                pieces.append((kind, self._unmask(data[begin:end], data[begin - 4 : begin])))
            else:
                pieces.append((OTHER, data[start:end]))
            start = end
        if self._passing and start < size:
            pieces.append((OTHER, data[start:]))
        else:
            self._tail = data[start:]
        return pieces
