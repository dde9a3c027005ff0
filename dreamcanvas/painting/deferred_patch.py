"""Patches that put back an earlier picture, made in a thread while everybody goes on drawing.

When a patch's turn in the journal comes, no other operation gets a number until the patch has its own. What
was drawn since it was made has to be added to it first. In its turn that is done only where it takes
milliseconds; else the patch gives its turn up, is brought up to date in a thread, and waits for another turn.
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

AT_ONCE: Final = 2  # patches that are made at a time
IN_TURN_SECONDS: Final = 0.05  # for which everybody's paints may wait in the turn of a patch
IN_TURN_OPERATIONS: Final = 1000  # at most, that are looked through in the event loop
DAB_SECONDS: Final = 0.0001  # that it takes to draw one of the largest dabs
TURNS: Final = 8  # in the last turn all dabs that have come are added, which may take a fifth of a second

Retract: TypeAlias = Callable[[], Retraction]
Afford: TypeAlias = Callable[[Patch], None]


def _gratis(_: Patch) -> None:
    """Allow every patch."""


@dataclass(frozen=True, slots=True)
class _Made:
    """A retraction, its patch, the patch's picture, and the seconds that a row of the picture took."""

    retraction: Retraction
    png: BandedPng
    patch: Patch
    row_seconds: float

    def seconds(self, touching: Sequence[Operation]) -> float:
        """Return about how many seconds it takes to add the dabs that touch it."""
        rows = self.png.rows(self.retraction.spans(touching))
        return rows * self.row_seconds + len(touching) * DAB_SECONDS


@dataclass(slots=True, eq=False)
class _Call:
    """A patch that was asked for. `permits` are those of the room that it holds, `turns` those it has had."""

    retract: Retract
    afford: Afford
    settled: "asyncio.Future[Receipt] | None" = None
    task: "asyncio.Task[Late] | None" = None
    permits: int = 0
    turns: int = 0


class _Room:
    """A limit: `AT_ONCE` patches are made at a time, or one alone, each until it has its number."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(AT_ONCE)
        self._door = asyncio.Lock()  # two that want to be alone would else wait for each other's permit

    async def enter(self, call: _Call, *, alone: bool) -> None:
        """Wait until a call's patch may be made. Call `leave` afterwards, also where this was cancelled."""
        async with self._door:
            while call.permits < (AT_ONCE if alone else 1):
                await self._free.acquire()
                call.permits += 1

    def leave(self, call: _Call) -> None:
        """Give back the permits of a call."""
        for _ in range(call.permits):
            self._free.release()
        call.permits = 0


@dataclass(eq=False)
class DeferredPatches:
    """The patches that are being made. `again` counts how often one waited for another turn.

    `in_turn` is for how many seconds a patch may hold everybody up in its turn.
    """

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
        """Return whether the server is stopping, so that unfinished work should be given up."""
        return self._stop.is_set()

    def close(self) -> None:
        """Give up all unfinished patches, so that the painter need not wait for them when it closes."""
        self._stop.set()
        self._threads.shutdown(wait=False, cancel_futures=True)
        for call in self._calls:
            if call.task is not None:
                call.task.cancel()

    def put(
        self, author: Author, retract: Retract, *, stroke: int = 0, call: int = 0, afford: Afford = _gratis
    ) -> asyncio.Future[Receipt]:
        """Put a patch of what `retract` returns on the canvas. Raises NotNow once the painter closes.
        `retract` is called in a thread, and again where the canvas has changed too much meanwhile. `afford`
        is called once with the patch, and raises where it must not be applied. The patch is sent to
        everybody, also to the caller. The future raises what `retract` and `afford` raise, and NotNow where
        nothing could be read or saved, or too much is drawn there.
        """
        before = self.painter.introduce(author)  # done when what the author drew before is on the canvas
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
        """Give the room back and forget a call, where its patch was made and its future is settled.

        It is called at the end of either, and does nothing at the earlier of the two.
        """
        if call.task is None or call.settled is None:
            return
        if call.task.done() and call.settled.done():
            self._room.leave(call)
            self._calls.discard(call)
            # Both hold pictures, by results or tracebacks, and are part of reference cycles: without this
            # the memory would stay until the garbage collector runs
            call.task = call.settled = None

    async def _first(self, call: _Call, before: asyncio.Future[Receipt]) -> Late:
        await before
        await self._room.enter(call, alone=False)
        made = await self._in_thread(partial(_make, call.retract))
        call.afford(made.patch)
        return partial(self._finish, call, made)

    async def _next(self, call: _Call, made: _Made | None) -> Late:
        """Bring a patch up to date for another turn.

        Where another patch came meanwhile, all is made again: dabs can be added, patches cannot. This time no
        other patch is made beside it, so that none can come between again.
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
        """Return the patch with what was drawn since it was made. Raises NotYetError, NotNow.

        The journal calls it in the patch's turn.
        """
        later = self.painter.since(made.retraction.seq)
        if later is None:  # what came since is not in memory any more
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
        """Begin to bring a patch up to date for another turn, and return the error that says so.

        After `TURNS` turns, or when the server is stopping, return NotNow. Without `made` all is made again.
        """
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
    """Return a patch with later dabs added, or None where a patch is among the operations that touch it."""
    touching = [each for each in later if made.retraction.touches(each)]
    if any(isinstance(each.mark, Patch) for each in touching):
        return None
    newest = max(made.retraction.seq, later[-1].seq) if later else made.retraction.seq
    retraction = replace(made.retraction.with_later(touching), seq=newest)
    png = made.png.changed(retraction.spans(touching), retraction.look)
    return _Made(retraction, png, retraction.patch(png), made.row_seconds)
