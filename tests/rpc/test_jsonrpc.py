"""JSON-RPC 2.0, as its specification has it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamcanvas.errors import InvalidParams, RateLimited
from dreamcanvas.rpc import jsonrpc
from dreamcanvas.rpc.jsonrpc import Refused, Request


def only(text: str) -> Request | Refused:
    incoming = jsonrpc.decode(text, 50)
    assert not incoming.batch
    assert len(incoming.requests) == 1
    return incoming.requests[0]


def refused(text: str) -> Refused:
    request = only(text)
    assert isinstance(request, Refused)
    return request


def test_a_call() -> None:
    text = '{"jsonrpc":"2.0","method":"paint","params":{"size":3},"id":"a"}'
    assert only(text) == Request("paint", {"size": 3}, "a")


def test_a_call_without_id_is_a_notification() -> None:
    assert only('{"jsonrpc":"2.0","method":"paint"}') == Request("paint", None, None, notification=True)


def test_id_null_is_a_call() -> None:
    assert only('{"jsonrpc":"2.0","method":"paint","id":null}') == Request("paint", None, None)


@pytest.mark.parametrize("text", ["", "{", "nul", "[1,", '{"a":NaN}', "Infinity", "[" * 100_000, "1" * 5000])
def test_text_that_is_not_json(text: str) -> None:
    assert refused(text).error.code == -32700


@pytest.mark.parametrize(
    ("text", "call_id"),
    [
        ("1", None),
        ('"paint"', None),
        ('{"jsonrpc":"2.0","method":1,"id":5}', 5),
        ('{"method":"paint","id":5}', 5),
        ('{"jsonrpc":"1.0","method":"paint","id":5}', 5),
        ('{"jsonrpc":"2.0","method":"paint","params":"x","id":5}', 5),
        ('{"jsonrpc":"2.0","method":"paint","params":null,"id":5}', 5),
        ('{"jsonrpc":"2.0","method":"paint","id":{}}', None),
        ('{"jsonrpc":"2.0","method":"paint","id":true}', None),
        ('{"jsonrpc":"2.0","method":"paint","id":1e999}', None),
        ("[]", None),
    ],
)
def test_json_that_is_no_request(text: str, call_id: Any) -> None:
    found = refused(text)
    assert (found.error.code, found.id) == (-32600, call_id)


def test_a_batch_keeps_its_order_and_its_wrong_members() -> None:
    text = '[1,{"jsonrpc":"2.0","method":"a","id":1},{"jsonrpc":"2.0","method":"b"}]'
    incoming = jsonrpc.decode(text, 50)
    assert incoming.batch
    assert isinstance(incoming.requests[0], Refused)
    assert incoming.requests[1:] == (Request("a", None, 1), Request("b", None, None, notification=True))


def test_a_batch_over_the_limit_is_one_error() -> None:
    text = json.dumps([{"jsonrpc": "2.0", "method": "a", "id": n} for n in range(3)])
    incoming = jsonrpc.decode(text, 2)
    assert not incoming.batch
    assert [type(request) for request in incoming.requests] == [Refused]
    assert len(jsonrpc.decode(text, 0).requests) == 3


def test_answers() -> None:
    assert jsonrpc.encode(jsonrpc.result(1, {"seq": 4})) == '{"jsonrpc":"2.0","result":{"seq":4},"id":1}'
    error = jsonrpc.failure("x", InvalidParams("size is 0", field="size"))
    assert error == {
        "jsonrpc": "2.0",
        "error": {
            "code": -32602,
            "message": "size is 0",
            "data": {"name": "INVALID_PARAMS", "field": "size"},
        },
        "id": "x",
    }
    limited = jsonrpc.failure(None, RateLimited("later", retry_after_ms=9))
    assert limited["error"]["data"] == {"name": "RATE_LIMITED", "retryAfterMs": 9}
    assert jsonrpc.event("status", {"users": 1}) == {
        "jsonrpc": "2.0",
        "method": "status",
        "params": {"users": 1},
    }


@given(st.text(max_size=100))
def test_no_text_raises(text: str) -> None:
    assert jsonrpc.decode(text, 50).requests


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
)


@given(st.fixed_dictionaries({"jsonrpc": JSON, "method": JSON, "params": JSON, "id": JSON}))
def test_every_answer_can_be_written(value: Any) -> None:
    for request in jsonrpc.decode(json.dumps(value, allow_nan=True), 50).requests:
        error = request.error if isinstance(request, Refused) else InvalidParams("x")
        jsonrpc.encode(jsonrpc.failure(request.id, error))
