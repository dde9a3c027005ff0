"""Holds what is to be written to a transport, and gives the transport no more than it takes at once.

What does not fit waits here uncopied: when a thousand connections are sent the same event or
picture, all of them hold the same bytes.
"""

import asyncio
import socket
from collections import deque
from collections.abc import Callable
from typing import Final

PIECE: Final = 65536


class WriteBuffer:
    """What waits to be written to one transport, in order.

    `pause` and `resume` are called when asyncio calls `pause_writing` and `resume_writing`.
    `changed` is called with True when the buffer becomes full, with False when it is no longer
    full.
    """

    def __init__(self, transport: asyncio.Transport, changed: Callable[[bool], None]) -> None:
        self._transport = transport
        self._changed = changed
        self._was_full = False
        self._full = False
        self._views: deque[memoryview] = deque()
        self._waiting = 0
        self._end: Callable[[], None] | None = None
        self._sent: list[Callable[[], None]] = []

    @property
    def unsent(self) -> int:
        """Return how many bytes were written and are not sent yet."""
        return self._waiting + self._transport.get_write_buffer_size()

    @property
    def full(self) -> bool:
        """Return whether what is written now would have to wait."""
        return self._full or bool(self._views)

    def write(self, data: bytes) -> None:
        """Write now, or when there is room. Does nothing when the transport is closing."""
        if not data or self._transport.is_closing():
            return
        if not self._full and not self._views and len(data) <= PIECE:
            self._transport.write(data)
            return
        self._views.append(memoryview(data))
        self._waiting += len(data)
        self._push()
        self._look()

    def when_sent(self, done: Callable[[], None]) -> None:
        """Call `done` when the buffer is not full, which may be now, or when the transport is gone."""
        if self.full and not self._transport.is_closing():
            self._sent.append(done)
        else:
            done()

    def end(self, how: Callable[[], None]) -> None:
        """Call `how`, the transport's close or write_eof, after all that waits here was written."""
        if self._views:
            self._end = how
        else:
            how()

    def pause(self) -> None:
        """Write no more: the transport's own buffer is full."""
        self._full = True
        self._look()

    def resume(self) -> None:
        """Write what waits: the transport's own buffer has room."""
        self._full = False
        self._push()
        self._look()
        if not self.full:
            self._tell()

    def _look(self) -> None:
        if self.full is not self._was_full:
            self._was_full = self.full
            self._changed(self._was_full)

    def lose(self) -> None:
        """Drop what waits: the transport is gone."""
        self._views.clear()
        self._waiting = 0
        self._tell()

    def _push(self) -> None:
        while self._views and not self._full:
            view = self._views.popleft()
            if len(view) > PIECE:
                self._views.appendleft(view[PIECE:])
                view = view[:PIECE]
            self._waiting -= len(view)
            self._transport.write(view)
        if not self._views and self._end is not None:
            end, self._end = self._end, None
            end()

    def _tell(self) -> None:
        done, self._sent = self._sent, []
        for call in done:
            call()


def bound_what_is_unsent(transport: asyncio.Transport, half: int) -> None:
    """Limit what waits for a peer to `half` bytes in the transport, and `half` bytes unsent in the kernel.

    Without that the kernel keeps megabytes for a peer that does not read. A Unix socket has no such
    limit.
    """
    transport.set_write_buffer_limits(high=half)
    connection = transport.get_extra_info("socket")
    option = getattr(socket, "TCP_NOTSENT_LOWAT", None)
    if connection is not None and option is not None and connection.family != socket.AF_UNIX:
        connection.setsockopt(socket.IPPROTO_TCP, option, half)
