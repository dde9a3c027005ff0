"""The sans-I/O core of a connection: messages in, calls out; results in, messages out.

A shell feeds it the messages that it reads, hands the calls to whoever carries them out, gives it their
results, and writes what `messages_to_send` returns. It knows no sockets, no tasks and no clock.
"""

from dataclasses import dataclass, field
from typing import Final, TypeAlias

from google.protobuf.message import Message

from dreamcanvas.errors import RpcError, Unavailable
from dreamcanvas.rpc import jsonmap, jsonrpc, wsrpc
from dreamcanvas.rpc.jsonrpc import Id, Json

Data: TypeAlias = bytes | str
POLICY_VIOLATION: Final = 1008
BATCH_BYTES: Final = 2**21  # of a batch's answers, beyond which large ones are refused
LARGE: Final = 16384
RETRY_AFTER_MS: Final = 1000


@dataclass(slots=True)
class _Batch:
    """The answers to a JSON-RPC batch, sent when none is missing."""

    missing: int
    answers: list[str] = field(default_factory=list)
    size: int = 0


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

    `max_errors` undecodable messages end it; a batch holds `batch_calls` (0: any). `pending` is how many
    bytes, or characters, are due to be sent.
    """

    def __init__(self, *, batch_calls: int = 50, max_errors: int = 20) -> None:
        self._batch_calls = batch_calls
        self._max_errors = max_errors
        self._out: list[Data] = []
        self.pending = 0
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
                self._answer(batch, jsonrpc.encode(jsonrpc.failure(request.id, request.error)))
            else:
                calls.append(
                    TextCall(request.method, request.params, request.id, request.notification, batch)
                )
        return calls

    def succeed(self, call: Call, response: Message | dict[str, Json] | jsonrpc.Encoded) -> None:
        """Answers a call with its response: a message, or JSON values where the call came as text."""
        if isinstance(call, BinaryCall):
            assert isinstance(response, Message)
            self._send(wsrpc.encode_response(call.seq, response.SerializeToString()))
        elif call.notification:
            self._answer(call.batch, None)
        else:
            value = jsonmap.to_json(response) if isinstance(response, Message) else response
            text = jsonrpc.result_text(call.id, value)
            if call.batch is not None and len(text) > LARGE and call.batch.size > BATCH_BYTES:
                # All of a batch is kept until the last is there. What changes something has a short answer
                error = Unavailable(
                    "the batch's answers are too long: ask later", retry_after_ms=RETRY_AFTER_MS
                )
                text = jsonrpc.encode(jsonrpc.failure(call.id, error))
            self._answer(call.batch, text)

    def fail(self, call: Call, error: RpcError) -> None:
        """Answers a call with an error."""
        if isinstance(call, BinaryCall):
            self._send(wsrpc.encode_error(call.seq, error))
        elif call.notification:
            self._answer(call.batch, None)
        else:
            self._answer(call.batch, jsonrpc.encode(jsonrpc.failure(call.id, error)))

    def _answer(self, batch: _Batch | None, answer: str | None) -> None:
        if batch is None:
            if answer is not None:
                self._send(answer)
            return
        if answer is not None:
            batch.answers.append(answer)
            batch.size += len(answer)
        batch.missing -= 1
        if batch.missing == 0 and batch.answers:
            self._send(f"[{','.join(batch.answers)}]")

    def _send(self, data: Data) -> None:
        self._out.append(data)
        self.pending += len(data)

    def messages_to_send(self) -> list[Data]:
        """The messages that are due, each once."""
        out, self._out = self._out, []
        self.pending = 0
        return out


def encode_event(name: str, message: Message, *, text: bool) -> Data:
    """An event as a message in either encoding."""
    if text:
        return jsonrpc.encode(jsonrpc.event(name, jsonmap.to_json(message)))
    return wsrpc.encode_event(name, message.SerializeToString())
