"""cursor: to whom it goes, how many, and what is refused."""

from typing import Any

import httpx
import pytest

from tests.contract.client import Client, Failed
from tests.live_server import Server

POS = {"x": 20, "y": 30}


def test_the_others_get_it_but_not_its_origin(client: Client, other: Client) -> None:
    author = client.call("subscribe", events=["cursor"]).author
    other.call("subscribe", events=["cursor"])
    client.call("cursor", pos=POS, down=True, color=0x102030, name="Otter")
    event = other.event("cursor").message
    assert (event.author, event.pos.x, event.pos.y) == (author, 20, 30)
    assert (event.down, event.color, event.name) == (True, 0x102030, "Otter")
    other.call("cursor", pos=POS)
    assert client.event("cursor").message.author != author
    assert not client.events


def test_in_json_every_field_is_there(client: Client, other: Client) -> None:
    other.json("subscribe", {"events": ["cursor"]})
    assert client.json("cursor", {"pos": {}}) == {}
    params = other.event("cursor").message
    assert set(params) == {"author", "pos", "down", "color", "name"}
    assert params["pos"] == {"x": 0, "y": 0}
    assert (params["down"], params["color"], params["name"]) == (False, 0, "")


def test_it_is_not_stored(client: Client, other: Client) -> None:
    before = client.call("subscribe", events=["status"]).seq
    client.call("cursor", pos=POS)
    reply = other.call("subscribe", since=before)
    assert (reply.seq, reply.resync) == (before, False)


def test_beyond_the_rate_it_is_dropped_in_silence(client: Client, other: Client) -> None:
    other.call("subscribe", events=["cursor"])
    for x in range(60):
        client.call("cursor", pos={"x": x, "y": 0})
    assert other.event("cursor").message.pos.x < 60
    assert len(other.events) < 30


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({}, "pos", "missing"),
        ({"pos": {"x": 65536, "y": 0}}, "pos.x", "-65535 to 65535"),
        ({"pos": {"x": 0, "y": -65536}}, "pos.y", "-65535 to 65535"),
        ({"pos": POS, "color": 0x1000000}, "color", "0 to 16777215"),
        ({"pos": POS, "name": "x" * 41}, "name", "at most 40"),
        ({"pos": POS, "name": "a\nb"}, "name", "control"),
        ({"pos": POS, "name": "\u202eevil"}, "name", "control"),
    ],
)
def test_what_is_wrong_is_named(client: Client, fields: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(Failed) as failed:
        client.call("cursor", **fields)
    with pytest.raises(Failed) as in_json:
        client.json("cursor", fields)
    for error in (failed.value, in_json.value):
        assert (error.code, error.field) == (-32602, field)
        assert words in error.error


def test_forty_characters_of_any_script_are_fine(client: Client) -> None:
    client.call("cursor", pos=POS, name="ж" * 40)


def test_it_needs_a_websocket(canvas: Server) -> None:
    call = {"jsonrpc": "2.0", "id": 1, "method": "cursor", "params": {"pos": POS}}
    with httpx.Client(base_url=canvas.url, trust_env=False) as web:
        assert web.post("/rpc", json=call).json()["error"]["code"] == -32600
