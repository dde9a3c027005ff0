"""subscribe: what a connection gets, from where on, and what the reply says."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.contract.client import Client, Dab, Failed
from tests.contract.schema import make
from tests.live_server import Server


@pytest.fixture
def guest(limited: Server, request: pytest.FixtureRequest) -> Iterator[Client]:
    """A client of the server that keeps ten operations, from an address of its own."""
    address = f"10.1.0.{abs(hash(request.node.name)) % 250}"
    with Client(limited.url, additional_headers={"X-Forwarded-For": address}) as client:
        yield client


def test_the_reply(client: Client, canvas: Server) -> None:
    seq = client.dab().seq
    reply = client.call("subscribe")
    assert (reply.seq, reply.dream, reply.dream_seq, reply.resync) == (seq, 0, 0, False)
    assert reply.width > 0
    assert reply.height > 0
    assert 1 <= reply.brush_size <= 124
    assert reply.version == client.call("getInfo").version
    assert reply.HasField("status")
    assert reply.HasField("limits")


def test_the_limits_are_those_in_force(guest: Client) -> None:
    limits = guest.call("subscribe", events=["patch"]).limits
    assert limits == guest.call("getInfo").limits
    expected = make(
        "Limits",
        message_bytes=4096,
        dabs_per_call=16,
        dabs_per_second=2,
        dabs_burst=20,
        canvas_per_minute=3,
        connections_per_address=2,
        batch_calls=3,
        replay_operations=10,
        undo_seconds=limits.undo_seconds,
        cursors_per_second=limits.cursors_per_second,
    )
    assert limits == expected


def test_a_rate_that_is_not_limited_is_zero(client: Client) -> None:
    """This server runs without rate limits."""
    limits = client.call("subscribe", events=["patch"]).limits
    assert (limits.dabs_per_second, limits.canvas_per_minute, limits.connections_per_address) == (0, 0, 0)


@pytest.mark.parametrize("name", ["paints", "Paint", "", "all", "*", "undo"])
def test_another_name_is_refused(client: Client, other: Client, name: str) -> None:
    """And the subscription stays as it was."""
    client.call("subscribe", events=["paint"])
    with pytest.raises(Failed) as failed:
        client.call("subscribe", events=["canvas", name])
    assert failed.value.name == "INVALID_PARAMS"
    assert failed.value.field.startswith("events")
    other.dab()
    assert client.event().name == "paint"


def test_every_name_is_taken(client: Client) -> None:
    for name in ("paint", "patch", "canvas", "status", "cursor"):
        client.call("subscribe", events=[name])
    client.call("subscribe", events=["paint", "patch", "canvas", "status", "cursor", "paint"])


def test_no_events_means_all(canvas: Server, client: Client, other: Client) -> None:
    client.call("subscribe")
    with Client(canvas.url):
        other.dab()
        assert {client.event("paint", "status").name for _ in range(2)} == {"paint", "status"}


def test_a_subscription_replaces_the_last(canvas: Server, client: Client, other: Client) -> None:
    """Status only, after paint: the dab does not come, the status does."""
    client.call("subscribe", events=["paint"])
    client.call("subscribe", events=["status"])
    other.dab()
    with Client(canvas.url):
        assert client.event().name == "status"
    client.call("subscribe", events=["paint"])
    client.events.clear()
    with Client(canvas.url):
        seq = other.dab().seq
        event = client.event()
        assert (event.name, event.message.seq) == ("paint", seq)


def test_batch(client: Client, other: Client) -> None:
    """paints in place of paint, in seq order, as long as `batch` is asked for."""
    start = client.call("subscribe", events=["paint"], batch=True).seq
    other.call("paint", dabs=[Dab(i, 0, 1, 0).message() for i in range(100)])
    seqs: list[int] = []
    while len(seqs) < 100:
        event = client.event()
        assert event.name == "paints"
        seqs += [paint.seq for paint in event.message.paints]
    assert seqs == list(range(start + 1, start + 101))
    client.json("subscribe", {"events": ["paint"], "batch": True})
    other.dab(7, 7)
    event = client.event()
    assert (event.name, event.binary) == ("paints", False)
    assert event.message["paints"][0]["pos"] == {"x": 7, "y": 7}
    client.call("subscribe", events=["paint"])
    other.dab()
    assert client.event().name == "paint"


@pytest.mark.parametrize("batch", [False, True])
def test_since(client: Client, other: Client, batch: bool) -> None:
    """The operations after it, own ones included, then live ones: no gap, no repeat, while others paint."""
    start = client.dab(0).seq
    client.dab(1)
    for i in range(2, 40):
        other.dab(i)
    for i in range(40, 60):
        other.post("paint", pos={"x": i}, size=1)
    reply = client.call("subscribe", events=["paint"], since=start, batch=batch)
    assert not reply.resync
    for i in range(60, 80):
        other.post("paint", pos={"x": i}, size=1)
    paints: list[Any] = []
    while len(paints) < 79:
        message = client.event().message
        paints += list(message.paints) if batch else [message]
    assert [paint.seq for paint in paints] == list(range(start + 1, start + 80))
    assert [paint.pos.x for paint in paints] == list(range(1, 80))


def test_since_repeats_what_was_painted(client: Client, other: Client) -> None:
    """Replayed and live, an operation is told in the same words."""
    client.call("subscribe", events=["paint"])
    other.dab(-7, 9, 31, 0xABCDEF, stroke=5)
    live = client.event("paint").message
    client.call("subscribe", events=["paint"], since=live.seq - 1)
    assert client.event("paint").message == live
    client.json("subscribe", {"events": ["paint"], "since": live.seq - 1})
    replayed = client.event("paint").message
    assert (replayed["seq"], replayed["author"], replayed["time"]) == (live.seq, live.author, live.time)


def test_since_now(client: Client, other: Client) -> None:
    seq = client.dab().seq
    assert not client.call("subscribe", events=["paint"], since=seq).resync
    later = other.dab().seq
    assert client.event("paint").message.seq == later == seq + 1


@pytest.mark.parametrize("ahead", [1, 1000, 2**52, 2**63, 2**64 - 100_000])
def test_since_in_the_future(client: Client, other: Client, ahead: int) -> None:
    """resync; live operations start at the reply's seq + 1."""
    seq = client.dab().seq
    reply = client.call("subscribe", events=["paint"], since=seq + ahead)
    assert reply.resync
    assert reply.seq == seq
    other.dab()
    assert client.event("paint").message.seq == reply.seq + 1


def test_since_no_longer_kept(limited: Server, guest: Client) -> None:
    """Ten operations are kept; of eleven ago there is resync, of ten ago a replay."""
    with Client(limited.url, additional_headers={"X-Forwarded-For": "10.1.1.1"}) as painter:
        seq = painter.dabs([Dab(500 + i, 500, 1, 0) for i in range(15)]).seq
        reply = guest.call("subscribe", events=["paint"], since=seq - 11)
        assert (reply.resync, reply.seq) == (True, seq)
        reply = guest.call("subscribe", events=["paint"], since=seq - 10)
        assert (reply.resync, reply.seq) == (False, seq)
        assert [guest.event("paint").message.seq for _ in range(10)] == list(range(seq - 9, seq + 1))
        guest.call("subscribe", events=["paint"], since=0)
        live = painter.dab(500, 500).seq
        assert guest.event("paint").message.seq == live == seq + 1


def test_an_undecodable_subscribe(client: Client) -> None:
    with pytest.raises(Failed) as failed:
        client.call("subscribe", b"\x0a\x09")
    assert failed.value.name == "INVALID_PARAMS"


def test_own_paints_do_not_come_live(client: Client, other: Client) -> None:
    """paint goes to all but the connection that caused it, also in the middle of others'."""
    client.call("subscribe", events=["paint"])
    seqs = []
    for _ in range(5):
        client.dab()
        seqs.append(other.dab().seq)
    assert [client.event().message.seq for _ in range(5)] == seqs


def test_own_paints_come_to_ones_other_connections(client: Client, other: Client) -> None:
    """It is the connection that counts, not the session."""
    for one in (client, other):
        one.call("subscribe", events=["paint"], session=b"the same session!")
    seq = client.dab().seq
    assert other.event("paint").message.seq == seq


def test_paints_by_post_come_to_all(canvas: Server, client: Client) -> None:
    client.call("subscribe", events=["paint"])
    call = {"jsonrpc": "2.0", "id": 1, "method": "paint", "params": {"pos": {}, "size": 1}}
    seq = httpx.post(canvas.url + "/rpc", content=json.dumps(call), trust_env=False).json()["result"]["seq"]
    assert client.event("paint").message.seq == seq
