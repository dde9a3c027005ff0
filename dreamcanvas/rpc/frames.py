"""Reads and writes the common kind of websocket frame: one that is a whole message (RFC 6455, 5.2) (pure).

With a general parser, the reading of a short call takes four times as long as everything else that
is done for it. So this module reads frames that are one whole message of less than 64 KiB. All
other frames, and all that are wrong, go to the websockets library, which judges them. It never gets
a part of a frame that was read here. Sections in comments are those of RFC 6455.
"""

import struct
from collections.abc import Callable
from typing import Final

OTHER: Final = 0
# A frame's first byte: FIN, three reserved bits that are 0, and the opcode (5.2)
TEXT: Final = 0x81
BINARY: Final = 0x82
_CONTROLS: Final = (0x88, 0x89, 0x8A)  # close, ping, pong: never in fragments (5.5)
_MASKED: Final = 0x80  # the first bit of the second byte (5.2)
_SHORT: Final = 125  # bytes: the longest that the second byte can say (5.2), and a control frame be (5.5)
SLICE: Final = 256
_TWO_BYTES, _EIGHT_BYTES = 126, 127  # these lengths say that the length is in the next 2 or 8 bytes (5.2)


def frame(data: bytes | str) -> bytes:
    """Return a message as one frame, a text frame for a str.

    A server does not mask (5.1), so all clients can be sent the same bytes.
    """
    kind, payload = (TEXT, data.encode()) if isinstance(data, str) else (BINARY, data)
    length = len(payload)
    if length <= _SHORT:
        return bytes((kind, length)) + payload
    # The length takes as few bytes as it can, in network byte order (5.2)
    if length < 2**16:
        return struct.pack("!BBH", kind, 126, length) + payload
    return struct.pack("!BBQ", kind, 127, length) + payload


class Splitter:
    """Takes whole messages out of the bytes that a client sends, and leaves the rest to the library.

    `unmask(data, mask)` undoes the masking (5.3). Messages of more than `limit` bytes are left to
    the library, which refuses them; 0 is no limit.
    """

    def __init__(self, unmask: Callable[[bytes, bytes], bytes], limit: int) -> None:
        self._unmask = unmask
        most = min(limit or 2**16, 2**16 - 1)
        self._most = {TEXT: most, BINARY: most, **dict.fromkeys(_CONTROLS, _SHORT)}
        self._data = b""
        self._at = 0
        self._passing = False

    def pass_on(self) -> None:
        """Leave everything from now on to the library."""
        self._passing = True

    def feed(self, data: bytes) -> None:
        """Take in bytes that were read."""
        self._data = self._data[self._at :] + data if self._at < len(self._data) else data
        self._at = 0

    def take(self) -> tuple[int, bytes] | None:
        """Return the next message as (TEXT or BINARY, payload), or (OTHER, bytes) for the library.

        None where no frame is whole yet. A frame that is wrong or not of the common kind, and
        everything after it, is OTHER. The library gets at most `SLICE` bytes of those at a time: it
        reads all that it is given in one go, and 256 bytes can hold 42 empty fragments.
        """
        data, start = self._data, self._at
        size = len(data)
        if not self._passing:
            if size - start < 2:
                self._rest()
                return None
            # The mask is 4 bytes before the payload. Without the mask bit, which every client has
            # to set (5.1), the length here is below 0, and the library refuses the frame
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
                # A control frame (5.5) goes to the library alone. It is whole and begins no
                # message, so that plain messages after it can still be read here
                if kind in (BINARY, TEXT):
                    return kind, self._unmask(data[begin:end], data[begin - 4 : begin])
                return OTHER, data[start:end]
            # The library keeps state from here on, such as fragments (5.4): it has to see every
            # byte
            self._passing = True
        end = min(size, start + SLICE)
        self._at = end
        if start < end:
            return OTHER, data[start:end]
        self._rest()
        return None

    def _rest(self) -> None:
        """Drop the bytes that were taken; keep those of a frame that is not whole yet."""
        if self._at:
            self._data, self._at = self._data[self._at :], 0

    def split(self, data: bytes) -> list[tuple[int, bytes]]:
        """Take in `data`, and return all that `take` has of it and of what waited before."""
        self.feed(data)
        return list(iter(self.take, None))
