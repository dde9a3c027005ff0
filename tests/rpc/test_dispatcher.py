"""What becomes of a call that nobody's socket brought: one after the other, each answered and counted."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from dreamcanvas.errors import Unauthenticated
from dreamcanvas.rpc.connection import Connection
from dreamcanvas.rpc.dispatcher import Dispatcher
from tests.rpc.test_protocol import Host, Peer


class Nobody:
    """A peer without a socket."""

    address = "203.0.113.9"
    slow = False
    backlog = 0

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name}: there is no socket")


async def somebody() -> Peer:
    return Nobody()


async def dispatched(
    host: Host, *methods: str, caller: Callable[[], Awaitable[Peer]] = somebody
) -> list[dict[str, Any]]:
    connection = Connection()
    batch = [{"jsonrpc": "2.0", "id": number, "method": name} for number, name in enumerate(methods)]
    dispatcher = Dispatcher(host, connection)
    for call in connection.receive(json.dumps(batch)):
        await dispatcher.answer(call, caller)
    (text,) = connection.messages_to_send()
    answers: list[dict[str, Any]] = json.loads(text)
    return answers


@pytest.fixture
async def host() -> Host:
    return Host()


async def test_answers_at_once_later_and_of_a_coroutine(host: Host) -> None:
    answers = await dispatched(host, "getInfo", "paint", "getCanvas")
    assert [answer["result"] for answer in answers] == [
        {"version": "1", "started": 1},
        {"seq": 1},
        {"image": ""},
    ]
    assert host.results == [("getInfo", None), ("paint", None), ("getCanvas", None)]


async def test_a_bug_and_a_refusal_are_answered_and_the_next_call_is_carried_out(host: Host) -> None:
    answers = await dispatched(host, "undo", "draw", "getInfo")
    assert [answer.get("error", {}).get("code") for answer in answers] == [-32603, -32601, None]
    assert host.results == [("undo", "INTERNAL"), ("draw", "METHOD_NOT_FOUND"), ("getInfo", None)]


async def test_what_should_follow_an_answer_is_left_out_where_there_is_no_socket(host: Host) -> None:
    assert (await dispatched(host, "subscribe"))[0]["result"] == {"seq": 1}


async def test_who_is_not_known_is_told_so_for_each_call(host: Host) -> None:
    async def unknown() -> Peer:
        raise Unauthenticated("the token is wrong")

    answers = await dispatched(host, "getInfo", "paint", caller=unknown)
    assert [answer["error"]["data"]["name"] for answer in answers] == ["UNAUTHENTICATED"] * 2
    assert host.calls == []
