"""Messages to systemd by the protocol of sd_notify(3); none are sent where systemd did not ask for them."""

import asyncio
import logging
import os
import re
import socket
from collections.abc import Mapping
from typing import Final

from dreamcanvas.errors import ConfigError

SHORTEST_SECONDS: Final = 0.1

log = logging.getLogger(__name__)


class Watchdog:
    """The sender of messages to systemd.

    `$NOTIFY_SOCKET` is where to send them. `$WATCHDOG_USEC` is the silence, in microseconds, after which
    systemd restarts the server. Raises ConfigError where it is not a number.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        silence = environment.get("WATCHDOG_USEC") or "0"
        if not re.fullmatch("[0-9]{1,18}", silence, re.ASCII):
            raise ConfigError(
                f"WATCHDOG_USEC is {silence[:80]!r}, but has to be a whole number of microseconds from 0"
            )
        self._seconds = int(silence) / 1e6
        if environment.get("WATCHDOG_PID") not in (None, str(os.getpid())):
            self._seconds = 0.0  # inherited from a parent process, for which it was meant

    def ready(self, status: str) -> None:
        """Tell that the server is up, with a line for `systemctl status`."""
        self._tell(f"READY=1\nSTATUS={status}")

    def stopping(self) -> None:
        """Tell that the server is stopping."""
        self._tell("STOPPING=1")

    async def run(self) -> None:
        """Send a sign of life twice in the time that systemd waits, until cancelled.

        It runs in the event loop: where the loop hangs, the signs stop.
        """
        while self._seconds:
            self._tell("WATCHDOG=1")
            await asyncio.sleep(max(self._seconds / 2, SHORTEST_SECONDS))

    def _tell(self, message: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
                channel.setblocking(False)
                channel.sendto(message.encode(), self._address)
        except OSError as error:
            log.warning("systemd was not told", extra={"error": str(error)})
