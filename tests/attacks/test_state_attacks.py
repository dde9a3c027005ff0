"""Attacks on what is kept: sessions that never draw, full disks, callers of one address, damaged frames."""

import contextlib
import http.client
import json
import os
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from dreamcanvas.canvas.model import Dab, Operation, Patch, Version
from dreamcanvas.canvas.operation_log import PATCH_BYTES, OperationLog, weight
from dreamcanvas.proto import dreamcanvas_pb2 as pb
from dreamcanvas.store.authors import forget_authors
from dreamcanvas.store.budget import Budget
from dreamcanvas.store.checkpoints import Checkpoints
from dreamcanvas.store.database import Database
from dreamcanvas.store.journal import Entry, Journal
from dreamcanvas.store.maintenance import Keeping, Maintenance
from dreamcanvas.store.tokens import TokenFile
from tests.attacks.state import From, Probe, disk
from tests.faults.shim import Shim
from tests.live_server import Server
from tests.painting.test_painter import GREEN, Studio
from tests.socket_client import CallError, Socket

DAY_MS = 86_400_000


def operation(seq: int, mark: Dab | Patch) -> Operation:
    return Operation(seq, 0, 1, 1, mark)


def authors(directory: Path) -> int:
    connection = sqlite3.connect(directory / "dreamcanvas.db")
    try:
        return int(connection.execute("SELECT count(*) FROM authors").fetchone()[0])
    finally:
        connection.close()


def test_sessions_that_never_draw_are_not_kept(tmp_path: Path) -> None:
    """3,906 a second were stored for ever: 41 GB a day."""
    with Server(tmp_path, "--no-dream") as server, From(server) as socket, Probe(server) as probe:
        time.sleep(0.2)
        before, numbers = disk(tmp_path), set()
        for _ in range(20):
            sessions = [os.urandom(16) for _ in range(50)]
            calls = [
                socket.send("subscribe", pb.SubscribeRequest(events=["status"], session=session))
                for session in sessions
            ]
            for call in calls:
                try:
                    numbers.add(socket.reply(call, pb.SubscribeResponse).author)
                except CallError as error:  # where calls are limited, too
                    assert error.text.startswith("RATE_LIMITED")
        assert len(numbers) > 40
        assert disk(tmp_path) - before < 1
        assert authors(tmp_path) <= 1  # the probe
        assert probe.longest < 1


def test_a_session_has_its_number_again_though_nothing_was_stored(tmp_path: Path) -> None:
    session = os.urandom(16)
    with Server(tmp_path, "--no-dream") as server:
        with Socket(server.ws_url) as socket:
            number = socket.subscribe(events=["status"], session=session).author
        server.kill()
        server.start()
        with Socket(server.ws_url) as socket:
            assert socket.subscribe(events=["status"], session=session).author == number
            assert authors(tmp_path) == 0
            socket.paint(pos=pb.Position(x=9, y=9), size=9, color=0)
            assert authors(tmp_path) == 1
            assert socket.subscribe(events=["status"], session=session).author == number


async def test_who_has_not_drawn_for_long_is_forgotten(tmp_path: Path) -> None:
    now = [1_000_000]
    journal = Journal(tmp_path / "test.db", clock=lambda: now[0])
    once, often, last = (journal.session(bytes([n]) * 16, "here") for n in range(3))
    for author in (once, often, last):
        await journal.append(Entry(author, [Dab(1, 2, 3, 4)]))
    for _ in range(5):
        now[0] += 10 * DAY_MS
        await journal.append(Entry(often, [Dab(1, 2, 3, 4)]))
    assert await forget_authors(journal, now[0] - 30 * DAY_MS) > 0
    rows = await journal.run(
        lambda connection: {row[0] for row in connection.execute("SELECT author FROM authors")}
    )
    assert once.number not in rows or once.number == max(rows)
    assert often.number in rows
    await journal.append(Entry(once, [Dab(1, 2, 3, 4)], call=7))  # who is still here comes back
    again = await journal.run(
        lambda connection: connection.execute(
            "SELECT last_call FROM authors WHERE author = ?", (once.number,)
        ).fetchone()
    )
    assert again == (7,)
    journal.close()


@pytest.mark.parametrize("session", [False, True])
def test_with_a_full_disk_one_can_still_watch(tmp_path: Path, session: bool) -> None:
    shim = Shim(tmp_path / "disk")
    with (
        Server(shim.root / "data", "--no-dream", environment=shim.environment) as server,
        Socket(server.ws_url) as painter,
    ):
        seq = painter.paint(pos=pb.Position(x=9, y=9), size=9, color=0).seq
        shim.full()
        with pytest.raises(CallError, match="UNAVAILABLE"):
            painter.paint(pos=pb.Position(x=9, y=9), size=9, color=0)
        with Socket(server.ws_url) as socket:
            fields = {"session": os.urandom(16)} if session else {}
            subscribed = socket.subscribe(events=["paint"], since=0, **fields)
            assert subscribed.seq == seq
            assert socket.event("paint").seq == seq
        again = painter.subscribe(events=["paint"], session=os.urandom(16))
        assert again.seq == seq


class Poster:
    """Somebody who posts, on a connection that stays open."""

    def __init__(self, server: Server) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)

    def call(self, method: str, **params: Any) -> Any:
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        self.connection.request("POST", "/rpc", body)
        return json.load(self.connection.getresponse())

    def paint(self, stroke: int) -> Any:
        return self.call("paint", pos={"x": 300, "y": 300}, size=60, color=255, stroke=stroke)["result"]


def test_callers_by_post_of_one_address_do_not_undo_each_other(tmp_path: Path) -> None:
    with Server(tmp_path, "--no-dream") as server, contextlib.ExitStack() as stack:
        ann, bob = Poster(server), Poster(server)
        for poster in (ann, bob):
            stack.callback(poster.connection.close)
        ann.paint(1)
        assert bob.call("undo", stroke=1)["error"]["data"]["name"] == "TOO_LATE"
        bob.paint(1)
        assert "result" in bob.call("undo", stroke=1)
        assert "result" in ann.call("undo", stroke=1)
        assert ann.call("undo", stroke=1)["error"]["data"]["name"] == "TOO_LATE"


def test_a_tokens_socket_is_closed_though_another_of_its_name_and_quota_is_there(tmp_path: Path) -> None:
    quota = {"dabs_per_second": 5, "dabs_burst": 10, "connections": 2}
    with Server(tmp_path, "--no-dream") as server:
        file = TokenFile(tmp_path, clock=lambda: 5)
        token = file.add("painter", **quota)
        headers = {"Authorization": f"Bearer {token}"}
        deadline = time.monotonic() + 20
        while True:
            with (
                contextlib.suppress(InvalidStatus),
                connect(server.ws_url, additional_headers=headers) as socket,
            ):
                file.revoke("painter")
                file.add("painter", **quota)
                file.close()
                with pytest.raises(ConnectionClosed) as closed:
                    socket.recv(20)
                break
            assert time.monotonic() < deadline, "the token is not taken in"
            time.sleep(0.1)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008


async def test_a_frame_with_a_zeroed_tail_is_not_served(tmp_path: Path) -> None:
    studio = Studio(tmp_path)
    await studio.painter.recover()
    await studio.painter.begin_dream()
    await studio.dream(GREEN)
    path = studio.dreams.frame(1)
    assert await studio.dreams.read(1) == GREEN
    path.write_bytes(GREEN[:3000] + bytes(len(GREEN) - 3000))
    with pytest.raises(OSError, match="checksum"):
        await studio.dreams.read(1)
    await studio.journal.write(lambda connection: connection.execute("DELETE FROM digests"))
    with pytest.raises(OSError, match="its end is missing"):
        await studio.dreams.read(1)
    assert await studio.dreams.newest_whole() is None
    path.unlink()
    with pytest.raises(FileNotFoundError):
        await studio.dreams.read(1)
    await studio.close()


def test_the_database_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "dreamcanvas.db"
    Database(path).close()
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    database = Database(path)
    database.at_start(lambda connection: connection.execute("CREATE TABLE x (y)"))
    for file in tmp_path.iterdir():
        assert file.stat().st_mode & 0o777 == 0o600, file.name
    database.close()


# Patches by their bytes


def test_a_patch_counts_by_its_bytes_in_memory() -> None:
    log = OperationLog(100)
    assert log.append([operation(seq, Dab(1, 1, 1, 1)) for seq in range(1, 51)]) == 50
    large = operation(51, Patch(0, 0, bytes(60 * PATCH_BYTES)))
    assert weight(large) == 61
    assert log.append([large]) == 61
    log.trim()
    assert len(log) == 40
    log.append([operation(52, large.mark)])
    log.trim(pinned=50)
    assert [each.seq for each in log.newest(2)] == [51, 52]
    log.trim()
    assert [each.seq for each in log.newest(len(log))] == [52]


async def test_the_database_is_archived_sooner_and_shrinks_where_the_budget_needs_it(
    tmp_path: Path,
) -> None:
    """With a budget of 20 MB 87 MB stayed."""
    now = [0]
    journal = Journal(tmp_path / "dreamcanvas.db", clock=lambda: now[0])
    author = journal.anonymous("here")
    for number in range(40):
        patch = Patch(0, 0, os.urandom(200_000))
        await journal.append(Entry(author, [patch, Dab(number, 1, 1, 1)]))
    checkpoints = Checkpoints(tmp_path / "checkpoints", journal, keep_ms=0)
    for seq in (76, 77, 78):
        white = Image.new("RGB", (1536, 1536))
        await checkpoints.record(white, Version(0, seq), time=0, now=0)
    limit = 4_000_000
    assert disk(tmp_path) > 2 * limit / 1e6
    now[0] = 10 * 60_000
    budget = Budget(tmp_path, journal, limit=limit)
    keeping = Keeping(48, 20_000, file_operations=20, at_least_ms=60_000)
    await Maintenance(journal, budget, keeping, clock=lambda: now[0], checkpoints=checkpoints).once()
    assert journal.archive.last == 76
    assert budget.used <= limit
    assert disk(tmp_path) <= limit / 1e6
    assert [each.seq for each in journal.operations(76)] == [77, 78, 79, 80]
    journal.close()
