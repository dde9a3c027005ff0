"""Pings to a peer (RFC 6455, 5.5.2), and what happens when it does not answer."""

import secrets
from collections.abc import Callable

from dreamcanvas.rpc.timers import Timers


class Keepalive:
    """The pings of one connection.

    Calls `ping` every `interval` seconds (0: never) with the bytes that the peer has to send back.
    Calls `expired` once, where the peer has not sent them back within `timeout` seconds.
    """

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
        """Send the first ping after `interval` seconds, and then one every `interval`."""
        if self._interval:
            self._timers.start("next", self._interval, self._due)

    def _due(self) -> None:
        # One ping at a time: a peer may answer only the newest of several (RFC 6455, 5.5.3)
        if self._sent is None:
            self._sent = secrets.token_bytes(4)
            self._timers.start("deadline", self._timeout, self._expired)
            self._ping(self._sent)
        self.start()

    def pong(self, data: bytes) -> None:
        """Take in a pong from the peer. One that answers no ping of ours is ignored."""
        # A pong carries the ping's data; an unsolicited one is allowed and proves nothing (5.5.3)
        if data == self._sent:
            self._sent = None
            self._timers.cancel("deadline")

    def stop(self) -> None:
        """Send no more pings, and expect no pong."""
        self._timers.cancel()
