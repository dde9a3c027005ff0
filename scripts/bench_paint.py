"""Where a paint's microseconds go: `.venv/bin/python scripts/bench_paint.py`.

A real painter, journal and connection, without a socket: 64 calls come in a read, are durable, and answered.
Shown is processor time per call, the least of many reads, since what else runs on a machine only adds to it:
in all, in the event loop and in the threads; then of each step, measured alone.
"""

import argparse
import asyncio
import tempfile
import time
import timeit
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from uvicorn.server import ServerState
from websockets.frames import apply_mask  # type: ignore[attr-defined]

from dreamcanvas.access.moderation import Moderation
from dreamcanvas.access.quotas import Client, Quotas
from dreamcanvas.access.site import site_of
from dreamcanvas.access.tokens import Access
from dreamcanvas.api.clients import Clients
from dreamcanvas.api.connections import Connections
from dreamcanvas.api.methods import painter_handlers
from dreamcanvas.api.painter_service import PainterService, paint_response
from dreamcanvas.api.server_info import ServerInfo
from dreamcanvas.api.status import Status
from dreamcanvas.api.subscriptions import Subscriptions
from dreamcanvas.api.validation import dabs_of
from dreamcanvas.broadcast import encoding
from dreamcanvas.broadcast.broadcast import Broadcast, Subscription
from dreamcanvas.broadcast.cursors import Cursors
from dreamcanvas.canvas import brush
from dreamcanvas.canvas.model import SIDE, Canvas, Dab, Operation
from dreamcanvas.clock import wall_clock
from dreamcanvas.config import Config
from dreamcanvas.painting.painter import Painter
from dreamcanvas.proto import dreamcanvas_pb2 as pb
from dreamcanvas.proto import wsrpc_pb2 as envelope
from dreamcanvas.rpc import wsrpc
from dreamcanvas.rpc.frames import Splitter, frame
from dreamcanvas.rpc.protocol import RpcProtocol
from dreamcanvas.rpc.service import Service
from dreamcanvas.store.dreams import Dreams
from dreamcanvas.store.journal import Entry, Journal, Receipt
from dreamcanvas.store.moderation_log import ModerationLog
from dreamcanvas.telemetry.metrics import Metrics

CALLS = 64
"""In a read."""

OPENING = (
    b"GET /rpc HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class Transport(asyncio.Transport):
    """Takes what is written; sets `written`."""

    def __init__(self) -> None:
        super().__init__()
        self.written = asyncio.Event()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.set()

    def is_closing(self) -> bool:
        return False

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass


class Studio:
    """The parts of a server that a paint passes through."""

    def __init__(self, directory: Path) -> None:
        config = Config(rate_limits=False, dream=False)
        self.metrics = Metrics()
        self.journal = Journal(
            directory / "dreamcanvas.db", clock=wall_clock, committed=self.metrics.committed
        )
        broadcast = Broadcast(tick=0.02)
        self.painter = Painter(
            journal=self.journal,
            dreams=Dreams(directory / "frames", self.journal),
            broadcast=broadcast,
            replay_operations=20000,
            clock=wall_clock,
            painted=self.metrics.painted,
        )
        access, clients = Access("bench"), Clients()
        quotas = Quotas(config, self.metrics, now=time.monotonic)
        moderation = Moderation(ModerationLog(self.journal), access, keep_addresses_hours=0, clock=wall_clock)
        parts = dict.fromkeys(("snapshots", "catalogue", "stroke_undo", "cursors"), cast(Any, None))
        service = PainterService(
            config,
            quotas=quotas,
            moderation=moderation,
            status=Status(broadcast=broadcast, moderation=moderation, users=clients.count, dream_loop=None),
            subscriptions=Subscriptions(broadcast, Cursors()),
            painter=self.painter,
            journal=self.journal,
            broadcast=broadcast,
            info=ServerInfo(config, cast(Any, None)),
            started=0,
            **parts,
        )
        self.connections = Connections(
            config,
            service=Service(pb.DESCRIPTOR.services_by_name["DreamPainter"], painter_handlers(service)),
            site=site_of(config),
            clients=clients,
            quotas=quotas,
            access=access,
            journal=self.journal,
            subscriptions=Subscriptions(broadcast, Cursors()),
            metrics=self.metrics,
            visited=lambda: None,
        )
        self.transport = Transport()
        self.connection: RpcProtocol[Client] = RpcProtocol(
            cast(Any, None), ServerState(), {}, endpoint=self.connections
        )

    async def open(self) -> None:
        """Recovers, and opens the websocket."""
        await self.painter.recover()
        self.connection.connection_made(self.transport)
        self.connection.data_received(OPENING)

    async def close(self) -> None:
        """Ends it."""
        self.connection.connection_lost(None)
        await asyncio.sleep(0.2)
        await self.painter.close()
        self.journal.close()


def call(seq: int, dabs: int, size: int) -> bytes:
    """A call of paint as a client frames it."""
    marks = [
        pb.Dab(pos=pb.Position(x=(seq * 7 + i) % SIDE, y=(seq * 13 + i) % SIDE), size=size, color=seq)
        for i in range(dabs)
    ]
    single = marks[0]
    paint = (
        pb.PaintRequest(dabs=marks)
        if dabs > 1
        else pb.PaintRequest(pos=single.pos, size=single.size, color=single.color)
    )
    request = envelope.Request(method="paint", seq=seq, payload=paint.SerializeToString())
    message = envelope.Message(type=envelope.Message.REQUEST, request=request).SerializeToString()
    framed = frame(message)
    header = len(framed) - len(message)
    return framed[:1] + bytes((framed[1] | 0x80,)) + framed[2:header] + bytes(4) + message


async def whole(studio: Studio, reads: list[bytes]) -> tuple[float, float]:
    """Microseconds of a call in the event loop and in all threads: the least of the reads."""
    loop_times, all_times = [], []
    for read in reads:
        studio.transport.written.clear()
        thread, process = time.thread_time(), time.process_time()
        studio.connection.data_received(read)
        await studio.transport.written.wait()
        loop_times.append(time.thread_time() - thread)
        await studio.painter.crop(0, 0, 1, 1)
        all_times.append(time.process_time() - process)
    return 1e6 * min(loop_times) / CALLS, 1e6 * min(all_times) / CALLS


def steps(studio: Studio, dabs: int, size: int) -> list[tuple[str, float]]:
    """Microseconds of each step of a call."""
    framed = call(7, dabs, size)
    message = Splitter(apply_mask, 0).split(framed)[0][1]
    payload = wsrpc.decode_request(message)
    assert payload is not None
    paint = pb.PaintRequest.FromString(payload.payload)
    marks = [Dab(700, 700, size, 255)] * dabs
    operations = tuple(Operation(n, wall_clock(), 5, 0, mark) for n, mark in enumerate(marks, start=1))
    receipt = Receipt(dabs, wall_clock(), duplicate=False, operations=operations)
    author = studio.journal.anonymous("")
    picture = Canvas().snapshot()
    form = Subscription().form
    response = paint_response(receipt)

    def number() -> None:
        Receipt(1, 1, duplicate=False, operations=tuple(Operation(1, 1, 1, 0, mark) for mark in marks))

    def draw() -> None:
        for mark in marks:
            brush.draw(picture, mark.x, mark.y, mark.size, mark.color)

    found: list[tuple[str, Callable[[], object]]] = [
        ("the frame is read", lambda: Splitter(apply_mask, 0).split(framed)),
        ("the envelope is decoded", lambda: wsrpc.decode_request(message)),
        ("the request is decoded", lambda: pb.PaintRequest.FromString(payload.payload)),
        ("it is validated", lambda: dabs_of(paint, 256)),
        ("an entry of the journal", lambda: Entry(author, marks)),
        ("numbers, operations, receipt", number),
        (
            "the reply, with envelope and frame",
            lambda: frame(wsrpc.encode_response(7, response.SerializeToString())),
        ),
        ("counters", lambda: studio.metrics.called("paint", None, 0.001)),
        (
            "the event, once for all watchers",
            lambda: encoding.join(encoding.encode(operations, form, pb.CanvasEvent), form),
        ),
        ("the pixels (in their thread)", draw),
    ]
    return [(name, 1e6 * min(timeit.repeat(work, number=200, repeat=25)) / 200) for name, work in found]


async def run(dabs: int, size: int) -> None:
    """Prints the table."""
    with tempfile.TemporaryDirectory() as directory:
        studio = Studio(Path(directory))
        await studio.open()
        reads = [b"".join(call(CALLS * n + i, dabs, size) for i in range(1, CALLS + 1)) for n in range(150)]
        in_loop, in_all = await whole(studio, reads)
        print(f"{dabs} dab(s) of {size} px in a call, {CALLS} calls in a read: µs a call")
        print(f"  {in_loop:6.1f}  in the event loop")
        print(f"  {in_all - in_loop:6.1f}  in the threads of journal and pixels")
        print("of these, measured alone:")
        for name, took in steps(studio, dabs, size):
            print(f"  {took:6.1f}  {name}")
        await studio.close()


def main() -> None:
    """The script."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dabs", type=int, default=1)
    parser.add_argument("--size", type=int, default=20)
    options = parser.parse_args()
    asyncio.run(run(options.dabs, options.size))


if __name__ == "__main__":
    main()
