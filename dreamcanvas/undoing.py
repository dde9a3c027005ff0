"""The use case behind `undo`: what a stroke's patch is made from, and that nothing is lost under it.

The work is done in a thread while everybody draws on. When the patch's turn in the journal comes, what was
drawn meanwhile is laid on it; nothing gets a number between that and the patch.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from dreamcanvas import undo
from dreamcanvas.canvas import Patch
from dreamcanvas.errors import TooLate, Unavailable
from dreamcanvas.painter import Painter
from dreamcanvas.store.journal import RETRY_AFTER_MS, Author, Late, Receipt
from dreamcanvas.store.past import Past
from dreamcanvas.undo import Retraction

AT_ONCE: Final = 2


class Undoing:
    """Takes strokes back that were drawn in the last `seconds` (0: whenever)."""

    def __init__(
        self, painter: Painter, *, database: Path, frames: Path, seconds: int, clock: Callable[[], int]
    ) -> None:
        self._painter = painter
        self._open = partial(Past.open, database, frames)
        self._seconds = seconds
        self._clock = clock
        self._room = asyncio.Semaphore(AT_ONCE)

    def undo(self, author: Author, stroke: int, *, call: int = 0) -> asyncio.Future[Receipt]:
        """Puts back what was there before a stroke. All hear of the patch, also who asked for it.

        The future raises TooLate where the stroke is not the author's, too old, or has been taken back, and
        Unavailable where nothing could be saved. Raises Unavailable once the painter closes.
        """
        since = self._clock() - 1000 * self._seconds if self._seconds else 0
        drawn = self._painter.introduce(author)  # behind the stroke, where that is still on its way
        making = asyncio.get_running_loop().create_task(self._make(drawn, author, stroke, since))
        return self._painter.put_later(author, making, stroke=stroke, call=call)

    async def _make(self, drawn: asyncio.Future[Receipt], author: Author, stroke: int, since: int) -> Late:
        await drawn
        async with self._room:
            retraction, patch = await self._in_thread(author, stroke, since)
        return partial(self._finish, author, stroke, since, retraction, patch)

    async def _finish(
        self, author: Author, stroke: int, since: int, retraction: Retraction, patch: Patch
    ) -> Sequence[Patch]:
        """The patch with what was drawn since it was made. Called when its turn has come."""
        later = self._painter.since(retraction.seq)
        touching = None if later is None else [each for each in later if retraction.touches(each)]
        if touching is None or any(isinstance(each.mark, Patch) for each in touching):
            return [(await self._in_thread(author, stroke, since))[1]]
        if touching:
            return [await asyncio.to_thread(lambda: retraction.with_later(touching).patch())]
        return [patch]

    async def _in_thread(self, author: Author, stroke: int, since: int) -> tuple[Retraction, Patch]:
        try:
            return await asyncio.to_thread(self._retract, author.number, stroke, since)
        except (sqlite3.Error, OSError) as error:
            raise Unavailable(
                "the past cannot be read at the moment; nothing was applied", retry_after_ms=RETRY_AFTER_MS
            ) from error

    def _retract(self, author: int, stroke: int, since: int) -> tuple[Retraction, Patch]:
        with self._open() as past:
            newest = past.newest()
            dabs = past.stroke(author, stroke, until=newest, since=since)
            if not dabs:
                within = f" of the last {self._seconds} seconds" if self._seconds else ""
                raise TooLate(f"there is no stroke {stroke} of yours{within} to take back", field="stroke")
            try:
                retraction = undo.take_back(past, dabs, newest)
            except LookupError as error:
                raise TooLate(f"what was there before stroke {stroke} is not kept any more") from error
            return retraction, retraction.patch()
