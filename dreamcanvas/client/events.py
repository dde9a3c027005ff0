"""The events of a canvas, and the queues in which they wait for a bot."""

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
    """A new dream: now the picture is this dream, with the operations after `dream_seq` on it.

    `time` is in ms since 1970. It is 0 where the dream came while the client was not connected; of
    several such dreams only the newest is an event.
    """

    dream: int
    dream_seq: int
    time: int
    style: str
    url: str


@dataclass(frozen=True, slots=True)
class Resync:
    """A sign that operations up to `seq` may be missing.

    Either the server no longer has them, or the bot read its events too slowly.
    """

    seq: int


@dataclass(frozen=True, slots=True)
class Status:
    """The status of the server: how many users there are, and what its dreamer does.

    `dreamer` is OFF, STARTING, WAITING, DREAMING, RESTING or FAILED. Times are in ms.
    """

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
    """The pointer of an author at (x, y) in canvas pixels, with its colour 0xRRGGBB.

    `down` is true while it draws.
    """

    author: int
    x: int
    y: int
    down: bool
    color: int
    name: str


Event: TypeAlias = Operation | Dream | Resync | Status | Cursor


def names_of(given: tuple[str, ...]) -> frozenset[str]:
    """Return the names as a set, all names where none is given. Raises InvalidParams for an unknown name."""
    for name in given:
        if name not in NAMES:
            raise InvalidParams(f"{name!r} is no event: there are {', '.join(NAMES)}", field="events")
    return frozenset(given or NAMES)


class Events:
    """A queue of events: read it with `async for`, which waits for the next event.

    It is filled from when it is entered with `async with`, or else first read. When 50,000 events
    wait and another comes, all are dropped and a Resync takes their place. `seq` is the number of
    the last operation that was put in: that one and earlier ones are not put in again.
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
        """Append an event, but not an operation that was put in before. Drops all when the queue is full."""
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
        """Take only operations after `seq` from now on. None: the first one that comes decides."""
        self.seq = seq

    def restart(self, seq: int) -> None:
        """Drop the events that wait, and take operations after `seq` from now on."""
        self._queue.clear()
        self.seq = seq

    def fail(self, error: Exception) -> None:
        """Raise `error` to the reader once the events that wait were read: no more will come."""
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
        """Wait for the next event. Raises the error that ended the connection for good."""
        await self._client.watch(self)
        while not self._queue:
            if self._failure is not None:
                raise self._failure
            self._came.clear()
            await self._came.wait()
        return self._queue.popleft()


class Source:
    """The interface of what fills queues of events."""

    async def watch(self, events: Events) -> None:
        """Fill a queue from now on. Does nothing where it is filled already."""
        raise NotImplementedError

    def unwatch(self, events: Events) -> None:
        """Fill a queue no more."""
        raise NotImplementedError


def operations(event: RawEvent) -> list[Operation]:
    """Return the operations in a `paint`, `paints` or `patch` event. Raises DecodeError."""
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
    """Return the status that a message holds."""
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
    """Return the pointer in a `cursor` event. Raises DecodeError."""
    cursor = pb.CursorEvent.FromString(payload)
    return Cursor(cursor.author, cursor.pos.x, cursor.pos.y, cursor.down, cursor.color, cursor.name)
