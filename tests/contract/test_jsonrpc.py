"""JSON-RPC 2.0, the whole specification, on a websocket."""

import json
from typing import Any

import pytest

from tests.contract.client import Client, Failed

DAB = {"pos": {"x": 3, "y": 3}, "size": 3, "color": 255}


def strict(text: bytes | str) -> Any:
    """Decodes JSON, which knows no NaN."""

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    return json.loads(text, parse_constant=refuse)


def ask(client: Client, text: str) -> Any:
    client.send(text)
    data = client.receive()
    assert isinstance(data, str)
    return strict(data)


def call(**members: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": "getInfo", **members}


def is_error(reply: Any, code: int, name: str, id_: Any = None) -> None:
    assert set(reply) == {"jsonrpc", "id", "error"}
    assert reply["jsonrpc"] == "2.0"
    assert reply["id"] == id_
    assert set(reply["error"]) == {"code", "message", "data"}
    assert reply["error"]["code"] == code
    assert reply["error"]["data"]["name"] == name
    assert reply["error"]["message"]


@pytest.mark.parametrize("id_", [0, 1, -7, 2**52, "a", "", "é\n", 1.5, None])
def test_the_id_comes_back(client: Client, id_: Any) -> None:
    reply = ask(client, json.dumps(call(id=id_)))
    assert set(reply) == {"jsonrpc", "id", "result"}
    assert reply["id"] == id_
    assert type(reply["id"]) is type(id_)


@pytest.mark.parametrize("id_", [True, [], {}, [1]])
def test_an_id_of_another_type_is_an_invalid_request(client: Client, id_: Any) -> None:
    is_error(ask(client, json.dumps(call(id=id_))), -32600, "INVALID_REQUEST")


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "{",
        "[",
        "[1,",
        "nonsense",
        '{"jsonrpc": "2.0", "method": "foobar, "params"',
        "'a'",
        "[" * 20000,
    ],
)
def test_text_that_is_not_json(client: Client, text: str) -> None:
    is_error(ask(client, text), -32700, "PARSE_ERROR")


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_nan_and_infinity_are_not_json(client: Client, constant: str) -> None:
    text = json.dumps(call(id=1, method="paint", params={"pos": {"x": 0, "y": 0}, "size": 7}))
    is_error(ask(client, text.replace("7", constant)), -32700, "PARSE_ERROR")
    is_error(ask(client, constant), -32700, "PARSE_ERROR")
    is_error(ask(client, f"[{constant}]"), -32700, "PARSE_ERROR")


@pytest.mark.parametrize("value", ["1", '"a"', "null", "true", "{}", '{"foo": "boo"}'])
def test_json_that_is_no_request(client: Client, value: str) -> None:
    is_error(ask(client, value), -32600, "INVALID_REQUEST")


@pytest.mark.parametrize(
    "members",
    [
        {"jsonrpc": "1.0"},
        {"jsonrpc": 2.0},
        {"jsonrpc": None},
        {"method": 1},
        {"method": None},
        {"params": "bar"},
        {"params": 1},
    ],
)
def test_a_member_that_is_wrong(client: Client, members: dict[str, Any]) -> None:
    """The id could be told, so it comes back."""
    is_error(ask(client, json.dumps(call(id=4, **members))), -32600, "INVALID_REQUEST", 4)


@pytest.mark.parametrize("member", ["jsonrpc", "method"])
def test_a_member_that_is_missing(client: Client, member: str) -> None:
    request = call(id=4)
    del request[member]
    is_error(ask(client, json.dumps(request)), -32600, "INVALID_REQUEST", 4)


@pytest.mark.parametrize("params", [[], [1, 2]])
def test_params_by_position_are_refused(client: Client, params: list[int]) -> None:
    is_error(ask(client, json.dumps(call(id=4, params=params))), -32602, "INVALID_PARAMS", 4)


def test_params_may_be_left_out(client: Client) -> None:
    assert client.json("getInfo") == client.json("getInfo", {})


@pytest.mark.parametrize("method", ["foobar", "rpc.", "rpc.nothing", "", "__init__", "getinfo"])
def test_an_unknown_method(client: Client, method: str) -> None:
    is_error(ask(client, json.dumps(call(id="1", method=method))), -32601, "METHOD_NOT_FOUND", "1")


def test_a_notification_is_done_and_not_answered(client: Client, other: Client) -> None:
    """The only reply is that of the call after them, and the dab is there."""
    other.call("subscribe", events=["paint"])
    for notification in (
        {"jsonrpc": "2.0", "method": "paint", "params": DAB},
        {"jsonrpc": "2.0", "method": "paint", "params": {}},
        {"jsonrpc": "2.0", "method": "paint", "params": [1]},
        {"jsonrpc": "2.0", "method": "foobar"},
    ):
        client.send(json.dumps(notification))
    assert ask(client, json.dumps(call(id=8)))["id"] == 8
    assert other.event("paint").message.color == 255


def batch(client: Client, calls: list[Any]) -> dict[Any, Any]:
    """A batch's replies by id."""
    replies = ask(client, json.dumps(calls))
    assert isinstance(replies, list)
    return {reply["id"]: reply for reply in replies}


def test_a_batch(client: Client) -> None:
    """The specification's own example in our methods."""
    replies = batch(
        client,
        [
            call(id="1", method="paint", params=DAB),
            call(method="paint", params=DAB),
            call(id="2", method="getInfo", params={}),
            {"foo": "boo"},
            call(id="5", method="foo.get", params={"name": "myself"}),
            call(id="9", method="subscribe", params={"events": ["canvas"]}),
        ],
    )
    assert set(replies) == {"1", "2", None, "5", "9"}
    assert replies["1"]["result"]["seq"] + 1 <= replies["9"]["result"]["seq"]
    is_error(replies[None], -32600, "INVALID_REQUEST")
    is_error(replies["5"], -32601, "METHOD_NOT_FOUND", "5")


def test_an_empty_batch(client: Client) -> None:
    is_error(ask(client, "[]"), -32600, "INVALID_REQUEST")


def test_a_batch_of_no_requests(client: Client) -> None:
    replies = ask(client, "[1, 2, 3]")
    assert len(replies) == 3
    for reply in replies:
        is_error(reply, -32600, "INVALID_REQUEST")


def test_a_batch_of_notifications_is_not_answered(client: Client) -> None:
    client.send(json.dumps([call(), call(method="foobar")]))
    assert ask(client, json.dumps(call(id=3)))["id"] == 3


def test_a_batch_of_the_limit_and_one_more(client: Client) -> None:
    limit = client.json("subscribe", {"events": ["patch"]})["limits"]["batchCalls"]
    assert limit == 50
    assert len(batch(client, [call(id=i) for i in range(limit)])) == limit
    is_error(ask(client, json.dumps([call(id=i) for i in range(limit + 1)])), -32600, "INVALID_REQUEST")


def test_calls_of_a_batch_apply_in_their_order(client: Client) -> None:
    replies = batch(client, [call(id=i, method="paint", params=DAB) for i in range(20)])
    first = replies[0]["result"]["seq"]
    assert [replies[i]["result"]["seq"] for i in range(20)] == list(range(first, first + 20))


def test_the_message_is_the_sentence(client: Client) -> None:
    with pytest.raises(Failed) as failed:
        client.json("paint", {"pos": {"x": 0, "y": 0}, "size": 125})
    assert (failed.value.code, failed.value.name, failed.value.field) == (-32602, "INVALID_PARAMS", "size")
    assert not failed.value.error.startswith("INVALID_PARAMS")
    assert "size" in failed.value.error
    assert "124" in failed.value.error


def test_error_data_has_no_members_but_those_named(client: Client) -> None:
    reply = ask(client, json.dumps(call(id=1, method="foobar")))
    assert reply["error"]["data"] == {"name": "METHOD_NOT_FOUND"}
    reply = ask(client, json.dumps(call(id=1, method="paint", params={"pos": {}, "size": 0})))
    assert reply["error"]["data"] == {"name": "INVALID_PARAMS", "field": "size"}


@pytest.mark.parametrize(
    "text",
    [
        "[" * 5000 + "]" * 5000,
        '{"jsonrpc": "2.0", "method": "getInfo", "id": 1e400}',
        '{"jsonrpc": "2.0", "method": "getInfo", "id": ' + "9" * 5000 + "}",
        '{"jsonrpc": "2.0", "method": "getInfo", "id": "\\ud800"}',
        '{"jsonrpc": "2.0", "method": "\\ud800", "id": 1}',
        '{"jsonrpc": "2.0", "method": "paint", "params": {"\\ud800": 1}, "id": 1}',
        '{"jsonrpc": "2.0", "method": "paint", "params": {"pos": '
        + '{"x":' * 3000
        + "1"
        + "}" * 3000
        + '}, "id": 1}',
    ],
    ids=[
        "nested",
        "huge float",
        "huge integer",
        "surrogate id",
        "surrogate method",
        "surrogate field",
        "nested params",
    ],
)
def test_strange_json_gets_an_answer_in_json(client: Client, text: str) -> None:
    ask(client, text)
    assert client.json("getInfo")
