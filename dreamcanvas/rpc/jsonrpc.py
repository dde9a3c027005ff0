"""The text encoding, JSON-RPC 2.0 (https://www.jsonrpc.org/specification), pure."""

import json
import math
from dataclasses import dataclass
from typing import Any, NoReturn, TypeAlias

from dreamcanvas.errors import InvalidRequest, ParseError, RpcError

Id: TypeAlias = str | int | float | None
Json: TypeAlias = Any  # what json.loads gives: Python's own type has no name for it


@dataclass(frozen=True, slots=True)
class Request:
    """A call, or a notification, which nobody answers. `params` is an object, an array or absent (None)."""

    method: str
    params: Json
    id: Id = None
    notification: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """What stood in the place of a request and is none. `id` is its id where it has a valid one."""

    error: RpcError
    id: Id = None


@dataclass(frozen=True, slots=True)
class Incoming:
    """One text message: its requests in their order, and whether they came as a batch."""

    requests: tuple[Request | Refused, ...]
    batch: bool = False


class Encoded:
    """A JSON value that is the same for all, and written once."""

    __slots__ = ("text",)

    def __init__(self, value: Json) -> None:
        self.text = encode(value)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def decode(text: str, batch_calls: int) -> Incoming:
    """The requests in a text message. A batch holds at most `batch_calls`, where that is not 0."""
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return Incoming((Refused(ParseError("the text is not JSON")),))
    if not isinstance(value, list):
        return Incoming((_request(value),))
    if not value:
        return Incoming((Refused(InvalidRequest("a batch holds at least one call")),))
    if batch_calls and len(value) > batch_calls:
        return Incoming(
            (
                Refused(
                    InvalidRequest(
                        f"a batch holds at most {batch_calls} {'call' if batch_calls == 1 else 'calls'}"
                    )
                ),
            )
        )
    return Incoming(tuple(_request(item) for item in value), batch=True)


def _request(value: Json) -> Request | Refused:
    if not isinstance(value, dict):
        return Refused(InvalidRequest("a request is an object"))
    call_id = value.get("id")
    if not _is_id(call_id):
        return Refused(InvalidRequest("id is a string, a number or null", field="id"))
    if value.get("jsonrpc") != "2.0":
        return Refused(InvalidRequest('jsonrpc is "2.0"', field="jsonrpc"), call_id)
    method = value.get("method")
    if not isinstance(method, str):
        return Refused(InvalidRequest("method is a string", field="method"), call_id)
    params = value.get("params")
    if "params" in value and not isinstance(params, dict | list):
        return Refused(InvalidRequest("params is an object or an array", field="params"), call_id)
    return Request(method, params, call_id, notification="id" not in value)


def _is_id(value: Json) -> bool:
    if isinstance(value, bool):
        return False
    if isinstance(value, float):
        return math.isfinite(value)  # 1e999 is JSON, but could not be written back
    return value is None or isinstance(value, str | int)


def result(call_id: Id, value: Json) -> Json:
    """The answer to a call that succeeded."""
    return {"jsonrpc": "2.0", "result": value, "id": call_id}


def result_text(call_id: Id, value: Json) -> str:
    """The text of the answer to a call that succeeded."""
    if isinstance(value, Encoded):
        return f'{{"jsonrpc":"2.0","result":{value.text},"id":{encode(call_id)}}}'
    return encode(result(call_id, value))


def failure(call_id: Id, error: RpcError) -> Json:
    """The answer to a call that failed; `error.message` is the sentence."""
    data: dict[str, Json] = {"name": error.name}
    if error.field is not None:
        data["field"] = error.field
    if error.retry_after_ms is not None:
        data["retryAfterMs"] = error.retry_after_ms
    detail = {"code": error.code, "message": error.sentence, "data": data}
    return {"jsonrpc": "2.0", "error": detail, "id": call_id}


def event(name: str, params: Json) -> Json:
    """An event: a notification of that name."""
    return {"jsonrpc": "2.0", "method": name, "params": params}


def encode(value: Json) -> str:
    """The text of an answer, a list of answers or an event."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False)
