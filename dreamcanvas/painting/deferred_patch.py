"""Patches that put back how it was, made in a thread while everybody draws on.

When a patch's turn in the journal comes, nothing gets a number until it has its own. So what was drawn
meanwhile is laid on it then only where that is a matter of milliseconds. Else it waits for another turn, and
is made ready for that beside everything else.
"""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final, TypeAlias, TypeVar

from dreamcanvas.canvas.banded_png import BandedPng
from dreamcanvas.canvas.model import Operation, Patch
from dreamcanvas.canvas.undo import Retraction, StoppedError
from dreamcanvas.errors import NotNow
from dreamcanvas.painting.painter import Painter
from dreamcanvas.store.journal import Author, Late, NotYetError, Receipt

T = TypeVar("T")

AT_ONCE: Final = 2
IN_TURN_SECONDS: Final = 0.05  # for which everybody's paints may wait
IN_TURN_OPERATIONS: Final = 1000  # that are looked through in the event loop
DAB_SECONDS: Final = 0.0001  # of laying the largest
TURNS: Final = 8  # in the last one it is done with whatever dabs have come: a fifth of a second

Retract: TypeAlias = Callable[[], Retraction]
Afford: TypeAlias = Callable[[Patch], None]


def _gratis(_: Patch) -> None:
    """Lets every patch be."""


@dataclass(frozen=True, slots=True)
class _Made:
    """A retraction, its patch and that one's picture, and the seconds that a row of it took."""

    retraction: Retraction
    png: BandedPng
    patch: Patch
    row_seconds: float

    def seconds(self, touching: Sequence[Operation]) -> float:
        """About how long it takes to lay operations on it."""
        rows = self.png.rows(self.retraction.spans(touching))
        return rows * self.row_seconds + len(touching) * DAB_SECONDS


@dataclass(slots=True, eq=False)
class _Call:
    """A patch that is wanted: `permits` are those that it has of the room, `turns` it has had."""

    retract: Retract
    afford: Afford
    settled: "asyncio.Future[Receipt] | None" = None
    task: "asyncio.Task[Late] | None" = None
    permits: int = 0
    turns: int = 0


class _Room:
    """Where `AT_ONCE` are made at a time, until each has its number; or one that must not be disturbed."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(AT_ONCE)
        self._door = asyncio.Lock()

    async def enter(self, call: _Call, *, alone: bool) -> None:
        """Waits until a call may be made. It has to leave, however this ends."""
        async with self._door:
            while call.permits < (AT_ONCE if alone else 1):
                await self._free.acquire()
                call.permits += 1

    def leave(self, call: _Call) -> None:
        """Makes room."""
        for _ in range(call.permits):
            self._free.release()
        call.permits = 0


@dataclass(eq=False)
class DeferredPatches:
    """Has the painter put such patches on the canvas. `again` counts those that waited for another turn."""

    painter: Painter
    in_turn: float = IN_TURN_SECONDS
    again: int = 0
    _room: _Room = field(default_factory=_Room)
    _calls: set[_Call] = field(default_factory=set)
    _threads: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(AT_ONCE, thread_name_prefix="undo")
    )
    _stop: threading.Event = field(default_factory=threading.Event)

    def stopped(self) -> bool:
        """Whether the server ends, so that what is made should be given up."""
        return self._stop.is_set()

    def close(self) -> None:
        """Give up whatever is being made, so that the painter need not wait for it when it closes."""
        self._stop.set()
        self._threads.shutdown(wait=False, cancel_futures=True)
        for call in self._calls:
            if call.task is not None:
                call.task.cancel()

    def put(
        self, author: Author, retract: Retract, *, stroke: int = 0, call: int = 0, afford: Afford = _gratis
    ) -> asyncio.Future[Receipt]:
        """Puts on the canvas what `retract` gives, which is called in a thread, more than once if need be.

        All hear of the patch, also who asked for it. The future raises what `retract` and `afford` raise,
        which is asked once whether the patch may be, and NotNow where nothing could be read or saved.
        Raises NotNow once the painter closes.
        """
        before = self.painter.introduce(author)  # what the author drew before is there then
        wanted = _Call(retract, afford)
        self._calls.add(wanted)
        late = self._start(wanted, self._first(wanted, before))
        wanted.settled = self.painter.put_later(author, late, stroke=stroke, call=call)
        wanted.settled.add_done_callback(lambda _: self._leave(wanted))
        return wanted.settled

    def _start(self, call: _Call, making: Coroutine[None, None, Late]) -> "asyncio.Task[Late]":
        call.task = asyncio.get_running_loop().create_task(making)
        call.task.add_done_callback(lambda _: self._leave(call))
        return call.task

    def _leave(self, call: _Call) -> None:
        """Called when a call was made, and when it was settled: the later of the two makes room."""
        if call.task is None or call.settled is None:
            return
        if call.task.done() and call.settled.done():
            self._room.leave(call)
            self._calls.discard(call)
            # Both hold pictures, by their results or their errors' tracebacks: not until rings are collected
            call.task = call.settled = None

    async def _first(self, call: _Call, before: asyncio.Future[Receipt]) -> Late:
        await before
        await self._room.enter(call, alone=False)
        made = await self._in_thread(partial(_make, call.retract))
        call.afford(made.patch)
        return partial(self._finish, call, made)

    async def _next(self, call: _Call, made: _Made | None) -> Late:
        """Makes it ready for another turn. Where more than dabs came, all is made again, and alone, so that
        no other patch comes between.
        """
        if made is not None:
            later = self.painter.since(made.retraction.seq) or ()
            made = await self._in_thread(partial(_with, made, later))
        if made is None:
            self._room.leave(call)
            await self._room.enter(call, alone=True)
            made = await self._in_thread(partial(_make, call.retract))
        return partial(self._finish, call, made)

    async def _finish(self, call: _Call, made: _Made) -> Sequence[Patch]:
        """The patch with what was drawn since it was made. Called when its turn has come."""
        later = self.painter.since(made.retraction.seq)
        if later is None:
            raise self._not_yet(call, None)
        if len(later) > IN_TURN_OPERATIONS:
            raise self._not_yet(call, made)
        touching = [each for each in later if made.retraction.touches(each)]
        if any(isinstance(each.mark, Patch) for each in touching):
            raise self._not_yet(call, None)
        if not touching:
            return [made.patch]
        if made.seconds(touching) > self.in_turn and call.turns < TURNS - 1:
            raise self._not_yet(call, made)
        finished = await self._in_thread(partial(_with, made, touching))
        assert finished is not None, "no patch is among them"
        return [finished.patch]

    def _not_yet(self, call: _Call, made: _Made | None) -> Exception:
        """Has it made ready for another turn, if there is to be one."""
        call.turns += 1
        if call.turns >= TURNS or self.stopped():
            return NotNow("too much is drawn there at the moment; nothing was applied")
        self.again += 1
        return NotYetError(self._start(call, self._next(call, made)))

    async def _in_thread(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except (sqlite3.Error, OSError) as error:
            raise NotNow("the past cannot be read at the moment; nothing was applied") from error
        except (StoppedError, asyncio.CancelledError, RuntimeError) as error:
            if not self.stopped():
                raise
            raise NotNow("the server is shutting down; nothing was applied") from error


def _make(retract: Retract) -> _Made:
    retraction = retract()
    began = time.thread_time()
    png = retraction.png()
    patch = retraction.patch(png)
    return _Made(retraction, png, patch, (time.thread_time() - began) / png.height)


def _with(made: _Made, later: Sequence[Operation]) -> _Made | None:
    """The same with later dabs on it; None where a patch is among what touches it."""
    touching = [each for each in later if made.retraction.touches(each)]
    if any(isinstance(each.mark, Patch) for each in touching):
        return None
    newest = max(made.retraction.seq, later[-1].seq) if later else made.retraction.seq
    retraction = replace(made.retraction.with_later(touching), seq=newest)
    png = made.png.changed(retraction.spans(touching), retraction.look)
    return _Made(retraction, png, retraction.patch(png), made.row_seconds)
