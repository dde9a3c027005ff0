"""One port: HTTP and websockets, encodings on a connection, addresses that subscribe, origins."""

import http.client
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import psutil
import pytest
from websockets.exceptions import InvalidStatus

from tests.contract.client import Client
from tests.contract.schema import make
from tests.live_server import Server

UPGRADE = (
    "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


@contextmanager
def stock(server: Server, path: str) -> Iterator[Client]:
    with Client(server.url, path) as client:
        yield client


def refused(server: Server, path: str = "/rpc", **options: object) -> int:
    """The status of a refused handshake."""
    with pytest.raises(InvalidStatus) as invalid, Client(server.url, path, **options):
        pass
    return invalid.value.response.status_code


def test_one_port_on_loopback(canvas: Server) -> None:
    listening = [c.laddr for c in psutil.Process(canvas.pid).net_connections("inet") if c.status == "LISTEN"]
    assert listening == [("127.0.0.1", canvas.port)]
    assert canvas.get("/livez")
    with Client(canvas.url) as client:
        client.call("getInfo")


def test_the_default_port() -> None:
    """As the command says of itself: starting it on that port would fail where one is running already."""
    command = [sys.executable, "-m", "dreamcanvas", "serve", "--help"]
    said = " ".join(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())
    assert "[default: 4242]" in said
    assert "[default: 127.0.0.1]" in said


def test_encodings_mix_on_a_connection(client: Client) -> None:
    """Calls of both encodings at once: each reply has its request's."""
    client.post("getInfo")
    client.send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "getInfo"}))
    client.post("getInfo")
    client.send(json.dumps({"jsonrpc": "2.0", "id": 2, "method": "nothing"}))
    client.post("paint")
    kinds = [type(client.receive()) for _ in range(5)]
    assert sorted(kind.__name__ for kind in kinds) == ["bytes", "bytes", "bytes", "str", "str"]


def test_a_fragmented_message_is_one(client: Client) -> None:
    data = make("Message", type=1, request={"method": "getInfo", "seq": 3}).SerializeToString()
    client.ws.send([data[:3], data[3:7], data[7:]])
    assert client.reply().seq == 3


def test_events_have_the_encoding_of_the_last_subscribe(client: Client, other: Client) -> None:
    """Calls of the other encoding in between change nothing."""
    client.json("subscribe", {"events": ["paint"]})
    client.call("getInfo")
    other.dab()
    assert not client.event("paint").binary
    client.call("subscribe", events=["paint"])
    client.json("getInfo")
    other.dab()
    assert client.event("paint").binary
    client.json("subscribe", {"events": ["paint"]})
    other.dab()
    assert not client.event("paint").binary


@pytest.mark.parametrize("path", ["/rpc?subscribe=paint,status,canvas", "/"])
def test_a_stock_client_is_subscribed_as_it_opens(canvas: Server, other: Client, path: str) -> None:
    """Paint unbatched and binary, each dab by itself, and the status when another comes."""
    with stock(canvas, path) as client:
        client.call("getInfo")
        other.call("paint", dabs=[{"pos": {"x": i, "y": 0}, "size": 1} for i in range(3)])
        events = [client.event("paint", "paints") for _ in range(3)]
        assert [(e.name, e.binary, e.message.pos.x) for e in events] == [("paint", True, i) for i in range(3)]
        users = other.call("subscribe", events=["patch"]).status.users
        with Client(canvas.url):
            status = client.event("status", that=lambda status: status.users > users)
            assert status.binary


def test_the_address_names_the_events(canvas: Server, other: Client) -> None:
    """Status is not asked for: the first to come after another's opening is the dab."""
    with stock(canvas, "/rpc?subscribe=paint") as client:
        client.call("getInfo")
        with Client(canvas.url) as third:
            third.dab()
            assert client.event().name == "paint"


def test_a_plain_connection_is_not_subscribed(canvas: Server, client: Client, other: Client) -> None:
    """The dab before its subscription does not come, nor does a status."""
    other.dab(1, 1)
    client.call("subscribe", events=["paint"])
    other.dab(2, 2)
    event = client.event()
    assert (event.name, event.message.pos.x) == ("paint", 2)


def test_binary_after_calls_in_json(canvas: Server, other: Client) -> None:
    """Binary where there was no `subscribe`: what calls came does not matter."""
    with stock(canvas, "/rpc?subscribe=paint") as client:
        client.json("getInfo")
        other.dab()
        assert client.event("paint").binary


def test_a_subscribe_replaces_that_of_the_address(canvas: Server, other: Client) -> None:
    with stock(canvas, "/") as client:
        client.json("subscribe", {"events": ["paint"]})
        client.events.clear()  # its own status may have come before
        with Client(canvas.url):
            other.dab()
            event = client.event("paint", "status")
            assert (event.name, event.binary) == ("paint", False)


@pytest.mark.parametrize("path", ["/rpc/", "/ws", "/canvas.png", "/rpcx", "/nothing"])
def test_a_websocket_elsewhere_is_404(canvas: Server, path: str) -> None:
    assert refused(canvas, path) == 404


@pytest.mark.parametrize("path", ["/nothing", "/rpc/", "/canvas.gif", "/dreams/", "/proto/nothing.proto"])
def test_any_other_path_is_404(canvas: Server, path: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", canvas.port, timeout=30)
    connection.request("GET", path)
    assert connection.getresponse().status == 404
    connection.close()


def test_a_foreign_origin_is_refused_on_websockets(canvas: Server) -> None:
    for origin in (
        "https://evil.example",
        "http://127.0.0.1:1",
        "null",
        f"http://localhost.evil:{canvas.port}",
    ):
        assert refused(canvas, origin=origin) == 403, origin
        assert refused(canvas, "/", origin=origin) == 403, origin
        assert refused(canvas, "/rpc?subscribe=paint", origin=origin) == 403, origin


def test_no_origin_or_our_own_is_fine(canvas: Server) -> None:
    for origin in (None, canvas.url):
        for path in ("/rpc", "/"):
            with Client(canvas.url, path, origin=origin) as client:
                client.call("getInfo")


def test_an_allowed_origin_is_fine(limited: Server) -> None:
    with Client(limited.url, origin="https://friend.example") as client:
        client.call("getInfo")
    assert refused(limited, origin="https://friend.example.evil") == 403


def test_the_handshake_by_hand(canvas: Server) -> None:
    """The accept key of RFC 6455's own example."""
    parts = urlsplit(canvas.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=30) as raw:
        raw.sendall(UPGRADE.format(path="/rpc", host=parts.netloc).encode())
        head = raw.recv(4096).decode()
    assert head.startswith("HTTP/1.1 101 ")
    assert "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in head
