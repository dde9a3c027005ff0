"""What a connection has read and not dealt with yet: bytes, the calls of a message, events of the past.

It is dealt with as the connection's address takes turns with others. While something waits, or the peer does
not read what it is sent, nothing more is read from it: what a peer can make wait here is one read.
"""

import asyncio
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from typing import Final, Protocol

from dreamcanvas.rpc.connection import Call, Connection
from dreamcanvas.rpc.fair_scheduler import FairScheduler, Share
from dreamcanvas.rpc.frames import OTHER, TEXT, Splitter

FLUSH_BYTES: Final = 65536
BYTES_PER_FRAME: Final = 24  # of what is no plain message: each so many cost as much as a call


class Line(Protocol):
    """The connection. While it is `open` calls are carried out; what is closing is read to its end."""

    open: bool

    def feed(self, data: bytes) -> None:
        """Deals with what is the library's."""

    def calls(self, message: bytes, text: bool) -> list[Call]:
        """The calls in a message."""

    def carry_out(self, call: Call) -> None:
        """Carries out a call."""

    def write(self, data: bytes) -> None:
        """Writes framed messages."""

    def read(self, reading: bool) -> None:
        """Reads from the peer, or does not."""

    def flush(self) -> bool:
        """Writes the answers that are ready."""


class ReadBuffer:
    """Has a line deal with it. It is held up while its peer does not read, or many calls wait."""

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
        """Count what is done to a share of the event loop from now on."""
        self._share = share

    def slow(self, slow: bool) -> None:
        """Carry out no more while the peer does not read, or go on with the next `go_on`."""
        self._slow = slow

    def busy(self, busy: bool) -> None:
        """Carry out no more while many calls wait, or go on with the next `go_on`."""
        self._busy = busy

    def feed(self, data: bytes) -> None:
        """Takes in what was read."""
        self._splitter.feed(data)
        self._unread = True
        self.go_on()

    def add(self, calls: Iterable[Call]) -> None:
        """Takes in the calls of a message: more is looked at when they are carried out."""
        self._todo.extend(calls)

    def stream(self, frames: Iterator[bytes]) -> None:
        """Takes in framed messages, which are written as the peer reads them, before the next call."""
        self._stream = frames
        self._loop.call_soon(self.go_on)

    @property
    def streaming(self) -> bool:
        """Whether not all of the stream was written."""
        return self._stream is not None

    def go_on(self) -> None:
        """Deals with what waits, now or when it is its turn."""
        if self._has_work() and not self._waits():
            self._turns.ready(self._share, self)
        self.look()

    def work(self, until: float) -> bool:
        """Goes on until a time; all answers that are ready go out in one write. Says whether it can go on."""
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
        """Says whether to read, where that has changed."""
        reading = not (self._has_work() or self._waits())
        if reading is not self._reading:
            self._reading = reading
            self._line.read(reading)

    def forget(self) -> None:
        """Nobody waits for what there was to do. What was read is still looked through for a close."""
        self._todo.clear()
        stream, self._stream = self._stream, None
        if isinstance(stream, Generator):
            stream.close()

    def finish(self) -> None:
        """Has the calls of the last message carried out: the peer says no more."""
        while self._todo:
            self._line.carry_out(self._todo.popleft())

    def leave(self) -> None:
        """The connection has gone."""
        self.forget()
        self._unread = False
        self._turns.leave(self._share, self)
