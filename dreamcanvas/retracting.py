"""Patches that put back how it was, made in a thread while everybody draws on.

When a patch's turn in the journal comes, what was drawn meanwhile is laid on it; nothing gets a number
between that and the patch.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, TypeAlias

from dreamcanvas.canvas import Patch
from dreamcanvas.errors import Unavailable
from dreamcanvas.painter import Painter
from dreamcanvas.store.journal import RETRY_AFTER_MS, Author, Late, Receipt
from dreamcanvas.undo import Retraction

AT_ONCE: Final = 2

Retract: TypeAlias = Callable[[], Retraction]


class Retracting:
    """Has the painter put such patches on the canvas."""

    def __init__(self, painter: Painter) -> None:
        self._painter = painter
        self._room = asyncio.Semaphore(AT_ONCE)

    def put(
        self, author: Author, retract: Retract, *, stroke: int = 0, call: int = 0
    ) -> asyncio.Future[Receipt]:
        """Puts on the canvas what `retract` gives, which is called in a thread, more than once if need be.

        All hear of the patch, also who asked for it. The future raises what `retract` raises, and Unavailable
        where nothing could be read or saved. Raises Unavailable once the painter closes.
        """
        before = self._painter.introduce(author)  # what the author drew before is there then
        making = asyncio.get_running_loop().create_task(self._make(before, retract))
        return self._painter.put_later(author, making, stroke=stroke, call=call)

    async def _make(self, before: asyncio.Future[Receipt], retract: Retract) -> Late:
        await before
        async with self._room:
            retraction, patch = await _in_thread(retract)
        return partial(self._finish, retract, retraction, patch)

    async def _finish(self, retract: Retract, retraction: Retraction, patch: Patch) -> Sequence[Patch]:
        """The patch with what was drawn since it was made. Called when its turn has come."""
        later = self._painter.since(retraction.seq)
        touching = None if later is None else [each for each in later if retraction.touches(each)]
        if touching is None or any(isinstance(each.mark, Patch) for each in touching):
            return [(await _in_thread(retract))[1]]
        if touching:
            return [await asyncio.to_thread(lambda: retraction.with_later(touching).patch())]
        return [patch]


async def _in_thread(retract: Retract) -> tuple[Retraction, Patch]:
    def work() -> tuple[Retraction, Patch]:
        retraction = retract()
        return retraction, retraction.patch()

    try:
        return await asyncio.to_thread(work)
    except (sqlite3.Error, OSError) as error:
        raise Unavailable(
            "the past cannot be read at the moment; nothing was applied", retry_after_ms=RETRY_AFTER_MS
        ) from error
