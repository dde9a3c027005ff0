"""How the picture is found at a start: the newest base whose file is whole, and the operations after it."""

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
    """What was found: the picture, and what is known of it. Times are in ms since 1970.

    `style` and `dream_time` are those of its newest dream, `time` is that of the newest dream or operation in
    it. `base` is the last operation in the base, `operations` are the newest ones.
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
    """Read the newest base, draw the operations after it, and return the picture.

    The base is a dream or a later checkpoint. `ink` gets the recent operations. Raises StoreError,
    sqlite3.Error.
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
    # At most as many operations as memory allows where patches are large; older ink counts as dreamt
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
    """Return white paper after the operation `last`, and log that `first` to `last` are missing.

    They were deleted to make room, and no base that contains them is left.
    """
    log.error("begins white: operations are not kept any more", extra={"first": first, "last": last})
    return Canvas(dream_seq=last)
