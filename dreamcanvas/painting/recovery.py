"""How a start finds the picture: the newest base that is whole, and the operations after it."""

import logging
from dataclasses import dataclass
from typing import Final

from dreamcanvas.canvas.ink import Ink
from dreamcanvas.canvas.model import Canvas
from dreamcanvas.canvas.operation_log import OperationLog
from dreamcanvas.store.checkpoints import Checkpoints
from dreamcanvas.store.dreams import Dreams
from dreamcanvas.store.journal import Journal

log = logging.getLogger(__name__)

INK_OPERATIONS: Final = 20_000


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was found: the picture, its newest dream's style and time, the time of what is newest in it, the
    operation that the newest base ends with, and the newest operations. Times in ms since 1970.
    """

    canvas: Canvas
    style: str
    dream_time: int
    time: int
    base: int
    operations: OperationLog


async def recover(
    journal: Journal, dreams: Dreams, checkpoints: Checkpoints | None, *, ink: Ink, replay_operations: int
) -> Recovered:
    """Puts the operations over the newest base, and says what was found; `ink` is told of what is recent.

    Raises StoreError, sqlite3.Error.
    """
    found = await dreams.newest_whole()
    canvas, style, dream_time, time = Canvas(), "", 0, 0
    if found is not None:
        dream, image = found
        canvas = Canvas(image, dream.dream, dream.seq)
        style, dream_time, time = dream.style, dream.time, dream.time
        for seq in await dreams.seqs(dream.dream, ink.dreams_kept):
            ink.dreamt(seq)
    kept = await checkpoints.newest_whole(canvas.dream, after=canvas.seq) if checkpoints else None
    if kept is not None:
        checkpoint, image = kept
        canvas = Canvas(image, canvas.dream, canvas.dream_seq, seq=checkpoint.seq)
        time = max(time, checkpoint.time)
    start = canvas.seq
    newest = OperationLog(replay_operations)
    # As many as in memory where patches are large: what is older is as if it were given over to the dream
    inked = max(ink.needed_after(journal.seq), journal.replayed_from(INK_OPERATIONS))
    for operation in journal.operations(min(start, inked, journal.replayed_from(replay_operations))):
        if operation.seq > start:
            if operation.seq > canvas.seq + 1:
                canvas = _begin_later(canvas.seq + 1, operation.seq - 1)
                newest.clear()
            canvas.apply(operation)
            time = max(time, operation.time)
        if operation.seq > inked:
            ink.add([operation])
        newest.append([operation])
        newest.trim()
    if canvas.seq < journal.seq:
        canvas = _begin_later(canvas.seq + 1, journal.seq)
        newest.clear()
    log.info(
        "recovered",
        extra={"dream": canvas.dream, "operations": canvas.seq, "replayed": canvas.seq - start},
    )
    return Recovered(canvas, style, dream_time, time, start, newest)


def _begin_later(first: int, last: int) -> Canvas:
    """There is no base to begin with, and operations up to a number were deleted for want of room."""
    log.error("begins white: operations are not kept any more", extra={"first": first, "last": last})
    return Canvas(dream_seq=last)
