"""Events to all who subscribed: collected for a tick, and encoded once for each kind of subscription.

A reader that does not keep up gets no events. When it has caught up, it gets a `canvas` event with `resync`
where it missed a part of the picture, the newest `status` where it missed one, and then new events again.
"""

import asyncio
import math
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Final, Protocol

from dreamcanvas.broadcast import encoding
from dreamcanvas.broadcast.encoding import Form, Picture, Piece, canvas_event, encode, join
from dreamcanvas.canvas.model import Operation, Patch, Version
from dreamcanvas.proto import dreamcanvas_pb2 as pb
from dreamcanvas.rpc.connection import encode_event
from dreamcanvas.rpc.frames import frame

EVENTS: Final = ("paint", "patch", "canvas", "status", "cursor")
PAINTS_PER_EVENT: Final = encoding.PAINTS_PER_EVENT
REPLAY_CHUNK: Final = 256  # operations in a piece of a replay
REPLAY_BYTES: Final = 65536  # of patches, after which a piece ends; the last patch may be larger
KEPT_BYTES: Final = 16 * 2**20  # of encoded pieces, for others who return at the same time


class Reader(Protocol):
    """A receiver of events. `slow` says that what was sent before has not been read."""

    slow: bool

    def send(self, frames: bytes) -> None:
        """Write framed messages."""

    def stream(self, frames: Iterator[bytes]) -> None:
        """Write framed messages one after the other, as fast as they are read; no `send` comes meanwhile."""


class Past(Protocol):
    """A function that gives past operations."""

    def __call__(self, seq: int, most: int) -> Sequence[Operation] | None:
        """Return at most `most` operations after `seq`, or None where they are not kept any more."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a reader asked for: which events, JSON text or binary, dabs in bunches (`batch`) or singly.

    `stock` is a client that does not know patches: it gets a `canvas` event with `resync` for each of them.
    """

    events: frozenset[str] = frozenset(EVENTS)
    text: bool = False
    batch: bool = False
    stock: bool = False

    @property
    def form(self) -> Form:
        """The form in which it is sent operations; many subscriptions share one."""
        return Form(
            text=self.text,
            batch=self.batch,
            paints="paint" in self.events,
            patches=not self.stock and "patch" in self.events,
            resyncs=self.stock and "canvas" in self.events,
        )


class Broadcast:
    """The subscriptions, and the operations that will be sent with the next tick.

    `tick` is in seconds. `root` is the path before all addresses in events. `resync_seq` is the newest
    operation at the time when a reader was last told to fetch the picture: it must not get an older one.
    """

    def __init__(self, *, tick: float, root: str = "") -> None:
        self._tick = tick
        self._root = root
        self._picture = Picture()  # at the newest dream; operations have come since, the last is `_seq`
        self._seq = 0
        self.resync_seq = 0
        self._readers: dict[Reader, Subscription] = {}
        self._groups: dict[Subscription, dict[Reader, None]] = {}
        self._behind: dict[Reader, dict[str, bytes]] = {}
        self._due: list[tuple[Sequence[Operation], object]] = []
        self._returning: dict[Reader, dict[str, bytes]] = {}
        self._replayed: OrderedDict[tuple[Form, int, int], bytes] = OrderedDict()
        self._replayed_bytes = 0
        self._timer: asyncio.TimerHandle | None = None
        self._next = -math.inf
        self.delivered = 0
        self.resyncs = 0

    def begin(self, picture: Picture) -> None:
        """Take the picture that was found at the start. No event is sent: there are no readers yet."""
        self._picture, self._seq = picture, picture.version.seq

    def resync_event(self) -> pb.CanvasEvent:
        """Return the event that has a client fetch the whole picture, and remember its `resync_seq`."""
        self.resync_seq = self._seq
        version = Version(self._picture.version.dream, self._seq)
        return canvas_event(replace(self._picture, version=version), f"{self._root}/canvas.png", resync=True)

    def subscribe(
        self,
        reader: Reader,
        subscription: Subscription,
        *,
        since: int | None = None,
        past: Past | None = None,
    ) -> None:
        """Send a reader live events, in place of what it subscribed to before.

        With `since` and `past`, the operations after `since` come first, as fast as the reader reads them.
        """
        self.flush()
        self.unsubscribe(reader)
        self._readers[reader] = subscription
        if since is None or past is None:
            self._join(reader, subscription)
        else:
            self._returning[reader] = {}
            reader.stream(self._replay(reader, subscription, since, past))

    def _join(self, reader: Reader, subscription: Subscription) -> None:
        self._groups.setdefault(subscription, {})[reader] = None

    def _replay(self, reader: Reader, subscription: Subscription, since: int, past: Past) -> Iterator[bytes]:
        """Yield the framed events of past operations; after the last the reader gets live events.

        Only the number of the last operation is kept meanwhile, not the operations. Where they were dropped
        before the reader came to them, it has to fetch the picture.
        """
        form, seq = subscription.form, since
        # Pieces end before multiples of REPLAY_CHUNK wherever a reader begins, so that others can use them
        while operations := past(seq, REPLAY_CHUNK - (seq + 1) % REPLAY_CHUNK):
            operations = _piece(operations)
            seq = operations[-1].seq
            frames = self._encoded(operations, form)
            if frames:
                yield frames
        self.flush()  # what is due was among the past operations: sent after the join, it would come twice
        missed = self._returning.pop(reader, None)
        if missed is None or self._readers.get(reader) is not subscription:
            return  # it has gone, or subscribed anew
        self._join(reader, subscription)
        if operations is None:
            self.resyncs += 1
            missed["canvas"] = frame(encode_event("canvas", self.resync_event(), text=subscription.text))
        yield b"".join(missed.values())

    def _encoded(self, operations: Sequence[Operation], form: Form) -> bytes:
        """Return past operations as frames, encoded once for all readers that return at the same time."""
        key = (form, operations[0].seq, len(operations))
        frames = self._replayed.get(key)
        if frames is None:
            frames = join(encode(operations, form, self.resync_event), form)
            self._replayed[key] = frames
            self._replayed_bytes += len(frames)
            while self._replayed_bytes > KEPT_BYTES:
                self._replayed_bytes -= len(self._replayed.popitem(last=False)[1])
        return frames

    @property
    def behind(self) -> int:
        """How many readers get no events until they have caught up."""
        return len(self._behind)

    def subscription(self, reader: Reader) -> Subscription | None:
        """Return what a reader subscribed to, or None where it did not."""
        return self._readers.get(reader)

    def unsubscribe(self, reader: Reader) -> None:
        """Send a reader no more events; it need not have subscribed."""
        self._behind.pop(reader, None)
        returning = self._returning.pop(reader, None) is not None
        subscription = self._readers.pop(reader, None)
        if subscription is not None and not returning:
            group = self._groups[subscription]
            del group[reader]
            if not group:
                del self._groups[subscription]

    def operations(self, operations: Sequence[Operation], origin: object) -> None:
        """Send operations with the next tick, but not to `origin`, the reader that made them.

        After a quiet tick they are sent as soon as the event loop comes to it.
        """
        if not operations:
            return
        self._seq = operations[-1].seq
        self._due.append((operations, origin))
        if self._timer is None:
            loop = asyncio.get_running_loop()
            wait = max(0.0, self._next - loop.time())
            self._timer = loop.call_later(wait, self.flush)

    def flush(self) -> None:
        """Send the operations that are due now, without waiting for the tick."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._due:
            return
        due, self._due = self._due, []
        began = asyncio.get_running_loop().time()
        origins = {id(origin) for _, origin in due}
        encoded: dict[Form, tuple[list[list[Piece]], bytes]] = {}
        for subscription, group in self._groups.items():
            form = subscription.form
            if form not in encoded:
                parts = [encode(operations, form, self.resync_event) for operations, _ in due]
                encoded[form] = parts, join(chain.from_iterable(parts), form)
            parts, frames = encoded[form]
            if not frames:
                continue
            for reader in tuple(group):
                if id(reader) in origins:
                    others = (
                        part for part, (_, origin) in zip(parts, due, strict=True) if origin is not reader
                    )
                    self._send(reader, join(chain.from_iterable(others), form))
                else:
                    self._send(reader, frames)
        ended = asyncio.get_running_loop().time()
        # Where sending takes longer than a tick, calls get as much time as it took before the next one
        self._next = max(began + self._tick, 2 * ended - began)

    def dreamt(self, picture: Picture) -> None:
        """Send the `canvas` event of a picture with a new dream, after the operations that are due."""
        self._picture, self._seq = picture, picture.version.seq
        url = f"{self._root}/dreams/{picture.version.dream}.jpg"
        self.event("canvas", canvas_event(picture, url, resync=False))

    def event(self, name: str, message: pb.CanvasEvent | pb.StatusEvent) -> None:
        """Send another event to all who subscribed to it, after the operations that are due."""
        self.flush()
        encoded: dict[bool, bytes] = {}
        for subscription, group in self._groups.items():
            if name in subscription.events:
                text = subscription.text
                if text not in encoded:
                    encoded[text] = frame(encode_event(name, message, text=text))
                for reader in tuple(group):
                    self._send(reader, encoded[text], name)
        for reader, missed in self._returning.items():
            subscription = self._readers[reader]
            if name in subscription.events:
                missed[name] = frame(encode_event(name, message, text=subscription.text))

    def drained(self, reader: Reader) -> None:
        """Send a reader that has caught up what it needs to go on: a `resync`, the newest status, or both."""
        if reader not in self._behind:
            return
        self.flush()
        missed = self._behind.pop(reader)
        status = missed.pop("status", b"")
        if missed:
            self.resyncs += 1
            reader.send(frame(encode_event("canvas", self.resync_event(), text=self._readers[reader].text)))
        if status:
            reader.send(status)

    def _send(self, reader: Reader, frames: bytes, name: str = "paint") -> None:
        if not frames:
            return
        if reader.slow or reader in self._behind:
            self._behind.setdefault(reader, {})[name] = frames
        else:
            reader.send(frames)
            self.delivered += 1


def _piece(operations: Sequence[Operation]) -> Sequence[Operation]:
    """Return the first operations, up to `REPLAY_BYTES` of patches, or all where there are fewer."""
    size = 0
    for count, operation in enumerate(operations, 1):
        if isinstance(operation.mark, Patch):
            size += len(operation.mark.image)
            if size >= REPLAY_BYTES:
                return operations[:count]
    return operations
