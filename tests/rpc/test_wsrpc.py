"""The binary encoding, in literal bytes both ways."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamcanvas.errors import InvalidParams, RateLimited
from dreamcanvas.proto import wsrpc_pb2 as envelope
from dreamcanvas.rpc import wsrpc

PAINT_0 = bytes.fromhex("0801 1209 0a057061696e74 1000")  # type REQUEST, method "paint", seq 0


def test_a_request_is_decoded() -> None:
    data = bytes.fromhex("0801 120e 0a057061696e74 109601 1a02ffee")
    assert wsrpc.decode_request(data) == wsrpc.Request("paint", 150, b"\xff\xee")


def test_seq_0_without_payload_is_a_request() -> None:
    assert wsrpc.decode_request(PAINT_0) == wsrpc.Request("paint", 0, b"")


@pytest.mark.parametrize(
    "data",
    [
        "",
        "ff",
        "0801",  # no request
        "1209 0a057061696e74 1000",  # no type
        "0801 1207 0a057061696e74",  # no seq
        "0801 1202 1000",  # no method
        "0802 1209 0a057061696e74 1000",  # a RESPONSE
        "0809 1209 0a057061696e74 1000",  # an unlisted type
        "0801 1206 0a02fffe 1000",  # a method that is not UTF-8
        "0801 1209 0a0570",  # cut short
    ],
)
def test_what_is_no_request_is_none(data: str) -> None:
    assert wsrpc.decode_request(bytes.fromhex(data)) is None


def test_a_response_holds_seq_and_ok_even_where_they_are_zero() -> None:
    assert wsrpc.encode_response(0, b"\x01") == bytes.fromhex("0802 1a07 0800 1001 1a0101")


def test_an_error_has_its_text_and_its_payload() -> None:
    data = wsrpc.encode_error(7, InvalidParams("size is 0", field="size"))
    response = envelope.Message.FromString(data).response
    assert data[:2] == b"\x08\x02"
    assert (response.seq, response.ok, response.HasField("ok")) == (7, False, True)
    assert response.error == "INVALID_PARAMS: size is 0"
    assert envelope.Error.FromString(response.payload) == envelope.Error(
        code=-32602, name="INVALID_PARAMS", field="size"
    )


def test_an_error_text_has_no_percent_sign() -> None:
    response = envelope.Message.FromString(wsrpc.encode_error(1, InvalidParams("method %s%d"))).response
    assert "%" not in response.error


def test_an_error_says_when_to_try_again() -> None:
    data = wsrpc.encode_error(1, RateLimited("later", retry_after_ms=250))
    response = envelope.Message.FromString(data).response
    assert envelope.Error.FromString(response.payload).retry_after_ms == 250


def test_an_event_is_encoded() -> None:
    assert wsrpc.encode_event("paint", b"\x08\x01") == bytes.fromhex("0803 220b 0a057061696e74 12020801")


@given(st.binary(max_size=200))
def test_no_bytes_raise(data: bytes) -> None:
    wsrpc.decode_request(data)


@given(st.text(max_size=20), st.integers(0, 2**32 - 1), st.binary(max_size=50))
def test_every_request_is_read_as_it_was_written(method: str, seq: int, payload: bytes) -> None:
    request = envelope.Request(method=method, seq=seq, payload=payload)
    data = envelope.Message(type=envelope.Message.REQUEST, request=request).SerializeToString()
    assert wsrpc.decode_request(data) == wsrpc.Request(method, seq, payload)


@given(st.integers(0, 2**32 - 1), st.binary(max_size=300), st.sampled_from(["paint", "ä", "x" * 200]))
def test_answers_and_events_are_byte_for_byte_protobufs(seq: int, payload: bytes, name: str) -> None:
    response = envelope.Response(seq=seq, ok=True, payload=payload)
    message = envelope.Message(type=envelope.Message.RESPONSE, response=response)
    assert wsrpc.encode_response(seq, payload) == message.SerializeToString()
    event = envelope.Message(type=envelope.Message.EVENT, event=envelope.Event(name=name, payload=payload))
    assert wsrpc.encode_event(name, payload) == event.SerializeToString()
