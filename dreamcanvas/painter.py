"""The use cases that change or show the canvas: the single writer.

Whatever changes the canvas gets a number, is made durable, is applied, is acknowledged and broadcast, in that
order.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from PIL import Image

from dreamcanvas.broadcast import Broadcast
from dreamcanvas.canvas import Canvas, Dab, Operation, Patch, Version
from dreamcanvas.easel import Easel
from dreamcanvas.errors import Unavailable
from dreamcanvas.ink import Ink, Recent
from dreamcanvas.proto import dreamcanvas_pb2 as pb
from dreamcanvas.store.dreams import Dream, Dreams, decode
from dreamcanvas.store.journal import RETRY_AFTER_MS, Author, Entry, Journal, Late, Receipt

log = logging.getLogger(__name__)


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
    """The canvas with its journal, its dreams, and those who watch."""

    def __init__(
        self,
        *,
        journal: Journal,
        dreams: Dreams,
        broadcast: Broadcast,
        replay_operations: int,
        clock: Callable[[], int],
        ink: Ink | None = None,
    ) -> None:
        self._journal = journal
        self.ink = ink if ink is not None else Ink()
        self._dreams = dreams
        self._broadcast = broadcast
        self._replay_operations = replay_operations
        self._clock = clock
        self._easel = Easel(Canvas())
        self._log: deque[Operation] = deque()
        self._pinned: int | None = None
        self._time = 0
        self._next_dream = 1
        self._style = ""
        self._dream_time = 0
        self._closing = False
        self.resync_seq = 0
        self.painted: Callable[[int], None] = lambda _: None
        journal.applied = self._applied
        journal.ready = self._room
        broadcast.resync = self.resync_event

    async def recover(self) -> None:
        """Puts the operations over the last whole dream, and says what was found."""
        self._next_dream = await self._dreams.last_number() + 1
        found = await self._dreams.newest_whole()
        canvas = Canvas()
        if found is not None:
            dream, image = found
            canvas = Canvas(image, dream.dream, dream.seq)
            self._style, self._dream_time, self._time = dream.style, dream.time, dream.time
            for seq in await self._dreams.seqs(dream.dream, self.ink.dreams_kept):
                self.ink.dreamt(seq)
        start, newest = canvas.dream_seq, self._journal.seq
        inked = self.ink.needed_after(newest)
        for operation in self._journal.operations(min(start, inked, self._keep_after(newest))):
            if operation.seq > start:
                if operation.seq > canvas.seq + 1:
                    canvas = self._begin_later(canvas.seq + 1, operation.seq - 1)
                canvas.apply(operation)
                self._time = max(self._time, operation.time)
            if operation.seq > inked:
                self.ink.add([operation])
            self._log.append(operation)
        if canvas.seq < self._journal.seq:
            canvas = self._begin_later(canvas.seq + 1, self._journal.seq)
        self._easel = Easel(canvas)
        self._trim()
        log.info(
            "recovered",
            extra={"dream": canvas.dream, "operations": canvas.seq, "replayed": canvas.seq - start},
        )

    def _begin_later(self, first: int, last: int) -> Canvas:
        """There is no dream to begin with, and operations up to a number were deleted for want of room."""
        log.error("begins white: operations are not kept any more", extra={"first": first, "last": last})
        self._log.clear()
        return Canvas(dream_seq=last)

    # Reading

    @property
    def version(self) -> Version:
        """The picture's version."""
        return self._easel.version

    @property
    def dream_seq(self) -> int:
        """The last operation that the newest dream contains."""
        return self._easel.dream_seq

    @property
    def blank(self) -> bool:
        """Whether it is white paper: nothing was dreamt, and all that was drawn, if anything, taken back."""
        return self.version.dream == 0 and self.ink.bare(self.version.seq)

    async def snapshot(self) -> Snapshot:
        """A copy of the whole picture, as it is now."""
        return await self._read(Canvas.snapshot)

    async def crop(self, left: int, top: int, width: int, height: int) -> Snapshot:
        """A copy of a part of the picture, in pixels."""
        return await self._read(lambda canvas: canvas.crop((left, top, left + width, top + height)))

    async def _read(self, look: Callable[[Canvas], Image.Image]) -> Snapshot:
        version, time = self.version, self._time
        return Snapshot(await self._easel.read(look), version, time)

    def since(self, seq: int) -> list[Operation] | None:
        """The operations after a number, or None where they are not kept any more or the number is in the
        future.
        """
        if not self.keeps(seq):
            return None
        return list(islice(self._log, len(self._log) - (self.version.seq - seq), None))

    def keeps(self, seq: int) -> bool:
        """Whether the operations after a number are kept, and it is not in the future."""
        return 0 <= self.version.seq - seq <= len(self._log)

    def resync_event(self) -> pb.CanvasEvent:
        """The event for a client that has lost track: fetch the picture at `url`.

        `resync_seq` is the number in the newest such event: the picture has to hold the operations up to it.
        """
        self.resync_seq = self.version.seq
        return self._canvas_event("/canvas.png", resync=True)

    def _canvas_event(self, url: str, *, resync: bool) -> pb.CanvasEvent:
        version = self.version
        return pb.CanvasEvent(
            timestamp=self._dream_time % 2**32,
            seq=version.seq,
            dream=version.dream,
            dream_seq=self.dream_seq,
            url=url,
            style=self._style,
            resync=resync,
            time=self._dream_time,
        )

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

        Raises Unavailable once it closes; the future raises it where nothing could be saved.
        """
        return self._append(Entry(author, marks, stroke, call, origin))

    def put_later(
        self, author: Author, late: asyncio.Future[Late], *, stroke: int = 0, call: int = 0
    ) -> asyncio.Future[Receipt]:
        """Puts marks on the canvas that are made when it is their turn; all hear of them.

        Raises as `paint` does, and the future what `late` raises.
        """
        return self._append(Entry(author, (), stroke, call, late=late))

    def introduce(self, author: Author) -> asyncio.Future[Receipt]:
        """Stores an author, after everything that was painted before. Raises as `paint` does."""
        return self._append(Entry(author))

    def _append(self, entry: Entry) -> asyncio.Future[Receipt]:
        if self._closing:
            raise Unavailable(
                "the server is shutting down; nothing was applied", retry_after_ms=RETRY_AFTER_MS
            )
        return self._journal.append(entry)

    async def _room(self) -> None:
        """Called by the journal before it takes more: the pixels must not lag behind without bound."""
        await self._easel.room()

    def _applied(self, transaction: list[tuple[Entry, Receipt]]) -> None:
        """Called by the journal when operations are durable."""
        done: list[Operation] = []
        for entry, receipt in transaction:
            if receipt.operations:
                done += receipt.operations
                self._broadcast.operations(receipt.operations, entry.origin)
        if done:
            self._log += done
            self._time = max(self._time, done[-1].time)
            self._easel.apply(done)
            self.ink.add(done)
            self.painted(len(done))
        self._trim()

    def _trim(self) -> None:
        """Keeps the newest `replay_operations`, and all that a dream under way will need."""
        keep_after = self._keep_after(self.version.seq)
        if self._pinned is not None:
            keep_after = min(keep_after, self._pinned)
        while self._log and self._log[0].seq <= keep_after:
            self._log.popleft()

    def _keep_after(self, seq: int) -> int:
        return max(0, seq - self._replay_operations) if self._replay_operations else 0

    # Dreams

    async def begin_dream(self) -> Snapshot:
        """The picture to dream of; the operations after it are kept until `end_dream` or `abandon_dream`."""
        self._pinned = self.version.seq
        ink = self.ink.recent()  # now: while the picture is copied more may be drawn
        return replace(await self.snapshot(), ink=ink)

    def abandon_dream(self) -> None:
        """There will be no dream of the picture that was begun."""
        self._pinned = None
        self._trim()

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
            self._easel.lay(base, self._later(base.seq))
            self.ink.dreamt(seq)
        finally:
            self.abandon_dream()
        self._style, self._dream_time, self._time = style, dream.time, max(self._time, dream.time)
        self._broadcast.event("canvas", self._canvas_event(f"/dreams/{number}.jpg", resync=False))
        return dream

    def _later(self, seq: int) -> list[Operation]:
        operations = self.since(seq)
        assert operations is not None, "pinned operations are kept"
        return operations

    async def close(self) -> None:
        """Refuses what comes from now on, and waits until what came is settled."""
        self._closing = True
        await self._journal.drain()
        self._broadcast.flush()


def _catch_up(base: Canvas, later: list[Operation]) -> None:
    for operation in later:
        base.apply(operation)
