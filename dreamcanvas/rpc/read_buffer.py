"""Holds what a connection has still to handle: bytes that were read, calls of a message, a stream of events.

It is handled when the turn of the connection's address comes. While something waits here, or the
peer does not read what it is sent, nothing more is read from the peer. So a peer can make at most
one read wait here.
"""

import asyncio
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from typing import Final, Protocol

from dreamcanvas.rpc.connection import Call, Connection
from dreamcanvas.rpc.fair_scheduler import FairScheduler, Share
from dreamcanvas.rpc.frames import OTHER, TEXT, Splitter

FLUSH_BYTES: Final = 65536
BYTES_PER_FRAME: Final = 24  # of what the library reads: so many bytes are counted as one call


class Line(Protocol):
    """The part of a connection that its read buffer needs.

    While it is `open`, its calls are carried out. When it is closing, it is read to its end.
    """

    open: bool

    def feed(self, data: bytes) -> None:
        """Give bytes to the websockets library."""

    def calls(self, message: bytes, text: bool) -> list[Call]:
        """Return the calls in a message."""

    def carry_out(self, call: Call) -> None:
        """Carry out a call."""

    def write(self, data: bytes) -> None:
        """Write framed messages."""

    def read(self, reading: bool) -> None:
        """Start or stop reading from the peer."""

    def flush(self) -> bool:
        """Write the answers that are ready. Return whether the peer is still there."""


class ReadBuffer:
    """What one connection has still to handle, and whether it may.

    It may not while the peer does not read (`slow`), or while many calls are unanswered (`busy`).
    """

    def __init__(self, line: Line, answers: Connection, splitter: Splitter, turns: FairScheduler) -> None:
        self._line = line
        self._answers = answers
        self._splitter = splitter
        self._turns = turns
        self._share = turns.share(None)
        self._loop = asyncio.get_running_loop()
        self._todo: deque[Call] = deque()
        self._stream: Iterator[bytes] | None = None
        self._unread = False
        self._reading = True
        self._slow = False
        self._busy = False

    def belongs(self, share: Share) -> None:
        """Charge what is done from now on to this share of the event loop."""
        self._share = share

    def slow(self, slow: bool) -> None:
        """Note whether the peer does not read: then nothing is handled. Call `go_on` afterwards."""
        self._slow = slow

    def busy(self, busy: bool) -> None:
        """Note whether many calls are unanswered: then nothing is handled. Call `go_on` afterwards."""
        self._busy = busy

    def feed(self, data: bytes) -> None:
        """Take in bytes that were read, and handle them now or when the turn comes."""
        self._splitter.feed(data)
        self._unread = True
        self.go_on()

    def add(self, calls: Iterable[Call]) -> None:
        """Take in the calls of a message. They are carried out before more bytes are looked at."""
        self._todo.extend(calls)

    def stream(self, frames: Iterator[bytes]) -> None:
        """Take in framed messages. They are written as the peer reads them, before the next call."""
        self._stream = frames
        self._loop.call_soon(self.go_on)

    @property
    def streaming(self) -> bool:
        """Return whether a part of the stream is still to be written."""
        return self._stream is not None

    def go_on(self) -> None:
        """Handle what waits, now or when the turn comes, where it may be handled."""
        if self._has_work() and not self._waits():
            self._turns.ready(self._share, self)
        self.look()

    def work(self, until: float) -> bool:
        """Handle what waits until a time of the scheduler's clock. Return whether there is more to do now.

        The answers that are ready at the end are written in one piece.
        """
        line, share, answers, clock = self._line, self._share, self._answers, self._turns.clock
        while not (line.open and (self._slow or self._busy)):
            if self._stream is not None:
                self._stream_on(self._stream)
            elif self._todo:
                share.calls += 1
                line.carry_out(self._todo.popleft())
            else:
                piece = self._splitter.take()
                if piece is None:
                    self._unread = False
                    break
                kind, data = piece
                share.calls += 1
                share.size += len(data)
                if kind == OTHER:
                    share.calls += len(data) // BYTES_PER_FRAME
                    line.feed(data)
                else:
                    calls = line.calls(data, kind == TEXT)
                    if len(calls) == 1:
                        line.carry_out(calls[0])
                    else:
                        self._todo.extend(calls)
            if answers.pending >= FLUSH_BYTES:
                line.flush()  # which shows whether the peer reads them
            if clock() >= until:
                break
        self._line.flush()
        self.look()
        return self._has_work() and not self._waits()

    def _stream_on(self, stream: Iterator[bytes]) -> None:
        self._line.flush()
        frames = next(stream, None)
        if frames is None:
            self._stream = None
        else:
            self._line.write(frames)

    def _has_work(self) -> bool:
        return self._unread or bool(self._todo) or self._stream is not None

    def _waits(self) -> bool:
        return self._line.open and (self._slow or self._busy)

    def look(self) -> None:
        """Start or stop reading from the peer, where that has to change."""
        reading = not (self._has_work() or self._waits())
        if reading is not self._reading:
            self._reading = reading
            self._line.read(reading)

    def forget(self) -> None:
        """Drop the calls and the stream: nobody waits for them. Keep the bytes, for a close frame."""
        self._todo.clear()
        stream, self._stream = self._stream, None
        if isinstance(stream, Generator):
            stream.close()

    def finish(self) -> None:
        """Carry out all calls of the last message at once: the peer will send no more."""
        while self._todo:
            self._line.carry_out(self._todo.popleft())

    def leave(self) -> None:
        """Drop everything and give up the turn: the connection has gone."""
        self.forget()
        self._unread = False
        self._turns.leave(self._share, self)
