"""Who may connect, and what each may spend: on a server with small limits."""

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from dreamcanvas.api.event_names import event_names, stock_events
from tests.live_server import Server, wait_until
from tests.socket_client import CallError, Socket, dab


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    limits = {
        "dabs-per-second": 1,
        "dabs-burst": 6,
        "canvas-per-minute": 2,
        "connections-per-address": 3,
        "connections": 5,
        "open-timeout": 0.4,
        "trusted-proxies": "127.0.0.1",
        "allowed-origins": "https://friends.example",
    }
    arguments = [text for name, value in limits.items() for text in (f"--{name}", str(value))]
    with Server(tmp_path_factory.mktemp("small"), "--no-dream", *arguments) as server:
        yield server


def refused(server: Server, path: str = "/rpc", **headers: str) -> int:
    """The HTTP status in place of a websocket."""
    url = server.ws_url.removesuffix("/rpc") + path
    renamed = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        with connect(url, additional_headers=renamed, compression=None):
            return 101
    except InvalidStatus as error:
        return error.response.status_code


def post(server: Server, address: str, method: str, **params: object) -> dict[str, object]:
    """A call by POST, of somebody behind the proxy that this test is."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
    connection.request("POST", "/rpc", body, {"X-Forwarded-For": address})
    answer: dict[str, object] = json.load(connection.getresponse())
    connection.close()
    return answer


def users(server: Server) -> int:
    """How many websockets the metrics count."""
    lines = server.get("/metrics").decode().splitlines()
    return int(float(next(line for line in lines if line.startswith("dreamcanvas_connections ")).split()[1]))


def test_dabs_per_address_are_limited(small: Server) -> None:
    single = {"pos": {"x": 1, "y": 1}, "size": 5}
    assert "result" in post(small, "198.51.100.1", "paint", dabs=[single] * 6)
    answer = post(small, "198.51.100.1", "paint", dabs=[single] * 3)
    assert isinstance(answer["error"], dict)
    assert answer["error"]["code"] == -32001
    assert 2000 < answer["error"]["data"]["retryAfterMs"] <= 3001
    assert "result" in post(small, "198.51.100.2", "paint", dabs=[single] * 6)


def test_dabs_per_connection_are_limited_too(small: Server) -> None:
    with Socket(small.ws_url) as painter:
        painter.paint(dabs=[dab(1, 1)] * 6)
        with pytest.raises(CallError, match="RATE_LIMITED: too fast: try again in"):
            painter.paint(dabs=[dab(1, 1)] * 2)


def test_canvases_are_limited_by_their_share(small: Server) -> None:
    half = {"width": 1536, "height": 768}
    for _ in range(4):
        assert "result" in post(small, "198.51.100.3", "getCanvas", **half)
    assert "error" in post(small, "198.51.100.3", "getCanvas", **half)


def test_connections_per_address_and_in_all(small: Server) -> None:
    wait_until(lambda: users(small) == 0, what="an empty server")
    with ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(Socket(small.ws_url))
        assert refused(small) == 429
        for host in (1, 2):
            header = {"X-Forwarded-For": f"2001:db8::{host}"}
            stack.enter_context(connect(small.ws_url, additional_headers=header))
        assert refused(small, X_Forwarded_For="198.51.100.9") == 503
    wait_until(lambda: users(small) == 0, what="an empty server")
    assert refused(small) == 101


def test_origins(small: Server) -> None:
    assert refused(small, Origin=small.url) == 101
    assert refused(small, Origin="https://friends.example") == 101
    assert refused(small, Origin="https://elsewhere.example") == 403
    assert refused(small, Origin="null") == 403


def test_paths_and_events_of_the_address(small: Server) -> None:
    assert refused(small, "/other") == 404
    assert refused(small, "/rpc?subscribe=paint,status") == 101
    assert refused(small, "/rpc?subscribe=pain") == 400


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET /livez HTTP/1.1\r\nHost: x\r\n",
        b"POST /rpc HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc",
    ],
)
def test_a_request_that_does_not_arrive_whole_is_given_up(small: Server, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", small.port)) as raw:
        raw.settimeout(10)
        raw.sendall(sent)
        assert raw.recv(1000) == b""


def test_a_second_request_that_does_not_arrive_whole_is_given_up(small: Server) -> None:
    with socket.create_connection(("127.0.0.1", small.port)) as raw:
        raw.settimeout(10)
        raw.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        assert raw.recv(1000).startswith(b"HTTP/1.1 200")
        raw.sendall(b"GET /livez")
        received = b"-"
        while received:
            received = raw.recv(1000)


def test_what_limits_refused_is_counted(small: Server) -> None:
    metrics = small.get("/metrics").decode()
    assert 'dreamcanvas_limited_total{limit="dabs"}' in metrics


def test_event_names() -> None:
    assert event_names(["paint"]) == {"paint"}
    assert len(event_names([])) == 5
    assert stock_events("/rpc") is None
    assert stock_events("/rpc?subscribe=paint") == frozenset({"paint"})
    assert stock_events("/") == stock_events("/rpc?subscribe=") == event_names([])
