"""The use cases that change or show the canvas: the single writer.

Whatever changes it gets a number, is made durable, is applied, is acknowledged and broadcast, in that order.
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

CHECKPOINT_SECONDS: Final = 2.0  # for which a checkpoint under way is waited for at the end


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The picture at a version. `time` is when its newest operation or dream was made, ms since 1970.

    `ink`: what of it is spared by the dream of it.
    """

    image: Image.Image
    version: Version
    time: int
    ink: Recent = Recent()

    def planes(self) -> tuple[bytes, bytes | None]:
        """The pixels, RGB, and a byte for each, the share of a dream that recent ink takes: 30 ms of work."""
        return self.image.tobytes(), self.ink.plane()


class Painter:
    """The canvas with its journal, its dreams, and those who watch.

    `clock` gives ms since 1970. `painted` is called with how many operations a transaction put on the canvas.
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
        """Put the operations over the newest base. Raises StoreError, sqlite3.Error."""
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
        """Whether it is white paper: nothing was dreamt, and all that was drawn, if anything, taken back."""
        return self.version.dream == 0 and self.ink.bare(self.version.seq)

    async def snapshot(self) -> Snapshot:
        """A copy of the whole picture, as it is now."""
        return await self._read(Canvas.snapshot)

    async def crop(self, left: int, top: int, width: int, height: int) -> Snapshot:
        """A copy of a part of the picture, in pixels."""
        return await self._read(lambda canvas: canvas.crop(Region(left, top, left + width, top + height)))

    async def _read(self, look: Callable[[Canvas], Image.Image]) -> Snapshot:
        version, time = self.version, self._time
        return Snapshot(await self._canvas_thread.read(look), version, time)

    def since(self, seq: int, most: int | None = None) -> list[Operation] | None:
        """The operations after a number, at most so many, or None where they are not kept any more or the
        number is in the future.
        """
        if not self.keeps(seq):
            return None
        return self._log.newest(self.version.seq - seq, most)

    def keeps(self, seq: int) -> bool:
        """Whether the operations after a number are kept, and it is not in the future."""
        return 0 <= self.version.seq - seq <= len(self._log)

    @property
    def resync_seq(self) -> int:
        """The operation that the picture has to hold for whoever was last told to fetch it."""
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
        """Makes the marks of a call durable and puts them on the canvas.

        Raises NotNow once it closes; the future raises it where nothing could be saved.
        """
        return self._append(Entry(author, marks, stroke, call, origin))

    def put_later(
        self, author: Author, late: asyncio.Future[Late], *, stroke: int = 0, call: int = 0
    ) -> asyncio.Future[Receipt]:
        """Puts marks on the canvas that are made when it is their turn; all hear of them.

        Raises as `paint` does, and the future what `late` raises.
        """
        return self._append(Entry(author, (), stroke, call, late=late))

    def introduce(self, *authors: Author) -> asyncio.Future[Receipt]:
        """Is done when all is applied that authors painted before. Raises as `paint` does."""
        self._check_open()
        return self._journal.passed(*authors)

    def _append(self, entry: Entry) -> asyncio.Future[Receipt]:
        self._check_open()
        return self._journal.append(entry)

    def _check_open(self) -> None:
        if self._closing:
            raise NotNow("the server is shutting down; nothing was applied")

    async def _room(self) -> None:
        """Called by the journal before it takes more: the pixels must not lag behind without bound."""
        await self._canvas_thread.room()

    def _applied(self, transaction: list[tuple[Entry, Receipt]]) -> None:
        """Called by the journal when operations are durable."""
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
        """Has the picture kept where much has come since the newest base."""
        due = 0 < self._checkpoint_operations <= self._since_base
        if due and self._checkpoints is not None and self._keeping is None and not self._closing:
            self._since_base = 0
            keeping = self._checkpoint(self._checkpoints)
            self._keeping = asyncio.get_running_loop().create_task(keeping)

    async def _checkpoint(self, checkpoints: Checkpoints) -> None:
        shown = await self.snapshot()  # raises where the picture is not what it should be: none is kept then
        kept = await checkpoints.keep(shown.image, shown.version, time=shown.time, now=self._clock())
        self._keeping = None
        self._since_base += 0 if kept else self._checkpoint_operations // 2  # again before long

    # Dreams

    async def begin_dream(self) -> Snapshot:
        """The picture to dream of; the operations after it are kept until `end_dream` or `abandon_dream`."""
        self._pinned = self.version.seq
        ink = self.ink.recent()  # now: while the picture is copied more may be drawn
        return replace(await self.snapshot(), ink=ink)

    def abandon_dream(self) -> None:
        """There will be no dream of the picture that was begun."""
        self._pinned = None
        self._log.trim(self._pinned)

    async def end_dream(
        self, jpeg: bytes, *, style: str, layer: str, network: str, ms: int, users: int
    ) -> Dream:
        """Records the dream of the picture that was begun, and makes it the base.

        Raises OSError, sqlite3.Error.
        """
        assert self._pinned is not None
        number, seq = self._next_dream, self._pinned
        dream = Dream(number, seq, self._clock(), style, layer, network, ms, users, len(jpeg))
        try:
            base = Canvas(await asyncio.to_thread(decode, jpeg), number, seq)
            await self._dreams.record(dream, jpeg)
            self._next_dream += 1
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
        """Refuse what comes from now on, and wait until what came is settled.

        It waits for patches that are made late, too: whoever makes them (DeferredPatches) gives up first.
        """
        self._closing = True
        if self._keeping is not None:
            await asyncio.wait([self._keeping], timeout=CHECKPOINT_SECONDS)
        await self._journal.drain()
        self._broadcast.flush()


def _catch_up(base: Canvas, later: list[Operation]) -> None:
    for operation in later:
        base.apply(operation)
