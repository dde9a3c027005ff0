"""uvicorn's HTTP protocol with time-outs: for requests that do not arrive whole, and for idle connections."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle
from uvicorn.server import ServerState


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds for a request to arrive whole, and for which a connection stays open without one, by its peer.

    A proxy sends the next visitor's request on a connection that it has kept. Where we close that before the
    proxy does, the request may meet the end of it and is lost: a POST is not sent again.
    """

    request: float
    idle: Callable[[str], float]


class HttpProtocol(H11Protocol):
    """Closes a connection whose next request has not begun, or has not arrived, headers and body, in time."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        timeouts: Timeouts,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._timeouts = timeouts
        self._idle = False
        self._open_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begins to wait for a request."""
        super().connection_made(transport)
        self._start_waiting(self._timeouts.request)

    def data_received(self, data: bytes) -> None:
        """Takes in what has come; from the first byte on a request has to arrive in time."""
        if self._idle:
            self._idle = False
            self._start_waiting(self._timeouts.request)
        super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stops waiting."""
        self._stop_waiting()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Begins to wait for the next request, which may have begun already."""
        self._idle = not self.conn.trailing_data[0]
        peer = self.client[0] if self.client else ""
        self._start_waiting(self._timeouts.idle(peer) if self._idle else self._timeouts.request)
        super().on_response_complete()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Hands the connection on; it is a websocket's from now on."""
        self._stop_waiting()
        super().handle_websocket_upgrade(event)

    def send_400_response(self, msg: str) -> None:
        """Answers what is no HTTP; behind another request all that can be done is to close."""
        cycle = cast("RequestResponseCycle | None", self.cycle)
        if cycle is None and self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            super().send_400_response(msg)
            return
        if cycle is not None:
            cycle.disconnected = True  # what is still to be answered has nobody to read it
        self.transport.close()

    def _start_waiting(self, seconds: float) -> None:
        self._stop_waiting()
        self._open_timer = self.loop.call_later(seconds, self._expire)

    def _stop_waiting(self) -> None:
        if self._open_timer is not None:
            self._open_timer.cancel()
            self._open_timer = None

    def _expire(self) -> None:
        whole = self.cycle is not None and not self.cycle.response_complete and not self.cycle.more_body
        if not whole:
            self.transport.close()
