"""A painter with a number of calls in flight: each reply is followed by the next call."""

import socket
import time
from dataclasses import dataclass

from dreamcanvas.proto import dreamcanvas_pb2 as pb
from load.wire import masked, messages, request, whole

PREPARED = 2048
"""Calls that are made beforehand, and sent in turn."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Replies and dabs per second."""

    calls: float
    dabs: float


def _call(number: int, dabs: int, size: int) -> bytes:
    places = [(number * 7 + 31 * i, number * 13 + 17 * i) for i in range(dabs)]
    marks = [
        pb.Dab(pos=pb.Position(x=x % 1536, y=y % 1536), size=size, color=number * 7919 % 2**24)
        for x, y in places
    ]
    if dabs == 1:
        paint = pb.PaintRequest(pos=marks[0].pos, size=size, color=marks[0].color)
    else:
        paint = pb.PaintRequest(dabs=marks)
    return masked(request("paint", number, paint))


def paint(port: int, *, dabs: int, window: int = 64, size: int = 20, seconds: float = 3.0) -> Rates:
    """Paints for so long, after as long a warm-up again as a third of it."""
    calls = [_call(number, dabs, size) for number in range(1, PREPARED + 1)]
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(
            b"GET /rpc HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        data = b""
        while b"\r\n\r\n" not in data:
            data += connection.recv(4096)
        data = data.partition(b"\r\n\r\n")[2]
        sent = got = counted = 0
        begin = time.monotonic() + seconds / 3
        due = window
        while True:
            connection.sendall(b"".join(calls[(sent + n) % PREPARED] for n in range(due)))
            sent += due
            data += connection.recv(262144)
            end = whole(data)
            due = sum(opcode == 2 for opcode, _ in messages(data[:end]))
            data = data[end:]
            got += due
            now = time.monotonic()
            if now < begin:
                counted = got
            elif now >= begin + seconds:
                rate = (got - counted) / (now - begin)
                return Rates(rate, rate * dabs)
