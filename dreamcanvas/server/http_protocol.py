"""uvicorn's HTTP protocol with turns and time-outs, for peers that do not send, do not read, or are idle."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, cast

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle
from uvicorn.server import ServerState

from dreamcanvas.rpc.fair_scheduler import FairScheduler, Share
from dreamcanvas.rpc.timers import Timers
from dreamcanvas.rpc.write_buffer import bound_what_is_unsent

SLICE: Final = 1024  # bytes that h11 gets at a time: it works through all it has without a break
UNSENT: Final = 65536  # bytes


class _Flow(FlowControl):
    """uvicorn's flow control, which tells us when to read and when not, and does not do it itself.

    Whether the transport reads depends on our own input, too: see `HttpProtocol._look`.
    """

    def __init__(self, transport: asyncio.Transport, changed: Callable[[], None]) -> None:
        super().__init__(transport)
        self._changed = changed

    def pause_reading(self) -> None:
        """Note that uvicorn wants no more for now."""
        self.read_paused = True
        self._changed()

    def resume_reading(self) -> None:
        """Note that uvicorn wants more."""
        if self.read_paused:
            self.read_paused = False
            self._changed()


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long a connection may keep us waiting, in seconds.

    A request has to arrive whole in `request`, some of a response has to be read in `write`. `idle` returns
    for a peer's address how long its connection stays open without a request.

    A proxy keeps connections and sends the next visitor's request on one of them. Where we close it first,
    that request may arrive after the end and is lost: a proxy does not send a POST again.
    """

    request: float
    write: float
    idle: Callable[[str], float]


class HttpProtocol(H11Protocol):
    """An HTTP connection that takes turns with others and is closed where its peer is too slow.

    It is closed where the next request does not begin, or does not arrive with headers and body, in time; and
    aborted where a response is not read in time.

    `share` returns an address's share of the event loop. `limited` counts aborted connections. `gone` is
    called at the end of the connection, also where it has become a websocket.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        timeouts: Timeouts,
        turns: FairScheduler,
        share: Callable[[str], Share],
        limited: Callable[[str], None] = lambda _: None,
        gone: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.ws_protocol_class = cast(Any, partial(cast(Any, config.ws_protocol_class), gone=gone))
        self._gone = gone
        self._limited = limited
        self._timeouts = timeouts
        self._idle = False
        self._turns = turns
        self._share_of = share
        self._share: Share
        self._timers = Timers()
        self._input = b""
        self._at = 0
        self._upgraded = False

    # What asyncio calls

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._share = self._share_of(self.client[0] if self.client else "")
        self.flow = _Flow(transport, self._flow_changed)
        bound_what_is_unsent(transport, UNSENT)
        self._start_waiting(self._timeouts.request)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timers and leave the turns."""
        self._timers.cancel()
        self._input = b""
        self._turns.leave(self._share, self)
        super().connection_lost(exc)
        self._gone()

    def data_received(self, data: bytes) -> None:
        """Keep what came until it is this address's turn.

        The time in which a request has to arrive begins with its first byte.
        """
        if self._idle:
            self._idle = False
            self._start_waiting(self._timeouts.request)
        self._unset_keepalive_if_required()
        self._input, self._at = self._input[self._at :] + data, 0
        self._go_on()

    def pause_writing(self) -> None:
        """Start the time in which the peer has to read; it is called when the peer does not."""
        super().pause_writing()
        self._timers.start("write", self._timeouts.write, self._cut_off)

    def _cut_off(self) -> None:
        self._limited("write_timeout")
        self.transport.abort()

    def resume_writing(self) -> None:
        """Stop the time in which the peer has to read: it reads again."""
        super().resume_writing()
        if not self.transport.is_closing():
            self._timers.cancel("write")

    # Turns

    def work(self, until: float) -> bool:
        """Give h11 what came, until the time `until`; return whether there is more for another turn."""
        while self._can_work():
            piece = self._input[self._at : self._at + SLICE]
            self._at += len(piece)
            self._share.count(0, len(piece))
            super().data_received(piece)
            if self._turns.clock() >= until:
                break
        self._look()
        return self._can_work()

    def _can_work(self) -> bool:
        return (
            self._at < len(self._input)
            and not self.flow.read_paused
            and not self._upgraded
            and not self.transport.is_closing()
        )

    def _go_on(self) -> None:
        if self._can_work():
            self._turns.ready(self._share, self)
        self._look()

    def _flow_changed(self) -> None:
        if self.flow.read_paused:
            self._look()
        else:
            self.loop.call_soon(self._go_on)  # later: uvicorn is in the middle of something

    def _look(self) -> None:
        """Read from the transport only where nothing that came before waits, so that memory is bounded."""
        if self._upgraded or self.transport.is_closing():
            return
        if self._at < len(self._input) or self.flow.read_paused:
            self.transport.pause_reading()
        else:
            self._input, self._at = b"", 0
            self.transport.resume_reading()

    # What uvicorn calls

    def on_response_complete(self) -> None:
        """Begin to wait for the next request, of which a part may have come already."""
        self._idle = not self.conn.trailing_data[0] and self._at >= len(self._input)
        peer = self.client[0] if self.client else ""
        self._start_waiting(self._timeouts.idle(peer) if self._idle else self._timeouts.request)
        super().on_response_complete()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Hand the connection on to the websocket's protocol, and stop the timers and turns of this one."""
        self._timers.cancel()
        self._upgraded = True
        self._input, self._at = b"", 0
        self.transport.resume_reading()
        super().handle_websocket_upgrade(event)

    def send_400_response(self, msg: str) -> None:
        """Answer what is not HTTP with 400, or just close where another request is still being answered.

        A second response in the middle of the first would be taken as a part of it.
        """
        cycle = cast("RequestResponseCycle | None", self.cycle)
        if cycle is None and self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            super().send_400_response(msg)
            return
        if cycle is not None:
            cycle.disconnected = True  # what is still to be answered has nobody to read it
        self.transport.close()

    # Time-outs

    def _start_waiting(self, seconds: float) -> None:
        self._timers.start("open", seconds, self._expire)

    def _expire(self) -> None:
        if self.transport.is_closing():
            # The peer does not read the last of what was written, and `close` would wait for that for ever
            self._timers.start("write", self._timeouts.write, self._cut_off)
            return
        whole = self.cycle is not None and not self.cycle.response_complete and not self.cycle.more_body
        if self._at < len(self._input):
            self._start_waiting(self._timeouts.request)  # it arrived, and waits for its turn
        elif not whole:
            self.transport.close()
            self._timers.start("write", self._timeouts.write, self._cut_off)
