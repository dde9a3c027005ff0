"""The sans-I/O core: messages in, calls out; results in, messages out."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamcanvas.errors import InvalidParams
from dreamcanvas.proto import dreamcanvas_pb2 as pb
from dreamcanvas.rpc.connection import BinaryCall, Call, Connection, TextCall, encode_event

PAINT_5 = bytes.fromhex(
    "0801 120b 0a057061696e74 1005 1a00"
)  # type REQUEST, method "paint", seq 5, empty payload


def text(connection: Connection) -> list[Any]:
    """The text messages that are due, as JSON values."""
    sent = list(connection.messages_to_send())
    assert all(isinstance(message, str) for message in sent)
    return [json.loads(message) for message in sent]


def call(connection: Connection, message: bytes | str) -> Call:
    [found] = connection.receive(message)
    return found


def request(number: Any = 1, method: str = "paint", **more: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": method, "id": number, **more}


# Binary


def test_a_binary_call_and_its_response() -> None:
    connection = Connection()
    received = call(connection, PAINT_5)
    assert isinstance(received, BinaryCall)
    assert (received.method, received.payload, received.seq) == ("paint", b"", 5)
    connection.succeed(received, pb.PaintResponse(timestamp=1))
    assert connection.messages_to_send() == [bytes.fromhex("0802 1a08 0805 1001 1a020801")]


def test_a_binary_call_that_fails() -> None:
    connection = Connection()
    connection.fail(call(connection, PAINT_5), InvalidParams("no", field="size"))
    [sent] = connection.messages_to_send()
    assert isinstance(sent, bytes)
    assert b"INVALID_PARAMS: no" in sent


def test_each_message_is_sent_once_in_the_order_of_the_answers() -> None:
    connection = Connection()
    first, second = call(connection, PAINT_5), call(connection, json.dumps(request("b")))
    connection.succeed(second, pb.CursorResponse())
    connection.succeed(first, pb.CursorResponse())
    sent = list(connection.messages_to_send())
    assert [type(message) for message in sent] == [str, bytes]
    assert list(connection.messages_to_send()) == []


def test_two_calls_may_have_the_same_seq() -> None:
    connection = Connection()
    first, second = call(connection, PAINT_5), call(connection, PAINT_5)
    assert first != second
    connection.succeed(first, pb.CursorResponse())
    connection.succeed(second, pb.CursorResponse())
    assert len(list(connection.messages_to_send())) == 2


@pytest.mark.parametrize("data", [b"", b"\xff", bytes.fromhex("08021a04 0800 1001"), bytes.fromhex("0801")])
def test_an_undecodable_message_is_counted_and_ignored(data: bytes) -> None:
    connection = Connection()
    assert connection.receive(data) == []
    assert (connection.errors, connection.close_code) == (1, None)
    assert list(connection.messages_to_send()) == []


def test_the_20th_undecodable_message_closes_with_1008() -> None:
    connection = Connection()
    for _ in range(19):
        connection.receive(b"?")
        connection.receive(PAINT_5)
    assert connection.close_code is None
    connection.receive(b"?")
    assert connection.close_code == 1008


def test_text_that_is_no_json_is_answered_and_not_counted() -> None:
    connection = Connection(max_errors=1)
    assert connection.receive("{") == []
    assert connection.close_code is None
    [answer] = text(connection)
    assert (answer["error"]["code"], answer["id"]) == (-32700, None)


# Text


def test_a_text_call_and_its_result() -> None:
    connection = Connection()
    received = call(connection, json.dumps(request("x", params={"size": 1})))
    assert isinstance(received, TextCall)
    assert (received.method, received.payload, received.id) == ("paint", {"size": 1}, "x")
    connection.succeed(received, pb.PaintResponse(timestamp=3, seq=4))
    assert text(connection) == [{"jsonrpc": "2.0", "result": {"timestamp": 3, "seq": 4}, "id": "x"}]


def test_a_result_may_be_json_values() -> None:
    connection = Connection()
    connection.succeed(call(connection, json.dumps(request(1, "rpc.discover"))), {"openrpc": "1.3.2"})
    assert text(connection) == [{"jsonrpc": "2.0", "result": {"openrpc": "1.3.2"}, "id": 1}]


def test_a_notification_is_carried_out_and_never_answered() -> None:
    connection = Connection()
    message = '{"jsonrpc":"2.0","method":"paint"}'
    connection.succeed(call(connection, message), pb.CursorResponse())
    connection.fail(call(connection, message), InvalidParams("no"))
    assert text(connection) == []


def test_a_batch_is_answered_in_one_message_when_the_last_answer_is_there() -> None:
    connection = Connection()
    notification = {"jsonrpc": "2.0", "method": "paint"}
    first, silent, second = connection.receive(json.dumps([request(1), 7, notification, request(2)]))
    connection.succeed(second, pb.CursorResponse())
    connection.succeed(silent, pb.CursorResponse())
    assert text(connection) == []
    connection.fail(first, InvalidParams("no"))
    [answers] = text(connection)
    assert {answer["id"]: answer.get("error", {}).get("code") for answer in answers} == {
        None: -32600,
        1: -32602,
        2: None,
    }


def test_a_batch_of_notifications_is_not_answered() -> None:
    connection = Connection()
    for received in connection.receive(json.dumps([{"jsonrpc": "2.0", "method": "paint"}] * 2)):
        connection.succeed(received, pb.CursorResponse())
    assert text(connection) == []


def test_a_batch_without_a_valid_call_is_answered_at_once() -> None:
    connection = Connection()
    assert connection.receive("[1,2]") == []
    [answers] = text(connection)
    assert [answer["error"]["code"] for answer in answers] == [-32600, -32600]


@pytest.mark.parametrize(("limit", "calls"), [(2, 0), (3, 3), (0, 3)])
def test_a_batch_has_a_limit(limit: int, calls: int) -> None:
    connection = Connection(batch_calls=limit)
    assert len(connection.receive(json.dumps([request(n) for n in range(3)]))) == calls
    if not calls:
        [answer] = text(connection)
        assert answer["error"]["code"] == -32600


# Events


def test_an_event_in_either_encoding() -> None:
    status = pb.StatusEvent(users=2)
    assert encode_event("status", status, text=False) == bytes.fromhex("0803 220c 0a06737461747573 12020802")
    assert encode_event("status", status, text=True) == (
        '{"jsonrpc":"2.0","method":"status","params":{"users":2}}'
    )


@given(st.lists(st.binary(max_size=30) | st.text(max_size=30), max_size=10))
def test_no_message_raises_and_every_call_can_be_answered(received: list[bytes | str]) -> None:
    connection = Connection()
    for message in received:
        for one in connection.receive(message):
            connection.succeed(one, pb.CursorResponse())
    list(connection.messages_to_send())
