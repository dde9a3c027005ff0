"""A server under attack, and what is seen of it: the probe's waits, memory, log lines, how newcomers fare."""

import contextlib
import shutil
import sqlite3
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
from PIL import Image, ImageFilter

from dreamcanvas.proto import dreamcanvas_pb2 as pb
from dreamcanvas.store.dreams import frame_path
from tests.attacks.floods import Attack
from tests.attacks.probe import Probe, Waits
from tests.attacks.wire import BINARY, call, connected, get, masked, opened
from tests.live_server import Server, wait_until
from tests.socket_client import Socket, dab

OPERATIONS = 20_000
DREAMS = 400
LOOK_SECONDS = 0.05
NEWCOMER_ADDRESS = "127.0.0.3"


def painted(data_dir: Path, operations: int = OPERATIONS) -> None:
    """Makes a data directory whose log is full."""
    with Server(data_dir, "--no-dream", "--no-rate-limits") as server, Socket(server.ws_url) as socket:
        for begin in range(0, operations, 256):
            count = min(256, operations - begin)
            marks = [dab((begin + i) * 7 % 1536, (begin + i) * 13 % 1536, 30, i * 4099) for i in range(count)]
            socket.paint(dabs=marks)


def dreamt(data_dir: Path, dreams: int = DREAMS) -> None:
    """Gives a data directory so many dreams, which all look the same, and so take little room."""
    noise = Image.effect_noise((1536, 1536), 160).filter(ImageFilter.GaussianBlur(2))
    picture = Image.merge("RGB", [noise, noise.rotate(90), noise.rotate(180)])
    first = frame_path(data_dir / "frames", 1)
    first.parent.mkdir(parents=True, exist_ok=True)
    picture.save(first, "JPEG", quality=90)
    with contextlib.closing(sqlite3.connect(data_dir / "dreamcanvas.db")) as database:
        (seq,) = database.execute("SELECT max(seq) FROM operations").fetchone()
        for dream in range(1, dreams + 1):
            path = frame_path(data_dir / "frames", dream)
            if dream > 1:
                path.parent.mkdir(exist_ok=True)
                path.hardlink_to(first)
            row = (dream, seq, 1_000_000 + 2000 * dream, "x", "x", "x", 1000, 1, path.stat().st_size)
            database.execute(
                "INSERT INTO dreams (dream, seq, time, style, layer, network, ms, users, bytes, file) "
                "VALUES (?,?,?,?,?,?,?,?,?,0)",
                row,
            )
        database.commit()


class Seen:
    """Looks at a server's memory again and again, and at how long a newcomer waits."""

    def __init__(self, server: Server) -> None:
        self._process = psutil.Process(server.pid)
        self._server = server
        self._ended = threading.Event()
        self.memory = self.first_memory = self._process.memory_info().rss
        self.first_lines = len(server.log)
        self.newcomer = 0.0
        self._threads = [
            threading.Thread(target=work, daemon=True) for work in (self._weigh, self._come_and_go)
        ]
        for thread in self._threads:
            thread.start()

    def _weigh(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            self.memory = max(self.memory, self._process.memory_info().rss)

    def _come_and_go(self) -> None:
        while not self._ended.wait(0.3):
            began = time.monotonic()
            with contextlib.suppress(OSError, ConnectionError):
                visit(self._server.port)
            self.newcomer = max(self.newcomer, time.monotonic() - began)

    @property
    def grown(self) -> int:
        """Megabytes of memory that were added at the most."""
        return round((self.memory - self.first_memory) / 1e6)

    @property
    def lines(self) -> int:
        """Log lines since then."""
        return len(self._server.log) - self.first_lines

    def close(self) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()


def visit(port: int) -> None:
    """Somebody new: a page, a websocket, a subscription."""
    with connected(port, NEWCOMER_ADDRESS) as page:
        page.sendall(get("/livez", close=True))
        while page.recv(4096):
            pass
    with opened(port, NEWCOMER_ADDRESS) as websocket:
        websocket.sendall(masked(BINARY, call("subscribe", 1, pb.SubscribeRequest())))
        if not websocket.recv(4096):
            raise ConnectionError("closed")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was seen of an attack. Times in seconds, memory in MB."""

    quiet: Waits
    during: Waits
    after: Waits
    grown: int
    lines: int
    newcomer: float


def watched(
    server: Server, probe: Probe, attack: Attack, *, quiet: float, seconds: float, rest: float
) -> Verdict:
    """Has a server attacked for some seconds, and looks at it before, meanwhile, and after a rest."""
    visit(server.port)
    begin = time.monotonic()
    time.sleep(quiet)
    seen = Seen(server)
    attacked = time.monotonic()
    attack.start(server.port)
    try:
        time.sleep(max(0.0, attacked + seconds - time.monotonic()))
    finally:
        ended = time.monotonic()
        attack.stop()
    time.sleep(rest)
    calm = time.monotonic()
    time.sleep(max(quiet, 0.3))
    # Acknowledgements come in order: with this one those before are there, too
    with contextlib.suppress(AssertionError):  # who asked sees that they are missing
        wait_until(lambda: probe.since(calm + quiet / 2).seconds or probe.since(0).lost, 30)
    seen.close()
    return Verdict(
        quiet=probe.since(begin, attacked),
        during=probe.since(attacked, ended),
        after=probe.since(calm),
        grown=seen.grown,
        lines=seen.lines,
        newcomer=seen.newcomer,
    )


def copied(source: Path, target: Path) -> Path:
    """A data directory of one's own."""
    frames = source / "frames"

    def copy(path: str, to: str) -> str:
        if frames in Path(path).parents:
            Path(to).hardlink_to(path)
        else:
            shutil.copy2(path, to)
        return to

    shutil.copytree(source, target, ignore=shutil.ignore_patterns("lock"), copy_function=copy)
    return target
