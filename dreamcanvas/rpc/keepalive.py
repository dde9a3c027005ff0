"""Pings to a peer, and what happens when it does not answer."""

import secrets
from collections.abc import Callable

from dreamcanvas.rpc.timers import Timers


class Keepalive:
    """Calls `ping` every `interval` seconds (0: never) with what the peer is to send back, and `expired` once
    where it has not done so in `timeout` seconds."""

    def __init__(
        self, *, interval: float, timeout: float, ping: Callable[[bytes], None], expired: Callable[[], None]
    ) -> None:
        self._interval = interval
        self._timeout = timeout
        self._ping = ping
        self._expired = expired
        self._sent: bytes | None = None
        self._timers = Timers()

    def start(self) -> None:
        """Begins, or goes on, to ping."""
        if self._interval:
            self._timers.start("next", self._interval, self._due)

    def _due(self) -> None:
        if self._sent is None:
            self._sent = secrets.token_bytes(4)
            self._timers.start("deadline", self._timeout, self._expired)
            self._ping(self._sent)
        self.start()

    def pong(self, data: bytes) -> None:
        """The peer sent a pong."""
        if data == self._sent:
            self._sent = None
            self._timers.cancel("deadline")

    def stop(self) -> None:
        """Pings no more."""
        self._timers.cancel()
