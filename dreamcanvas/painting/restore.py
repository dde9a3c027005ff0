"""What `who` and `restore` do: find who painted at a place, and put an earlier picture back."""

import asyncio
import contextlib
import math
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from PIL import Image

from dreamcanvas.access.moderation import Moderation
from dreamcanvas.canvas import undo
from dreamcanvas.canvas.model import HOST, WHOLE, Dab, Operation, Region, bounds, draw
from dreamcanvas.canvas.undo import Retraction
from dreamcanvas.errors import MovieError, NotKept, NotNow
from dreamcanvas.painting.deferred_patch import DeferredPatches
from dreamcanvas.painting.stroke_undo import Bounds
from dreamcanvas.store.journal import Author
from dreamcanvas.store.undo_reader import Outlines, UndoReader

T = TypeVar("T")

OPERATOR_TIMES: Final = 20  # a restore may be so many times the work that an undo may be


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to put back: the `region` as it was at `time` (ms since 1970) or when `dream` was new.

    Where both are None, it is as it was at the very start. With `authors` or `address` (as Moderation.place
    returns it) only what these have drawn since then is taken back.
    """

    region: Region
    authors: tuple[int, ...] = ()
    address: str | None = None
    time: int | None = None
    dream: int | None = None


@dataclass(frozen=True, slots=True)
class Restored:
    """The result of a restore: the patch's number, its region, and how many dabs were taken back."""

    seq: int
    region: Region
    dabs: int


@dataclass(frozen=True, slots=True)
class Painter:
    """An author whose dabs covered a place: how many there were, the first and the last."""

    author: int
    address: str
    token: str | None
    dabs: int
    first: Operation
    last: Operation


@dataclass(frozen=True, slots=True)
class _Theirs:
    """Dabs of some authors, with numbers after `after` and up to `until`."""

    authors: tuple[int, ...]
    after: int
    until: int
    dabs: tuple[Operation, ...]


class Restorer:
    """The work behind `who` and `restore`: it reads the past and has patches made.

    `lost` returns the JPEG of a dream whose frame file is deleted, or raises MovieError or OSError.
    """

    def __init__(
        self,
        deferred: DeferredPatches,
        moderation: Moderation,
        *,
        database: Path,
        frames: Path,
        lost: Callable[[int], Awaitable[bytes]],
    ) -> None:
        self._deferred = deferred
        self._moderation = moderation
        self._open = partial(UndoReader.open, database, frames)
        self._lost = lost

    async def who(self, region: Region, *, since: int, time: int) -> list[Painter]:
        """Return who painted in a region between two times, ms since 1970; first who painted last.

        Raises NotKept, NotNow.
        """
        return await _reading(lambda: self._who(region, since, time))

    def _who(self, region: Region, since: int, time: int) -> list[Painter]:
        with self._open() as past:
            found: dict[int, list[Operation]] = {}
            between = past.seq_at(since), past.seq_at(time)
            for operation in _kept(lambda: past.operations(*between, region)):
                if isinstance(operation.mark, Dab) and _covers(operation.mark, region):
                    found.setdefault(operation.author, []).append(operation)
            known = past.authors(found)
        painters = [
            Painter(author, *known.get(author, ("", None)), len(dabs), dabs[0], dabs[-1])
            for author, dabs in found.items()
        ]
        return sorted(painters, key=lambda painter: painter.last.seq, reverse=True)

    async def restore(self, wanted: Wanted, details: Mapping[str, object]) -> Restored:
        """Put an earlier picture back by a patch, and write the act down with `details`.

        Raises NotKept where too little is kept or there is nothing to put back; NotNow, sqlite3.Error.
        """
        if wanted.authors or wanted.address is not None:
            return await self._take_back(wanted, details)
        retraction = await _reading(partial(self._as_it_was, wanted, await self._pictures(wanted, None)))
        act = await self._moderation.record("restore", dict(details))
        receipt = await self._deferred.put(_operator(), lambda: retraction)
        await self._moderation.made(act, receipt.seq)
        return Restored(receipt.seq, retraction.region, 0)

    async def _take_back(self, wanted: Wanted, details: Mapping[str, object]) -> Restored:
        theirs = await _reading(partial(self._theirs, wanted))
        if not theirs.dabs:
            raise NotKept("there is nothing of theirs there since then", asked_by="authors")
        pictures = await self._pictures(wanted, theirs.dabs[0].seq)
        span = {"authors": theirs.authors, "after": theirs.after, "until": theirs.until}
        # Only of a whole canvas all of theirs is gone; of a region their dabs are still seen beside it
        whole = wanted.region == WHOLE
        act = await self._moderation.record("restore", {**details, **(span if whole else {})})
        retract = partial(self._retract, wanted.region, theirs, pictures)
        receipt = await self._deferred.put(_operator(), retract, stroke=act if whole else 0)
        await self._moderation.made(act, receipt.seq)
        marks = (dab.mark for dab in theirs.dabs if isinstance(dab.mark, Dab))
        return Restored(receipt.seq, undo.region_of(marks).within(wanted.region), len(theirs.dabs))

    # In threads

    def _theirs(self, wanted: Wanted) -> _Theirs:
        with self._open() as past:
            newest = past.newest()
            after = self._after(past, wanted)
            authors = set(wanted.authors)
            if wanted.address is not None:
                authors |= {
                    author
                    for author, (address, _) in past.authors().items()
                    if self._moderation.is_at(wanted.address, address)
                }
            dabs = _kept(lambda: past.dabs(authors, after, newest))
        touching = [dab for dab in dabs if bounds(dab.mark).touches(wanted.region)]
        return _Theirs(tuple(sorted(authors)), after, newest, tuple(touching))

    @staticmethod
    def _after(past: UndoReader, wanted: Wanted) -> int:
        if wanted.dream is not None:
            return _seq_of(past, wanted.dream)
        return past.seq_at(wanted.time) if wanted.time is not None else 0

    def _retract(self, region: Region, theirs: _Theirs, pictures: Mapping[int, bytes]) -> Retraction:
        with self._open(pictures) as past:
            newest = past.newest()
            outlines = Outlines(past)
            work = Bounds().work(self._deferred.stopped, times=OPERATOR_TIMES)
            whole = _kept(
                lambda: undo.take_back(outlines, theirs.dabs, newest, work=work, whole=outlines.whole)
            )
        return whole.within(region)

    def _as_it_was(self, wanted: Wanted, pictures: Mapping[int, bytes]) -> Retraction:
        with self._open(pictures) as past:
            dream, start, until = _moment(past, wanted)
            try:
                start, picture = past.picture_at(dream, until)
            except OSError as error:
                raise NotKept(f"the picture of dream {dream} is not kept", asked_by="time") from error
            for operation in _kept(lambda: past.operations(start, until, wanted.region)):
                draw(picture, operation.mark)
            newest = past.newest()
        alpha = Image.new("L", (wanted.region.width, wanted.region.height), 255)
        return Retraction(wanted.region, picture.crop(wanted.region), alpha, newest)

    async def _pictures(self, wanted: Wanted, first: int | None) -> dict[int, bytes]:
        """Return the JPEG of the dream that a restore starts from, by number, if its frame file is deleted.

        Return nothing where the file is there, or where the picture is not to be had elsewhere either.
        """

        def missing() -> int:
            with self._open() as past:
                dream = past.dream_before(first)[0] if first is not None else _moment(past, wanted)[0]
                with contextlib.suppress(OSError):
                    past.picture(dream)
                    return 0
                return dream

        dream = await _reading(missing)
        if not dream:
            return {}
        try:
            return {dream: await self._lost(dream)}
        except (MovieError, OSError):
            return {}


def _moment(past: UndoReader, wanted: Wanted) -> tuple[int, int, int]:
    """Return the dream that was shown, the last operation in it, and the last one drawn on it by then."""
    if wanted.dream is not None:
        seq = _seq_of(past, wanted.dream)
        return wanted.dream, seq, seq
    if wanted.time is None:
        return 0, 0, 0
    dream, seq = past.dream_at(wanted.time)
    return dream, seq, max(seq, past.seq_at(wanted.time))


def _seq_of(past: UndoReader, dream: int) -> int:
    try:
        return past.dream_seq(dream) if dream else 0
    except LookupError as error:
        raise NotKept(str(error), asked_by="dream") from error


def _operator() -> Author:
    return Author(HOST, None, "", stored=True)


def _covers(dab: Dab, region: Region) -> bool:
    """Return whether the middle of any pixel of the region lies inside the dab's circle."""
    half = dab.size / 2
    x, y = dab.x - dab.size // 2 + half, dab.y - dab.size // 2 + half
    nearest_x = min(max(x, region.left + 0.5), region.right - 0.5)
    nearest_y = min(max(y, region.top + 0.5), region.bottom - 0.5)
    return math.hypot(nearest_x - x, nearest_y - y) < half


def _kept(read: Callable[[], T]) -> T:
    try:
        return read()
    except LookupError as error:
        raise NotKept(f"too little is kept: {error}", asked_by="time") from error
    except undo.OverdrawnError as error:
        raise NotKept(f"too much came after that: {error}", asked_by="time") from error


async def _reading(read: Callable[[], T]) -> T:
    try:
        return await asyncio.to_thread(read)
    except (sqlite3.Error, OSError) as error:
        raise NotNow("the past cannot be read at the moment") from error
