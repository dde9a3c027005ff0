"""The text encoding, JSON-RPC 2.0 (pure). Sections are those of https://www.jsonrpc.org/specification."""

import json
import math
from dataclasses import dataclass
from typing import Any, NoReturn, TypeAlias

from dreamcanvas.errors import InvalidRequest, ParseError, RpcError

Id: TypeAlias = str | int | float | None
Json: TypeAlias = Any  # what json.loads gives: Python's own type has no name for it


@dataclass(frozen=True, slots=True)
class Request:
    """A call (section 4), or a notification, which is never answered (section 4.1).

    `params` is an object, an array, or None where it is absent (section 4.2).
    """

    method: str
    params: Json
    id: Id = None
    notification: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """The error for something that is no valid request. `id` is its id, None where it has no valid one.

    It is answered even without an id, which is then null (section 5).
    """

    error: RpcError
    id: Id = None


@dataclass(frozen=True, slots=True)
class Incoming:
    """One text message: its requests in their order, and whether they came as a batch (section 6)."""

    requests: tuple[Request | Refused, ...]
    batch: bool = False


class Encoded:
    """A JSON value that many are sent: it is encoded once."""

    __slots__ = ("text",)

    def __init__(self, value: Json) -> None:
        self.text = encode(value)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def decode(text: str, batch_calls: int) -> Incoming:
    """Return the requests in a text message; what is wrong is in it as `Refused`, nothing is raised.

    A batch may hold `batch_calls` requests, 0 for any number.
    """
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return Incoming((Refused(ParseError("the text is not JSON")),))
    if not isinstance(value, list):
        return Incoming((_request(value),))
    # An empty array, like one that is too long, gets one error and not an array of them (section 6)
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
    # The id comes first, so that later errors can be answered with it (section 5)
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
    # An id of null makes a call, which is answered; only one without an id is a notification
    # (section 4.1)
    return Request(method, params, call_id, notification="id" not in value)


def _is_id(value: Json) -> bool:
    # A string, a number or null (section 4). Python's True is an int, JSON's true is no number
    if isinstance(value, bool):
        return False
    if isinstance(value, float):
        return math.isfinite(value)  # 1e999 is JSON, but could not be written back
    return value is None or isinstance(value, str | int)


def result(call_id: Id, value: Json) -> Json:
    """Return the answer to a call that succeeded (section 5)."""
    return {"jsonrpc": "2.0", "result": value, "id": call_id}


def result_text(call_id: Id, value: Json) -> str:
    """Return the answer to a call that succeeded, as text. An `Encoded` value is not encoded again."""
    if isinstance(value, Encoded):
        return f'{{"jsonrpc":"2.0","result":{value.text},"id":{encode(call_id)}}}'
    return encode(result(call_id, value))


def failure(call_id: Id, error: RpcError) -> Json:
    """Return the answer to a call that failed (section 5), with its error object (section 5.1).

    The object's `message` is the error's sentence; `data` has its name and, where there are any,
    the field and `retryAfterMs`.
    """
    data: dict[str, Json] = {"name": error.name}
    if error.field is not None:
        data["field"] = error.field
    if error.retry_after_ms is not None:
        data["retryAfterMs"] = error.retry_after_ms
    detail = {"code": error.code, "message": error.sentence, "data": data}
    return {"jsonrpc": "2.0", "error": detail, "id": call_id}


def event(name: str, params: Json) -> Json:
    """Return an event as a notification from the server (section 4.1): the client does not answer it."""
    return {"jsonrpc": "2.0", "method": name, "params": params}


def encode(value: Json) -> str:
    """Return a JSON value as compact text. Raises ValueError for NaN and infinities, which JSON has not."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False)
