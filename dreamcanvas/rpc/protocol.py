"""The shell of a connection: an asyncio protocol on websockets' sans-I/O `ServerProtocol`, as uvicorn hosts
it.

uvicorn reads the HTTP request, and hands a websocket upgrade on to this class, the transport with it: see
`uvicorn.protocols.websockets` for what it expects. What to do with a peer is the `Endpoint`'s to say.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar, cast

from uvicorn.config import Config
from uvicorn.server import ServerState
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol

from dreamcanvas.rpc.calls import Calls
from dreamcanvas.rpc.connection import Call, Connection, Data
from dreamcanvas.rpc.endpoint import Endpoint, Handshake, joined
from dreamcanvas.rpc.frames import Splitter, frame
from dreamcanvas.rpc.keepalive import Keepalive
from dreamcanvas.rpc.read_buffer import ReadBuffer
from dreamcanvas.rpc.timers import Timers
from dreamcanvas.rpc.write_buffer import WriteBuffer, bound_what_is_unsent

try:
    from websockets.speedups import apply_mask
except ImportError:  # the library was built without its C part
    from websockets.utils import apply_mask

log = logging.getLogger(__name__)
P = TypeVar("P")


class RpcProtocol(asyncio.Protocol, Generic[P]):
    """One websocket. Events are sent by `send`, framed; `slow` says that what was sent is not being read."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        *,
        endpoint: Endpoint[P],
        gone: Callable[[], None] = lambda: None,
    ) -> None:
        del config, app_state
        self._gone = gone
        self._state = server_state
        self._endpoint = endpoint
        self._settings = settings = endpoint.settings
        self._loop = asyncio.get_running_loop()
        self._websocket = ServerProtocol(max_size=settings.message_bytes or None)
        self._connection = Connection(batch_calls=settings.batch_calls, max_errors=settings.protocol_errors)
        self._transport: asyncio.Transport
        self._write_buffer: WriteBuffer
        self._fragments: list[bytes] = []
        self._text = False
        self._splitter = Splitter(apply_mask, settings.message_bytes)
        self._read_buffer = ReadBuffer(self, self._connection, self._splitter, endpoint.turns)
        self._calls = Calls(endpoint, self._connection, self)
        self._flush_due = False
        self._timers = Timers()
        self._keepalive = Keepalive(
            interval=settings.ping_interval,
            timeout=settings.ping_timeout,
            ping=self._ping,
            expired=self._no_pong,
        )
        self.open = False
        self._peer: P
        self.address = ""
        self.slow = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Takes the transport over from the HTTP protocol."""
        self._transport = cast(asyncio.Transport, transport)
        self._write_buffer = WriteBuffer(self._transport, self._slow)
        bound_what_is_unsent(self._transport, self._settings.write_buffer // 2)
        self._state.connections.add(cast(Any, self))
        peername = transport.get_extra_info("peername")
        self.address = str(peername[0]) if isinstance(peername, tuple) else ""

    def data_received(self, data: bytes) -> None:
        """Has what the peer sent carried out, as its address takes turns with others."""
        if self._websocket.state is State.CONNECTING and data.endswith(b"\r\n\r\n"):
            self.feed(data)
            return
        if self._websocket.state is not State.OPEN:
            self._splitter.pass_on()
        self._read_buffer.feed(data)

    def carry_out(self, call: Call) -> None:
        """Carries out a call."""
        self._calls.carry_out(self._peer, call)

    def read(self, reading: bool) -> None:
        """Reads from the peer, or does not."""
        if not self._transport.is_closing():
            (self._transport.resume_reading if reading else self._transport.pause_reading)()

    def feed(self, data: bytes) -> None:
        """Has the library read what is no plain message: handshakes, controls, fragments, what is wrong."""
        self._websocket.receive_data(data)
        self._handle_events()
        self.write(b"".join(self._websocket.data_to_send()))
        if self._websocket.parser_exc is not None or self._websocket.close_expected():
            self._read_buffer.finish()
            self.flush()
            self._finish()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forgets everything that was waiting for the peer."""
        self._state.connections.discard(cast(Any, self))
        self._keepalive.stop()
        self._timers.cancel()
        self._read_buffer.leave()
        self._calls.cancel()
        self._close_peer()
        self._write_buffer.lose()
        self._gone()

    def pause_writing(self) -> None:
        """The peer does not read what was sent."""
        self._write_buffer.pause()

    def resume_writing(self) -> None:
        """The peer reads again."""
        self._write_buffer.resume()

    def _slow(self, slow: bool) -> None:
        """Carries out nothing for who does not read, and closes if that lasts."""
        self.slow = slow
        self._read_buffer.slow(slow)
        if slow and self._settings.slow_reader_timeout and self.open:
            self._timers.start("slow", self._settings.slow_reader_timeout, self._give_up)
        elif not slow:
            self._timers.cancel("slow")
            if self.open and not self._read_buffer.streaming:
                self._endpoint.drained(self._peer)
        self._read_buffer.go_on()

    def shutdown(self) -> None:
        """The server ends: close with 1001."""
        if self.open:
            self.close(CloseCode.GOING_AWAY, "the server is shutting down")
            self._timers.start("close", min(1.0, self._settings.close_timeout), self._transport.abort)
        else:
            self._transport.close()

    # What the host calls

    @property
    def backlog(self) -> int:
        """Bytes that were written and are not sent yet."""
        return self._write_buffer.unsent

    def send(self, frames: bytes) -> None:
        """Writes framed messages, after the answers that are ready."""
        if self.open:
            if self._flush_due:
                self.flush()
            self.write(frames)

    def stream(self, frames: Iterator[bytes]) -> None:
        """Writes framed messages as the peer reads them; no call is carried out until there are no more."""
        self._read_buffer.stream(frames)

    def when_sent(self, done: Callable[[], None]) -> None:
        """Calls `done` when the peer has read nearly all that was written until now, or is gone."""
        self._write_buffer.when_sent(done)

    def close(self, code: int, reason: str = "") -> None:
        """Begins the closing handshake."""
        if self._websocket.state is State.OPEN:
            self.flush()
            self._websocket.send_close(code, reason)
            self.write(b"".join(self._websocket.data_to_send()))
            self._finish()

    def _handle_events(self) -> None:
        for event in self._websocket.events_received():
            if isinstance(event, Request):
                self._handshake(event)
            elif isinstance(event, Frame):
                self._handle_frame(event)

    def _handshake(self, request: Request) -> None:
        response = self._websocket.accept(request)
        handshake = Handshake(request.path, joined(request.headers.raw_items()), self.address)
        if response.status_code == 101:
            refusal = self._endpoint.admit(handshake)
            if refusal is not None:
                response = self._websocket.reject(refusal.status, refusal.text)
        self._websocket.send_response(response)
        if self._websocket.state is not State.OPEN:
            return
        self.write(b"".join(self._websocket.data_to_send()))
        self.open = True
        self._peer = self._endpoint.opened(self, handshake)
        self._read_buffer.belongs(self._endpoint.share(self._peer))
        self._keepalive.start()

    def _handle_frame(self, frame: Frame) -> None:
        if frame.opcode is Opcode.PONG:
            self._keepalive.pong(bytes(frame.data))
        elif frame.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            if frame.opcode is not Opcode.CONT:
                self._text = frame.opcode is Opcode.TEXT
            if frame.data:  # empty ones count towards no limit: do not hoard them
                self._fragments.append(bytes(frame.data))
            if frame.fin:
                message, self._fragments = b"".join(self._fragments), []
                self._read_buffer.add(self.calls(message, self._text))

    def calls(self, message: bytes, text: bool) -> list[Call]:
        """The calls in a message; closes where it is none that can be understood."""
        if not self.open:
            return []
        data: Data = message
        if text:
            try:
                data = message.decode()
            except UnicodeDecodeError:
                self.close(CloseCode.INVALID_DATA, "text messages are UTF-8")
                return []
        calls = self._connection.receive(data)
        if self._connection.close_code is not None:
            self.close(self._connection.close_code, "too many messages that are no calls")
        return calls

    def _finish(self) -> None:
        """Waits for the other half of the closing handshake, but not for long."""
        self._close_peer()
        self._keepalive.stop()
        self._timers.cancel("slow")
        self._read_buffer.forget()
        if self._websocket.close_rcvd is not None or self._websocket.close_sent is None:
            self._write_buffer.end(self._transport.close)
        elif self._websocket.parser_exc is not None and self._transport.can_write_eof():
            # It gets the close frame, and is not understood any more
            self._write_buffer.end(self._transport.write_eof)
        self._read_buffer.look()  # else the peer's close frame would never be seen
        if not self._timers.started("close"):
            self._timers.start("close", self._settings.close_timeout, self._transport.abort)

    def _close_peer(self) -> None:
        if self.open:
            self.open = False
            sent = self._websocket.close_sent
            self._endpoint.closed(self._peer, int(sent.code) if sent is not None else 0)

    # What the calls ask for

    def answered(self) -> None:
        """Writes with the next turn of the loop, in one piece, what is answered until then."""
        if not self._flush_due:
            self._flush_due = True
            self._loop.call_soon(self.flush)

    def flush(self) -> bool:
        """Writes the answers that are ready."""
        self._flush_due = False
        messages = self._connection.messages_to_send()
        if messages and self._websocket.state is State.OPEN:
            self.write(b"".join(map(frame, messages)))
        return self.open

    def busy(self, busy: bool) -> None:
        """Carries out no more, or goes on."""
        self._read_buffer.busy(busy)
        self._read_buffer.go_on()

    def write(self, data: bytes) -> None:
        """Writes framed messages."""
        self._write_buffer.write(data)

    def _give_up(self) -> None:
        log.info("slow reader closed", extra={"address": self.address})
        self.close(CloseCode.TRY_AGAIN_LATER, "too slow")

    def _ping(self, data: bytes) -> None:
        if self._websocket.state is State.OPEN:
            self._websocket.send_ping(data)
            self.write(b"".join(self._websocket.data_to_send()))

    def _no_pong(self) -> None:
        if self.slow:  # its pong was not read
            self._give_up()
        else:
            self.close(CloseCode.INTERNAL_ERROR, "keepalive ping timeout")
