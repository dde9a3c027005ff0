"""The binary encoding: messages of the npm package `wsrpc` 1.4, described in `proto/wsrpc.proto` (pure).

The envelopes of responses and events are written here by hand, with the same bytes that protobuf
would write: to build protobuf messages for them takes longer than everything else on the way out.
"""

from dataclasses import dataclass

from google.protobuf.message import DecodeError

from dreamcanvas.errors import RpcError
from dreamcanvas.proto import wsrpc_pb2 as envelope


@dataclass(frozen=True, slots=True)
class Request:
    """A call from a client. `seq` is the client's number for it, `payload` the serialised request."""

    method: str
    seq: int
    payload: bytes


def decode_request(data: bytes) -> Request | None:
    """Return the call in a binary message.

    None where the message cannot be decoded, is not a REQUEST, or lacks method or seq.
    """
    message = envelope.Message()
    try:
        message.ParseFromString(data)
        request = message.request
        if message.type != envelope.Message.REQUEST or not message.HasField("request"):
            return None
        if not message.IsInitialized() or not isinstance(request.method, str):
            return None  # protobuf returns a string that is not UTF-8 as bytes
        return Request(request.method, request.seq, request.payload)
    except (DecodeError, UnicodeDecodeError):
        return None


def varint(value: int) -> bytes:
    """Encode a number of 0 or more as a varint (https://protobuf.dev/programming-guides/encoding/)."""
    if value < 0x80:
        return bytes((value,))
    groups = bytearray()
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    groups.append(value)
    return bytes(groups)


def encode_response(seq: int, payload: bytes) -> bytes:
    """Encode the answer to the call `seq`, which succeeded."""
    # response: 3 { seq: 1, ok: 2 = true, payload: 3 }
    body = b"\x08%b\x10\x01\x1a%b%b" % (varint(seq), varint(len(payload)), payload)
    return b"\x08\x02\x1a%b%b" % (varint(len(body)), body)


def encode_error(seq: int, error: RpcError) -> bytes:
    """Encode the answer to the call `seq`, which failed.

    Clients of the npm package use the text as a format string, so it holds no `%`.
    """
    detail = envelope.Error(code=error.code, name=error.name)
    if error.field is not None:
        detail.field = error.field
    if error.retry_after_ms is not None:
        detail.retry_after_ms = error.retry_after_ms
    response = envelope.Response(seq=seq, ok=False, payload=detail.SerializeToString())
    response.error = f"{error.name}: {error.sentence}".replace("%", "\N{FULLWIDTH PERCENT SIGN}")
    return envelope.Message(type=envelope.Message.RESPONSE, response=response).SerializeToString()


def encode_event(name: str, payload: bytes) -> bytes:
    """Encode an event. `payload` is the serialised event message."""
    # event: 4 { name: 1, payload: 2 }
    text = name.encode()
    body = b"\x0a%b%b\x12%b%b" % (varint(len(text)), text, varint(len(payload)), payload)
    return b"\x08\x03\x22%b%b" % (varint(len(body)), body)
