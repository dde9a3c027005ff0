"""A real server on white paper and at rest: what it holds, what it says, how it begins."""

import re
import signal
import time
from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from dreamcanvas.proto import dreamcanvas_pb2 as pb
from tests.live_server import Server, wait_until
from tests.socket_client import Socket, dab

STARTING, WAITING, DREAMING, RESTING = (
    *(pb.StatusEvent.STARTING, pb.StatusEvent.WAITING),
    *(pb.StatusEvent.DREAMING, pb.StatusEvent.RESTING),
)
DROWSY = ("--dream-interval", "0.5", "--rest-after", "0.5", "--sleep-after", "0.5", "--no-movies")
FIRST = 170  # s; six on a processor that has nothing else to do
pytestmark = pytest.mark.timeout(500)


def workers(server: Server) -> list[psutil.Process]:
    return psutil.Process(server.pid).children(recursive=True)


def asleep(server: Server) -> None:
    wait_until(lambda: metric(server, "dreamer_asleep") == 1, FIRST, "sleep")
    wait_until(lambda: not workers(server), what="the worker's end")


def metric(server: Server, name: str) -> float:
    found = re.search(rf"^dreamcanvas_{name} (\S+)$", server.get("/metrics").decode(), re.MULTILINE)
    assert found is not None, name
    return float(found[1])


def until(socket: Socket, state: "pb.StatusEvent.Dreamer.ValueType") -> list[Any]:
    """All status events up to one that says so."""
    seen = [socket.event("status", timeout=FIRST)]
    while seen[-1].dreamer != state:
        seen.append(socket.event("status", timeout=FIRST))
    return seen


@pytest.fixture(scope="module")
def drowsy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("drowsy"), *DROWSY) as server:
        yield server


def test_white_paper_waits_and_sleeps_and_its_first_dream_follows_the_first_dab(drowsy: Server) -> None:
    asleep(drowsy)
    with Socket(drowsy.ws_url) as socket:
        assert socket.subscribe(events=["status", "canvas"]).status.dreamer in (RESTING, STARTING)
        assert {status.dreamer for status in until(socket, WAITING)} <= {STARTING, WAITING}
        time.sleep(2)  # four times the interval
        status = socket.subscribe(events=["status", "canvas"]).status
        assert (status.dreamer, status.next_dream, metric(drowsy, "dreams")) == (WAITING, 0, 0)
        assert len(workers(drowsy)) == 1
        socket.paint(dabs=[dab(700, 700, 90, 0x2266CC)])
        first = socket.event("canvas", timeout=FIRST)
        assert (first.dream, first.dream_seq) == (1, 1)
        assert socket.event("canvas", timeout=FIRST).dream == 2
    assert metric(drowsy, "dreamer_restarts_total") == 0


def test_at_rest_it_ends_its_worker_and_starts_it_for_whoever_comes(drowsy: Server) -> None:
    asleep(drowsy)
    wakes = metric(drowsy, "dreamer_wakes_total")
    dreams = metric(drowsy, "dreams")
    with Socket(drowsy.ws_url) as socket:
        status = socket.subscribe(events=["status", "canvas"]).status
        assert (status.dreamer, status.next_dream) == (STARTING, 0)
        assert socket.event("canvas", timeout=FIRST).dream == dreams + 1
    assert metric(drowsy, "dreamer_wakes_total") == wakes + 1
    assert (metric(drowsy, "dream_failures_total"), metric(drowsy, "dreamer_restarts_total")) == (0, 0)


def test_at_rest_it_starts_for_who_draws_without_a_socket_whatever_befalls_it(drowsy: Server) -> None:
    asleep(drowsy)
    dreams = metric(drowsy, "dreams")
    drowsy.draw()
    wait_until(lambda: workers(drowsy), what="a worker")
    for worker in workers(drowsy):
        worker.kill()
    wait_until(lambda: metric(drowsy, "dreams") > dreams, FIRST, "a dream")
    assert metric(drowsy, "dreamer_restarts_total") >= 1
    asleep(drowsy)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_an_end_while_the_worker_starts_leaves_none(drowsy: Server, number: signal.Signals) -> None:
    asleep(drowsy)
    with Socket(drowsy.ws_url):
        wait_until(lambda: workers(drowsy), what="a worker")
        starting = workers(drowsy)
        assert drowsy.stop(number) == (0 if number == signal.SIGTERM else -number)
    assert psutil.wait_procs(starting, timeout=10)[1] == []
    drowsy.start()
