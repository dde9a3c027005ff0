"""The socket that a server listens on, and how many connections it accepts: in all, and per address."""

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

ACCEPTS: Final = 32  # at most, in one iteration of the event loop
BACKLOG: Final = 1024  # connections that wait in the kernel
RESERVE: Final = 256  # descriptors for everything that is not a connection: files, pipes
SAY_SECONDS: Final = 60.0  # at least, between two warnings
PAUSE_SECONDS: Final = 0.5  # after which it tries again where the system has no descriptors or memory
BURST_SECONDS: Final = 4  # an address may open as many at once as in this time at its rate
_OUT_OF_RESOURCES: Final = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


def listen(config: Config) -> socket.socket:
    """Return a socket bound to the configured address and port. Raises ConfigError where it cannot be."""
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
    """Return the address at which a browser on this machine finds the server."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{host}:{port}/"


def room_for(sockets: int) -> int:
    """Return for how many sockets, at most `sockets`, the limit of open files has room.

    It raises the limit first, as far as the system allows; where it stays too low that is logged.
    """
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
    """The acceptor of connections: it accepts while there is room; further ones wait in the kernel.

    `protocol` makes the protocol of a connection, which calls the given function when the connection is gone.
    `trusted` returns whether an address is a proxy's, which speaks for many and so has no limit of its own.
    `limited` counts refused connections.
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
        # No address gets more than half, so that nobody can lock all others out
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
        """Begin to accept connections."""
        self._listener.setblocking(False)
        self._listener.listen(BACKLOG)
        self._listen()

    def close(self) -> None:
        """Accept no more connections; those that are open stay."""
        self._closed = True
        self._rest()

    async def wait_closed(self) -> None:
        """Return at once: uvicorn calls this, as an asyncio.Server has it."""

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
                return  # `_gone` listens again when one of them ends
            try:
                connection, address = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in _OUT_OF_RESOURCES:
                    continue  # an error of this one connection, which is gone already: see accept(2)
                self._fill(str(error.strerror))
                self._loop.call_later(PAUSE_SECONDS, self._listen)
                return
            self._admit(connection, str(address[0]))

    def _fill(self, why: str) -> None:
        """Stop accepting for now, and log why, at most once in `SAY_SECONDS`."""
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
        except OSError:  # it is gone already, and no protocol was made that would tell
            connection.close()
            gone()

    def _gone(self, household: str) -> None:
        self.sockets -= 1
        self._open[household] -= 1
        if not self._open[household]:
            del self._open[household]
        if self.sockets < self._most:
            self._listen()
