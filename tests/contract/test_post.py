"""`POST /rpc`: JSON-RPC for callers without a socket."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.contract.client import Client
from tests.live_server import Server

DAB = {"pos": {"x": 8, "y": 9}, "size": 5, "color": 0x123456}


@pytest.fixture
def web(canvas: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=canvas.url, trust_env=False, timeout=30) as web:
        yield web


def call(method: str, params: Any = None, id_: Any = 1) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": id_, "method": method, **({} if params is None else {"params": params})}


def test_a_call(web: httpx.Client, client: Client) -> None:
    """Painted by POST, seen on a socket."""
    client.call("subscribe", events=["paint"])
    response = web.post("/rpc", json=call("paint", DAB, "x"))
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("application/json")
    reply = response.json()
    assert (reply["jsonrpc"], reply["id"]) == ("2.0", "x")
    event = client.event("paint").message
    assert (event.seq, event.pos.x, event.color) == (reply["result"]["seq"], 8, 0x123456)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", -32700),
        (b"{", -32700),
        (b"\xff\xfe", -32700),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "getInfo", "params": {"a": NaN}}', -32700),
        (b"[]", -32600),
        (b"{}", -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "nothing"}', -32601),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "paint"}', -32602),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "paint", "params": []}', -32602),
    ],
)
def test_an_error_is_in_the_body_of_a_200(web: httpx.Client, body: bytes, code: int) -> None:
    response = web.post("/rpc", content=body)
    assert response.status_code == 200
    assert response.json()["error"]["code"] == code
    assert response.json()["error"]["data"]["name"]


def test_a_batch(web: httpx.Client) -> None:
    response = web.post(
        "/rpc", json=[call("getInfo"), {"jsonrpc": "2.0", "method": "getInfo"}, call("nothing", None, 2)]
    )
    assert response.status_code == 200
    replies = {reply["id"]: reply for reply in response.json()}
    assert set(replies) == {1, 2}
    assert replies[1]["result"]["version"]
    assert replies[2]["error"]["code"] == -32601


def test_nothing_to_say_is_204(web: httpx.Client, client: Client) -> None:
    """A notification, and a batch of them: done, not answered."""
    client.call("subscribe", events=["paint"])
    notification = {"jsonrpc": "2.0", "method": "paint", "params": DAB}
    for body in (notification, [notification, notification], {"jsonrpc": "2.0", "method": "nothing"}):
        response = web.post("/rpc", json=body)
        assert response.status_code == 204
        assert response.content == b""
    seqs = [client.event("paint").message.seq for _ in range(3)]
    assert seqs == list(range(seqs[0], seqs[0] + 3))


def test_subscribe_is_an_invalid_request(web: httpx.Client) -> None:
    for method in ("subscribe", "Subscribe"):
        error = web.post("/rpc", json=call(method, {})).json()["error"]
        assert (error["code"], error["data"]["name"]) == (-32600, "INVALID_REQUEST")


def test_get_canvas(web: httpx.Client) -> None:
    assert web.post("/rpc", json=call("getCanvas", {"width": 3, "height": 3})).json()["result"]["image"]


def test_rpc_discover(web: httpx.Client) -> None:
    assert web.post("/rpc", json=call("rpc.discover")).json()["result"]["openrpc"].startswith("1.3")


@pytest.mark.parametrize(
    "type_", [None, "application/x-www-form-urlencoded", "text/plain", "application/json", "x/y; z=1"]
)
def test_any_content_type(web: httpx.Client, type_: str | None) -> None:
    headers = {} if type_ is None else {"Content-Type": type_}
    response = web.post("/rpc", content=json.dumps(call("getInfo")), headers=headers)
    assert response.status_code == 200
    assert response.json()["result"]["version"]


def test_over_the_limit_is_413(web: httpx.Client, client: Client) -> None:
    """Of `message_bytes`, with a length said ahead or in chunks; at the limit it is taken."""
    limit = client.call("subscribe", events=["patch"]).limits.message_bytes
    fits = json.dumps(call("getInfo")).ljust(limit).encode()
    assert web.post("/rpc", content=fits).status_code == 200
    assert web.post("/rpc", content=fits + b" ").status_code == 413
    assert web.post("/rpc", content=iter([fits, b" "])).status_code == 413


def test_a_foreign_origin_is_403(web: httpx.Client, canvas: Server, client: Client) -> None:
    """And nothing is done."""
    before = client.call("subscribe", events=["patch"]).seq
    for origin in ("https://evil.example", "null", f"http://evil.example:{canvas.port}"):
        assert web.post("/rpc", json=call("paint", DAB), headers={"Origin": origin}).status_code == 403
    assert client.call("subscribe", events=["patch"]).seq == before


def test_our_own_origin_is_fine(web: httpx.Client, canvas: Server) -> None:
    assert web.post("/rpc", json=call("getInfo"), headers={"Origin": canvas.url}).status_code == 200


def test_an_allowed_origin_is_fine(limited: Server) -> None:
    with httpx.Client(base_url=limited.url, trust_env=False) as web:
        headers = {"Origin": "https://friend.example"}
        assert web.post("/rpc", json=call("getInfo"), headers=headers).status_code == 200


def test_a_call_number_needs_a_session(web: httpx.Client) -> None:
    error = web.post("/rpc", json=call("paint", {**DAB, "call": 1})).json()["error"]
    assert (error["code"], error["data"]["field"]) == (-32602, "call")
