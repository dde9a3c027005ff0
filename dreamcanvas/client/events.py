"""What happens on the canvas, as values, and the queues in which they wait for a bot."""

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Final, Self, TypeAlias

from dreamcanvas.canvas.model import Dab, Operation, Patch
from dreamcanvas.client.wire import RawEvent
from dreamcanvas.errors import InvalidParams
from dreamcanvas.proto import dreamcanvas_pb2 as pb

NAMES: Final = ("paint", "patch", "canvas", "status", "cursor")
CAPACITY: Final = 50_000


@dataclass(frozen=True, slots=True)
class Dream:
    """A new dream is the base of the picture, with the operations after `dream_seq` on it.

    `time` (ms since 1970) is 0 where it came during an absence; of several only the newest is told then.
    """

    dream: int
    dream_seq: int
    time: int
    style: str
    url: str


@dataclass(frozen=True, slots=True)
class Resync:
    """Operations up to `seq` may be missing: the server no longer has them, or this reader was too slow."""

    seq: int


@dataclass(frozen=True, slots=True)
class Status:
    """The state of affairs. `dreamer` is OFF, STARTING, WAITING, DREAMING, RESTING or FAILED; times in ms."""

    users: int
    style: str
    layer: str
    network: str
    dreamer: str
    next_dream: int
    dream_ms: int
    read_only: bool


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where somebody's pointer is, in canvas pixels, and whether it draws in a colour 0xRRGGBB."""

    author: int
    x: int
    y: int
    down: bool
    color: int
    name: str


Event: TypeAlias = Operation | Dream | Resync | Status | Cursor


def names_of(given: tuple[str, ...]) -> frozenset[str]:
    """The events that are named, all where none is. Raises InvalidParams."""
    for name in given:
        if name not in NAMES:
            raise InvalidParams(f"{name!r} is no event: there are {', '.join(NAMES)}", field="events")
    return frozenset(given or NAMES)


class Events:
    """A queue of events: `async for` gives them as they come, from when it was entered or first awaited.

    A reader that falls more than 50,000 events behind loses them and gets a Resync. `seq` is the last
    operation that was put in: an earlier one is not put in again.
    """

    def __init__(
        self, client: "Source", names: frozenset[str], *, own: bool, capacity: int = CAPACITY
    ) -> None:
        self.names = names
        self.own = own
        self._client = client
        self._capacity = capacity
        self._queue: deque[Event] = deque()
        self.seq: int | None = None
        self._failure: Exception | None = None
        self._came = asyncio.Event()

    def put(self, event: Event) -> None:
        """Appends an event, but not an operation that was there before."""
        if isinstance(event, Operation):
            if self.seq is not None and event.seq <= self.seq:
                return
            self.seq = event.seq
        elif isinstance(event, Resync):
            self.seq = event.seq
        if len(self._queue) >= self._capacity:
            self._queue.clear()
            seq = event.seq if isinstance(event, Operation | Resync) else 0
            self._queue.append(Resync(seq))
        else:
            self._queue.append(event)
        self._came.set()

    def begin(self, seq: int | None) -> None:
        """Take operations after `seq` from now on; None where it is not known yet."""
        self.seq = seq

    def restart(self, seq: int) -> None:
        """Forgets what waits; operations after `seq` are wanted."""
        self._queue.clear()
        self.seq = seq

    def fail(self, error: Exception) -> None:
        """No more will come, and this is why."""
        self._failure = error
        self._came.set()

    async def __aenter__(self) -> Self:
        await self._client.watch(self)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._client.unwatch(self)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        """The next event. Raises what ended the connection for good."""
        await self._client.watch(self)
        while not self._queue:
            if self._failure is not None:
                raise self._failure
            self._came.clear()
            await self._came.wait()
        return self._queue.popleft()


class Source:
    """What fills queues."""

    async def watch(self, events: Events) -> None:
        """Fills a queue from now on."""
        raise NotImplementedError

    def unwatch(self, events: Events) -> None:
        """Fills it no more."""
        raise NotImplementedError


def operations(event: RawEvent) -> list[Operation]:
    """The operations in a `paint`, `paints` or `patch` event."""
    if event.name == "patch":
        patch = pb.PatchEvent.FromString(event.payload)
        mark = Patch(patch.offset.x, patch.offset.y, patch.image)
        return [Operation(patch.seq, patch.time, patch.author, 0, mark)]
    if event.name == "paint":
        return [_dab(pb.PaintEvent.FromString(event.payload))]
    return [_dab(paint) for paint in pb.PaintsEvent.FromString(event.payload).paints]


def _dab(paint: pb.PaintEvent) -> Operation:
    mark = Dab(paint.pos.x, paint.pos.y, paint.size, paint.color)
    return Operation(paint.seq, paint.time, paint.author, paint.stroke, mark)


def status_of(status: pb.StatusEvent) -> Status:
    """The status in a message."""
    return Status(
        users=status.users,
        style=status.style,
        layer=status.layer,
        network=status.network,
        dreamer=pb.StatusEvent.Dreamer.Name(status.dreamer),
        next_dream=status.next_dream,
        dream_ms=status.dream_ms,
        read_only=status.read_only,
    )


def cursor_of(payload: bytes) -> Cursor:
    """The pointer in a `cursor` event."""
    cursor = pb.CursorEvent.FromString(payload)
    return Cursor(cursor.author, cursor.pos.x, cursor.pos.y, cursor.down, cursor.color, cursor.name)
