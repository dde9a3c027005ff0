"""Bad company: slow readers, slow writers, half-open connections, thousands of connects and disconnects.

`.venv/bin/python -m tests.soak.connections` prints the server's memory and a bystander's latency before,
under and after each. Memory is to be flat, the latency unchanged.
"""

import argparse
import asyncio
import base64
import contextlib
import secrets
import socket
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
from websockets.asyncio.client import connect

from dreamcanvas.proto import dreamcanvas_pb2 as pb
from dreamcanvas.proto import wsrpc_pb2 as envelope
from tests.live_server import Server

DABS = [pb.Dab(pos=pb.Position(x=700, y=700), size=20, color=0x123456)] * 64


def request(seq: int, count: int) -> bytes:
    payload = pb.PaintRequest(dabs=DABS[:count]).SerializeToString()
    message = envelope.Message(type=envelope.Message.REQUEST)
    message.request.CopyFrom(envelope.Request(method="paint", seq=seq, payload=payload))
    return message.SerializeToString()


async def latency(server: Server, calls: int = 200) -> tuple[float, float]:
    """p50 and p99 of a bystander's acknowledgements, ms."""
    times = []
    async with connect(server.ws_url, compression=None) as websocket:
        for seq in range(calls):
            started = time.perf_counter()
            await websocket.send(request(seq, 1))
            await websocket.recv()
            times.append(1000 * (time.perf_counter() - started))
            await asyncio.sleep(0.002)
    quantiles = statistics.quantiles(times, n=100)
    return quantiles[49], quantiles[98]


async def raw(server: Server) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A websocket by hand, so that it need not read; subscribed to everything."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1024)
    key = base64.b64encode(secrets.token_bytes(16)).decode()
    writer.write(
        f"GET /rpc?subscribe=paint HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
        "Sec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
    return reader, writer


@contextlib.asynccontextmanager
async def slow_readers(server: Server, count: int) -> AsyncIterator[None]:
    """They subscribe, and never read; a painter gives them plenty."""
    peers = [await raw(server) for _ in range(count)]
    async with connect(server.ws_url, compression=None) as painter:
        for seq in range(3000):
            await painter.send(request(seq, 64))
            await painter.recv()
    yield
    for _, writer in peers:
        writer.transport.abort()


@contextlib.asynccontextmanager
async def slow_writers(server: Server, count: int) -> AsyncIterator[None]:
    """They send a frame of 100 bytes, one byte a second."""
    peers = [await raw(server) for _ in range(count)]

    async def drip(writer: asyncio.StreamWriter) -> None:
        for byte in b"\x82\xe4" + bytes(102):
            with contextlib.suppress(OSError):
                writer.write(bytes([byte]))
                await asyncio.sleep(1)

    tasks = [asyncio.create_task(drip(writer)) for _, writer in peers]
    await asyncio.sleep(3)
    yield
    for task in tasks:
        task.cancel()
    for _, writer in peers:
        writer.transport.abort()


@contextlib.asynccontextmanager
async def half_open(server: Server, count: int) -> AsyncIterator[None]:
    """They connect, send half a request or nothing, and stay."""
    sockets = []
    for number in range(count):
        peer = socket.create_connection(("127.0.0.1", server.port))
        if number % 2:
            peer.sendall(b"GET / HTTP/1.1\r\nHost:")
        sockets.append(peer)
    yield
    for peer in sockets:
        peer.close()


@contextlib.asynccontextmanager
async def comers_and_goers(server: Server, count: int) -> AsyncIterator[None]:
    """They connect and go, by a closing handshake or without."""
    for number in range(count):
        _, writer = await raw(server)
        if number % 2:
            writer.write(b"\x88\x80\x00\x00\x00\x00")
        writer.transport.abort() if number % 3 == 0 else writer.close()
    yield


async def run(options: argparse.Namespace) -> None:
    arguments = ("--no-dream", "--no-rate-limits", "--open-timeout", "5", "--replay-operations", "1000")
    with tempfile.TemporaryDirectory() as directory, Server(Path(directory), *arguments) as server:
        process = psutil.Process(server.pid)

        async def row(name: str) -> None:
            p50, p99 = await latency(server)
            memory = process.memory_info().rss / 2**20
            print(
                f"{name:34} {memory:8.1f} MB {process.num_fds():6} fds {p50:8.2f} {p99:8.2f} ms", flush=True
            )

        await row("at the start")
        for name, company, count in (
            ("slow readers", slow_readers, options.readers),
            ("slow writers", slow_writers, options.writers),
            ("half-open connections", half_open, options.half_open),
            ("connects and disconnects", comers_and_goers, options.connects),
        ):
            async with company(server, count):
                await row(f"under {count} {name}")
            await asyncio.sleep(1)
            await row("  after them")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--readers", type=int, default=50)
    parser.add_argument("--writers", type=int, default=100)
    parser.add_argument("--half-open", type=int, default=200)
    parser.add_argument("--connects", type=int, default=10_000)
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
