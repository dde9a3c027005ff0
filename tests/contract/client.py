"""A small client of the contract: wsrpc and JSON-RPC on one websocket, everything looked at as it came."""

import json
import random
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.contract.schema import CLASSES, EVENTS, METHODS, make, parse

WAIT = 30.0  # s; what is awaited comes far sooner, unless the contract is broken


@dataclass(frozen=True, slots=True)
class Event:
    """An event as it came; `message` is a protobuf message, or the params of a notification."""

    name: str
    message: Any
    binary: bool


class Failed(Exception):
    """A failed call of either encoding. wsrpc: `error` is the whole text; JSON-RPC: the message."""

    def __init__(self, code: int, name: str, error: str, field: str, retry_after_ms: int) -> None:
        super().__init__(code, name, error, field, retry_after_ms)
        self.code, self.name, self.error = code, name, error
        self.field, self.retry_after_ms = field, retry_after_ms


class Closed(Exception):
    """The server closed the websocket."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def json_failure(error: dict[str, Any]) -> Failed:
    data = error["data"]
    return Failed(
        error["code"], data["name"], error["message"], data.get("field", ""), data.get("retryAfterMs", 0)
    )


class Client:
    """One websocket; events that come while a reply is awaited are kept in their order."""

    def __init__(self, url: str, path: str = "/rpc", **options: Any) -> None:
        self.events: deque[Event] = deque()
        self._stack = ExitStack()
        options = {"compression": None, "proxy": None, "max_size": None, "max_queue": None, **options}
        self.ws = self._stack.enter_context(connect(url.replace("http", "ws", 1) + path, **options))
        self._seq = random.randrange(2**31)

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def send(self, data: bytes | str) -> None:
        try:
            self.ws.send(data)
        except ConnectionClosed as error:
            raise Closed(error.rcvd.code if error.rcvd else 1006) from error

    def receive(self, timeout: float = WAIT) -> bytes | str:
        try:
            data: bytes | str = self.ws.recv(timeout)
        except ConnectionClosed as error:
            raise Closed(error.rcvd.code if error.rcvd else 1006) from error
        return data

    def _keep(self, data: bytes | str) -> Any:
        """The reply in a message, or None where it was an event, which is kept."""
        if isinstance(data, bytes):
            message = parse("Message", data)
            if message.type != 3:
                return message.response
            name = message.event.name
            self.events.append(Event(name, parse(EVENTS[name], message.event.payload), binary=True))
            return None
        decoded = json.loads(data)
        if isinstance(decoded, list) or "method" not in decoded:
            return decoded
        assert set(decoded) == {"jsonrpc", "method", "params"}, decoded
        self.events.append(Event(decoded["method"], decoded["params"], binary=False))
        return None

    def reply(self) -> Any:
        """The next reply: a Response message or a decoded JSON-RPC text."""
        while (reply := self._keep(self.receive())) is None:
            pass
        return reply

    def post(self, method: str, request: Any = None, **fields: Any) -> int:
        """Sends a wsrpc request without waiting; gives its seq."""
        self._seq = (self._seq + 1) % 2**32
        payload = make(METHODS[method][0], **fields) if request is None else request
        data = payload if isinstance(payload, bytes) else payload.SerializeToString()
        body = {"method": method, "seq": self._seq, "payload": data}
        self.send(make("Message", type=1, request=body).SerializeToString())
        return self._seq

    def answer(self, method: str) -> Any:
        """The next wsrpc reply, as a message, or raises Failed."""
        response = self.reply()
        if not response.ok:
            error = parse("Error", response.payload)
            raise Failed(error.code, error.name, response.error, error.field, error.retry_after_ms)
        return parse(METHODS[method][1], response.payload)

    def call(self, method: str, request: Any = None, **fields: Any) -> Any:
        """A wsrpc call. `request` is a message or raw payload in place of `fields`."""
        self.post(method, request, **fields)
        return self.answer(method)

    def json(self, method: str, params: Any = None) -> Any:
        """A JSON-RPC call: its result, or raises Failed."""
        self._seq += 1
        call = {"jsonrpc": "2.0", "id": self._seq, "method": method}
        self.send(json.dumps(call if params is None else {**call, "params": params}))
        reply = self.reply()
        assert reply["id"] == self._seq, reply
        assert reply["jsonrpc"] == "2.0"
        if "error" in reply:
            assert "result" not in reply
            raise json_failure(reply["error"])
        return reply["result"]

    def dab(self, x: int = 10, y: int = 10, size: int = 4, color: int = 0x336699, **fields: Any) -> Any:
        """Paints one dab."""
        return self.call("paint", pos={"x": x, "y": y}, size=size, color=color, **fields)

    def dabs(self, dabs: list["Dab"], **fields: Any) -> Any:
        """Paints several dabs in one call."""
        return self.call("paint", dabs=[dab.message() for dab in dabs], **fields)

    def look(self, timeout: float = WAIT) -> Event:
        """The next event of any name; a reply is not awaited."""
        while not self.events:
            response = self._keep(self.receive(timeout))
            assert response is None, f"an unawaited reply: {response}"
        return self.events.popleft()

    def event(self, *names: str, that: Callable[[Any], bool] | None = None) -> Event:
        """The next event, of these names if any are given; the others are left out."""
        while True:
            event = self.look()
            if (not names or event.name in names) and (that is None or that(event.message)):
                return event

    def closed(self) -> int:
        """Waits for the server to close; gives the code."""
        try:
            while True:
                self._keep(self.receive())
        except Closed as error:
            return error.code


@dataclass(frozen=True, slots=True)
class Dab:
    """A dab: the centre's pixel, diameter and colour 0xRRGGBB."""

    x: int
    y: int
    size: int
    color: int

    def message(self) -> Any:
        return CLASSES["Dab"](pos={"x": self.x, "y": self.y}, size=self.size, color=self.color)

    def params(self) -> dict[str, Any]:
        return {"pos": {"x": self.x, "y": self.y}, "size": self.size, "color": self.color}

    @staticmethod
    def of(message: Any) -> "Dab":
        return Dab(message.pos.x, message.pos.y, message.size, message.color)
