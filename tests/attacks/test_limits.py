"""Each limit, pushed against: what happens beyond it, where it is counted, and that others notice nothing."""

import itertools
import json
import re
import resource
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from dreamcanvas.proto import dreamcanvas_pb2 as pb
from tests.attacks.floods import ATTACKS, DISCOVER, of
from tests.attacks.scene import copied, visit
from tests.attacks.wire import batch, connected, get, opened, operations_of, text
from tests.live_server import Server, wait_until
from tests.socket_client import Socket, dab


def count(server: Server, name: str, limit: str = "") -> float:
    """A counter of /metrics."""
    shown = server.get("/metrics").decode()
    label = rf'\{{limit="{limit}"\}}' if limit else ""
    found = re.search(rf"^dreamcanvas_{name}{label} ([0-9.e+]+)$", shown, re.MULTILINE)
    return float(found[1]) if found else 0.0


def answer(connection: socket.socket) -> bytes:
    """All that comes until the end; b"" where it was cut off."""
    data = b""
    try:
        while read := connection.recv(65536):
            data += read
    except ConnectionError:
        pass
    return data


def exactly(connection: socket.socket, length: int) -> bytes:
    """So many bytes."""
    data = b""
    while len(data) < length:
        read = connection.recv(length - len(data))
        assert read
        data += read
    return data


def lives(connection: socket.socket) -> bool:
    """Whether the answer of /livez comes."""
    data = b""
    while not data.endswith(b"ok\n") and (read := connection.recv(4096)):
        data += read
    return data.startswith(b"HTTP/1.1 200 ")


# Calls


def test_a_replay_that_is_not_read_holds_up_only_its_own_connection(victim: Server) -> None:
    """The next call is carried out when a replay was read, and nothing of any is missing."""
    with opened(victim.port, "127.0.6.1", buffer=4096) as slow, Socket(victim.ws_url) as other:
        other.paint(pos=pb.Position(x=1, y=1), size=1)
        newest = other.subscribe(events=["status"]).seq
        since = newest - 3000
        memory = psutil.Process(victim.pid).memory_info().rss
        slow.sendall(of("subscribe", pb.SubscribeRequest(since=since, events=["paint"]), 40))
        time.sleep(0.3)
        other.paint(pos=pb.Position(x=1, y=1), size=1)
        assert psutil.Process(victim.pid).memory_info().rss - memory < 10e6
        seqs: list[int] = []
        data = b""
        slow.settimeout(30)
        while len(seqs) < 3 * 3001:
            found, data = operations_of(data + slow.recv(2**20))
            seqs += found
    starts = [place for place, seq in enumerate(seqs) if seq == since + 1]
    assert len(starts) >= 3
    for begin, end in itertools.pairwise(starts):
        assert seqs[begin:end] == list(range(since + 1, since + 1 + end - begin))
        assert end - begin >= 3000


def test_dear_calls_have_a_rate_that_says_when_to_try_again(victim: Server) -> None:
    before = count(victim, "limited_total", "work")
    with opened(victim.port, "127.0.6.2") as connection:
        connection.sendall(DISCOVER * 12)
        data = b""
        while not re.search(rb'"name":"RATE_LIMITED","retryAfterMs":[1-9]', data[-(2**21) :]):
            data += connection.recv(2**20)
    assert count(victim, "limited_total", "work") > before


def test_calls_over_the_rate_wait_and_are_all_answered(victim: Server) -> None:
    """In their order; somebody else is not held up by it."""
    before = count(victim, "rates_waited_total")
    flood = of("nothing", times=6000)
    with opened(victim.port, "127.0.6.3") as connection, Socket(victim.ws_url) as other:
        connection.settimeout(30)
        began = time.monotonic()
        connection.sendall(flood)
        other.paint(pos=pb.Position(x=1, y=1), size=1)
        assert time.monotonic() - began < 1
        data = b""
        while data.count(b"METHOD_NOT_FOUND") < 2 * 6000:  # each says it twice
            data += connection.recv(2**20)
        assert time.monotonic() - began > 0.5
    assert count(victim, "rates_waited_total") > before


def test_the_answers_of_a_batch_are_bounded(victim: Server) -> None:
    with opened(victim.port, "127.0.6.4") as connection:
        connection.settimeout(60)
        whole = {"width": 1536, "height": 1536, "format": "PNG"}
        connection.sendall(
            batch(*[text("getCanvas", whole, number=n) for n in range(12)], text("getInfo", number=99))
        )
        head = exactly(connection, 10)
        length = int.from_bytes(head[2:10], "big")
        found = json.loads(exactly(connection, length))
        assert len(found) == 13
        names = [one["error"]["data"]["name"] if "error" in one else "OK" for one in found]
        assert {"OK", "UNAVAILABLE"} == set(names)
        assert next(one for one in found if one["id"] == 99)["result"]["version"]
        assert length < 40e6


# Pictures


@pytest.fixture(scope="module")
def narrow(full_log: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose other limits are small."""
    flags = (
        *(
            "--no-dream",
            "--no-movies",
            "--pictures-waiting",
            "2",
            "--pictures-unread",
            "2",
            "--write-timeout",
            "0.5",
        ),
        *("--responses-per-address", "6", "--requests-per-second", "20", "--sockets-per-address", "30"),
        *("--sockets-per-second", "20", "--sockets", "100", "--trusted-proxies", "127.0.0.9"),
    )
    with Server(copied(full_log, tmp_path_factory.mktemp("narrow") / "data"), *flags) as server:
        yield server


def test_pictures_beyond_the_queue_are_unavailable(narrow: Server) -> None:
    part = pb.CanvasRequest(width=1000, height=1000, format=pb.CanvasRequest.WEBP)
    with ExitStack() as stack:
        sockets = [stack.enter_context(opened(narrow.port, "127.0.6.5")) for _ in range(8)]
        for connection in sockets:
            connection.settimeout(30)
            connection.sendall(of("getCanvas", part, 1))
        heads = [connection.recv(65536) for connection in sockets]
        refused = [head for head in heads if b"UNAVAILABLE" in head]
        assert 1 <= len(refused) <= 6
        with opened(narrow.port, "127.0.6.6") as other:
            other.settimeout(30)
            other.sendall(of("getCanvas", part, 1))
            assert b"UNAVAILABLE" not in other.recv(65536)
    assert count(narrow, "pictures_refused_total") >= len(refused)


def test_who_does_not_read_its_pictures_gets_no_more_of_them(narrow: Server) -> None:
    """Those that are unread are bounded; somebody else gets one meanwhile."""
    noise = pb.CanvasRequest(width=1535, height=1535, format=pb.CanvasRequest.PNG)
    memory = psutil.Process(narrow.pid).memory_info().rss
    with ExitStack() as stack:
        for _ in range(8):
            connection = stack.enter_context(opened(narrow.port, "127.0.6.7", buffer=4096))
            connection.sendall(of("getCanvas", noise, 3))
        time.sleep(1)
        with opened(narrow.port, "127.0.6.8") as other:
            other.settimeout(30)
            other.sendall(of("getCanvas", noise, 1))
            assert other.recv(10)
        assert psutil.Process(narrow.pid).memory_info().rss - memory < 100e6


# HTTP


def test_who_does_not_read_a_response_is_cut_off(narrow: Server) -> None:
    before = count(narrow, "limited_total", "write_timeout")
    with connected(narrow.port, "127.0.6.9", buffer=4096) as connection:
        connection.sendall(get("/canvas.png"))
        assert connection.recv(10)
        wait_until(lambda: count(narrow, "limited_total", "write_timeout") > before, 10)
        assert len(answer(connection)) < 10**6


def test_a_slow_reader_that_reads_gets_all(narrow: Server) -> None:
    """Every 64 KiB in time is enough, whatever the whole takes."""
    expected = narrow.get("/canvas.png")
    with connected(narrow.port, "127.0.6.10", buffer=16384) as connection:
        connection.sendall(get("/canvas.png", close=True))
        data, began = b"", time.monotonic()
        while read := connection.recv(65536):
            data += read
            if time.monotonic() - began < 1:
                time.sleep(0.02)
    assert data.endswith(expected)


def test_responses_under_way_of_an_address(narrow: Server) -> None:
    with ExitStack() as stack:
        held = [stack.enter_context(connected(narrow.port, "127.0.6.11", buffer=4096)) for _ in range(6)]
        for connection in held:
            connection.sendall(get("/canvas.png"))
            assert connection.recv(10)
        with connected(narrow.port, "127.0.6.11") as refused:
            refused.sendall(get("/livez"))
            said = answer(refused)
        assert said.startswith(b"HTTP/1.1 503 ")
        assert b"\r\nretry-after: 1\r\n" in said.lower()
        visit(narrow.port)
    assert count(narrow, "limited_total", "responses") >= 1


def test_requests_over_the_rate_wait(narrow: Server) -> None:
    before = count(narrow, "limited_total", "requests_waited")
    with connected(narrow.port, "127.0.6.12") as connection:
        began = time.monotonic()
        connection.sendall(get("/livez") * 100)  # 40 at once, 20 a second
        connection.settimeout(30)
        data = b""
        while data.count(b"\r\n\r\nok\n") < 100:
            data += connection.recv(65536)
        assert data.count(b"HTTP/1.1 200 ") == 100
        assert time.monotonic() - began > 2
    assert count(narrow, "limited_total", "requests_waited") > before


def test_what_one_address_asks_for_another_does_not_wait_for(narrow: Server) -> None:
    """Behind a proxy, too: what counts is who it says that it speaks for."""
    with connected(narrow.port, "127.0.0.9") as proxy:
        for address in (b"203.0.113.1", b"203.0.113.2"):
            began = time.monotonic()
            for _ in range(38):  # 40 may come at once
                head = b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: "
                proxy.sendall(head + address + b"\r\n\r\n")
                assert lives(proxy)
            assert time.monotonic() - began < 5


# Connections


def test_sockets_of_an_address(narrow: Server) -> None:
    """Those beyond are closed; another address is let in."""
    with ExitStack() as stack:
        made = [stack.enter_context(connected(narrow.port, "127.0.6.13")) for _ in range(45)]
        closed = 0
        for connection in made:
            connection.settimeout(0.05)
            try:
                closed += connection.recv(1) == b""
            except TimeoutError:
                pass
            except ConnectionError:
                closed += 1
        assert closed == 15
        visit(narrow.port)
    assert count(narrow, "limited_total", "sockets_per_address") >= 15


def test_new_sockets_of_an_address_have_a_rate(narrow: Server) -> None:
    before = count(narrow, "limited_total", "sockets_per_second")
    for _ in range(150):  # 80 at once
        connected(narrow.port, "127.0.6.14").close()
    visit(narrow.port)
    assert count(narrow, "limited_total", "sockets_per_second") > before


def test_at_the_cap_nobody_is_accepted_until_somebody_goes_and_that_is_said_once(narrow: Server) -> None:
    lines = len(narrow.log)
    with ExitStack() as stack:
        held = [connected(narrow.port, f"127.0.6.{20 + number % 5}") for number in range(100)]
        for connection in held:
            stack.callback(connection.close)
        wait_until(lambda: any("no more connections" in line for line in narrow.log[lines:]), 10)
        late = stack.enter_context(connected(narrow.port, "127.0.6.30"))
        late.settimeout(0.3)
        late.sendall(get("/livez"))
        with pytest.raises(TimeoutError):
            late.recv(10)
        for connection in held[:5]:
            connection.close()
        late.settimeout(10)
        assert late.recv(10).startswith(b"HTTP/1.1 2")
    time.sleep(0.2)
    assert len([line for line in narrow.log[lines:] if "no more connections" in line]) == 1
    assert count(narrow, "sockets_full_total") >= 1


def test_where_few_files_may_be_open_nobody_takes_them_all(full_log: Path, tmp_path: Path) -> None:
    """1,150 idle connections of an address at `ulimit -n 1024`: newcomers are let in, the log stays short."""

    class Limited(Server):
        module = "tests.attacks.limited"

    with Limited(copied(full_log, tmp_path / "data"), "--no-dream", "--no-movies") as server:
        limit = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
        assert limit == (1024, 1024)
        with ExitStack() as stack:
            for _ in range(1150):
                stack.enter_context(connected(server.port, "127.0.6.40"))
            began = time.monotonic()
            visit(server.port)
            assert time.monotonic() - began < 2
            assert count(server, "sockets") < 700
        assert len([line for line in server.log if '"warning"' in line or '"error"' in line]) < 10


# The end


def test_sigterm_ends_it_under_all_floods_at_once(full_log: Path, tmp_path: Path) -> None:
    """In five seconds (eight here: others use the machine); what was acknowledged is there afterwards."""
    with Server(copied(full_log, tmp_path / "data"), "--no-dream", "--no-movies") as server:
        names = ("replays, read", "getInfo", "pings", "HTTP pipelined", "200 × GET /canvas.png, not read")
        floods = [ATTACKS[name]() for name in names]
        for number, flood in enumerate(floods):
            flood.address = f"127.0.5.{number + 1}"
            flood.start(server.port)
        with Socket(server.ws_url) as painter:
            for n in range(10):
                seq = painter.paint(dabs=[dab(n, n)]).seq
            began = time.monotonic()
            assert server.process is not None
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(30) == 0
            assert time.monotonic() - began < 8
        for flood in floods:
            flood.stop()
        server.start()
        assert json.loads(server.get("/readyz"))["seq"] >= seq
