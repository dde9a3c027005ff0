"""Events: who gets them, in which order, and what becomes of a reader that can't keep up."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.client import Client, Closed, Dab, Event
from tests.contract.schema import absent
from tests.live_server import Server


@pytest.fixture
def crowded(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path / "data", "--no-dream", "--no-rate-limits") as server:
        yield server


def test_all_but_the_one_that_caused_them_in_seq_order(canvas: Server) -> None:
    """Four connections paint at once, watched by themselves and a fifth."""
    with Client(canvas.url) as a, Client(canvas.url) as b, Client(canvas.url) as c, Client(canvas.url) as d:
        painters = [a, b, c, d]
        with Client(canvas.url) as watcher:
            start = watcher.call("subscribe", events=["paint"]).seq
            for painter in painters:
                painter.call("subscribe", events=["paint"])
            own: dict[Client, set[int]] = {painter: set() for painter in painters}

            def paint(painter: Client) -> None:
                for i in range(25):
                    own[painter].add(painter.dab(i).seq)

            threads = [threading.Thread(target=paint, args=(painter,)) for painter in painters]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            everything = list(range(start + 1, start + 101))
            assert [watcher.event("paint").message.seq for _ in everything] == everything
            for painter in painters:
                others = [seq for seq in everything if seq not in own[painter]]
                assert [painter.event("paint").message.seq for _ in others] == others


def slow_socket(server: Server) -> socket.socket:
    """Takes in little before the other side must wait: small buffers and segments."""
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
    slow.connect(("127.0.0.1", server.port))
    return slow


@pytest.mark.parametrize(("events", "batch"), [([], False), (["paint"], True)])
def test_a_slow_reader_is_told(crowded: Server, events: list[str], batch: bool) -> None:
    """No gap before it is told to fetch the picture, or closed with 1013; none after. Others see all."""
    options: dict[str, Any] = {"sock": slow_socket(crowded), "max_queue": 1, "ping_interval": None}
    with Client(crowded.url) as painter, Client(crowded.url) as fast, Client(crowded.url, **options) as slow:
        fast.call("subscribe", events=["paint"], batch=True)
        slow.call("subscribe", events=events, batch=batch)
        total = 0
        for _ in range(100):
            total = painter.dabs([Dab(i, i, 1, 0) for i in range(256)]).seq
        expected, resync = 1, False
        while expected <= total and not resync:
            try:
                event = slow.event("paint", "paints", "canvas")
            except Closed as closed:
                assert closed.code == 1013
                break
            if event.name == "canvas":
                assert event.message.resync
                assert absent(event.message) == []
                assert event.message.timestamp == event.message.time % 2**32
                assert expected - 1 <= event.message.seq <= total
                expected, resync = event.message.seq + 1, True
            else:
                expected = follow(event, expected)
        else:
            assert resync, "it kept up: the test did not slow it enough"
            painter.dab()
            while expected <= total + 1:
                expected = follow(slow.event("paint", "paints"), expected)
        expected = 1
        while expected <= total:
            expected = follow(fast.event("paints"), expected)


def follow(event: Event, expected: int) -> int:
    """Each seq is the next."""
    for paint in event.message.paints if event.name == "paints" else [event.message]:
        assert paint.seq == expected
        expected += 1
    return expected
