"""wsrpc framing, read byte by byte with a reader of these tests' own."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.client import Client, Closed
from tests.contract.schema import absent, make, parse
from tests.live_server import Server

# Message{type=REQUEST, request{method="paint", seq=0, payload=PaintRequest{pos{x=0, y=0}, size=1, color=0}}}
PAINT_AT_ZERO = (
    bytes.fromhex("0801 1215 0a05") + b"paint" + bytes.fromhex("1000 1a0a 0a04 0800 1000 1001 1800")
)


def varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def read(data: bytes) -> dict[int, Any]:
    """Number → value of a message on the wire; a number that comes twice is a list."""
    found: dict[int, list[Any]] = {}
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        value: Any
        if key & 7 == 0:
            value, at = varint(data, at)
        elif key & 7 == 1:
            value, at = data[at : at + 8], at + 8
        else:
            assert key & 7 == 2, "a group or a 32-bit value: no field has that"
            length, at = varint(data, at)
            value, at = data[at : at + length], at + length
            assert len(value) == length
        found.setdefault(key >> 3, []).append(value)
    return {number: values[0] if len(values) == 1 else values for number, values in found.items()}


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path / "data", "--no-dream", "--no-rate-limits") as server:
        yield server


def request(method: bytes, seq: int, payload: bytes) -> bytes:
    """A request whose every length fits in a byte, written by hand."""
    body = (
        b"\x0a"
        + bytes([len(method)])
        + method
        + b"\x10"
        + bytes([seq])
        + b"\x1a"
        + bytes([len(payload)])
        + payload
    )
    return b"\x08\x01\x12" + bytes([len(body)]) + body


def test_a_request_in_literal_bytes(client: Client) -> None:
    assert request(b"paint", 0, bytes.fromhex("0a04 0800 1000 1001 1800")) == PAINT_AT_ZERO
    client.send(PAINT_AT_ZERO)
    data = client.receive()
    assert isinstance(data, bytes)
    message = read(data)
    assert message[1] == 2
    assert set(message) == {1, 3}, "type and response, no other member"
    response = read(message[3])
    assert response[1] == 0, "seq 0 is on the wire"
    assert response[2] == 1
    assert not response.get(4)
    assert set(read(response[3])) >= {1, 10, 12}


def test_a_failure_in_literal_bytes(client: Client) -> None:
    client.send(request(b"paint", 0, bytes.fromhex("0a04 0800 1000 1000 1800")))
    data = client.receive()
    assert isinstance(data, bytes)
    message = read(data)
    assert set(message) == {1, 3}
    assert message[1] == 2
    response = read(message[3])
    assert response[1] == 0
    assert response[2] == 0, "ok false is on the wire"
    assert response[4].startswith(b"INVALID_PARAMS: ")
    error = read(response[3])
    assert error[1] == 2**64 - 32602, "an int32 below zero is a varint of 64 bits"
    assert error[2] == b"INVALID_PARAMS"
    assert error[3] == b"size"


def test_an_event_in_literal_bytes(client: Client, other: Client) -> None:
    other.call("subscribe", events=["paint"])
    client.send(PAINT_AT_ZERO)
    data = other.receive()
    assert isinstance(data, bytes)
    message = read(data)
    assert set(message) == {1, 4}
    assert message[1] == 3
    event = read(message[4])
    assert event[1] == b"paint"
    paint = read(event[2])
    assert read(paint[1]) == {1: 0, 2: 0}, "x and y are on the wire when zero"
    assert (paint[2], paint[3]) == (1, 0)
    assert 4 in paint


def test_zero_fields_are_on_the_wire(fresh: Server) -> None:
    """Every scalar field of numbers 1–9, where all that can be zero is."""
    with Client(fresh.url) as client, Client(fresh.url) as painter:
        subscribed = client.call("subscribe")
        assert absent(subscribed) == []
        assert (subscribed.seq, subscribed.resync) == (0, False)
        assert absent(client.call("getCanvas", width=1, height=1)) == []
        info = client.call("getInfo")
        assert absent(info) == []
        assert absent(painter.dab(0, 0, 1, 0)) == []
        event = client.event("paint")
        assert absent(event.message) == []
        client.call("subscribe", batch=True)
        painter.dab(0, 0, 1, 0)
        paints = client.event("paints")
        assert absent(paints.message) == []
        with Client(fresh.url):
            assert absent(client.event("status").message) == []


def test_only_the_member_that_type_names(client: Client, other: Client) -> None:
    """Replies and events of all kinds, each looked at for members that are not named."""
    other.call("subscribe")
    client.dab()
    event = parse("Message", other.receive())  # type: ignore[arg-type]
    assert [field.name for field, _ in event.ListFields()] == ["type", "event"]
    client.post("paint", make("PaintRequest"))
    reply = parse("Message", client.receive())  # type: ignore[arg-type]
    assert [field.name for field, _ in reply.ListFields()] == ["type", "response"]


@pytest.mark.parametrize("method", ["getInfo", "GetInfo"])
def test_a_method_in_either_case(client: Client, method: str) -> None:
    client.send(make("Message", type=1, request={"method": method, "seq": 1}).SerializeToString())
    assert client.reply().ok


@pytest.mark.parametrize("method", ["getinfo", "GETINFO", "get_info", "", "getInfo "])
def test_another_spelling_is_not_found(client: Client, method: str) -> None:
    client.send(make("Message", type=1, request={"method": method, "seq": 1}).SerializeToString())
    response = client.reply()
    assert not response.ok
    assert parse("Error", response.payload).code == -32601


def test_seq_is_echoed_repeats_and_wraps(client: Client) -> None:
    for seq in (5, 5, 2**32 - 1, 0, 0, 2**31):
        client.send(make("Message", type=1, request={"method": "getInfo", "seq": seq}).SerializeToString())
        response = client.reply()
        assert response.HasField("seq")
        assert response.seq == seq


def test_the_error_of_a_failed_call(client: Client) -> None:
    client.post("paint", pos={"x": 1, "y": 1}, size=0)
    response = client.reply()
    error = parse("Error", response.payload)
    assert not response.ok
    assert response.HasField("ok")
    assert re.fullmatch(r"INVALID_PARAMS: \S.*", response.error)
    assert (error.code, error.name, error.field) == (-32602, "INVALID_PARAMS", "size")


def test_no_per_cent_in_an_error(client: Client) -> None:
    client.send(make("Message", type=1, request={"method": "%s%d", "seq": 1}).SerializeToString())
    response = client.reply()
    assert not response.ok
    assert "%" not in response.error
    client.post("subscribe", events=["100%s"])
    response = client.reply()
    assert parse("Error", response.payload).code == -32602
    assert "%" not in response.error


GOOD = {"method": "getInfo", "seq": 7, "payload": b""}
UNDECODABLE = {
    "empty": b"",
    "garbage": b"\xff\xff\xff",
    "cut short": PAINT_AT_ZERO[:-1],
    "type alone": make("Message", type=1).SerializeToString(),
    "a response": make("Message", type=2, response={"seq": 1, "ok": True}).SerializeToString(),
    "an event": make("Message", type=3, event={"name": "paint"}).SerializeToString(),
    "a request of type response": make("Message", type=2, request=GOOD).SerializeToString(),
    "no type": make("Message", request=GOOD).SerializeToString(),
    "an unlisted type": b"\x08\x09" + make("Message", request=GOOD).SerializeToString(),
    "no method": make("Message", type=1, request={"seq": 1}).SerializeToString(),
    "no seq": make("Message", type=1, request={"method": "getInfo"}).SerializeToString(),
}


def test_undecodable_messages_are_ignored(client: Client) -> None:
    """None has an answer: the next that comes is that of the call after them."""
    for name, data in UNDECODABLE.items():
        client.send(data)
        client.send(make("Message", type=1, request={"method": "getInfo", "seq": 99}).SerializeToString())
        assert client.reply().seq == 99, name


@pytest.mark.parametrize("kind", list(UNDECODABLE))
def test_the_20th_undecodable_closes(canvas: Server, kind: str) -> None:
    with Client(canvas.url) as client:
        for _ in range(19):
            client.send(UNDECODABLE[kind])
        client.call("getInfo")
        client.send(UNDECODABLE[kind])
        assert client.closed() == 1008


def test_an_undecodable_payload_is_an_answered_failure(client: Client) -> None:
    """A request whose payload alone is broken is INVALID_PARAMS, and not counted."""
    for _ in range(25):
        client.post("paint", b"\xff\xff")
        assert parse("Error", client.reply().payload).code == -32602


def test_what_is_counted_is_the_connections_own(canvas: Server) -> None:
    with Client(canvas.url) as bad, Client(canvas.url) as good:
        for _ in range(20):
            bad.send(b"\xff")
        assert bad.closed() == 1008
        good.call("getInfo")
        with pytest.raises(Closed):
            bad.call("getInfo")
