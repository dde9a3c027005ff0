"""What is to be written to a transport, which is given no more than it takes at once.

What does not fit waits here as it is: an event or a picture that a thousand connections are sent is the same
bytes for all of them, and not a copy for each.
"""

import asyncio
import socket
from collections import deque
from collections.abc import Callable
from typing import Final

PIECE: Final = 65536


class WriteBuffer:
    """Writes to a transport in order. `pause` and `resume` are what asyncio tells of its buffer.

    `changed` is called with whether it is full, when it is and when it is no more.
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
        """Bytes that were written and are not sent yet."""
        return self._waiting + self._transport.get_write_buffer_size()

    @property
    def full(self) -> bool:
        """Whether what comes now would have to wait."""
        return self._full or bool(self._views)

    def write(self, data: bytes) -> None:
        """Writes, now or when there is room."""
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
        """Calls `done` when no more is unsent than the transport takes at once, or all is lost."""
        if self.full and not self._transport.is_closing():
            self._sent.append(done)
        else:
            done()

    def end(self, how: Callable[[], None]) -> None:
        """Calls `how`, the transport's close or write_eof, behind what waits here."""
        if self._views:
            self._end = how
        else:
            how()

    def pause(self) -> None:
        """The transport takes no more."""
        self._full = True
        self._look()

    def resume(self) -> None:
        """The transport takes more."""
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
        """The transport is gone."""
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
    """Half of it may wait here, half in the kernel, which else keeps megabytes for who does not read."""
    transport.set_write_buffer_limits(high=half)
    connection = transport.get_extra_info("socket")
    option = getattr(socket, "TCP_NOTSENT_LOWAT", None)
    if connection is not None and option is not None and connection.family != socket.AF_UNIX:
        connection.setsockopt(socket.IPPROTO_TCP, option, half)
