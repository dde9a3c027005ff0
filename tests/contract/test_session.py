"""session and call: authors, and paints that are safe to repeat, also when the server died in between."""

import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.client import Client, Dab, Failed
from tests.contract.picture import fetch, operations
from tests.live_server import Server


@pytest.fixture
def session() -> bytes:
    return secrets.token_bytes(16)


@pytest.fixture(scope="module")
def mortal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server to be stopped and killed."""
    with Server(tmp_path_factory.mktemp("mortal"), "--no-dream", "--no-rate-limits") as server:
        yield server


def enter(client: Client, session: bytes) -> Any:
    return client.call("subscribe", events=["patch"], session=session)


@pytest.mark.parametrize("length", [0, 1, 15, 33, 64])
def test_a_session_of_another_length(client: Client, length: int) -> None:
    with pytest.raises(Failed) as failed:
        enter(client, bytes(length))
    assert (failed.value.name, failed.value.field) == ("INVALID_PARAMS", "session")
    assert "16" in failed.value.error
    assert "32" in failed.value.error


@pytest.mark.parametrize("length", [16, 24, 32])
def test_an_author_is_the_same_after_a_reconnect(canvas: Server, length: int) -> None:
    session = secrets.token_bytes(length)
    with Client(canvas.url) as client:
        author = enter(client, session).author
    assert author
    with Client(canvas.url) as client:
        assert enter(client, session).author == author
        assert enter(client, secrets.token_bytes(length)).author != author


def test_the_author_is_that_of_its_dabs(client: Client, other: Client, session: bytes) -> None:
    author = enter(client, session).author
    other.call("subscribe", events=["paint"])
    client.dab(stroke=77)
    event = other.event("paint").message
    assert (event.author, event.stroke) == (author, 77)


def test_without_a_session_a_connection_has_a_number_of_its_own(client: Client, other: Client) -> None:
    watcher = other.call("subscribe", events=["paint"]).author
    author = client.call("subscribe", events=["patch"]).author
    assert author != watcher
    client.dab()
    assert other.event("paint").message.author == author


def test_a_connection_that_never_subscribed_has_a_number(
    canvas: Server, client: Client, other: Client
) -> None:
    other.call("subscribe", events=["paint"])
    client.dab()
    with Client(canvas.url) as third:
        third.dab()
    first, second = (other.event("paint").message.author for _ in range(2))
    assert first != second


def test_a_call_without_a_session(client: Client) -> None:
    with pytest.raises(Failed) as failed:
        client.dab(call=1)
    assert (failed.value.name, failed.value.field) == ("INVALID_PARAMS", "call")
    client.call("subscribe", events=["patch"])
    with pytest.raises(Failed):
        client.dab(call=1)


def test_a_repeated_call_is_not_applied_again(client: Client, other: Client, session: bytes) -> None:
    """`duplicate` answers the seq of the session's last applied call, and others see the dab once."""
    other.call("subscribe", events=["paint"])
    enter(client, session)
    first = client.dab(1, 1, call=1)
    assert not first.duplicate
    again = client.dab(1, 1, call=1)
    assert again.duplicate
    assert again.seq == first.seq
    second = client.dab(2, 2, call=2)
    assert not second.duplicate
    late = client.dab(1, 1, call=1)
    assert (late.duplicate, late.seq) == (True, second.seq)
    other_seqs = [other.event("paint").message.seq for _ in range(2)]
    assert other_seqs == [first.seq, second.seq]
    assert client.dab(call=3).seq == second.seq + 1


def test_a_duplicate_in_json(client: Client, session: bytes) -> None:
    enter(client, session)
    params = {"pos": {"x": 1, "y": 1}, "size": 2, "call": 5}
    seq = client.json("paint", params)["seq"]
    again = client.json("paint", params)
    assert again["duplicate"] is True
    assert again["seq"] == seq


def test_repeats_across_connections(canvas: Server, session: bytes) -> None:
    """Also where both are open at once."""
    with Client(canvas.url) as first, Client(canvas.url) as second:
        enter(first, session)
        enter(second, session)
        seq = first.dab(call=1).seq
        assert second.dab(call=1).duplicate
        assert second.dab(call=2).seq == seq + 1
        assert first.dab(call=2).duplicate


def test_pipelined_repeats(client: Client, session: bytes) -> None:
    """The same call sent ten times before any is answered: one is applied."""
    enter(client, session)
    for _ in range(10):
        client.post("paint", pos={"x": 1}, size=1, call=1)
    replies = [client.answer("paint") for _ in range(10)]
    assert sorted(reply.duplicate for reply in replies) == [False] + [True] * 9
    assert len({reply.seq for reply in replies}) == 1


def test_gaps_are_fine(client: Client, session: bytes) -> None:
    enter(client, session)
    seqs = [client.dab(call=call).seq for call in (1, 7, 1000, 2**32 - 1)]
    assert seqs == sorted(set(seqs))
    assert enter(client, session).last_call == 2**32 - 1


def test_a_refused_call_leaves_no_trace(client: Client, session: bytes) -> None:
    enter(client, session)
    seq = client.dab(call=1).seq
    with pytest.raises(Failed):
        client.dab(size=0, call=2)
    assert enter(client, session).last_call == 1
    reply = client.dab(call=2)
    assert (reply.duplicate, reply.seq) == (False, seq + 1)


def test_last_call(canvas: Server, session: bytes) -> None:
    with Client(canvas.url) as client:
        assert enter(client, session).last_call == 0
        client.dab(call=1)
        client.dab(call=4)
        client.dab()
    with Client(canvas.url) as client:
        assert enter(client, session).last_call == 4
        assert enter(client, secrets.token_bytes(16)).last_call == 0


def test_calls_are_the_sessions_own(client: Client, other: Client, session: bytes) -> None:
    enter(client, session)
    enter(other, secrets.token_bytes(16))
    assert not client.dab(call=1).duplicate
    assert not other.dab(call=1).duplicate


def test_without_a_call_every_repeat_is_a_dab(client: Client, session: bytes) -> None:
    enter(client, session)
    seq = client.dab().seq
    assert client.dab().seq == seq + 1


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_nothing_acknowledged_is_lost(mortal: Server, session: bytes, end: str) -> None:
    """Seq, picture, author and calls, after a restart and after kill -9 right upon an acknowledgement."""
    with Client(mortal.url) as client:
        author = enter(client, session).author
        for call in range(1, 6):
            dabs = [Dab(40 * call, 9 * i, 30, 0x101010 * call) for i in range(20)]
            reply = client.dabs(dabs, call=call)
        before = fetch(mortal.url)
        reply = client.dab(400, 400, 80, 0xFF, call=6)
        getattr(mortal, end)()
    mortal.start()
    after = fetch(mortal.url)
    assert (after.dream, after.seq) == (0, reply.seq)
    assert before.seq == reply.seq - 1
    with Client(mortal.url) as client:
        entered = enter(client, session)
        assert (entered.author, entered.last_call, entered.seq) == (author, 6, reply.seq)
        repeated = client.dab(400, 400, 80, 0xFF, call=6)
        assert (repeated.duplicate, repeated.seq) == (True, reply.seq)
        assert client.dab(call=7).seq == reply.seq + 1, "no gap, no repeat"
        assert len(operations(client, 0, reply.seq + 1)) == reply.seq + 1


def test_authors_after_a_crash(mortal: Server) -> None:
    """A session keeps its number, whether it painted or not; no other connection gets one that was given."""
    sessions = [secrets.token_bytes(16) for _ in range(2)]
    with Client(mortal.url) as painter, Client(mortal.url) as idle, Client(mortal.url) as passing:
        authors = [enter(painter, sessions[0]).author, enter(idle, sessions[1]).author]
        painter.dab()
        given = {*authors, passing.call("subscribe").author}
        passing.dab()
        mortal.kill()
    mortal.start()
    with Client(mortal.url) as passing, Client(mortal.url) as new:
        assert passing.call("subscribe").author not in given
        assert enter(new, secrets.token_bytes(16)).author not in given
        passing.dab()
        assert [enter(passing, session).author for session in sessions] == authors


def test_what_was_answered_at_the_end_is_what_is_there(mortal: Server, session: bytes) -> None:
    """SIGTERM under pipelined paints: each is answered and kept, or repeated by a returning client."""
    with Client(mortal.url) as client:
        start = enter(client, session).seq
        for call in range(1, 200):
            client.post("paint", pos={"x": call}, size=1, call=call)
        first = client.answer("paint")
        assert first.seq == start + 1
        mortal.stop()
        answered = 1
        try:
            while (response := client.reply()) is not None:
                if response.ok:
                    answered += 1
                else:
                    assert response.error.startswith("UNAVAILABLE: ")
        except Exception as closed:  # noqa: BLE001
            assert getattr(closed, "code", None) == 1001, closed
    mortal.start()
    with Client(mortal.url) as client:
        last = enter(client, session).last_call
        assert last >= answered
        for call in range(last + 1, 200):
            assert not client.dab(call, 0, 1, 0, call=call).duplicate
        dabs = operations(client, start, start + 199)
        assert [dab.x for dab in dabs] == list(range(1, 200))
