"""A small wsrpc and JSON-RPC client for the tests: one websocket, blocking."""

import itertools
import json
from collections import deque
from contextlib import ExitStack
from typing import Any, TypeVar

from google.protobuf.message import Message
from websockets.sync.client import ClientConnection, connect

from dreamcanvas.proto import dreamcanvas_pb2 as pb
from dreamcanvas.proto import wsrpc_pb2 as envelope

M = TypeVar("M", bound=Message)

EVENTS: dict[str, type[Message]] = {
    "paint": pb.PaintEvent,
    "paints": pb.PaintsEvent,
    "patch": pb.PatchEvent,
    "canvas": pb.CanvasEvent,
    "status": pb.StatusEvent,
    "cursor": pb.CursorEvent,
}


class CallError(Exception):
    """A failed call: the payload of the response, and its text."""

    def __init__(self, error: envelope.Error, text: str) -> None:
        super().__init__(text)
        self.error = error
        self.text = text


class Socket:
    """A websocket to a server."""

    def __init__(self, url: str) -> None:
        self._stack = ExitStack()
        self.connection: ClientConnection = self._stack.enter_context(
            connect(url, compression=None, max_size=None)
        )
        self._seq = itertools.count(1)
        self.events: deque[tuple[str, Any]] = deque()
        self.replies: dict[int, envelope.Response] = {}

    def __enter__(self) -> "Socket":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def send(self, method: str, request: Message) -> int:
        """Sends a call, and gives its seq."""
        seq = next(self._seq)
        message = envelope.Message(type=envelope.Message.REQUEST)
        request_ = envelope.Request(method=method, seq=seq, payload=request.SerializeToString())
        message.request.CopyFrom(request_)
        self.connection.send(message.SerializeToString())
        return seq

    def receive(self, timeout: float = 10) -> None:
        """Takes the next message in."""
        data = self.connection.recv(timeout)
        assert isinstance(data, bytes)
        message = envelope.Message.FromString(data)
        if message.type == envelope.Message.RESPONSE:
            self.replies[message.response.seq] = message.response
        else:
            event = EVENTS[message.event.name]()
            event.ParseFromString(message.event.payload)
            self.events.append((message.event.name, event))

    def reply(self, seq: int, kind: type[M], timeout: float = 10) -> M:
        """Waits for the answer to a call."""
        while seq not in self.replies:
            self.receive(timeout)
        response = self.replies.pop(seq)
        if not response.ok:
            raise CallError(envelope.Error.FromString(response.payload), response.error)
        reply = kind()
        reply.ParseFromString(response.payload)
        return reply

    def paint(self, **fields: Any) -> pb.PaintResponse:
        return self.reply(self.send("paint", pb.PaintRequest(**fields)), pb.PaintResponse)

    def subscribe(self, **fields: Any) -> pb.SubscribeResponse:
        return self.reply(self.send("subscribe", pb.SubscribeRequest(**fields)), pb.SubscribeResponse)

    def canvas(self, **fields: Any) -> pb.CanvasResponse:
        return self.reply(self.send("getCanvas", pb.CanvasRequest(**fields)), pb.CanvasResponse)

    def event(self, name: str, timeout: float = 10) -> Any:
        """Waits for the next event of a name; those before it are dropped."""
        while True:
            while self.events:
                found, event = self.events.popleft()
                if found == name:
                    return event
            self.receive(timeout)

    def json(self, value: Any, timeout: float = 10) -> Any:
        """Sends a JSON value as text, and gives the next text that comes."""
        self.connection.send(value if isinstance(value, str) else json.dumps(value))
        while True:
            data = self.connection.recv(timeout)
            if isinstance(data, str):
                return json.loads(data)


def dab(x: int, y: int, size: int = 40, color: int = 0xCC3366) -> pb.Dab:
    return pb.Dab(pos=pb.Position(x=x, y=y), size=size, color=color)
