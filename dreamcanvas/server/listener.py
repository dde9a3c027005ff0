"""The socket that a server listens on, and how many connections it accepts: in all, and of an address."""

import asyncio
import errno
import logging
import resource
import socket
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Final

from dreamcanvas.access.rate_limit import Buckets
from dreamcanvas.config import Config
from dreamcanvas.errors import ConfigError
from dreamcanvas.net import addresses
from dreamcanvas.text.plural import counted

log = logging.getLogger(__name__)

ACCEPTS: Final = 32  # in a turn of the loop
BACKLOG: Final = 1024
RESERVE: Final = 256  # descriptors for files, pipes and what else is opened
SAY_SECONDS: Final = 60.0
PAUSE_SECONDS: Final = 0.5
BURST_SECONDS: Final = 4
_OUT_OF_RESOURCES: Final = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


def listen(config: Config) -> socket.socket:
    """Takes the address and the port. Raises ConfigError."""
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((config.host, config.port))
    except OSError as error:
        listener.close()
        raise ConfigError(f"cannot listen on {config.host} port {config.port}: {error.strerror}") from error
    return listener


def url(listener: socket.socket) -> str:
    """Where a browser on this machine finds the server."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{host}:{port}/"


def room_for(sockets: int) -> int:
    """Raises the limit of open files, as far as the system lets it, and says for how many sockets it is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = sockets + RESERVE
    if soft != resource.RLIM_INFINITY and soft < wanted:
        raised = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, raised), hard))
        except (ValueError, OSError) as error:
            log.warning("the limit of open files stays", extra={"limit": soft, "error": str(error)})
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return sockets
    room = max(soft - RESERVE, soft // 2)
    log.warning("few files may be open", extra={"limit": soft, "sockets": room, "wanted": sockets})
    return room


class Door:
    """Accepts connections while there is room; those that come meanwhile wait in the kernel.

    `protocol` makes what a connection is read by; it calls what it is given when the connection has gone.
    `trusted` says of an address that it is a proxy's: it speaks for many. `limited` counts what was refused.
    """

    def __init__(
        self,
        listener: socket.socket,
        config: Config,
        *,
        protocol: Callable[[Callable[[], None]], asyncio.Protocol],
        trusted: Callable[[str], bool],
        limited: Callable[[str], None],
    ) -> None:
        self._listener = listener
        self._protocol = protocol
        self._trusted = trusted
        self._limited = limited
        self._loop = asyncio.get_running_loop()
        self._most = room_for(config.sockets)
        # Nobody fills it alone
        self._of_address = min(config.sockets_per_address or self._most, max(1, self._most // 2))
        if not config.rate_limits:
            self._of_address = 0
        rate = config.sockets_per_second if config.rate_limits else 0
        self._rates = Buckets(rate, BURST_SECONDS * rate)
        self._open: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[object]] = set()
        self._listening = False
        self._closed = False
        self._said = -SAY_SECONDS
        self.sockets = 0
        self.full = 0

    def open(self) -> None:
        """Begins."""
        self._listener.setblocking(False)
        self._listener.listen(BACKLOG)
        self._listen()

    def close(self) -> None:
        """Accepts no more."""
        self._closed = True
        self._rest()

    async def wait_closed(self) -> None:
        """As an asyncio.Server has it."""

    def _listen(self) -> None:
        if not self._listening and not self._closed:
            self._listening = True
            self._loop.add_reader(self._listener.fileno(), self._accept)

    def _rest(self) -> None:
        if self._listening:
            self._listening = False
            self._loop.remove_reader(self._listener.fileno())

    def _accept(self) -> None:
        for _ in range(ACCEPTS):
            if self.sockets >= self._most:
                self._fill(f"{counted(self.sockets, 'connection')} are open")
                return  # the next one that goes lets the next one in
            try:
                connection, address = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in _OUT_OF_RESOURCES:
                    continue  # of the connection's network: it is gone already (accept(2))
                self._fill(str(error.strerror))
                self._loop.call_later(PAUSE_SECONDS, self._listen)
                return
            self._admit(connection, str(address[0]))

    def _fill(self, why: str) -> None:
        """Stops to accept, and says so, but not each time."""
        self.full += 1
        self._rest()
        now = self._loop.time()
        if now - self._said >= SAY_SECONDS:
            self._said = now
            log.warning("no more connections are accepted for now", extra={"why": why})

    def _admit(self, connection: socket.socket, peer: str) -> None:
        connection.setblocking(False)
        household = addresses.household(peer)
        if not self._trusted(peer):
            now = self._loop.time()
            rate = self._rates.get(household, now)
            if rate.wait(now, 1):
                self._limited("sockets_per_second")
                connection.close()
                return
            rate.take(now, 1)
            if self._of_address and self._open[household] >= self._of_address:
                self._limited("sockets_per_address")
                connection.close()
                return
        self._open[household] += 1
        self.sockets += 1
        gone = partial(self._gone, household)
        connecting: asyncio.Task[object] = self._loop.create_task(
            self._connect(connection, lambda: self._protocol(gone), gone)
        )
        self._tasks.add(connecting)
        connecting.add_done_callback(self._tasks.discard)

    async def _connect(
        self,
        connection: socket.socket,
        protocol: Callable[[], asyncio.Protocol],
        gone: Callable[[], None],
    ) -> None:
        try:
            await self._loop.connect_accepted_socket(protocol, connection)
        except OSError:  # it has gone already
            connection.close()
            gone()

    def _gone(self, household: str) -> None:
        self.sockets -= 1
        self._open[household] -= 1
        if not self._open[household]:
            del self._open[household]
        if self.sockets < self._most:
            self._listen()
