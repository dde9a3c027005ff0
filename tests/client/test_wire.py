"""The client's side of the framing is the other half of the server's."""

import pytest

from dreamcanvas.client import wire
from dreamcanvas.errors import Internal, RpcError
from dreamcanvas.proto import wsrpc_pb2 as envelope
from dreamcanvas.rpc import wsrpc as server

# PROTOCOL.md, "Errors"
TABLE = {
    "PARSE_ERROR": -32700,
    "INVALID_REQUEST": -32600,
    "METHOD_NOT_FOUND": -32601,
    "INVALID_PARAMS": -32602,
    "INTERNAL": -32603,
    "RATE_LIMITED": -32001,
    "UNAUTHENTICATED": -32002,
    "FORBIDDEN": -32003,
    "UNAVAILABLE": -32004,
    "TOO_LATE": -32005,
}


def test_a_request_is_read_by_the_server() -> None:
    assert server.decode_request(wire.encode_request("paint", 0, b"x")) == server.Request("paint", 0, b"x")


def test_a_result() -> None:
    assert wire.decode(server.encode_response(7, b"reply")) == wire.Result(7, b"reply")


def test_an_event() -> None:
    assert wire.decode(server.encode_event("paint", b"dab")) == wire.RawEvent("paint", b"dab")


def test_every_error_of_the_contract_has_a_class() -> None:
    assert {error.name: code for code, error in wire.ERRORS.items()} == TABLE


@pytest.mark.parametrize("kind", wire.ERRORS.values(), ids=lambda kind: str(kind.name))
def test_an_error_comes_as_it_was_raised(kind: type[RpcError]) -> None:
    raised = kind("dabs[3].size is 0: no", field="dabs[3].size", retry_after_ms=250)
    failure = wire.decode(server.encode_error(9, raised))
    assert isinstance(failure, wire.Failure)
    came = failure.error
    assert (failure.seq, type(came), came.sentence) == (9, kind, raised.sentence)
    assert (came.field, came.retry_after_ms) == ("dabs[3].size", 250)


def test_an_error_without_details() -> None:
    failure = wire.decode(server.encode_error(9, Internal("incident 12")))
    assert isinstance(failure, wire.Failure)
    assert (failure.error.field, failure.error.retry_after_ms) == (None, None)


def test_an_error_of_a_later_version_is_told_in_its_words() -> None:
    detail = envelope.Error(code=-32099, name="BORED").SerializeToString()
    response = envelope.Response(seq=1, ok=False, error="BORED: draw something else", payload=detail)
    failure = wire.decode(
        envelope.Message(type=envelope.Message.RESPONSE, response=response).SerializeToString()
    )
    assert isinstance(failure, wire.Failure)
    assert isinstance(failure.error, Internal)
    assert failure.error.sentence == "draw something else"


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xff", wire.encode_request("paint", 1, b""), b"\x08\x02", b"\x08\x03"]
)
def test_what_no_server_sends_is_passed_over(data: bytes) -> None:
    assert wire.decode(data) is None
