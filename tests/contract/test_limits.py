"""Limits, on a server where they are small. Each test has addresses of its own, by X-Forwarded-For."""

import json
import secrets
import socket
import threading
from contextlib import ExitStack, suppress
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosedError, InvalidStatus

from tests.contract.client import Client, Dab, Failed
from tests.contract.schema import absent, make, parse
from tests.live_server import Server


def visit(server: Server, address: str, path: str = "/rpc") -> Client:
    return Client(server.url, path, additional_headers={"X-Forwarded-For": address})


def info(size: int) -> str:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": "getInfo"}).ljust(size)


def test_a_message_over_the_limit_closes_with_1009(limited: Server) -> None:
    """One of the limit is taken; one byte more is not, in text and binary."""
    with visit(limited, "10.2.0.1") as client:
        client.send(info(4096))
        assert client.reply()["id"] == 1
        client.send(info(4097))
        assert client.closed() == 1009
    empty = make("Message", type=1, request={"method": "nothing", "seq": 1, "payload": b""})
    with visit(limited, "10.2.0.1") as client:
        empty.request.payload = bytes(4097 - 3 - len(empty.SerializeToString()))
        while len(empty.SerializeToString()) < 4096:
            empty.request.payload += b"\0"
        client.send(empty.SerializeToString())
        assert client.reply().seq == 1
        empty.request.payload += b"\0"
        client.send(empty.SerializeToString())
        assert client.closed() == 1009


def test_a_message_in_fragments_over_the_limit(limited: Server) -> None:
    """It closes at the second one's header, maybe before the client has sent its third and empty one."""
    with visit(limited, "10.2.0.2") as client:
        with suppress(ConnectionClosedError):
            client.ws.send(["x" * 3000, "x" * 3000])
        assert client.closed() == 1009


def test_a_batch_over_the_limit_is_one_invalid_request(limited: Server) -> None:
    call = {"jsonrpc": "2.0", "id": 1, "method": "getInfo"}
    with visit(limited, "10.2.0.3") as client:
        client.send(json.dumps([call] * 3))
        assert len(client.reply()) == 3
        client.send(json.dumps([call] * 4))
        reply = client.reply()
        assert (reply["id"], reply["error"]["code"]) == (None, -32600)


def refused(server: Server, address: str, path: str = "/rpc") -> int:
    with pytest.raises(InvalidStatus) as invalid, visit(server, address, path):
        pass
    return invalid.value.response.status_code


def test_connections_of_an_address(limited: Server) -> None:
    """Two are let in; the third is 429 until one has gone."""
    with visit(limited, "10.2.1.1") as first:
        alone = first.call("subscribe", events=["status"]).status.users
        with visit(limited, "10.2.1.1"):
            assert refused(limited, "10.2.1.1") == 429
            assert refused(limited, "10.2.1.1", "/") == 429
            with visit(limited, "10.2.1.2") as other:
                other.call("getInfo")
        first.event("status", that=lambda status: status.users == alone)
        with visit(limited, "10.2.1.1") as again:
            again.call("getInfo")


def test_connections_in_all(limited: Server) -> None:
    """Six are let in; the seventh is 503, whatever its address."""
    with ExitStack() as stack:
        first = stack.enter_context(visit(limited, "10.2.2.1"))
        if first.call("subscribe", events=["status"]).status.users > 1:
            first.event("status", that=lambda status: status.users == 1)
        for i in range(5):
            stack.enter_context(visit(limited, f"10.2.3.{i}"))
        assert refused(limited, "10.2.4.1") == 503


def limited_by(client: Client, method: str, **fields: Any) -> int:
    """Fails by rate in both encodings; gives the wait in ms."""
    client.post(method, **fields)
    response = client.reply()
    error = parse("Error", response.payload)
    assert response.error.startswith("RATE_LIMITED: ")
    assert (error.code, error.name) == (-32001, "RATE_LIMITED")
    assert error.retry_after_ms > 0
    with pytest.raises(Failed) as failed:
        client.json(method, {k: v for k, v in fields.items() if k != "dabs"} or None)
    assert (failed.value.code, failed.value.name) == (-32001, "RATE_LIMITED")
    assert failed.value.retry_after_ms > 0
    assert absent(response) == []
    return int(error.retry_after_ms)


DAB = {"pos": {"x": 500, "y": 500}, "size": 1}


def test_the_rate_of_dabs(limited: Server) -> None:
    """A burst of 20, then 2 a second, of a connection and its address, not another's. Nothing is applied."""
    with (
        visit(limited, "10.2.5.1") as client,
        visit(limited, "10.2.5.1") as same,
        visit(limited, "10.2.5.2") as else_,
    ):
        client.call("subscribe", events=["patch"], session=secrets.token_bytes(16))
        client.dabs([Dab(500, 500, 1, 0)] * 16, call=1)
        seq = client.dabs([Dab(500, 500, 1, 0)] * 4, call=2).seq
        wait = limited_by(client, "paint", **DAB, call=3)
        limited_by(same, "paint", **DAB)
        reply = client.call("subscribe", events=["patch"])
        assert reply.seq == seq
        assert else_.dab(500, 500).seq == seq + 1
        threading.Event().wait(wait / 1000)
        assert not client.dab(500, 500, call=3).duplicate


def test_the_rate_is_all_or_nothing(limited: Server) -> None:
    """Five are left of the burst: sixteen at once are refused whole, five are taken."""
    with visit(limited, "10.2.5.3") as client:
        seq = client.dabs([Dab(500, 500, 1, 0)] * 15).seq
        with pytest.raises(Failed) as failed:
            client.dabs([Dab(500, 500, 1, 0)] * 16)
        assert failed.value.name == "RATE_LIMITED"
        assert client.dabs([Dab(500, 500, 1, 0)] * 5).seq == seq + 5


def test_the_dabs_of_a_call(limited: Server) -> None:
    with visit(limited, "10.2.5.4") as client, pytest.raises(Failed) as failed:
        client.dabs([Dab(500, 500, 1, 0)] * 17)
    assert (failed.value.name, failed.value.field) == ("INVALID_PARAMS", "dabs")
    assert "16" in failed.value.error


def test_canvases_a_minute(limited: Server) -> None:
    """Three whole canvases of an address, then it waits; another's address does not."""
    with visit(limited, "10.2.6.1") as client, visit(limited, "10.2.6.2") as other:
        reply = client.call("subscribe", events=["patch"])
        whole = {"width": reply.width, "height": reply.height}
        for _ in range(3):
            client.call("getCanvas", **whole)
        limited_by(client, "getCanvas", **whole)
        other.call("getCanvas", **whole)


def test_slow_headers_are_closed(limited: Server) -> None:
    """Within `--open-timeout`, one second here; a body that does not come is no better."""
    starts = (
        b"",
        b"GET / HTT",
        b"GET /livez HTTP/1.1\r\nHost: a\r\n",
        b"GET /rpc HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n",
        b"POST /rpc HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\n{",
    )
    with ExitStack() as stack:
        opened = [socket.create_connection(("127.0.0.1", limited.port), timeout=20) for _ in starts]
        for raw, start in zip(opened, starts, strict=True):
            stack.enter_context(raw)
            raw.sendall(start)
        for raw in opened:
            answer = b""
            while data := raw.recv(4096):
                answer += data
            assert answer == b"" or answer.startswith(b"HTTP/1.1 4")
