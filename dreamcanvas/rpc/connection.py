"""The sans-I/O core of a connection: messages in, calls out; results in, messages out.

A shell feeds it the messages that it reads, hands the calls to whoever carries them out, gives it their
results, and writes what `messages_to_send` returns. It knows no sockets, no tasks and no clock.
"""

from dataclasses import dataclass, field
from typing import Final, TypeAlias

from google.protobuf.message import Message

from dreamcanvas.errors import RpcError
from dreamcanvas.rpc import jsonmap, jsonrpc, wsrpc
from dreamcanvas.rpc.jsonrpc import Id, Json

Data: TypeAlias = bytes | str
POLICY_VIOLATION: Final = 1008


@dataclass(slots=True)
class _Batch:
    """The answers to a JSON-RPC batch, sent when none is missing."""

    missing: int
    answers: list[Json] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class BinaryCall:
    """A call that came as wsrpc; its payload is the serialised request."""

    method: str
    payload: bytes
    seq: int


@dataclass(frozen=True, slots=True, eq=False)
class TextCall:
    """A call that came as JSON-RPC; its payload is the params."""

    method: str
    payload: Json
    id: Id
    notification: bool
    batch: _Batch | None


Call: TypeAlias = BinaryCall | TextCall


class Connection:
    """One peer's conversation.

    `max_errors` undecodable messages end it; a batch holds `batch_calls` (0: any).
    """

    def __init__(self, *, batch_calls: int = 50, max_errors: int = 20) -> None:
        self._batch_calls = batch_calls
        self._max_errors = max_errors
        self._out: list[Data] = []
        self.errors = 0
        self.close_code: int | None = None

    def receive(self, data: Data) -> list[Call]:
        """The calls in a message. Sets `close_code` where the peer has sent too much that is none."""
        if isinstance(data, str):
            return self._receive_text(data)
        request = wsrpc.decode_request(data)
        if request is None:
            self.errors += 1
            if self._max_errors and self.errors >= self._max_errors:
                self.close_code = POLICY_VIOLATION
            return []
        return [BinaryCall(request.method, request.payload, request.seq)]

    def _receive_text(self, text: str) -> list[Call]:
        incoming = jsonrpc.decode(text, self._batch_calls)
        batch = _Batch(len(incoming.requests)) if incoming.batch else None
        calls: list[Call] = []
        for request in incoming.requests:
            if isinstance(request, jsonrpc.Refused):
                self._answer(batch, jsonrpc.failure(request.id, request.error))
            else:
                calls.append(
                    TextCall(request.method, request.params, request.id, request.notification, batch)
                )
        return calls

    def succeed(self, call: Call, response: Message | dict[str, Json]) -> None:
        """Answers a call with its response: a message, or JSON values where the call came as text."""
        if isinstance(call, BinaryCall):
            assert isinstance(response, Message)
            self._out.append(wsrpc.encode_response(call.seq, response.SerializeToString()))
        elif call.notification:
            self._answer(call.batch, None)
        else:
            value = jsonmap.to_json(response) if isinstance(response, Message) else response
            self._answer(call.batch, jsonrpc.result(call.id, value))

    def fail(self, call: Call, error: RpcError) -> None:
        """Answers a call with an error."""
        if isinstance(call, BinaryCall):
            self._out.append(wsrpc.encode_error(call.seq, error))
        else:
            self._answer(call.batch, None if call.notification else jsonrpc.failure(call.id, error))

    def _answer(self, batch: _Batch | None, answer: Json | None) -> None:
        if batch is None:
            if answer is not None:
                self._out.append(jsonrpc.encode(answer))
            return
        if answer is not None:
            batch.answers.append(answer)
        batch.missing -= 1
        if batch.missing == 0 and batch.answers:
            self._out.append(jsonrpc.encode(batch.answers))

    def messages_to_send(self) -> list[Data]:
        """The messages that are due, each once."""
        out, self._out = self._out, []
        return out


def encode_event(name: str, message: Message, *, text: bool) -> Data:
    """An event as a message in either encoding."""
    if text:
        return jsonrpc.encode(jsonrpc.event(name, jsonmap.to_json(message)))
    return wsrpc.encode_event(name, message.SerializeToString())
