"""The HTTP server: uvicorn, but connections are accepted by our own Door, which limits them."""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final, cast

import uvicorn
from starlette.types import ASGIApp

from dreamcanvas.api.connections import Connections
from dreamcanvas.config import Config
from dreamcanvas.net.addresses import Proxies
from dreamcanvas.net.origins import is_loopback
from dreamcanvas.rpc.protocol import RpcProtocol
from dreamcanvas.server.http_protocol import HttpProtocol, Timeouts
from dreamcanvas.server.listener import Door
from dreamcanvas.telemetry.metrics import Metrics
from dreamcanvas.web.throttle import Throttle

GRACE_SECONDS: Final = 2


class HttpServer(uvicorn.Server):
    """uvicorn's server, without its signal handlers and with our Door. `up` is set when it accepts."""

    def __init__(
        self,
        app: ASGIApp,
        listener: socket.socket,
        config: Config,
        connections: Connections,
        metrics: Metrics,
    ) -> None:
        gate = _throttled(app, config, connections, metrics)
        super().__init__(
            uvicorn.Config(
                cast(Any, gate),
                ws=cast(Any, partial(RpcProtocol, endpoint=connections)),
                http=cast(Any, HttpProtocol),
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,  # it would believe anybody on this machine; `addresses` decides
                timeout_keep_alive=10**6,  # HttpProtocol's is shorter
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )
        self.up = asyncio.Event()
        self._connections = connections
        self._settings = config
        self._limited = metrics.limited
        self._door = Door(
            listener,
            config,
            protocol=self._protocol,
            trusted=connections.is_proxy,
            limited=metrics.limited,
        )
        self._watch(metrics)

    def _watch(self, metrics: Metrics) -> None:
        door, turns = self._door, self._connections.turns
        metrics.watch("sockets", "Open TCP connections.", lambda: door.sockets)
        metrics.count("sockets_full", "Times that no connections were accepted.", lambda: door.full)
        metrics.count("turns_waited", "Times that a connection waited for its turn.", lambda: turns.waits)
        metrics.count("rates_waited", "Times that an address waited for its rate.", lambda: turns.held)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept connections, by the Door in place of uvicorn's own servers."""
        await self.lifespan.startup()
        self.servers = [cast(Any, self._door)]
        self._door.open()
        self.started = True
        self.up.set()

    def _protocol(self, gone: Callable[[], None]) -> asyncio.Protocol:
        connections, settings = self._connections, self._settings
        return HttpProtocol(
            self.config,
            self.server_state,
            {},
            timeouts=_timeouts(settings),
            turns=connections.turns,
            share=connections.share_of,
            limited=self._limited,
            gone=gone,
        )

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone: App handles them."""
        yield


def _throttled(app: ASGIApp, config: Config, connections: Connections, metrics: Metrics) -> Throttle:
    return Throttle(
        app,
        household=connections.household,
        rate=config.requests_per_second,
        most=config.responses_per_address,
        held=config.response_megabytes * 10**6,
        limited=metrics.limited,
    )


def _timeouts(config: Config) -> Timeouts:
    """Return how long connections may keep us waiting; idle ones of a proxy or this machine may long."""
    proxies = Proxies(config.trusted_proxies)

    def idle(peer: str) -> float:
        return config.keep_alive if is_loopback(peer) or proxies.trusts(peer) else config.open_timeout

    return Timeouts(config.open_timeout, config.write_timeout, idle)
