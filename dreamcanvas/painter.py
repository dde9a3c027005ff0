"""The use cases that change or show the canvas: the single writer.

Whatever changes the canvas gets a number, is made durable, is applied, is acknowledged and broadcast, in that
order.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice

from PIL import Image

from dreamcanvas.broadcast import Broadcast
from dreamcanvas.canvas import Canvas, Dab, Operation, Patch, Version
from dreamcanvas.errors import Unavailable
from dreamcanvas.proto import dreamcanvas_pb2 as pb
from dreamcanvas.store.dreams import Dream, Dreams, decode
from dreamcanvas.store.journal import RETRY_AFTER_MS, Author, Entry, Journal, Late, Receipt

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The picture at a version. `time` is when its newest operation or dream was made, ms since 1970."""

    image: Image.Image
    version: Version
    time: int


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
    ) -> None:
        self._journal = journal
        self._dreams = dreams
        self._broadcast = broadcast
        self._replay_operations = replay_operations
        self._clock = clock
        self._canvas = Canvas()
        self._log: deque[Operation] = deque()
        self._pinned: int | None = None
        self._time = 0
        self._next_dream = 1
        self._style = ""
        self._dream_time = 0
        self._closing = False
        self.painted: Callable[[int], None] = lambda _: None
        journal.applied = self._applied
        broadcast.resync = self.resync_event

    async def recover(self) -> None:
        """Puts the operations over the last whole dream, and says what was found."""
        self._next_dream = await self._dreams.last_number() + 1
        found = await self._dreams.newest_whole()
        if found is not None:
            dream, image = found
            self._canvas = Canvas(image, dream.dream, dream.seq)
            self._style, self._dream_time, self._time = dream.style, dream.time, dream.time
        start = self._canvas.dream_seq
        for operation in self._journal.operations(min(start, self._keep_after(self._journal.seq))):
            if operation.seq > start:
                if operation.seq > self._canvas.seq + 1:
                    self._begin_later(operation.seq - 1)
                self._canvas.apply(operation)
                self._time = max(self._time, operation.time)
            self._log.append(operation)
        if self._canvas.seq < self._journal.seq:
            self._begin_later(self._journal.seq)
        self._trim()
        log.info(
            "recovered",
            extra={
                "dream": self._canvas.dream,
                "operations": self._canvas.seq,
                "replayed": self._canvas.seq - start,
            },
        )

    def _begin_later(self, seq: int) -> None:
        """There is no dream to begin with, and operations up to a number were deleted for want of room."""
        first = self._canvas.seq + 1
        log.error("begins white: operations are not kept any more", extra={"first": first, "last": seq})
        self._canvas = Canvas(dream_seq=seq)
        self._log.clear()

    # Reading

    @property
    def version(self) -> Version:
        """The picture's version."""
        return self._canvas.version

    @property
    def dream_seq(self) -> int:
        """The last operation that the newest dream contains."""
        return self._canvas.dream_seq

    def snapshot(self) -> Snapshot:
        """A copy of the whole picture."""
        return Snapshot(self._canvas.snapshot(), self._canvas.version, self._time)

    def crop(self, left: int, top: int, width: int, height: int) -> Snapshot:
        """A copy of a part of the picture, in pixels."""
        image = self._canvas.crop((left, top, left + width, top + height))
        return Snapshot(image, self._canvas.version, self._time)

    def since(self, seq: int) -> list[Operation] | None:
        """The operations after a number, or None where they are not kept any more or the number is in the
        future.
        """
        count = self._canvas.seq - seq
        if count < 0 or count > len(self._log):
            return None
        return list(islice(self._log, len(self._log) - count, None))

    def resync_event(self) -> pb.CanvasEvent:
        """The event for a client that has lost track: fetch the picture at `url`."""
        return self._canvas_event("/canvas.png", resync=True)

    def _canvas_event(self, url: str, *, resync: bool) -> pb.CanvasEvent:
        return pb.CanvasEvent(
            timestamp=self._dream_time % 2**32,
            seq=self._canvas.seq,
            dream=self._canvas.dream,
            dream_seq=self._canvas.dream_seq,
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

    def _applied(self, transaction: list[tuple[Entry, Receipt]]) -> None:
        """Called by the journal when operations are durable."""
        for entry, receipt in transaction:
            for operation in receipt.operations:
                self._canvas.apply(operation)
                self._log.append(operation)
                self._time = max(self._time, operation.time)
            self._broadcast.operations(receipt.operations, entry.origin)
            if receipt.operations:
                self.painted(len(receipt.operations))
        self._trim()

    def _trim(self) -> None:
        """Keeps the newest `replay_operations`, and all that a dream under way will need."""
        keep_after = self._keep_after(self._canvas.seq)
        if self._pinned is not None:
            keep_after = min(keep_after, self._pinned)
        while self._log and self._log[0].seq <= keep_after:
            self._log.popleft()

    def _keep_after(self, seq: int) -> int:
        return max(0, seq - self._replay_operations) if self._replay_operations else 0

    # Dreams

    def begin_dream(self) -> Snapshot:
        """The picture to dream of; the operations after it are kept until `end_dream` or `abandon_dream`."""
        self._pinned = self._canvas.seq
        return self.snapshot()

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
            self._canvas.lay(base, self._later(base.seq))
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
