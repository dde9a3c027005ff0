"""undo: whose strokes, until when, what is seen of it, and that it can be repeated."""

import os
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.contract.client import Client, Dab, Failed
from tests.contract.picture import decode, fetch, paint
from tests.live_server import Server

MARK = Dab(400, 400, 60, 0xCC0000)
OVER = Dab(420, 400, 40, 0x0000CC)


@pytest.fixture
def drawing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    flags = ("--no-dream", "--undo-seconds", "1", "--dabs-per-second", "10")
    with Server(tmp_path_factory.mktemp("undo"), *flags) as server:
        yield server


def own(client: Client, *events: str) -> bytes:
    """A session of its own."""
    session = os.urandom(16)
    client.call("subscribe", events=list(events or ["status"]), session=session)
    return session


@pytest.mark.parametrize("binary", [True, False])
def test_the_picture_is_as_if_the_stroke_had_not_been(
    client: Client, other: Client, canvas: Server, binary: bool
) -> None:
    before = fetch(canvas.url)
    client.dabs([MARK, Dab(460, 400, 60, 0xCC0000)], stroke=3)
    last = other.dabs([OVER]).seq
    seq = client.call("undo", stroke=3).seq if binary else client.json("undo", {"stroke": 3})["seq"]
    assert seq == last + 1
    after = fetch(canvas.url)
    assert after.seq == seq
    assert np.array_equal(after.pixels, paint(before.pixels, [OVER]))


def test_everyone_gets_the_patch_as_an_event(client: Client, other: Client, canvas: Server) -> None:
    author = client.call("subscribe", events=["patch"]).author
    other.call("subscribe", events=["patch"])
    client.dabs([MARK], stroke=4)
    seq = client.call("undo", stroke=4).seq
    (mine,) = client.events  # before the reply: without it one would not know the pixels
    event = other.event("patch").message
    assert mine.message == event
    assert (event.seq, event.author) == (seq, author)
    picture = decode(event.image)
    height, width = picture.shape[:2]
    assert event.offset.x <= MARK.x - 30
    assert event.offset.y <= MARK.y - 30
    assert width >= 60
    assert height >= 60


def test_a_patch_is_replayed(client: Client, other: Client) -> None:
    seq = client.dabs([MARK], stroke=5).seq
    client.call("undo", stroke=5)
    other.call("subscribe", events=["paint", "patch"], since=seq - 1)
    assert [(event.name, event.message.seq) for event in (other.look(), other.look())] == [
        ("paint", seq),
        ("patch", seq + 1),
    ]


def test_a_stock_client_gets_a_canvas_event_in_place_of_a_patch(client: Client, canvas: Server) -> None:
    with Client(canvas.url, "/rpc?subscribe=paint,canvas,patch") as stock:
        client.dabs([MARK], stroke=6)
        client.call("undo", stroke=6)
        event = stock.event("canvas").message
        assert event.resync


def too_late(client: Client, **fields: Any) -> None:
    with pytest.raises(Failed) as failed:
        client.call("undo", **fields)
    assert (failed.value.code, failed.value.name) == (-32005, "TOO_LATE")
    with pytest.raises(Failed) as in_json:
        client.json("undo", fields)
    assert in_json.value.code == -32005


def test_too_late(client: Client, other: Client) -> None:
    own(client)
    own(other)
    seq = client.dabs([MARK], stroke=1).seq
    too_late(other, stroke=1)
    too_late(client, stroke=2)
    assert client.call("undo", stroke=1).seq == seq + 1
    too_late(client, stroke=1)


def test_a_stroke_that_is_too_old(drawing: Server) -> None:
    with Client(drawing.url) as client:
        client.dabs([MARK], stroke=1)
        time.sleep(1.2)
        too_late(client, stroke=1)


def test_a_session_undoes_from_another_connection(client: Client, other: Client) -> None:
    session = own(client)
    seq = client.dabs([MARK], stroke=9, call=1).seq
    assert other.call("subscribe", events=["status"], session=session).last_call == 1
    assert other.call("undo", stroke=9, call=2).seq == seq + 1


def test_a_repeated_call_is_not_applied_again(client: Client) -> None:
    own(client)
    client.dabs([MARK], stroke=1, call=1)
    seq = client.call("undo", stroke=1, call=2).seq
    assert client.call("undo", stroke=1, call=2).seq == seq
    assert client.json("undo", {"stroke": 1, "call": 2}) == {"seq": seq}
    assert client.dab(call=2).duplicate


def test_a_refused_call_leaves_no_trace(client: Client) -> None:
    session = own(client)
    with pytest.raises(Failed):
        client.call("undo", stroke=77, call=5)
    assert client.call("subscribe", events=["status"], session=session).last_call == 0


def test_pipelined_calls_apply_in_their_order(client: Client, canvas: Server) -> None:
    own(client)
    before = fetch(canvas.url)
    client.post("paint", dabs=[MARK.message()], stroke=1, call=1)
    client.post("undo", stroke=1, call=2)
    client.post("paint", dabs=[OVER.message()], stroke=2, call=3)
    seqs = [client.answer(method).seq for method in ("paint", "undo", "paint")]
    assert seqs == [before.seq + 1, before.seq + 2, before.seq + 3]
    assert np.array_equal(fetch(canvas.url).pixels, paint(before.pixels, [OVER]))


@pytest.mark.parametrize(
    ("fields", "field"), [({}, "stroke"), ({"stroke": 0}, "stroke"), ({"stroke": 1, "call": 1}, "call")]
)
def test_what_is_missing_is_named(client: Client, fields: dict[str, Any], field: str) -> None:
    with pytest.raises(Failed) as failed:
        client.call("undo", **fields)
    assert (failed.value.code, failed.value.field) == (-32602, field)


def test_an_undo_off_the_canvas_is_an_operation_too(client: Client, canvas: Server) -> None:
    seq = client.dabs([Dab(-500, -500, 60, 0)], stroke=8).seq
    before = fetch(canvas.url).pixels
    assert client.call("undo", stroke=8).seq == seq + 1
    assert np.array_equal(fetch(canvas.url).pixels, before)


def test_it_counts_towards_the_rate(drawing: Server) -> None:
    with Client(drawing.url) as client:
        for _ in range(200):
            try:
                client.call("undo", stroke=1)
            except Failed as failed:
                if failed.name == "RATE_LIMITED":
                    assert failed.retry_after_ms > 0
                    return
        raise AssertionError("no limit")
