"""Hostile bytes, seeded: into the socket, as wsrpc, as JSON-RPC, as HTTP. Beside them somebody paints.

Each target goes on until its time is up, and sends what its generator makes of seeded random numbers.
Afterwards the server has to be alive, its log free of exceptions, its memory where it was, and the
bystander's dabs all acknowledged.
"""

import base64
import contextlib
import json
import os
import random
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import psutil
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import ClientConnection, connect

from dreamcanvas.proto import dreamcanvas_pb2 as pb
from dreamcanvas.proto import wsrpc_pb2 as envelope
from tests.live_server import Server
from tests.socket_client import Socket, dab

MEMORY_GROWTH = 24 * 2**20
"""Bytes; what caches and the allocator may take while it lasts."""

METHODS = (
    "paint",
    "Paint",
    "getCanvas",
    "subscribe",
    "getInfo",
    "undo",
    "cursor",
    "rpc.discover",
    "",
    "\0",
    "é%s",
)
INTEGERS = (0, 1, -1, 124, 125, 65535, 65536, -65536, 2**24, 2**31 - 1, -(2**31), 2**32 - 1, 2**53, 2**64 - 1)
HANDSHAKE = (
    "GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


@dataclass
class Report:
    """What a target sent, and what it did to the server."""

    target: str
    sent: int
    incidents: list[str]
    growth: int
    bystander: int


def mutate(rng: random.Random, data: bytes) -> bytes:
    """Flips, cuts, repeats and inserts."""
    changed = bytearray(data)
    for _ in range(rng.randint(0, 6)):
        place = rng.randrange(len(changed) + 1)
        match rng.randrange(4):
            case 0 if changed:
                changed[place % len(changed)] ^= 1 << rng.randrange(8)
            case 1:
                del changed[place : place + rng.randint(1, 8)]
            case 2:
                changed[place:place] = rng.randbytes(rng.randint(1, 8))
            case _:
                changed[place:place] = changed[: rng.randint(0, 64)]
    return bytes(changed)


# Generators


def request_message(rng: random.Random) -> bytes:
    """The serialised request of some method, right or nearly."""

    def number() -> int:
        return rng.choice(INTEGERS) if rng.random() < 0.5 else rng.randint(-200, 2000)

    def unsigned() -> int:
        return abs(number()) % 2**32

    position = pb.Position(x=max(-(2**31), min(number(), 2**31 - 1)), y=rng.randint(-99, 1600))
    match rng.randrange(5):
        case 0:
            message: Any = pb.PaintRequest(
                pos=position, size=unsigned(), color=unsigned(), call=rng.randint(0, 3)
            )
        case 1:
            dabs = [dab(rng.randint(-9, 1600), rng.randint(-9, 1600), rng.randint(0, 130))] * rng.randint(
                0, 300
            )
            message = pb.PaintRequest(dabs=dabs, stroke=unsigned())
        case 2:
            message = pb.CanvasRequest(offset=position, width=unsigned() % 64, height=rng.randint(0, 64))
            message.format = rng.choice((0, 1, 2))
        case 3:
            events = rng.sample(
                ("paint", "patch", "canvas", "status", "cursor", "no", "%"), rng.randint(0, 4)
            )
            message = pb.SubscribeRequest(
                events=events, batch=rng.random() < 0.5, since=abs(number()) % 2**63
            )
            message.session = rng.randbytes(rng.choice((0, 15, 16, 32, 33)))
        case _:
            return rng.randbytes(rng.randint(0, 100))
    data: bytes = message.SerializeToString()
    return mutate(rng, data) if rng.random() < 0.5 else data


def wsrpc_message(rng: random.Random) -> bytes:
    kinds = envelope.Message.Type.values()
    message = envelope.Message(type=rng.choice((*kinds, *kinds[:1] * 3)))
    payload = request_message(rng)
    request = envelope.Request(method=rng.choice(METHODS), seq=rng.choice((0, 1, 65535)), payload=payload)
    message.request.CopyFrom(request)
    data = message.SerializeToString()
    return mutate(rng, data) if rng.random() < 0.3 else data


def json_value(rng: random.Random, depth: int = 0) -> Any:
    match rng.randrange(9 if depth < 4 else 6):
        case 0:
            return rng.choice(INTEGERS)
        case 1:
            return rng.choice((None, True, False, 1.5, 1e308, -0.0, float("nan")))
        case 2:
            return rng.choice(("", "x", "\ud800", "9" * 30, "JPEG", "AA==", "é%s", "\0", "1e5"))
        case 3 | 4 | 5:
            return rng.randint(-10, 2000)
        case 6:
            return [json_value(rng, depth + 1) for _ in range(rng.randint(0, 4))]
        case _:
            names = (
                "pos",
                "x",
                "y",
                "size",
                "color",
                "dabs",
                "call",
                "offset",
                "width",
                "events",
                "since",
                "zz",
            )
            return {rng.choice(names): json_value(rng, depth + 1) for _ in range(rng.randint(0, 5))}


def json_text(rng: random.Random) -> str:
    def call() -> Any:
        value = {
            "jsonrpc": "2.0",
            "id": rng.randint(0, 9),
            "method": rng.choice(METHODS),
            "params": json_value(rng),
        }
        if rng.random() < 0.3:
            value[rng.choice(("jsonrpc", "id", "method", "params"))] = json_value(rng)
        if rng.random() < 0.2:
            del value[rng.choice(tuple(value))]
        return value if rng.random() < 0.95 else json_value(rng)

    value = [call() for _ in range(rng.randint(0, 60))] if rng.random() < 0.2 else call()
    text = json.dumps(value)
    if rng.random() < 0.2:
        text = mutate(rng, text.encode()).decode(errors="replace")
    return "[" * rng.randint(0, 30000) if rng.random() < 0.01 else text


def http_request(rng: random.Random) -> bytes:
    method = rng.choice(("GET", "POST", "HEAD", "PUT", "OPTIONS", "G\0T", "get"))
    paths: tuple[str, ...] = (
        "/",
        "/rpc",
        "/canvas.jpg",
        "/canvas.xyz",
        "/dreams/1.jpg",
        "/dreams/99999999999.jpg",
        "/assets/../x",
    )
    paths += ("/proto/wsrpc.proto", "/metrics", "/%00", "//[", "/dreams/-768.jpg", "/openrpc.json", "*", "/é")
    names = (
        "If-None-Match",
        "Origin",
        "X-Forwarded-For",
        "Range",
        "Content-Length",
        "Transfer-Encoding",
        "Upgrade",
    )
    values = (
        '"0-0"',
        "*",
        "null",
        "http://[",
        "bytes=0-",
        "-1",
        "99999999",
        "chunked",
        "websocket",
        "é",
        "1, 2,,",
    )
    lines = [f"{method} {rng.choice(paths)} HTTP/{rng.choice(('1.1', '1.1', '1.0', '9'))}", "Host: 127.0.0.1"]
    lines += [f"{rng.choice(names)}: {rng.choice(values)}" for _ in range(rng.randint(0, 4))]
    body = json_text(rng).encode(errors="replace") if method == "POST" else b""
    if method == "POST" and rng.random() < 0.8:
        lines.append(f"Content-Length: {len(body)}")
    data = "\r\n".join(lines).encode() + b"\r\n\r\n" + body
    return mutate(rng, data) if rng.random() < 0.4 else data


def frames(rng: random.Random) -> bytes:
    """Websocket frames, masked or not, with wrong lengths, opcodes and reserved bits."""
    data = b""
    for _ in range(rng.randint(1, 8)):
        payload = request_message(rng) if rng.random() < 0.5 else wsrpc_message(rng)
        payload = payload[: rng.choice((0, 10, 125, 126, 1000))]
        first = rng.choice((0x82, 0x81, 0x80, 0x02, 0x00, 0x88, 0x89, 0x8A, rng.randrange(256)))
        masked = 0x80 if rng.random() < 0.9 else 0
        size = (
            bytes([masked | len(payload)])
            if len(payload) < 126
            else struct.pack("!BH", masked | 126, len(payload))
        )
        data += bytes([first]) + size + (bytes(4) if masked else b"") + payload
    return mutate(rng, data) if rng.random() < 0.3 else data


# Targets


def raw_socket(server: Server, rng: random.Random, sent: list[int], until: float) -> None:
    """Bytes into the socket: nonsense, requests that are cut, frames that are broken."""
    while time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", server.port), 5) as peer:
            peer.settimeout(0.05)
            if rng.random() < 0.7:
                key = base64.b64encode(rng.randbytes(16)).decode()
                peer.sendall(HANDSHAKE.format(target=rng.choice(("/rpc", "/", "/x")), key=key).encode())
                peer.recv(4096)
                peer.sendall(frames(rng))
            else:
                peer.sendall(mutate(rng, http_request(rng)) if rng.random() < 0.5 else rng.randbytes(300))
            sent[0] += 1
            if rng.random() < 0.2:
                peer.recv(65536)


def websocket(make: Callable[[random.Random], bytes | str]) -> Callable[..., None]:
    """A target that sends messages over websockets, as many as each stands."""

    def target(server: Server, rng: random.Random, sent: list[int], until: float) -> None:
        while time.monotonic() < until:
            with (
                contextlib.suppress(WebSocketException, OSError),
                connect(server.ws_url, compression=None, max_size=None) as peer,
            ):
                for _ in range(rng.randint(1, 100)):
                    peer.send(make(rng))
                    sent[0] += 1
                    if rng.random() < 0.3:
                        drain(peer)

    return target


def drain(peer: ClientConnection) -> None:
    with contextlib.suppress(TimeoutError):
        while True:
            peer.recv(0.002)


def http(server: Server, rng: random.Random, sent: list[int], until: float) -> None:
    """HTTP requests, several to a connection."""
    while time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", server.port), 5) as peer:
            peer.settimeout(0.2)
            for _ in range(rng.randint(1, 5)):
                peer.sendall(http_request(rng))
                sent[0] += 1
                peer.recv(65536)


TARGETS: dict[str, Callable[[Server, random.Random, list[int], float], None]] = {
    "raw": raw_socket,
    "wsrpc": websocket(wsrpc_message),
    "jsonrpc": websocket(json_text),
    "http": http,
}


def incidents(server: Server, start: int) -> Iterator[str]:
    """Log lines since `start` that tell of an exception."""
    for line in server.log[start:]:
        if "Traceback" in line or '"exception"' in line or '"incident"' in line or '"level": "error"' in line:
            yield line


def run(server: Server, target: str, seconds: float, seed: int) -> Report:
    """Attacks a server while a bystander paints; raises where the bystander is disturbed."""
    process = psutil.Process(server.pid)
    log_start = len(server.log)
    rng = random.Random(seed)
    TARGETS[target](
        server, rng, [0], time.monotonic() + min(2.0, seconds / 4)
    )  # what is loaded once is loaded
    before = process.memory_info().rss
    sent = [0]
    attacker = threading.Thread(target=TARGETS[target], args=(server, rng, sent, time.monotonic() + seconds))
    attacker.start()
    acknowledged = 0
    with Socket(server.ws_url) as bystander:
        try:
            while attacker.is_alive():
                bystander.paint(dabs=[dab(acknowledged % 1536, 100)])
                acknowledged += 1
                time.sleep(0.01)
        except ConnectionClosed as error:
            raise AssertionError(f"the bystander was thrown out: {error}") from error
        finally:
            attacker.join()
    os.kill(server.pid, 0)
    growth = process.memory_info().rss - before
    return Report(target, sent[0], list(incidents(server, log_start)), growth, acknowledged)
