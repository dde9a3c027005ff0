"""A day in an hour: attacks, hostile bytes and people who draw, all at once, on one server with the default
limits, whose log is full: `.venv/bin/python -m tests.soak.mixed [--minutes 60] [--seed 1]`.

Prints a line each minute. At the end SIGTERM comes under attack; then all that was acknowledged has to be in
the database, memory where it was after the first quarter, and no exception in the log.
"""

import argparse
import contextlib
import random
import signal
import sqlite3
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from websockets.exceptions import WebSocketException

from dreamcanvas.proto import dreamcanvas_pb2 as pb
from tests import fuzz
from tests.attacks.floods import ATTACKS
from tests.attacks.probe import Probe
from tests.attacks.scene import copied, dreamt, painted
from tests.attacks.state import From, covering, disk, undo
from tests.live_server import Server
from tests.soak.attacks_state import fresh
from tests.socket_client import CallError, Socket

HANDS = 4
ATTACKERS = 2
GROWTH = 24  # MB of memory that caches and the allocator may take after the first quarter
END_SECONDS = 5.0
ANSWER_SECONDS = 60.0


@dataclass(slots=True, eq=False)
class Hand:
    """Somebody who draws, takes back now and then, and loses the connection; keeps what was acknowledged."""

    address: str
    rng: random.Random
    session: bytes = b""
    author: int = 0
    calls: int = 0
    due: pb.PaintRequest | pb.UndoRequest | None = None
    dabs: dict[int, list[pb.Dab]] = field(default_factory=dict)  # by the call, which is the stroke, too
    undone: list[int] = field(default_factory=list)  # the operations of the undos
    refused: int = 0

    def draw(self, server: Server, ended: threading.Event) -> None:
        """Draws until the end, over many connections."""
        self.session = self.rng.randbytes(16)
        while not ended.is_set():
            with (
                contextlib.suppress(WebSocketException, OSError, TimeoutError),
                From(server, self.address) as socket,
            ):
                self.author = socket.subscribe(session=self.session, batch=True).author
                for _ in range(self.rng.randint(50, 600)):
                    if ended.wait(self.rng.uniform(0.02, 0.1)):
                        break
                    self._call(socket)
                    socket.events.clear()

    def _call(self, socket: Socket) -> None:
        """Makes the next call, or the one that was not answered."""
        if self.due is None:
            self.due = self._next()
        request = self.due
        try:
            if isinstance(request, pb.PaintRequest):
                socket.reply(socket.send("paint", request), pb.PaintResponse, ANSWER_SECONDS)
                self.dabs[request.call] = list(request.dabs)
            else:
                reply = socket.reply(socket.send("undo", request), pb.UndoResponse, ANSWER_SECONDS)
                self.undone.append(reply.seq)
        except CallError as error:
            self.refused += 1
            if error.error.retry_after_ms:
                time.sleep(error.error.retry_after_ms / 1000)
                return  # the same again
        self.due = None

    def _next(self) -> pb.PaintRequest | pb.UndoRequest:
        self.calls += 1
        if self.rng.random() < 0.03 and self.calls - 1 in self.dabs:
            return pb.UndoRequest(stroke=self.calls - 1, call=self.calls)
        x, y = self.rng.randrange(1536), self.rng.randrange(1536)
        dabs = [
            pb.Dab(
                pos=pb.Position(x=x + 3 * step, y=y + step),
                size=self.rng.randint(1, 60),
                color=self.rng.getrandbits(24),
            )
            for step in range(self.rng.randint(1, 8))
        ]
        return pb.PaintRequest(dabs=dabs, stroke=self.calls, call=self.calls)

    def lost(self, database: sqlite3.Connection) -> int:
        """How many acknowledged dabs and undos are not in the database as they were sent."""
        found: dict[int, list[tuple[int, ...]]] = {}
        rows = database.execute(
            "SELECT stroke, x, y, size, color FROM operations "
            "WHERE author = ? AND patch IS NULL ORDER BY seq",
            (self.author,),
        )
        for stroke, *dab in rows:
            found.setdefault(stroke, []).append(tuple(dab))
        lost = 0
        for call, dabs in self.dabs.items():
            lost += found.get(call) != [(dab.pos.x, dab.pos.y, dab.size, dab.color) for dab in dabs]
        for seq in self.undone:
            row = database.execute("SELECT author FROM operations WHERE seq = ?", (seq,)).fetchone()
            lost += row != (self.author,)
        return lost


def covering_again(server: Server, address: str, rng: random.Random, until: float) -> None:
    """Covers the canvas and takes it back, again and again."""
    with From(server, address) as socket:
        stroke = 0
        while time.monotonic() < until:
            stroke += 1
            try:
                socket.paint(dabs=covering(rng.getrandbits(24)), stroke=stroke)
                undo(socket, stroke)
            except CallError as error:
                time.sleep(max(0.02, error.error.retry_after_ms / 1000))


def fresh_sessions(server: Server, address: str, _: random.Random, until: float) -> None:
    """Subscribes with a new session each time."""
    with From(server, address) as socket:
        while time.monotonic() < until:
            for call in [socket.send("subscribe", fresh()) for _ in range(50)]:
                with contextlib.suppress(CallError):
                    socket.reply(call, pb.SubscribeResponse, ANSWER_SECONDS)


STATE: tuple[Callable[[Server, str, random.Random, float], None], ...] = (covering_again, fresh_sessions)


def attack(server: Server, rng: random.Random, ended: threading.Event, done: list[str]) -> None:
    """One attack after the other, each of some seconds, each from another address."""
    names = (*ATTACKS, *range(len(STATE)))
    while not ended.is_set():
        name, address = rng.choice(names), f"127.{rng.randint(1, 250)}.{rng.randint(1, 250)}.1"
        seconds = rng.uniform(2, 8)
        if isinstance(name, int):
            with contextlib.suppress(WebSocketException, OSError, TimeoutError):
                STATE[name](server, address, rng, time.monotonic() + seconds)
            done.append(STATE[name].__name__)
            continue
        made = ATTACKS[name]()
        made.address = address
        made.start(server.port)
        ended.wait(seconds)
        made.stop()
        done.append(name)


def hostile_bytes(server: Server, rng: random.Random, ended: threading.Event, sent: list[int]) -> None:
    """All kinds of hostile bytes in turn."""
    while not ended.is_set():
        for target in fuzz.TARGETS.values():
            with contextlib.suppress(WebSocketException, OSError, TimeoutError):
                target(server, rng, sent, time.monotonic() + 2)


@dataclass(slots=True)
class Minute:
    """What was seen of one: resident memory in MB, the probe's waits in ms."""

    low: float
    middle: float
    high: float


def minute(server: Server, probe: Probe, seconds: float) -> tuple[Minute, str]:
    """Looks at the server each half second; a line of what was seen."""
    process, begin, seen = psutil.Process(server.pid), time.monotonic(), list[float]()
    while time.monotonic() < begin + seconds:
        time.sleep(0.5)
        seen.append(process.memory_info().rss / 1e6)
    found = Minute(min(seen), statistics.median(seen), max(seen))
    waits = probe.since(begin)
    return found, (
        f"memory {found.low:5.0f} {found.middle:5.0f} {found.high:5.0f}  files {process.num_fds():5}  "
        f"threads {process.num_threads():3}  disk {disk(server.data_dir):7.1f}  log {len(server.log):6}  "
        f"probe p99 {1000 * waits.percentile(99):5.0f} max {1000 * waits.worst:5.0f} unanswered {waits.lost}"
    )


def ended_under_attack(server: Server) -> float:
    """Seconds that SIGTERM takes under five attacks at once."""
    names = ("getInfo", "replays, read", "refused paints", "HTTP pipelined", "rpc.discover in batches")
    attacks = [ATTACKS[name]() for name in names]
    for number, each in enumerate(attacks, 1):
        each.address = f"127.0.200.{number}"
        each.start(server.port)
    time.sleep(2)
    began = time.monotonic()
    server.stop(signal.SIGTERM, timeout=60)
    took = time.monotonic() - began
    for each in attacks:
        each.stop()
    return took


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        source = Path(directory) / "source"
        painted(source)
        dreamt(source)
        data_dir = copied(source, Path(directory) / "data")
        with Server(data_dir, "--no-dream", "--no-movies") as server:
            raise SystemExit(soak(server, options.minutes, options.seed))


def soak(server: Server, minutes: float, seed: int) -> int:
    """All of it; 0 where all was well."""
    ended, done, sent = threading.Event(), list[str](), [0]
    hands = [Hand(f"127.0.3.{number}", random.Random(seed + number)) for number in range(1, HANDS + 1)]
    workers = [threading.Thread(target=hand.draw, args=(server, ended)) for hand in hands]
    workers += [
        threading.Thread(target=attack, args=(server, random.Random(seed + 100 + number), ended, done))
        for number in range(ATTACKERS)
    ]
    workers.append(
        threading.Thread(target=hostile_bytes, args=(server, random.Random(seed + 200), ended, sent))
    )
    seen: list[Minute] = []
    for worker in workers:
        worker.start()
    for number in range(1, round(minutes) + 1):
        with Probe(server.port) as probe:
            found, line = minute(server, probe, 60)
        seen.append(found)
        drawn = sum(len(hand.dabs) + len(hand.undone) for hand in hands)
        line += f"  attacks {len(done):5}  hostile {sent[0]:8}  calls {drawn:7}"
        print(f"{number:3} {line}", flush=True)
    ended.set()
    for worker in workers:
        worker.join()
    took = ended_under_attack(server)
    return verdict(server, hands, seen, took)


def verdict(server: Server, hands: list[Hand], seen: list[Minute], took: float) -> int:
    """Prints what came of it; 0 where all was well."""
    with contextlib.closing(sqlite3.connect(server.data_dir / "dreamcanvas.db")) as database:
        lost = sum(hand.lost(database) for hand in hands)
        (damage,) = database.execute("PRAGMA integrity_check").fetchone()
    quarter = max(1, len(seen) // 4)
    early = statistics.median(each.low for each in seen[quarter : 2 * quarter] or seen)
    late = statistics.median(each.low for each in seen[-quarter:])
    incidents = list(fuzz.incidents(server, 0))
    drawn = sum(len(hand.dabs) for hand in hands), sum(len(hand.undone) for hand in hands)
    print(
        f"{drawn[0]} strokes and {drawn[1]} undos acknowledged, {lost} of them lost; "
        f"{sum(hand.refused for hand in hands)} calls refused\n"
        f"memory {early:.0f} MB in the second quarter, {late:.0f} in the last; "
        f"SIGTERM under five attacks took {took:.1f} s; "
        f"the database is {damage}; {len(incidents)} incidents",
        *incidents[:10],
        sep="\n",
        flush=True,
    )
    well = not lost and not incidents and damage == "ok"
    return int(not (well and late - early < GROWTH and took < END_SECONDS))


if __name__ == "__main__":
    main()
