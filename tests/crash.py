"""Painters, a server that is killed under them, and what has to be true afterwards."""

import io
import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image
from websockets.exceptions import WebSocketException

from dreamcanvas.canvas.model import Canvas, Dab, Operation
from dreamcanvas.proto import dreamcanvas_pb2 as pb
from tests.live_server import Server
from tests.socket_client import Socket

PAINTERS = 4
PIPELINED = 8


@dataclass
class Painter:
    """One session: all calls that it ever made, by number, and the seq of each that was answered."""

    session: bytes
    author: int = 0
    calls: dict[int, list[Dab]] = field(default_factory=dict)
    acknowledged: dict[int, int] = field(default_factory=dict)
    duplicates: int = 0

    def request(self, call: int) -> pb.PaintRequest:
        dabs = [
            pb.Dab(pos=pb.Position(x=dab.x, y=dab.y), size=dab.size, color=dab.color)
            for dab in self.calls[call]
        ]
        return pb.PaintRequest(dabs=dabs, call=call, stroke=call)

    def new_call(self, rng: random.Random) -> int:
        call = len(self.calls) + 1
        self.calls[call] = [
            Dab(rng.randint(-50, 1600), rng.randint(-50, 1600), rng.randint(1, 60), rng.getrandbits(24))
            for _ in range(rng.randint(1, 5))
        ]
        return call

    def paint(self, server: Server, rng: random.Random, stop: threading.Event) -> None:
        """Resends what was not answered, then paints on, until the server is gone or it is told to stop."""
        try:
            with Socket(server.ws_url) as socket:
                self.author = socket.subscribe(events=["status"], session=self.session).author
                waiting: dict[int, int] = {}
                due = [call for call in self.calls if call not in self.acknowledged]
                while due or waiting or not stop.is_set():
                    while len(waiting) < PIPELINED and (due or not stop.is_set()):
                        call = due.pop(0) if due else self.new_call(rng)
                        waiting[socket.send("paint", self.request(call))] = call
                    seq = next(iter(waiting))
                    reply = socket.reply(seq, pb.PaintResponse)
                    call = waiting.pop(seq)
                    self.duplicates += reply.duplicate
                    # a duplicate tells the session's last call's seq, not this one's
                    self.acknowledged[call] = 0 if reply.duplicate else reply.seq
        except (WebSocketException, OSError):
            pass


@dataclass
class Report:
    """Counts of all rounds. `acknowledged` and `recovered` are in dabs."""

    rounds: int = 0
    acknowledged: int = 0
    recovered: int = 0
    resent_and_known: int = 0
    lost: int = 0
    doubled: int = 0


def operations(server: Server) -> list[Operation]:
    """All operations that the server has, as it sends them to a returning client."""
    found: list[Operation] = []
    with Socket(server.ws_url) as socket:
        subscribed = socket.subscribe(events=["paint"], batch=True, since=0)
        assert not subscribed.resync
        while len(found) < subscribed.seq:
            for event in socket.event("paints").paints:
                dab = Dab(event.pos.x, event.pos.y, event.size, event.color)
                found.append(Operation(event.seq, event.time, event.author, event.stroke, dab))
    return found


def check(server: Server, painters: list[Painter], report: Report) -> list[Operation]:
    """Compares what the server has with what was acknowledged: nothing lost, doubled or changed, no gap."""
    found = operations(server)
    assert [operation.seq for operation in found] == list(range(1, len(found) + 1)), "a gap"
    of_call: dict[tuple[int, int], list[Operation]] = {}
    for operation in found:
        of_call.setdefault((operation.author, operation.stroke), []).append(operation)
    for painter in painters:
        for call, dabs in painter.calls.items():
            applied = of_call.pop((painter.author, call), [])
            if call in painter.acknowledged:
                report.lost += max(0, len(dabs) - len(applied))
                assert [operation.mark for operation in applied] == dabs, f"call {call} is lost or changed"
                seq = painter.acknowledged[call]
                assert not seq or [operation.seq for operation in applied] == list(
                    range(seq - len(dabs) + 1, seq + 1)
                ), f"call {call} has other numbers than were acknowledged"
            else:
                assert [operation.mark for operation in applied] in ([], dabs), (
                    f"call {call} is applied in part"
                )
            report.doubled += max(0, len(applied) - len(dabs))
    assert not of_call, "operations that nobody made"
    replayed = Canvas()
    for operation in found:
        replayed.apply(operation)
    with Image.open(io.BytesIO(server.get("/canvas.png"))) as picture:
        assert picture.convert("RGB").tobytes() == replayed.snapshot().tobytes(), (
            "the picture is not the replay"
        )
    return found


def run(
    data_dir: Path,
    rounds: int,
    seed: int,
    *,
    environment: Mapping[str, str] | None = None,
    killed: Callable[[], None] = lambda: None,
) -> Report:
    """Kills a server `rounds` times at random moments under painting, then lets the painters finish.

    `killed` is called each time when it is dead, before it is started again.
    """
    rng = random.Random(seed)
    painters = [Painter(rng.randbytes(16)) for _ in range(PAINTERS)]
    report = Report()
    arguments = ("--no-dream", "--no-rate-limits", "--replay-operations", "10000000")
    with Server(data_dir, *arguments, environment=environment) as server:
        for round_ in range(rounds + 1):
            stop = threading.Event()
            threads = [
                threading.Thread(target=painter.paint, args=(server, random.Random(rng.random()), stop))
                for painter in painters
            ]
            for thread in threads:
                thread.start()
            if round_ == rounds:  # the last round ends in peace: every call is answered
                stop.set()
            else:
                stop.wait(rng.uniform(0.02, 0.6))
                server.kill()
            for thread in threads:
                thread.join()
            if round_ < rounds:
                killed()
                server.start()
            found = check(server, painters, report)
            report.rounds = round_
        report.recovered = len(found)
    assert all(painter.calls.keys() == painter.acknowledged.keys() for painter in painters), (
        "an unanswered call"
    )
    report.acknowledged = sum(len(dabs) for painter in painters for dabs in painter.calls.values())
    report.resent_and_known = sum(painter.duplicates for painter in painters)
    return report
