"""The shell of a connection: an asyncio protocol around websockets' sans-I/O `ServerProtocol`.

uvicorn reads the HTTP request. Where it asks for a websocket, uvicorn passes the request and the
transport on to this class: see `uvicorn.protocols.websockets` for what it expects. The `Endpoint`
decides what to do with a peer. Sections in comments are those of RFC 6455.
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
    """One websocket of a server: bytes of the transport in, framed messages out.

    It goes from connecting (the handshake, 4.2) to `open`, then closing (7.1) and closed. `slow` is
    true while the peer does not read what it is sent. `gone` is called when the transport is
    closed.
    """

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
        """Take the transport over from uvicorn's HTTP protocol."""
        self._transport = cast(asyncio.Transport, transport)
        self._write_buffer = WriteBuffer(self._transport, self._slow)
        bound_what_is_unsent(self._transport, self._settings.write_buffer // 2)
        self._state.connections.add(cast(Any, self))
        peername = transport.get_extra_info("peername")
        self.address = str(peername[0]) if isinstance(peername, tuple) else ""

    def data_received(self, data: bytes) -> None:
        """Handle what the peer sent, when the turn of its address comes."""
        # Connecting: uvicorn passes on the whole request. Whose share it is, is known after the
        # handshake
        if self._websocket.state is State.CONNECTING and data.endswith(b"\r\n\r\n"):
            self.feed(data)
            return
        # Closing: messages after our close frame are not carried out; the library waits for the
        # peer's
        if self._websocket.state is not State.OPEN:
            self._splitter.pass_on()
        self._read_buffer.feed(data)

    def carry_out(self, call: Call) -> None:
        """Carry out a call."""
        self._calls.carry_out(self._peer, call)

    def read(self, reading: bool) -> None:
        """Start or stop reading from the peer."""
        if not self._transport.is_closing():
            (self._transport.resume_reading if reading else self._transport.pause_reading)()

    def feed(self, data: bytes) -> None:
        """Let the library read what is no plain message.

        That is the handshake (4.2), control frames (5.5), fragments (5.4), and everything that is
        wrong.
        """
        # The library answers pings (5.5.2) and close frames (5.5.1) by itself
        self._websocket.receive_data(data)
        self._handle_events()
        self.write(b"".join(self._websocket.data_to_send()))
        # Open -> closing: the peer sent a close frame (7.1.3), or something that fails the
        # connection (7.1.7)
        if self._websocket.parser_exc is not None or self._websocket.close_expected():
            self._read_buffer.finish()
            self.flush()
            self._finish()

    def connection_lost(self, exc: Exception | None) -> None:
        """Drop everything that was waiting for the peer: the transport is closed (7.1.4)."""
        self._state.connections.discard(cast(Any, self))
        self._keepalive.stop()
        self._timers.cancel()
        self._read_buffer.leave()
        self._calls.cancel()
        self._close_peer()
        self._write_buffer.lose()
        self._gone()

    def pause_writing(self) -> None:
        """Write no more to the transport: the peer does not read what was sent."""
        self._write_buffer.pause()

    def resume_writing(self) -> None:
        """Write to the transport again: the peer has read."""
        self._write_buffer.resume()

    def _slow(self, slow: bool) -> None:
        """Handle nothing from a peer that does not read; close it where that lasts `slow_reader_timeout`."""
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
        """Close with 1001 (7.4.1), because the server ends. A peer that does not answer is cut off."""
        if self.open:
            self.close(CloseCode.GOING_AWAY, "the server is shutting down")
            self._timers.start("close", min(1.0, self._settings.close_timeout), self._transport.abort)
        else:
            self._transport.close()

    # What the host calls

    @property
    def backlog(self) -> int:
        """Return how many bytes were written and are not sent yet."""
        return self._write_buffer.unsent

    def send(self, frames: bytes) -> None:
        """Write framed messages, after the answers that are ready. Does nothing when it is not open."""
        if self.open:
            if self._flush_due:
                self.flush()
            self.write(frames)

    def stream(self, frames: Iterator[bytes]) -> None:
        """Write framed messages as the peer reads them. Until the last one, no call is carried out."""
        self._read_buffer.stream(frames)

    def when_sent(self, done: Callable[[], None]) -> None:
        """Call `done` when the peer has read nearly all that was written until now, or is gone."""
        self._write_buffer.when_sent(done)

    def close(self, code: int, reason: str = "") -> None:
        """Begin the closing handshake (7.1.2). Does nothing when it is not open."""
        # Answers first: after a close frame nothing more may be sent (5.5.1)
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
        # The library checks the request (4.2.1) and makes the response (4.2.2)
        response = self._websocket.accept(request)
        handshake = Handshake(request.path, joined(request.headers.raw_items()), self.address)
        if response.status_code == 101:
            refusal = self._endpoint.admit(handshake)
            if refusal is not None:
                response = self._websocket.reject(refusal.status, refusal.text)
        self._websocket.send_response(response)
        # Refused: `feed` writes the response and ends the connection
        if self._websocket.state is not State.OPEN:
            return
        # Connecting -> open. The response goes out before anything that the host may send
        self.write(b"".join(self._websocket.data_to_send()))
        self.open = True
        self._peer = self._endpoint.opened(self, handshake)
        self._read_buffer.belongs(self._endpoint.share(self._peer))
        self._keepalive.start()

    def _handle_frame(self, frame: Frame) -> None:
        if frame.opcode is Opcode.PONG:
            self._keepalive.pong(bytes(frame.data))
        elif frame.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            # The first fragment's opcode is the message's, the last one has FIN (5.4)
            if frame.opcode is not Opcode.CONT:
                self._text = frame.opcode is Opcode.TEXT
            if frame.data:  # empty ones count towards no limit, so they must not pile up
                self._fragments.append(bytes(frame.data))
            if frame.fin:
                message, self._fragments = b"".join(self._fragments), []
                self._read_buffer.add(self.calls(message, self._text))

    def calls(self, message: bytes, text: bool) -> list[Call]:
        """Return the calls in a message, none when the websocket is not open.

        Closes it with 1007 where a text is not UTF-8 (8.1), with 1008 after too many messages that
        are no calls (7.4.1).
        """
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
        """Forget the peer, and wait `close_timeout` seconds at most for the rest of the closing handshake."""
        self._close_peer()
        self._keepalive.stop()
        self._timers.cancel("slow")
        self._read_buffer.forget()
        # Closing -> closed: both close frames were sent, or there will be none. The server is the
        # first to close the TCP connection (7.1.1)
        if self._websocket.close_rcvd is not None or self._websocket.close_sent is None:
            self._write_buffer.end(self._transport.close)
        elif self._websocket.parser_exc is not None and self._transport.can_write_eof():
            # The connection failed (7.1.7): the peer still gets our close frame, but is not
            # understood
            self._write_buffer.end(self._transport.write_eof)
        self._read_buffer.look()  # reads again, else the peer's close frame would never be seen
        if not self._timers.started("close"):
            self._timers.start("close", self._settings.close_timeout, self._transport.abort)

    def _close_peer(self) -> None:
        if self.open:
            self.open = False
            sent = self._websocket.close_sent
            self._endpoint.closed(self._peer, int(sent.code) if sent is not None else 0)

    # What the calls ask for

    def answered(self) -> None:
        """Write the answers in the loop's next iteration: one write for all that are ready by then."""
        if not self._flush_due:
            self._flush_due = True
            self._loop.call_soon(self.flush)

    def flush(self) -> bool:
        """Write the answers that are ready. Return whether the peer is still there."""
        self._flush_due = False
        messages = self._connection.messages_to_send()
        if messages and self._websocket.state is State.OPEN:
            self.write(b"".join(map(frame, messages)))
        return self.open

    def busy(self, busy: bool) -> None:
        """Stop handling what the peer sends because many calls are unanswered, or go on."""
        self._read_buffer.busy(busy)
        self._read_buffer.go_on()

    def write(self, data: bytes) -> None:
        """Write framed messages."""
        self._write_buffer.write(data)

    def _give_up(self) -> None:
        log.info("slow reader closed", extra={"address": self.address})
        # 1013 is not in the RFC but in the registry that its section 11.7 sets up
        self.close(CloseCode.TRY_AGAIN_LATER, "too slow")

    def _ping(self, data: bytes) -> None:
        if self._websocket.state is State.OPEN:
            self._websocket.send_ping(data)
            self.write(b"".join(self._websocket.data_to_send()))

    def _no_pong(self) -> None:
        if self.slow:  # nothing is read from a slow peer, so its pong may be waiting
            self._give_up()
        else:
            self.close(CloseCode.INTERNAL_ERROR, "keepalive ping timeout")  # 1011, as the library does
