"""paint: what is taken, what is refused and how the refusal names it, and how dabs are numbered."""

import random
import time
from typing import Any

import pytest

from tests.contract.client import Client, Dab, Failed
from tests.contract.schema import make
from tests.live_server import Server

POS = {"x": 20, "y": 20}
OK = {"pos": POS, "size": 3}


def refused(client: Client, field: str, *bounds: object, request: Any = None, **fields: Any) -> None:
    """Fails with that field and these bounds in the sentence, in both encodings; nothing is applied."""
    before = client.call("subscribe", events=["patch"]).seq
    with pytest.raises(Failed) as failed:
        client.call("paint", request, **fields)
    assert (failed.value.code, failed.value.name, failed.value.field) == (-32602, "INVALID_PARAMS", field)
    assert failed.value.error.startswith("INVALID_PARAMS: ")
    if request is None:
        with pytest.raises(Failed) as in_json:
            client.json("paint", fields)
        assert f"INVALID_PARAMS: {in_json.value.error}" == failed.value.error
        assert in_json.value.field == field
    for part in (field, *bounds):
        assert str(part) in failed.value.error.replace(",", "").replace("−", "-")
    assert client.call("subscribe", events=["patch"]).seq == before


@pytest.mark.parametrize("size", [0, 125, 2**32 - 1])
def test_size_out_of_bounds(client: Client, size: int) -> None:
    refused(client, "size", 1, 124, pos=POS, size=size)


@pytest.mark.parametrize("value", [65536, -65536, 2**31 - 1, -(2**31)])
@pytest.mark.parametrize("axis", ["x", "y"])
def test_position_out_of_bounds(client: Client, axis: str, value: int) -> None:
    refused(client, f"pos.{axis}", 65535, pos={**POS, axis: value}, size=3)


@pytest.mark.parametrize("color", [0x1000000, 2**32 - 1])
def test_color_out_of_bounds(client: Client, color: int) -> None:
    refused(client, "color", **OK, color=color)


@pytest.mark.parametrize("size", [1, 124])
@pytest.mark.parametrize("x", [-65535, 0, 65535])
@pytest.mark.parametrize("color", [0, 0xFFFFFF])
def test_at_the_bounds(client: Client, other: Client, size: int, x: int, color: int) -> None:
    """Off the canvas is fine, and is an operation as any."""
    other.call("subscribe", events=["paint"])
    assert client.dab(x, -x, size, color).seq == other.event("paint").message.seq


def test_absent_pos_or_size(client: Client) -> None:
    refused(client, "pos", size=3)
    refused(client, "size", pos=POS)
    refused(client, "dabs[0].pos", dabs=[{"size": 3}])
    refused(client, "dabs[0].size", dabs=[{"pos": POS}])


def test_absent_x_y_and_color_are_zero(client: Client, other: Client) -> None:
    other.call("subscribe", events=["paint"])
    client.call("paint", pos={}, size=3)
    event = other.event("paint").message
    assert Dab.of(event) == Dab(0, 0, 3, 0)
    client.call("paint", dabs=[{"pos": {"y": 4}, "size": 2}])
    assert Dab.of(other.event("paint").message) == Dab(0, 4, 2, 0)


@pytest.mark.parametrize(
    ("wrong", "field", "bound"),
    [
        ({"pos": POS, "size": 0}, "size", 124),
        ({"pos": POS, "size": 125}, "size", 124),
        ({"pos": {"x": 65536}, "size": 1}, "pos.x", 65535),
        ({"pos": {"y": -65536}, "size": 1}, "pos.y", 65535),
        ({"pos": POS, "size": 1, "color": 1 << 24}, "color", ""),
        ({"size": 1}, "pos", ""),
        ({"pos": POS}, "size", ""),
    ],
)
def test_one_wrong_dab_refuses_all(client: Client, wrong: dict[str, Any], field: str, bound: object) -> None:
    refused(client, f"dabs[3].{field}", bound, dabs=[OK, OK, OK, wrong, OK])


@pytest.mark.parametrize("single", [{"pos": POS}, {"size": 3}, {"color": 0}, OK])
def test_dabs_and_a_single_dab(client: Client, single: dict[str, Any]) -> None:
    with pytest.raises(Failed) as failed:
        client.call("paint", dabs=[OK], **single)
    assert failed.value.name == "INVALID_PARAMS"
    assert failed.value.field


def test_as_many_dabs_as_the_limit_and_one_more(client: Client) -> None:
    limit = client.call("subscribe", events=["patch"]).limits.dabs_per_call
    assert limit == 256
    before = client.dab().seq
    assert client.call("paint", dabs=[OK] * limit).seq == before + limit
    refused(client, "dabs", limit, dabs=[OK] * (limit + 1))


def test_no_dab_at_all(client: Client) -> None:
    with pytest.raises(Failed) as failed:
        client.call("paint")
    assert failed.value.name == "INVALID_PARAMS"
    with pytest.raises(Failed) as failed:
        client.json("paint", {"dabs": []})
    assert failed.value.name == "INVALID_PARAMS"


@pytest.mark.parametrize("payload", [b"\xff", b"\x0a\x05\x08", b"\x08\x01\x10\x05", b"\x0a\x00\x10"])
def test_an_undecodable_payload(client: Client, payload: bytes) -> None:
    with pytest.raises(Failed) as failed:
        client.call("paint", payload)
    assert (failed.value.code, failed.value.name) == (-32602, "INVALID_PARAMS")


def test_each_dab_has_the_next_seq(client: Client, other: Client) -> None:
    """Whoever paints, whatever the size of the call; the reply carries the last."""
    seq = client.dab().seq
    for painter, count in ((client, 1), (other, 5), (client, 256), (other, 1), (client, 2)):
        reply = painter.call("paint", dabs=[OK] * count)
        seq += count
        assert reply.seq == seq


def test_pipelined_calls_apply_in_their_order(canvas: Server, client: Client, other: Client) -> None:
    """Another paints in between: seqs still rise along the calls, and are consecutive in a call."""
    with Client(canvas.url) as watcher:
        start = watcher.call("subscribe", events=["paint"]).seq
        counts = [random.Random(1).randrange(1, 9) for _ in range(60)]
        posted = []
        for call, count in enumerate(counts):
            dabs = [Dab(call, i, 1, 1).message() for i in range(count)]
            posted.append(client.post("paint", dabs=dabs))
            other.post("paint", pos={"x": -1}, size=1)
        replies = {
            r.seq: make("PaintResponse").FromString(r.payload).seq for r in (client.reply() for _ in counts)
        }
        last = [replies[seq] for seq in posted]
        assert last == sorted(last)
        for _ in counts:
            other.reply()
        events = [watcher.event("paint").message for _ in range(sum(counts) + len(counts))]
        assert [event.seq for event in events] == list(range(start + 1, start + 1 + len(events)))
        mine = [(event.pos.x, event.pos.y) for event in events if event.pos.x >= 0]
        assert mine == [(call, i) for call, count in enumerate(counts) for i in range(count)]
        ends = {event.seq: event for event in events}
        for call, count in enumerate(counts):
            own = [ends[seq].pos.x for seq in range(last[call] - count + 1, last[call] + 1)]
            assert own == [call] * count, "the dabs of a call have consecutive seqs"


def test_time_and_timestamp(client: Client, other: Client) -> None:
    """Milliseconds since 1970, and the same modulo 2^32."""
    other.call("subscribe", events=["paint"])
    before = time.time_ns() // 1_000_000
    reply = client.dab()
    after = time.time_ns() // 1_000_000
    event = other.event("paint").message
    for message in (reply, event):
        assert before <= message.time <= after
        assert message.timestamp == message.time % 2**32


def test_the_reply_is_no_duplicate(client: Client) -> None:
    reply = client.dab()
    assert not reply.duplicate
