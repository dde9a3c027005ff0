"""What the attacks on work and state share: a server's figures, strokes, and somebody else who paints."""

import os
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from websockets.sync.client import connect

from dreamcanvas.proto import dreamcanvas_pb2 as pb
from tests.live_server import Server
from tests.socket_client import Socket


def memory(server: Server) -> float:
    """The server's resident memory, MB."""
    text = Path(f"/proc/{server.pid}/status").read_text(encoding="utf-8")
    return int(text.partition("VmRSS:")[2].split()[0]) / 1000


def disk(directory: Path) -> float:
    """What a directory takes, MB."""
    total = 0
    for path in directory.rglob("*"):
        try:
            total += path.stat().st_size
        except FileNotFoundError:  # just deleted
            continue
    return total / 1e6


def dabs(*places: tuple[int, int], size: int = 124, color: int = 0x3366CC) -> list[pb.Dab]:
    return [pb.Dab(pos=pb.Position(x=x, y=y), size=size, color=color) for x, y in places]


def covering(color: int = 0x3366CC) -> list[pb.Dab]:
    """196 dabs that cover the whole canvas."""
    steps = range(56, 1536, 110)
    return dabs(*((x, y) for x in steps for y in steps), color=color)


def undo(socket: Socket, stroke: int) -> pb.UndoResponse:
    return socket.reply(socket.send("undo", pb.UndoRequest(stroke=stroke)), pb.UndoResponse, timeout=60)


class From(Socket):
    """A websocket from an address of this machine's loopback."""

    def __init__(self, server: Server, address: str = "127.0.0.1") -> None:
        super().__init__(server.ws_url)
        self.connection.close()
        self.connection = self._stack.enter_context(
            connect(server.ws_url, compression=None, max_size=None, source_address=(address, 0))
        )


@dataclass
class Probe:
    """A normal painter: a dab each `interval` seconds, and how long each took to be acknowledged, seconds."""

    server: Server
    interval: float = 0.05
    waits: list[float] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def _paint(self) -> None:
        with From(self.server, "127.0.0.9") as socket:
            socket.subscribe(events=["status"], session=os.urandom(16))
            number = 0
            while not self._stop.wait(self.interval):
                number += 1
                began = time.monotonic()
                request = pb.PaintRequest(dabs=dabs((1500, 20 + number % 50), size=9), stroke=1)
                socket.reply(socket.send("paint", request), pb.PaintResponse, timeout=60)
                self.waits.append(time.monotonic() - began)

    def __enter__(self) -> "Probe":
        self._thread = threading.Thread(target=self._paint)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        assert self._thread is not None
        self._thread.join()

    @property
    def longest(self) -> float:
        return max(self.waits)

    @property
    def p99(self) -> float:
        return percentile(self.waits, 99)


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share / 100))]
