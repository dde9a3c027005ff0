"""Events, to those who subscribed: coalesced into ticks, encoded once per kind of subscription, never once
per reader.

A reader that does not keep up gets no events; when it has caught up, it gets a `canvas` event with `resync`
where it missed a part of the picture, the newest `status` where it missed one, and what follows.
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
REPLAY_CHUNK: Final = 256
REPLAY_BYTES: Final = 65536  # of patches in a piece: the last of them may be larger
KEPT_BYTES: Final = 16 * 2**20  # of pieces that were encoded, for others who return


class Reader(Protocol):
    """Who receives events. `slow` says that what was sent before has not been read."""

    slow: bool

    def send(self, frames: bytes) -> None:
        """Writes framed messages."""

    def stream(self, frames: Iterator[bytes]) -> None:
        """Writes framed messages as they are read; nothing is asked of it meanwhile."""


class Past(Protocol):
    """Gives the operations after a number, `most` of them; None where they are not kept any more."""

    def __call__(self, seq: int, most: int) -> Sequence[Operation] | None:
        """See above."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a reader asked for: which events, as JSON text or binary, dabs in bunches or singly.

    `stock` is a client that knows no patches: it gets a `canvas` event with `resync` in place of each.
    """

    events: frozenset[str] = frozenset(EVENTS)
    text: bool = False
    batch: bool = False
    stock: bool = False

    @property
    def form(self) -> Form:
        """How it is told of operations."""
        return Form(
            text=self.text,
            batch=self.batch,
            paints="paint" in self.events,
            patches=not self.stock and "patch" in self.events,
            resyncs=self.stock and "canvas" in self.events,
        )


class Broadcast:
    """The subscriptions, and what is due to them.

    `tick` is in seconds. `root` is the path below which the addresses are that events tell. It is told of the
    picture, and so knows which one to tell of: `resync_seq` is the operation up to which the picture has to
    reach for whoever was last told to fetch it.
    """

    def __init__(self, *, tick: float, root: str = "") -> None:
        self._tick = tick
        self._root = root
        self._picture = Picture()  # but for the operations since, the last of which is `_seq`
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
        """Take the picture that a start has found. Nobody is told: nobody is there yet."""
        self._picture, self._seq = picture, picture.version.seq

    def resync_event(self) -> pb.CanvasEvent:
        """The event for a client that has lost track: it fetches the picture."""
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
        """Sends live events, in place of what was subscribed before.

        First come the operations after `since`, out of `past`, as the reader reads them.
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
        """The framed events of past operations; when there are no more the reader is one of the others.

        Only the number is kept meanwhile: where the operations have gone before they were read, the reader
        has to fetch the picture.
        """
        form, seq = subscription.form, since
        while operations := past(seq, REPLAY_CHUNK - (seq + 1) % REPLAY_CHUNK):
            operations = _piece(operations)
            seq = operations[-1].seq
            frames = self._encoded(operations, form)
            if frames:
                yield frames
        self.flush()  # what is due is among what was read
        missed = self._returning.pop(reader, None)
        if missed is None or self._readers.get(reader) is not subscription:
            return  # it has gone
        self._join(reader, subscription)
        if operations is None:
            self.resyncs += 1
            missed["canvas"] = frame(encode_event("canvas", self.resync_event(), text=subscription.text))
        yield b"".join(missed.values())

    def _encoded(self, operations: Sequence[Operation], form: Form) -> bytes:
        """Operations of the past, encoded once for all who return at once."""
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
        """How many readers get nothing until they have caught up."""
        return len(self._behind)

    def subscription(self, reader: Reader) -> Subscription | None:
        """What a reader subscribed to."""
        return self._readers.get(reader)

    def unsubscribe(self, reader: Reader) -> None:
        """Sends nothing more to a reader."""
        self._behind.pop(reader, None)
        returning = self._returning.pop(reader, None) is not None
        subscription = self._readers.pop(reader, None)
        if subscription is not None and not returning:
            group = self._groups[subscription]
            del group[reader]
            if not group:
                del self._groups[subscription]

    def operations(self, operations: Sequence[Operation], origin: object) -> None:
        """Sends operations with the next tick (at once when it has been quiet), but not to `origin`, who made
        them.
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
        """Sends what is due now."""
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
        # Where it takes longer than a tick, as much time is left to calls, and more comes at once
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
        """A reader has caught up: where it missed something, it is told."""
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
    """The first of them, as many as may come at once: patches are large."""
    size = 0
    for count, operation in enumerate(operations, 1):
        if isinstance(operation.mark, Patch):
            size += len(operation.mark.image)
            if size >= REPLAY_BYTES:
                return operations[:count]
    return operations
