"""The use case behind `undo`: whose stroke, and whether it is too late."""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path

from dreamcanvas import undo
from dreamcanvas.counting import counted
from dreamcanvas.errors import TooLate
from dreamcanvas.retracting import Retracting
from dreamcanvas.store.journal import Author, Receipt
from dreamcanvas.store.past import Past
from dreamcanvas.undo import Retraction


class Undoing:
    """Takes strokes back that were drawn in the last `seconds` (0: whenever)."""

    def __init__(
        self,
        retracting: Retracting,
        *,
        database: Path,
        frames: Path,
        seconds: int,
        clock: Callable[[], int],
    ) -> None:
        self._retracting = retracting
        self._open = partial(Past.open, database, frames)
        self._seconds = seconds
        self._clock = clock

    def undo(self, author: Author, stroke: int, *, call: int = 0) -> asyncio.Future[Receipt]:
        """Puts back what was there before a stroke. All hear of the patch, also who asked for it.

        The future raises TooLate where the stroke is not the author's, too old, or has been taken back, and
        Unavailable where nothing could be saved. Raises Unavailable once the painter closes.
        """
        since = self._clock() - 1000 * self._seconds if self._seconds else 0
        retract = partial(self._retract, author.number, stroke, since)
        return self._retracting.put(author, retract, stroke=stroke, call=call)

    def _retract(self, author: int, stroke: int, since: int) -> Retraction:
        with self._open() as past:
            newest = past.newest()
            dabs = past.stroke(author, stroke, until=newest, since=since)
            if not dabs:
                within = f" of the last {counted(self._seconds, 'second')}" if self._seconds else ""
                raise TooLate(f"there is no stroke {stroke} of yours{within} to take back", field="stroke")
            try:
                return undo.take_back(past, dabs, newest)
            except LookupError as error:
                raise TooLate(f"what was there before stroke {stroke} is not kept any more") from error
