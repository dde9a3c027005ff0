"""What `undo` does: it finds a stroke of its author's, unless it is too late, and takes it back."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from dreamcanvas.canvas import undo
from dreamcanvas.canvas.undo import Retraction
from dreamcanvas.config import Config
from dreamcanvas.errors import UndoError, UnknownStroke
from dreamcanvas.painting.deferred_patch import Afford, DeferredPatches
from dreamcanvas.store.journal import Author, Receipt
from dreamcanvas.store.undo_reader import Bases, Outlines, UndoReader
from dreamcanvas.text.plural import counted


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much work an undo may be; 0 is no limit.

    `operations` may be looked through, `megapixels` (millions) drawn again, and `memory_mb` (MB) used for
    the pictures that it needs meanwhile.
    """

    operations: int = 200_000
    megapixels: int = 300
    memory_mb: int = 64

    def work(self, stopped: Callable[[], bool], *, times: int = 1) -> undo.Work:
        """Return the budget of one undo, `times` these bounds. It is given up when `stopped` returns True."""
        return undo.Work(
            operations=times * self.operations or undo.FOREVER,
            pixels=times * self.megapixels * 1_000_000 or undo.FOREVER,
            live=times * self.memory_mb * 250_000 or undo.FOREVER,  # a pixel takes 4 bytes
            stopped=stopped,
        )


def undo_bounds(config: Config) -> Bounds:
    """Return the bounds that the settings give."""
    return Bounds(config.undo_operations, config.undo_megapixels, config.undo_memory_mb)


class StrokeUndo:
    """The work behind `undo`: it takes back strokes of the last `seconds` (0: of any age).

    `limited` is called with "undo" where that is more work than `bounds` allow. `clock` gives ms since
    1970.
    """

    def __init__(
        self,
        deferred: DeferredPatches,
        *,
        database: Path,
        frames: Path,
        seconds: int,
        clock: Callable[[], int],
        bounds: Bounds = Bounds(),
        limited: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._deferred = deferred
        self._bounds = bounds
        self._limited = limited
        self._open = partial(UndoReader.open, database, frames, bases=Bases())
        self._seconds = seconds
        self._clock = clock

    def undo(
        self, author: Author, stroke: int, *, call: int = 0, afford: Afford = lambda _: None
    ) -> asyncio.Future[Receipt]:
        """Put back what was there before a stroke, by a patch. Raises NotNow once the painter closes.

        The patch is sent to everybody, also to the caller. `afford` is called with it, and raises where it
        must not be applied. The future raises that error; UnknownStroke where the stroke is not the
        author's, too old, or taken back already; UndoError where it is too much work, or what was there
        before is not kept; NotNow where nothing could be saved.
        """
        since = self._clock() - 1000 * self._seconds if self._seconds else 0
        retract = partial(self._retract, author.number, stroke, since)
        return self._deferred.put(author, retract, stroke=stroke, call=call, afford=afford)

    def _retract(self, author: int, stroke: int, since: int) -> Retraction:
        stopped = self._deferred.stopped
        with self._open(stopped=stopped) as past:
            newest = past.newest()
            dabs = past.stroke(author, stroke, until=newest, since=since)
            if not dabs:
                within = f" of the last {counted(self._seconds, 'second')}" if self._seconds else ""
                raise UnknownStroke(f"there is no stroke {stroke} of yours{within} to take back")
            outlines = Outlines(past)
            work = self._bounds.work(stopped)
            try:
                return undo.take_back(outlines, dabs, newest, work=work, whole=outlines.whole)
            except LookupError:
                why = f"what was there before stroke {stroke} is not kept any more"
            except undo.OverdrawnError as error:
                self._limited("undo")
                why = f"so much came after stroke {stroke} that it stays: {error}"
        raise UndoError(why)  # outside of `except`, where the error would keep the pictures made until then
