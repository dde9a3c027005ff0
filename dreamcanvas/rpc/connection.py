"""The sans-I/O core of a connection: messages in, calls out; results in, messages out.

The shell around it does four things: it passes in the messages that it has read, has the calls
carried out, passes in their results, and writes what `messages_to_send` returns. The core knows no
sockets, no tasks and no clock. Sections in comments are those of JSON-RPC 2.0
(https://www.jsonrpc.org/specification).
"""

from dataclasses import dataclass, field
from typing import Final, TypeAlias

from google.protobuf.message import Message

from dreamcanvas.errors import RpcError, Unavailable
from dreamcanvas.rpc import jsonmap, jsonrpc, wsrpc
from dreamcanvas.rpc.jsonrpc import Id, Json

Data: TypeAlias = bytes | str
POLICY_VIOLATION: Final = 1008  # RFC 6455, 7.4.1
BATCH_BYTES: Final = 2**21  # characters of a batch's answers; beyond that, large answers are refused
LARGE: Final = 16384  # characters of one answer, beyond which it counts as large
RETRY_AFTER_MS: Final = 1000


@dataclass(slots=True)
class _Batch:
    """The answers to a JSON-RPC batch. They are sent as one message when none is missing (section 6)."""

    missing: int
    answers: list[str] = field(default_factory=list)
    size: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class BinaryCall:
    """A call that came as wsrpc. `payload` is the serialised request, `seq` the client's number for it."""

    method: str
    payload: bytes
    seq: int


@dataclass(frozen=True, slots=True, eq=False)
class TextCall:
    """A call that came as JSON-RPC. `payload` is its params, None where there are none."""

    method: str
    payload: Json
    id: Id
    notification: bool
    batch: _Batch | None


Call: TypeAlias = BinaryCall | TextCall


class Connection:
    """The conversation with one peer: which calls came, and what is to be sent.

    It ends at the `max_errors`-th binary message that is no call. A batch may hold `batch_calls`
    calls. 0 is no limit, for both. `pending` is the length of what is due to be sent: bytes of
    binary messages, characters of text messages. `close_code` is None until the peer is to be
    closed.
    """

    def __init__(self, *, batch_calls: int = 50, max_errors: int = 20) -> None:
        self._batch_calls = batch_calls
        self._max_errors = max_errors
        self._out: list[Data] = []
        self.pending = 0
        self.errors = 0
        self.close_code: int | None = None

    def receive(self, data: Data) -> list[Call]:
        """Return the calls in a message, none where it cannot be decoded.

        What is wrong in a text message is answered with an error at once. An undecodable binary
        message has no number to answer to: it is counted, and `close_code` is set when there were
        `max_errors`.
        """
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
            # What is no request is answered in its place; the batch's other calls go on (section 6)
            if isinstance(request, jsonrpc.Refused):
                self._answer(batch, jsonrpc.encode(jsonrpc.failure(request.id, request.error)))
            else:
                calls.append(
                    TextCall(request.method, request.params, request.id, request.notification, batch)
                )
        return calls

    def succeed(self, call: Call, response: Message | dict[str, Json] | jsonrpc.Encoded) -> None:
        """Answer a call with its response: a message, or JSON values where the call came as text."""
        if isinstance(call, BinaryCall):
            assert isinstance(response, Message)
            self._send(wsrpc.encode_response(call.seq, response.SerializeToString()))
        elif call.notification:
            self._answer(call.batch, None)  # a notification is never answered (section 4.1)
        else:
            value = jsonmap.to_json(response) if isinstance(response, Message) else response
            text = jsonrpc.result_text(call.id, value)
            if call.batch is not None and len(text) > LARGE and call.batch.size > BATCH_BYTES:
                # All answers of a batch are kept in memory until the last one is ready. Only long
                # answers are refused: those of calls that change something are short, and must be
                # told
                error = Unavailable(
                    "the batch's answers are too long: ask later", retry_after_ms=RETRY_AFTER_MS
                )
                text = jsonrpc.encode(jsonrpc.failure(call.id, error))
            self._answer(call.batch, text)

    def fail(self, call: Call, error: RpcError) -> None:
        """Answer a call with an error."""
        if isinstance(call, BinaryCall):
            self._send(wsrpc.encode_error(call.seq, error))
        elif call.notification:
            self._answer(call.batch, None)  # its errors are not answered either (section 4.1)
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
        # The answers may come in any order. Where all were notifications nothing is sent, not even
        # an empty array (section 6)
        if batch.missing == 0 and batch.answers:
            self._send(f"[{','.join(batch.answers)}]")

    def _send(self, data: Data) -> None:
        self._out.append(data)
        self.pending += len(data)

    def messages_to_send(self) -> list[Data]:
        """Return the messages that are due, in their order, and forget them."""
        out, self._out = self._out, []
        self.pending = 0
        return out


def encode_event(name: str, message: Message, *, text: bool) -> Data:
    """Encode an event as a message: JSON-RPC where `text`, else wsrpc."""
    if text:
        return jsonrpc.encode(jsonrpc.event(name, jsonmap.to_json(message)))
    return wsrpc.encode_event(name, message.SerializeToString())
