"""A normal painter at another address, in a process of its own: one dab each 50 ms, and how long its
acknowledgements take. Prints a line for each, `when seconds`, by the monotonic clock; -1 where none came."""

import argparse
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from dreamcanvas.proto import dreamcanvas_pb2 as pb
from dreamcanvas.proto import wsrpc_pb2 as envelope
from tests.attacks.wire import BINARY, PING, PONG, call, masked, opened

INTERVAL = 0.05
GIVEN_UP = 60.0


@dataclass(frozen=True, slots=True)
class Waits:
    """How long acknowledgements took, in seconds."""

    seconds: tuple[float, ...]
    lost: int

    @property
    def worst(self) -> float:
        return max(self.seconds, default=GIVEN_UP)

    def percentile(self, percent: float) -> float:
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] if ordered else GIVEN_UP


class Probe:
    """Paints from when it is made until `close`."""

    def __init__(self, port: int, address: str = "127.0.0.2") -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.attacks.probe", str(port), "--address", address],
            stdout=subprocess.PIPE,
            text=True,
        )
        self._lines: list[tuple[float, float]] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                at, seconds = map(float, line.split())
                self._lines.append((at, seconds))

    def since(self, begin: float, end: float | None = None) -> Waits:
        """The acknowledgements of dabs that were sent in that time."""
        found = [seconds for at, seconds in tuple(self._lines) if begin <= at and (end is None or at < end)]
        return Waits(tuple(seconds for seconds in found if seconds >= 0), found.count(-1))

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()
        self._reader.join()

    def __enter__(self) -> "Probe":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def paint(port: int, address: str) -> None:
    """Sends when it is due, whether or not the one before was acknowledged; says when it was."""
    connection = opened(port, address)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sent: dict[int, float] = {}
    data, number, due = b"", 0, time.monotonic()
    while True:
        now = time.monotonic()
        if now >= due:
            number += 1
            position = pb.Position(x=700 + number % 100, y=700)
            request = pb.PaintRequest(pos=position, size=10, color=number % 2**24)
            connection.sendall(masked(BINARY, call("paint", number, request)))
            sent[number] = due
            due += INTERVAL
        readable, _, _ = select.select([connection], [], [], max(0.0, due - time.monotonic()))
        if readable:
            read = connection.recv(65536)
            if not read:
                break
            data = answers(data + read, sent, connection)
    for at in sent.values():
        say(at, -1)


def answers(data: bytes, sent: dict[int, float], connection: socket.socket) -> bytes:
    """Looks at the whole frames of what was read, and answers pings; gives the rest back."""
    while len(data) >= 2:
        begin = 2 if data[1] < 126 else 4 if data[1] == 126 else 10
        length = data[1] if data[1] < 126 else int.from_bytes(data[2:begin], "big")
        if len(data) < begin + length:
            break
        kind, payload, data = data[0], data[begin : begin + length], data[begin + length :]
        if kind == PING:
            connection.sendall(masked(PONG, payload))
        if kind != BINARY:
            continue
        response = envelope.Message.FromString(payload).response
        if response.ok and response.seq in sent:
            at = sent.pop(response.seq)
            say(at, time.monotonic() - at)
    return data


def say(at: float, seconds: float) -> None:
    sys.stdout.write(f"{at:.4f} {seconds:.4f}\n")
    sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("--address", default="127.0.0.2")
    options = parser.parse_args(arguments)
    paint(options.port, options.address)


if __name__ == "__main__":
    main()
