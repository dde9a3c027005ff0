"""What was seen: when which dab arrived at how many, and what that comes to."""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dreamcanvas.proto import dreamcanvas_pb2 as pb
from dreamcanvas.proto import wsrpc_pb2 as envelope
from load.wire import messages

KEPT = 4096
"""So many different reads are remembered: all watchers of a kind are sent the same bytes."""

BINS = np.geomspace(1e-5, 100, 1400)
"""Edges of the histogram's bins, seconds: 1.2% from one to the next."""

Times = NDArray[np.float64]


@dataclass(slots=True)
class Read:
    """What some frames say: the numbers of their operations, and which calls of whom these were.

    `arrivals` are the times at which watchers got them; `resync` is the number in a resync, 0 where there is
    none, `subscribed_at` the number in the answer to subscribe; `controls` are opcodes and payloads. `even`:
    nothing is missing among the operations; `special`: there is more than operations.
    """

    seqs: list[int]
    keys: list[tuple[int, int]]
    resync: int = 0
    dream: str = ""
    subscribed_at: int | None = None
    controls: list[tuple[int, bytes]] = field(default_factory=list)
    arrivals: "array[float]" = field(default_factory=lambda: array("d"))

    even: bool = True
    special: bool = False

    def close(self) -> None:
        """Says once what would be asked often."""
        first = self.seqs[0] if self.seqs else 0
        self.even = self.seqs == list(range(first, first + len(self.seqs)))
        self.special = bool(self.controls or self.dream or self.subscribed_at is not None)


def understand(payload: bytes, read: Read) -> None:
    """Adds a message to a read."""
    message = envelope.Message.FromString(payload)
    if message.type == envelope.Message.RESPONSE:
        read.subscribed_at = pb.SubscribeResponse.FromString(message.response.payload).seq
        return
    event = message.event
    if event.name == "paint":
        paints: Iterable[pb.PaintEvent] = (pb.PaintEvent.FromString(event.payload),)
    elif event.name == "paints":
        paints = pb.PaintsEvent.FromString(event.payload).paints
    elif event.name == "canvas":
        canvas = pb.CanvasEvent.FromString(event.payload)
        if canvas.resync:
            read.resync = canvas.seq
        else:
            read.dream = canvas.url
        return
    else:
        return
    for paint in paints:
        read.seqs.append(paint.seq)
        read.keys.append((paint.author, paint.stroke))


@dataclass(slots=True)
class Record:
    """All of it. Times are of this process' monotonic clock, seconds.

    `sent` is when the call of an author and stroke was due; calls of the first and the last second count too.
    """

    sent: dict[tuple[int, int], float] = field(default_factory=dict)
    acks: list[tuple[float, float]] = field(default_factory=list)
    pictures: list[float] = field(default_factory=list)
    dreams: list[float] = field(default_factory=list)
    picture_bytes: int = 0
    reads: list[Read] = field(default_factory=list)
    known: dict[bytes, Read] = field(default_factory=dict)
    errors: int = 0
    lost: int = 0
    repeated: int = 0
    resyncs: int = 0
    closed: dict[int, int] = field(default_factory=dict)

    def read(self, frames: bytes) -> Read:
        """What frames say; the same object for the same bytes."""
        found = self.known.get(frames)
        if found is None:
            found = Read([], [])
            for opcode, payload in messages(frames):
                if opcode >= 8:
                    found.controls.append((opcode, payload))
                else:
                    understand(payload, found)
            found.close()
            if len(self.known) >= KEPT:
                self.known.clear()
            self.known[frames] = found
            self.reads.append(found)
        return found

    def deliveries(self) -> tuple[Times, Times]:
        """For each delivery the time of its arrival, and its latency."""
        arrived: list[Times] = []
        latencies: list[Times] = []
        for read in self.reads:
            due = [self.sent[key] for key in read.keys if key in self.sent]
            if due and read.arrivals:
                when = np.frombuffer(read.arrivals, np.float64)
                latencies.append(np.subtract.outer(when, np.array(due)).ravel())
                arrived.append(np.repeat(when, len(due)))
        none: Times = np.empty(0)
        return (np.concatenate(arrived), np.concatenate(latencies)) if arrived else (none, none)


def percentile(latencies: Times, percent: float) -> float:
    """In milliseconds, of seconds; 0 where there is none."""
    return round(1000 * float(np.percentile(latencies, percent)), 2) if len(latencies) else 0.0
