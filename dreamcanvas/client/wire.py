"""The client's side of wsrpc: encodes calls; decodes results, failures and events (pure)."""

from dataclasses import dataclass
from typing import Final

from google.protobuf.message import DecodeError

from dreamcanvas import errors
from dreamcanvas.errors import RpcError
from dreamcanvas.proto import wsrpc_pb2 as envelope

_ERRORS: Final[tuple[type[RpcError], ...]] = (
    errors.ParseError,
    errors.InvalidRequest,
    errors.MethodNotFound,
    errors.InvalidParams,
    errors.Internal,
    errors.RateLimited,
    errors.Unauthenticated,
    errors.Forbidden,
    errors.Unavailable,
    errors.TooLate,
)
ERRORS: Final = {error.code: error for error in _ERRORS}


@dataclass(frozen=True, slots=True)
class Result:
    """The answer to the call `seq`, which succeeded. `payload` is the serialised response."""

    seq: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Failure:
    """The answer to the call `seq`, which failed with `error`."""

    seq: int
    error: RpcError


@dataclass(frozen=True, slots=True)
class RawEvent:
    """An event that is not decoded yet. `payload` is the serialised event message."""

    name: str
    payload: bytes


def encode_request(method: str, seq: int, payload: bytes) -> bytes:
    """Encode a call. `seq` is the client's number for it, a uint32."""
    return envelope.Message(
        type=envelope.Message.REQUEST, request=envelope.Request(method=method, seq=seq, payload=payload)
    ).SerializeToString()


def decode(data: bytes) -> Result | Failure | RawEvent | None:
    """Decode a message from a server, or return None where it is not one that a server sends."""
    try:
        message = envelope.Message.FromString(data)
        if message.type == envelope.Message.EVENT and message.HasField("event"):
            return RawEvent(message.event.name, message.event.payload)
        if message.type == envelope.Message.RESPONSE and message.HasField("response"):
            response = message.response
            if response.ok:
                return Result(response.seq, response.payload)
            return Failure(response.seq, _error(response.error, response.payload))
    except (DecodeError, UnicodeDecodeError):
        pass
    return None


def _error(text: str, payload: bytes) -> RpcError:
    """Return the exception for an error that was received; Internal for an unknown code."""
    detail = envelope.Error.FromString(payload)
    kind = ERRORS.get(detail.code, errors.Internal)
    return kind(
        text.removeprefix(f"{detail.name}: "),
        field=detail.field or None,
        retry_after_ms=detail.retry_after_ms or None,
    )
