"""The shell of a connection: an asyncio protocol on websockets' sans-I/O `ServerProtocol`, as uvicorn hosts
it.

uvicorn reads the HTTP request, and hands a websocket upgrade on to this class, the transport with it: see
`uvicorn.protocols.websockets` for what it expects. What to do with a peer is the `Endpoint`'s to say.
"""

import asyncio
import logging
import socket
from typing import Any, Generic, TypeVar, cast

from uvicorn.config import Config
from uvicorn.server import ServerState
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol

from dreamcanvas.rpc.calls import Calls
from dreamcanvas.rpc.connection import Connection, Data
from dreamcanvas.rpc.endpoint import Endpoint, Handshake, joined
from dreamcanvas.rpc.frames import OTHER, TEXT, Splitter, frame
from dreamcanvas.rpc.keepalive import Keepalive
from dreamcanvas.rpc.timers import Timers

try:
    from websockets.speedups import apply_mask
except ImportError:  # the library was built without its C part
    from websockets.utils import apply_mask

log = logging.getLogger(__name__)
P = TypeVar("P")


class RpcProtocol(asyncio.Protocol, Generic[P]):
    """One websocket. Events are sent by `send`, framed; `slow` says that what was sent is not being read."""

    def __init__(
        self, config: Config, server_state: ServerState, app_state: dict[str, Any], *, endpoint: Endpoint[P]
    ) -> None:
        del config, app_state
        self._state = server_state
        self._endpoint = endpoint
        self._settings = settings = endpoint.settings
        self._loop = asyncio.get_running_loop()
        self._websocket = ServerProtocol(max_size=settings.message_bytes or None)
        self._splitter = Splitter(apply_mask, settings.message_bytes)
        self._connection = Connection(batch_calls=settings.batch_calls, max_errors=settings.protocol_errors)
        self._transport: asyncio.Transport
        self._fragments: list[bytes] = []
        self._text = False
        self._calls = Calls(endpoint, self._connection, self)
        self._flush_due = False
        self._timers = Timers()
        self._keepalive = Keepalive(
            interval=settings.ping_interval,
            timeout=settings.ping_timeout,
            ping=self._ping,
            expired=self._no_pong,
        )
        self._open = False
        self._peer: P
        self.address = ""
        self.slow = False

    # What uvicorn and asyncio call

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Takes the transport over from the HTTP protocol."""
        self._transport = cast(asyncio.Transport, transport)
        self._bound_what_is_unsent(self._settings.write_buffer // 2)
        self._state.connections.add(cast(Any, self))
        peername = transport.get_extra_info("peername")
        self.address = str(peername[0]) if isinstance(peername, tuple) else ""

    def _bound_what_is_unsent(self, half: int) -> None:
        """Half of it may wait here, half in the kernel, which else keeps megabytes for who does not read."""
        self._transport.set_write_buffer_limits(high=half)
        connection = self._transport.get_extra_info("socket")
        option = getattr(socket, "TCP_NOTSENT_LOWAT", None)
        if connection is not None and option is not None and connection.family != socket.AF_UNIX:
            connection.setsockopt(socket.IPPROTO_TCP, option, half)

    def data_received(self, data: bytes) -> None:
        """Carries out what the peer sent; all answers that are ready go out in one write."""
        if self._websocket.state is State.CONNECTING and data.endswith(b"\r\n\r\n"):
            self._feed(data)
            return
        if self._websocket.state is not State.OPEN:
            self._splitter.pass_on()
        for kind, piece in self._splitter.split(data):
            if kind == OTHER:
                self._feed(piece)
            else:
                self._handle_message(piece, kind == TEXT)
        self.flush()

    def _feed(self, data: bytes) -> None:
        """Has the library read what is no plain message: handshakes, controls, fragments, what is wrong."""
        self._websocket.receive_data(data)
        self._handle_events()
        self._write(b"".join(self._websocket.data_to_send()))
        if self._websocket.parser_exc is not None or self._websocket.close_expected():
            self.flush()
            self._finish()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forgets everything that was waiting for the peer."""
        self._state.connections.discard(cast(Any, self))
        self._keepalive.stop()
        self._timers.cancel()
        self._calls.cancel()
        self._close_peer()

    def pause_writing(self) -> None:
        """The peer does not read: stop reading from it, too, and close if that lasts."""
        self.slow = True
        self._pause_reading()
        if self._settings.slow_reader_timeout:
            self._timers.start("slow", self._settings.slow_reader_timeout, self._give_up)

    def resume_writing(self) -> None:
        """The peer reads again."""
        self.slow = False
        self._timers.cancel("slow")
        self._resume_reading()
        if self._open:
            self._endpoint.drained(self._peer)

    def shutdown(self) -> None:
        """The server ends: close with 1001."""
        if self._open:
            self.close(CloseCode.GOING_AWAY, "the server is shutting down")
        else:
            self._transport.close()

    # What the host calls

    @property
    def backlog(self) -> int:
        """Bytes that were written and are not sent yet."""
        return self._transport.get_write_buffer_size()

    def send(self, frames: bytes) -> None:
        """Writes framed messages, after the answers that are ready."""
        if self._open:
            if self._flush_due:
                self.flush()
            self._transport.write(frames)

    def close(self, code: int, reason: str = "") -> None:
        """Begins the closing handshake."""
        if self._websocket.state is State.OPEN:
            self.flush()
            self._websocket.send_close(code, reason)
            self._write(b"".join(self._websocket.data_to_send()))
            self._finish()

    # The websocket

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
        self._write(b"".join(self._websocket.data_to_send()))
        self._open = True
        self._peer = self._endpoint.opened(self, handshake)
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
                self._handle_message(message, self._text)

    def _handle_message(self, message: bytes, text: bool) -> None:
        if not self._open:
            return
        data: Data = message
        if text:
            try:
                data = message.decode()
            except UnicodeDecodeError:
                self.close(CloseCode.INVALID_DATA, "text messages are UTF-8")
                return
        for call in self._connection.receive(data):
            self._calls.carry_out(self._peer, call)
        if self._connection.close_code is not None:
            self.close(self._connection.close_code, "too many messages that are no calls")

    def _finish(self) -> None:
        """Waits for the other half of the closing handshake, but not for long."""
        self._close_peer()
        self._keepalive.stop()
        self._timers.cancel("slow")
        if self._websocket.close_rcvd is not None or self._websocket.close_sent is None:
            self._transport.close()
        elif self._websocket.parser_exc is not None and self._transport.can_write_eof():
            self._transport.write_eof()  # it gets the close frame, and is not understood any more
        self._resume_reading()  # else the peer's close frame would never be seen
        if not self._timers.started("close"):
            self._timers.start("close", self._settings.close_timeout, self._transport.abort)

    def _close_peer(self) -> None:
        if self._open:
            self._open = False
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
            self._write(b"".join(map(frame, messages)))
        return self._open

    def busy(self, busy: bool) -> None:
        """Stops reading, or reads again, unless the peer does not read."""
        if busy:
            self._pause_reading()
        elif not self.slow:
            self._resume_reading()

    # Writing

    def _write(self, data: bytes) -> None:
        if data and not self._transport.is_closing():
            self._transport.write(data)

    def _give_up(self) -> None:
        log.info("slow reader closed", extra={"address": self.address})
        self.close(CloseCode.TRY_AGAIN_LATER, "too slow")

    def _pause_reading(self) -> None:
        if not self._transport.is_closing():
            self._transport.pause_reading()

    def _resume_reading(self) -> None:
        if not self._transport.is_closing():
            self._transport.resume_reading()

    def _ping(self, data: bytes) -> None:
        if self._websocket.state is State.OPEN:
            self._websocket.send_ping(data)
            self._write(b"".join(self._websocket.data_to_send()))

    def _no_pong(self) -> None:
        if self.slow:  # its pong was not read
            self._give_up()
        else:
            self.close(CloseCode.INTERNAL_ERROR, "keepalive ping timeout")
