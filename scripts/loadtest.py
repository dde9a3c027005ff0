"""Measures a server under painters and watchers: `.venv/bin/python scripts/loadtest.py ws://127.0.0.1:4242/rpc`.

Start the server with --no-rate-limits where the painters together are faster than an address may be. All
times are of this process' monotonic clock: acknowledgements from sending a call to its reply, deliveries from
sending it to the event at a watcher.
"""

import argparse
import asyncio
import contextlib
import json
import random
import secrets
import statistics
import time
from dataclasses import asdict, dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from dreamcanvas.proto import dreamcanvas_pb2 as pb
from dreamcanvas.proto import wsrpc_pb2 as envelope

TRAILING_SECONDS = 1.0
ANSWER_SECONDS = 10.0


@dataclass
class Measurements:
    """What was seen; seconds."""

    sent: dict[tuple[int, int], float] = field(default_factory=dict)
    acks: list[float] = field(default_factory=list)
    deliveries: list[float] = field(default_factory=list)
    errors: int = 0
    lost: int = 0
    repeated: int = 0


@dataclass
class Summary:
    """What is printed; milliseconds, and counts per second."""

    painters: int
    watchers: int
    dabs_acknowledged: int
    acks_per_second: float
    ack_p50: float
    ack_p99: float
    deliveries_per_second: float
    delivery_p50: float
    delivery_p99: float
    lost: int
    repeated: int
    errors: int


def request(method: str, seq: int, payload: Any) -> bytes:
    """A wsrpc call."""
    message = envelope.Message(type=envelope.Message.REQUEST)
    message.request.CopyFrom(envelope.Request(method=method, seq=seq, payload=payload.SerializeToString()))
    return message.SerializeToString()


async def receive(socket: ClientConnection) -> envelope.Message:
    """The next message."""
    data = await socket.recv(decode=False)
    return envelope.Message.FromString(data)


async def paint(url: str, number: int, rate: float, until: float, measured: Measurements) -> None:
    """Draws a wandering line of single dabs; author and `stroke` tell the watchers which is which."""
    rng = random.Random(number)
    async with connect(url, compression=None) as socket:
        subscribe = pb.SubscribeRequest(events=["status"], session=secrets.token_bytes(16))
        await socket.send(request("subscribe", 0, subscribe))
        message = await receive(socket)
        while message.type != envelope.Message.RESPONSE:
            message = await receive(socket)
        author = pb.SubscribeResponse.FromString(message.response.payload).author
        pending: dict[int, float] = {}
        answered = asyncio.Event()

        async def read() -> None:
            while True:
                message = await receive(socket)
                if message.type == envelope.Message.RESPONSE:
                    started = pending.pop(message.response.seq)
                    answered.set()
                    if message.response.ok:
                        measured.acks.append(time.monotonic() - started)
                    else:
                        measured.errors += 1

        reader = asyncio.create_task(read())
        x, y, seq = rng.uniform(200, 1300), rng.uniform(200, 1300), 0
        due = time.monotonic() + rng.random() / rate
        while due < until:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            due += 1 / rate
            seq += 1
            x, y = (min(max(value + rng.uniform(-12, 12), 0), 1535) for value in (x, y))
            position = pb.Position(x=round(x), y=round(y))
            dab = pb.PaintRequest(pos=position, size=24, color=rng.getrandbits(24), stroke=seq)
            now = time.monotonic()
            pending[seq] = measured.sent[author, seq] = now
            await socket.send(request("paint", seq, dab))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ANSWER_SECONDS):
                while pending:
                    answered.clear()
                    await answered.wait()
        measured.errors += len(pending)
        reader.cancel()


async def watch(
    url: str, batch: bool, ready: asyncio.Event, done: asyncio.Event, measured: Measurements
) -> None:
    """Notes when each dab arrives, and that none is missing or comes twice."""
    async with connect(url, compression=None, max_size=None) as socket:
        await socket.send(request("subscribe", 0, pb.SubscribeRequest(events=["paint"], batch=batch)))
        subscribed = pb.SubscribeResponse.FromString((await receive(socket)).response.payload)
        seq = subscribed.seq
        ready.set()
        finished = asyncio.create_task(done.wait())
        while True:
            incoming = asyncio.create_task(receive(socket))
            await asyncio.wait((incoming, finished), return_when=asyncio.FIRST_COMPLETED)
            if not incoming.done():
                incoming.cancel()
                return
            event = incoming.result().event
            now = time.monotonic()
            paints = (
                pb.PaintsEvent.FromString(event.payload).paints
                if batch
                else (pb.PaintEvent.FromString(event.payload),)
            )
            for dab in paints:
                measured.lost += max(0, dab.seq - seq - 1)
                measured.repeated += dab.seq <= seq
                seq = max(seq, dab.seq)
                started = measured.sent.get((dab.author, dab.stroke))
                if started is not None:
                    measured.deliveries.append(now - started)


def percentile(values: list[float], share: float) -> float:
    """In milliseconds, of values in seconds; 0 where there is none."""
    if len(values) < 2:
        return round(1000 * sum(values), 2)
    return round(1000 * statistics.quantiles(values, n=1000, method="inclusive")[round(share * 1000) - 1], 2)


async def run(options: argparse.Namespace) -> Summary:
    """The whole measurement."""
    measured = Measurements()
    done = asyncio.Event()
    ready = [asyncio.Event() for _ in range(options.watchers)]
    async with asyncio.TaskGroup() as group:
        for event in ready:
            group.create_task(watch(options.url, options.batch, event, done, measured))
        for event in ready:
            await event.wait()
        until = time.monotonic() + options.seconds
        async with asyncio.TaskGroup() as painters:
            for number in range(options.painters):
                painters.create_task(paint(options.url, number, options.rate, until, measured))
        await asyncio.sleep(TRAILING_SECONDS)  # what is still on its way to the watchers
        done.set()
    return Summary(
        painters=options.painters,
        watchers=options.watchers,
        dabs_acknowledged=len(measured.acks),
        acks_per_second=round(len(measured.acks) / options.seconds, 1),
        ack_p50=percentile(measured.acks, 0.5),
        ack_p99=percentile(measured.acks, 0.99),
        deliveries_per_second=round(len(measured.deliveries) / options.seconds, 1),
        delivery_p50=percentile(measured.deliveries, 0.5),
        delivery_p99=percentile(measured.deliveries, 0.99),
        lost=measured.lost,
        repeated=measured.repeated,
        errors=measured.errors,
    )


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("url", help="for example ws://127.0.0.1:4242/rpc")
    parser.add_argument("--painters", type=int, default=20)
    parser.add_argument("--rate", type=float, default=20.0, help="dabs a second of each painter")
    parser.add_argument("--watchers", type=int, default=5)
    parser.add_argument("--batch", action="store_true", help="watchers get dabs in bunches")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    summary = asdict(asyncio.run(run(options)))
    if options.json:
        print(json.dumps(summary))
        return
    for name, value in summary.items():
        unit = " ms" if "_p" in name and "per" not in name else ""
        print(f"{name.replace('_', ' '):24} {value}{unit}")


if __name__ == "__main__":
    main()
