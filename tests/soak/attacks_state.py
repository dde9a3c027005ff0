"""The attacks on work and state at full scale: `python -m tests.soak.attacks_state [--seconds 60]`.

Prints, for each, how long a painter at another address waited, and what the server grew by. With `--code DIR`
the server is that of another checkout: to see what it was before.
"""

import argparse
import contextlib
import os
import random
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from websockets.exceptions import WebSocketException

from dreamcanvas.proto import dreamcanvas_pb2 as pb
from tests.attacks.state import From, Probe, covering, dabs, disk, memory, undo
from tests.live_server import Server
from tests.socket_client import CallError

DABS = 1_000_000


@contextlib.contextmanager
def watched(name: str, directory: Path, code: str | None, *arguments: str) -> Iterator[Server]:
    """A server under an attack, with somebody who paints; what came of it is printed."""
    environment = {"PYTHONPATH": code} if code else {}
    began = time.monotonic()
    with Server(directory, *arguments, environment=environment) as server:
        server.get("/livez")
        started = time.monotonic() - began
        with Probe(server) as probe:
            time.sleep(1)
            held, kept, began = memory(server), disk(directory), time.monotonic()
            yield server
            took = time.monotonic() - began
            grown, written = memory(server) - held, disk(directory) - kept
        ending = time.monotonic()
        server.stop(timeout=120)
        ending = time.monotonic() - ending
    print(
        f"{name:<44}{took:6.1f} s  probe p99 {1000 * probe.p99:6.0f} ms, max {1000 * probe.longest:6.0f} ms"
        f"  memory {held:4.0f} {grown:+5.0f} MB  disk {written:+6.1f} MB  start {started:5.2f} s"
        f"  end {ending:4.1f} s",
        flush=True,
    )


def fill(directory: Path, count: int) -> None:
    """A canvas with many dabs, as a server leaves it."""
    connection = sqlite3.connect(directory / "dreamcanvas.db")
    rng, now = random.Random(1), time.time_ns() // 1_000_000
    with connection:
        connection.executemany(
            "INSERT INTO operations VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)",
            (
                (
                    *(seq, now - 1000, 1 + seq % 7, 1 + seq // 50),
                    *(rng.randrange(1536), rng.randrange(1536), rng.randint(5, 60), rng.getrandbits(24)),
                )
                for seq in range(1, count + 1)
            ),
        )
    connection.close()


def many_dabs(directory: Path, code: str | None, _: float) -> None:
    with Server(directory, "--no-dream", environment={"PYTHONPATH": code} if code else {}):
        pass  # it makes the tables
    fill(directory, DABS)
    with Server(directory, "--no-dream", environment={"PYTHONPATH": code} if code else {}):
        time.sleep(3)  # the first start replays them all, and keeps the picture where it does
    with (
        watched(f"two undos at {DABS:,} dabs", directory, code, "--no-dream") as server,
        From(server) as socket,
    ):
        for stroke in (1, 2):
            socket.paint(dabs=dabs((700, 700), (760, 720)), stroke=stroke)
        began = time.monotonic()
        calls = [socket.send("undo", pb.UndoRequest(stroke=stroke)) for stroke in (1, 2)]
        for call in calls:
            socket.reply(call, pb.UndoResponse, timeout=300)
        print(f"    the two undos took {time.monotonic() - began:.2f} s")


def many_dreams(directory: Path, code: str | None, _: float) -> None:
    strokes = 10
    arguments = ("--dream-interval", "0.3", "--undo-seconds", "600")
    with (
        watched(f"undo of strokes begun in {strokes} dreams", directory, code, *arguments) as server,
        From(server) as socket,
    ):
        socket.subscribe(events=["canvas"])
        for stroke in range(1, strokes + 1):
            socket.event("canvas", timeout=120)
            socket.paint(dabs=dabs((300, 300), size=60, color=stroke), stroke=stroke)
            if stroke > 1:
                socket.paint(dabs=dabs((310, 300), size=60, color=stroke), stroke=stroke - 1)
        began = time.monotonic()
        calls = [socket.send("undo", pb.UndoRequest(stroke=n)) for n in range(1, strokes + 1)]
        for call in calls:
            socket.reply(call, pb.UndoResponse, timeout=600)
        print(f"    the {strokes} undos took {time.monotonic() - began:.2f} s")


def covering_again(directory: Path, code: str | None, seconds: float) -> None:
    arguments = ("--no-dream", "--max-data-gb", "0.02")
    with (
        watched("the canvas covered and undone", directory, code, *arguments) as server,
        From(server) as socket,
    ):
        rng, stroke, done, deadline = random.Random(2), 0, 0, time.monotonic() + seconds
        while time.monotonic() < deadline:
            stroke += 1
            colour, number = rng.getrandbits(24), stroke
            places = [(rng.randrange(1536), rng.randrange(1536)) for _ in range(60)]
            patient(lambda: socket.paint(dabs=dabs(*places, color=colour ^ 0xFFFFFF), stroke=2**31))  # noqa: B023
            patient(lambda: socket.paint(dabs=covering(colour), stroke=number))  # noqa: B023
            done += patient(lambda: undo(socket, number))  # noqa: B023
        print(f"    {done} undos of the whole canvas")


def patient(call: Callable[[], object]) -> bool:
    """Makes a call until no limit refuses it; whether it was answered, not given up after a minute."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            call()
        except CallError as error:
            time.sleep(max(0.02, error.error.retry_after_ms / 1000))
        else:
            return True
    return False


def fresh() -> pb.SubscribeRequest:
    return pb.SubscribeRequest(events=["status"], session=os.urandom(16))


def fresh_sessions(directory: Path, code: str | None, seconds: float) -> None:
    with (
        watched("subscribe with fresh sessions", directory, code, "--no-dream") as server,
        From(server) as socket,
    ):
        answered, deadline = 0, time.monotonic() + seconds
        with contextlib.suppress(WebSocketException):
            while time.monotonic() < deadline:
                calls = [socket.send("subscribe", fresh()) for _ in range(50)]
                for call in calls:
                    with contextlib.suppress(CallError):
                        socket.reply(call, pb.SubscribeResponse, timeout=60)
                        answered += 1
        print(f"    {answered / seconds:,.0f} answered a second")


ATTACKS: dict[str, Callable[[Path, str | None, float], None]] = {
    "dabs": many_dabs,
    "dreams": many_dreams,
    "covering": covering_again,
    "sessions": fresh_sessions,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--code", help="another checkout's directory")
    parser.add_argument("--only", choices=ATTACKS)
    options = parser.parse_args()
    for name, attack in ATTACKS.items():
        if options.only in (None, name):
            with tempfile.TemporaryDirectory() as directory:
                os.chdir(directory)  # not where this package would be found first
                attack(Path(directory) / "data", options.code, options.seconds)
                os.chdir("/")


if __name__ == "__main__":
    main()
