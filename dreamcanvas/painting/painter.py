"""The single writer of the canvas: what changes or shows it.

Every change gets a number, is made durable, is applied, and is acknowledged and broadcast, in that order.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from PIL import Image

from dreamcanvas.broadcast.broadcast import Broadcast
from dreamcanvas.broadcast.encoding import Picture
from dreamcanvas.canvas.ink import Ink, Recent
from dreamcanvas.canvas.model import Canvas, Dab, Operation, Patch, Region, Version
from dreamcanvas.canvas.operation_log import OperationLog, weights
from dreamcanvas.errors import NotNow
from dreamcanvas.painting.canvas_thread import CanvasThread
from dreamcanvas.painting.recovery import recover
from dreamcanvas.store.checkpoints import Checkpoints
from dreamcanvas.store.dreams import Dream, Dreams, decode
from dreamcanvas.store.journal import Author, Entry, Journal, Late, Observer, Receipt

log = logging.getLogger(__name__)

CHECKPOINT_SECONDS: Final = 2.0  # at most, for which a stop waits for an unfinished checkpoint


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The picture at a version. `time` is when its newest operation or dream was made, in ms since 1970.

    `ink` is the fresh ink in it, which a dream of it spares.
    """

    image: Image.Image
    version: Version
    time: int
    ink: Recent = Recent()

    def planes(self) -> tuple[bytes, bytes | None]:
        """Return the pixels as RGB, and a mask of a byte for each pixel, or None where no ink is fresh.

        A mask's byte is the share of the dream that the pixel takes: 255 is all of it, fresh ink takes less.
        This takes 30 ms: call it in a thread.
        """
        return self.image.tobytes(), self.ink.plane()


class Painter:
    """The canvas with its journal, its dreams, and its broadcast.

    `clock` gives ms since 1970. `painted` is called with the number of operations that a transaction put on
    the canvas. A checkpoint is kept after each `checkpoint_operations` (0: never).
    """

    def __init__(
        self,
        *,
        journal: Journal,
        dreams: Dreams,
        broadcast: Broadcast,
        replay_operations: int,
        clock: Callable[[], int],
        ink: Ink | None = None,
        checkpoints: Checkpoints | None = None,
        checkpoint_operations: int = 0,
        painted: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._journal = journal
        self.ink = ink if ink is not None else Ink()
        self._checkpoints = checkpoints
        self._checkpoint_operations = checkpoint_operations
        self._since_base = 0
        self._keeping: asyncio.Task[None] | None = None
        self._dreams = dreams
        self._broadcast = broadcast
        self._replay_operations = replay_operations
        self._clock = clock
        self._canvas_thread = CanvasThread(Canvas())
        self._log = OperationLog(replay_operations)
        self._pinned: int | None = None
        self._time = 0
        self._next_dream = 1
        self._style = ""
        self._dream_time = 0
        self._closing = False
        self._painted = painted
        journal.observe(Observer(self._applied, self._room))

    async def recover(self) -> None:
        """Read the newest base and draw the operations after it. Raises StoreError, sqlite3.Error."""
        self._next_dream = await self._dreams.last_number() + 1
        found = await recover(
            self._journal,
            self._dreams,
            self._checkpoints,
            ink=self.ink,
            replay_operations=self._replay_operations,
        )
        self._canvas_thread = CanvasThread(found.canvas)
        self._log = found.operations
        self._style, self._dream_time, self._time = found.style, found.dream_time, found.time
        self._since_base = found.canvas.seq - found.base
        self._broadcast.begin(self._picture())
        self._keep_picture()

    # Reading

    @property
    def version(self) -> Version:
        """The picture's version."""
        return self._canvas_thread.version

    @property
    def dream_seq(self) -> int:
        """The last operation that the newest dream contains."""
        return self._canvas_thread.dream_seq

    @property
    def blank(self) -> bool:
        """Whether the canvas is white paper: nothing was dreamt, and nothing drawn that was not undone."""
        return self.version.dream == 0 and self.ink.bare(self.version.seq)

    async def snapshot(self) -> Snapshot:
        """Return a copy of the whole picture, as it is now. Raises RuntimeError where it is known wrong."""
        return await self._read(Canvas.snapshot)

    async def crop(self, left: int, top: int, width: int, height: int) -> Snapshot:
        """Return a copy of a part of the picture, in pixels. Raises as `snapshot` does."""
        return await self._read(lambda canvas: canvas.crop(Region(left, top, left + width, top + height)))

    async def _read(self, look: Callable[[Canvas], Image.Image]) -> Snapshot:
        version, time = self.version, self._time
        return Snapshot(await self._canvas_thread.read(look), version, time)

    def since(self, seq: int, most: int | None = None) -> list[Operation] | None:
        """Return the operations after `seq`, at most `most`, or None where they are not kept any more.

        It is None, too, where `seq` is in the future.
        """
        if not self.keeps(seq):
            return None
        return self._log.newest(self.version.seq - seq, most)

    def keeps(self, seq: int) -> bool:
        """Return whether the operations after `seq` are kept, and it is not in the future."""
        return 0 <= self.version.seq - seq <= len(self._log)

    @property
    def resync_seq(self) -> int:
        """The operation that a picture must contain for readers that were told to fetch it."""
        return self._broadcast.resync_seq

    def _picture(self) -> Picture:
        return Picture(self.version, self.dream_seq, self._style, self._dream_time)

    # Operations

    def paint(
        self,
        author: Author,
        marks: Sequence[Dab | Patch],
        *,
        stroke: int = 0,
        call: int = 0,
        origin: object = None,
    ) -> asyncio.Future[Receipt]:
        """Make the marks of a call durable and put them on the canvas. Raises NotNow once it closes.

        The future raises NotNow where nothing could be saved. `origin` is the reader that needs no event.
        """
        return self._append(Entry(author, marks, stroke, call, origin))

    def put_later(
        self, author: Author, late: asyncio.Future[Late], *, stroke: int = 0, call: int = 0
    ) -> asyncio.Future[Receipt]:
        """Put marks on the canvas that `late` makes when their turn comes. Raises as `paint` does.

        They are sent to everybody, also to the caller. The future also raises what `late` raises.
        """
        return self._append(Entry(author, (), stroke, call, late=late))

    def introduce(self, *authors: Author) -> asyncio.Future[Receipt]:
        """Return a future that is done when all that the authors painted before is applied.

        Raises as `paint` does.
        """
        self._check_open()
        return self._journal.passed(*authors)

    def _append(self, entry: Entry) -> asyncio.Future[Receipt]:
        self._check_open()
        return self._journal.append(entry)

    def _check_open(self) -> None:
        if self._closing:
            raise NotNow("the server is shutting down; nothing was applied")

    async def _room(self) -> None:
        """Wait while too many operations are not drawn yet.

        The journal calls it before each transaction, so that drawing cannot lag behind without bound.
        """
        await self._canvas_thread.room()

    def _applied(self, transaction: list[tuple[Entry, Receipt]]) -> None:
        """Apply and broadcast the operations of a transaction. The journal calls it when they are durable."""
        done: list[Operation] = []
        for entry, receipt in transaction:
            if receipt.operations:
                done += receipt.operations
                self._broadcast.operations(receipt.operations, entry.origin)
        if done:
            self._since_base += self._log.append(done)
            self._time = max(self._time, done[-1].time)
            self._canvas_thread.apply(done)
            self.ink.add(done)
            self._painted(len(done))
            self._keep_picture()
        self._log.trim(self._pinned)

    def _keep_picture(self) -> None:
        """Begin to save a checkpoint where many operations came since the newest base."""
        due = 0 < self._checkpoint_operations <= self._since_base
        if due and self._checkpoints is not None and self._keeping is None and not self._closing:
            self._since_base = 0
            keeping = self._checkpoint(self._checkpoints)
            self._keeping = asyncio.get_running_loop().create_task(keeping)

    async def _checkpoint(self, checkpoints: Checkpoints) -> None:
        shown = await self.snapshot()  # raises where the picture is wrong: that must not be saved
        kept = await checkpoints.keep(shown.image, shown.version, time=shown.time, now=self._clock())
        self._keeping = None
        # Where it was not saved, half as many operations later it is tried again
        self._since_base += 0 if kept else self._checkpoint_operations // 2

    # Dreams

    async def begin_dream(self) -> Snapshot:
        """Return the picture to dream of, and keep the operations after it until the dream is laid.

        Call `end_dream` or `abandon_dream` afterwards.
        """
        self._pinned = self.version.seq
        ink = self.ink.recent()  # before the copy, during which more may be drawn that it does not contain
        return replace(await self.snapshot(), ink=ink)

    def abandon_dream(self) -> None:
        """Give up the dream that was begun, and let go of the operations that were kept for it."""
        self._pinned = None
        self._log.trim(self._pinned)

    async def end_dream(
        self, jpeg: bytes, *, style: str, layer: str, network: str, ms: int, users: int
    ) -> Dream:
        """Save the dream of the picture that was begun, and make it the base. Raises OSError, sqlite3.Error.

        `ms` is how long it took; `users` is how many were here.
        """
        assert self._pinned is not None
        number, seq = self._next_dream, self._pinned
        dream = Dream(number, seq, self._clock(), style, layer, network, ms, users, len(jpeg))
        try:
            base = Canvas(await asyncio.to_thread(decode, jpeg), number, seq)
            await self._dreams.record(dream, jpeg)
            self._next_dream += 1
            # Most of the later operations are drawn beside everything else; `lay` has only the rest to draw
            await asyncio.to_thread(_catch_up, base, self._later(seq))
            self._canvas_thread.lay(base, self._later(base.seq))
            self.ink.dreamt(seq)
            self._since_base = weights(self._later(seq))
        finally:
            self.abandon_dream()
        self._style, self._dream_time, self._time = style, dream.time, max(self._time, dream.time)
        self._broadcast.dreamt(self._picture())
        return dream

    def _later(self, seq: int) -> list[Operation]:
        operations = self.since(seq)
        assert operations is not None, "pinned operations are kept"
        return operations

    async def close(self) -> None:
        """Refuse all calls from now on, and wait until those before are settled.

        That includes patches that are not made yet: close DeferredPatches first, which gives them up.
        """
        self._closing = True
        if self._keeping is not None:
            await asyncio.wait([self._keeping], timeout=CHECKPOINT_SECONDS)
        await self._journal.drain()
        self._broadcast.flush()


def _catch_up(base: Canvas, later: list[Operation]) -> None:
    for operation in later:
        base.apply(operation)
