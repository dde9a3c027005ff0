"""The composition root: builds every part of a server, starts them, and stops them in order."""

import asyncio
import contextlib
import gc
import logging
import os
import random
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from dreamcanvas import __version__
from dreamcanvas.access.moderation import Moderation
from dreamcanvas.access.quotas import Quotas
from dreamcanvas.access.site import site_of
from dreamcanvas.access.tokens import Access, admin_token
from dreamcanvas.api.admin_service import AdminService
from dreamcanvas.api.clients import Clients
from dreamcanvas.api.connections import Connections
from dreamcanvas.api.methods import document, service_of
from dreamcanvas.api.painter_service import PainterService
from dreamcanvas.api.posters import Posters
from dreamcanvas.api.server_info import ServerInfo
from dreamcanvas.api.status import Status
from dreamcanvas.api.subscriptions import Subscriptions
from dreamcanvas.broadcast.broadcast import Broadcast
from dreamcanvas.broadcast.cursors import Cursors
from dreamcanvas.canvas.ink import Ink
from dreamcanvas.clock import monotonic_clock, wall_clock
from dreamcanvas.config import Config
from dreamcanvas.dream.dreamer import Dreamer
from dreamcanvas.dream.styles import load_styles
from dreamcanvas.observers import Signal
from dreamcanvas.painting.deferred_patch import DeferredPatches
from dreamcanvas.painting.dream_loop import DreamLoop, Timetable
from dreamcanvas.painting.encoder_pool import EncoderPool
from dreamcanvas.painting.painter import Painter
from dreamcanvas.painting.picture_cache import PictureCache
from dreamcanvas.painting.restore import Restorer
from dreamcanvas.painting.snapshots import Snapshots
from dreamcanvas.painting.stroke_undo import StrokeUndo, undo_bounds
from dreamcanvas.server.admin_setup import open_moderation
from dreamcanvas.server.gauges import watch_canvas, watch_dreams, watch_pictures
from dreamcanvas.server.http_server import HttpServer
from dreamcanvas.server.listener import listen, url
from dreamcanvas.server.storage import Storage, storage
from dreamcanvas.server.systemd import Watchdog
from dreamcanvas.server.tasks import beside
from dreamcanvas.store import layout
from dreamcanvas.store.schema import DirectoryLock
from dreamcanvas.store.uptime import Uptime
from dreamcanvas.telemetry.metrics import Metrics
from dreamcanvas.web.about import WebAbout
from dreamcanvas.web.app import Web
from dreamcanvas.web.history import WebHistory
from dreamcanvas.web.pages import Pages

log = logging.getLogger(__name__)

PAGE: Final = Path(__file__).parents[1] / "page"


# Building


@dataclass(frozen=True, slots=True)
class _Signals:
    """Signals from parts that are built early to parts that are built later, and are not known to them."""

    painted: Signal[[int]] = field(default_factory=Signal)
    visited: Signal[[]] = field(default_factory=Signal)
    moderated: Signal[[]] = field(default_factory=Signal)
    dream_changed: Signal[[]] = field(default_factory=Signal)


@dataclass(frozen=True, slots=True)
class _Studio:
    """The parts around the canvas."""

    broadcast: Broadcast
    painter: Painter
    deferred: DeferredPatches
    snapshots: Snapshots
    dream_loop: DreamLoop | None


@dataclass(frozen=True, slots=True)
class _House:
    """The parts that know who is here and what each may do."""

    access: Access
    moderation: Moderation
    clients: Clients
    quotas: Quotas
    cursors: Cursors
    status: Status
    info: ServerInfo


@dataclass(frozen=True, slots=True)
class _Parts:
    """The parts that have to be started and stopped."""

    storage: Storage
    studio: _Studio
    moderation: Moderation
    uptime: Uptime
    http: HttpServer


async def _painter(config: Config, kept: Storage, broadcast: Broadcast, painted: Signal[[int]]) -> Painter:
    """Return the painter with the picture as it was before. Raises StoreError, sqlite3.Error."""
    painter = Painter(
        journal=kept.journal,
        dreams=kept.dreams,
        broadcast=broadcast,
        replay_operations=config.replay_operations,
        clock=wall_clock,
        ink=Ink(most=config.ink_dabs),
        checkpoints=kept.checkpoints,
        checkpoint_operations=config.checkpoint_operations,
        painted=painted,
    )
    await painter.recover()
    return painter


def _snapshots(config: Config, painter: Painter) -> Snapshots:
    encoders = EncoderPool(config.encoders, waiting=config.pictures_waiting, unread=config.pictures_unread)
    return Snapshots(painter, encoders=encoders, interval=config.dream_interval, now=time.monotonic)


def _dream_loop(
    config: Config,
    painter: Painter,
    *,
    users: Callable[[], int],
    changed: Callable[[], None],
    dreamt: Callable[[float], None],
    held: bool,
    rng: random.Random,
) -> DreamLoop:
    """Return the dream loop. Raises DreamError where its network or styles cannot be loaded."""
    threads = config.dream_threads or os.cpu_count() or 1
    return DreamLoop(
        painter,
        Dreamer(config.network, threads=threads, precision=config.precision, timeout=config.dream_timeout),
        load_styles(config.network),
        network=config.network,
        timetable=Timetable(
            config.dream_interval, config.style_interval, config.rest_after, config.sleep_after
        ),
        users=users,
        changed=changed,
        dreamt=dreamt,
        clock=wall_clock,
        rng=rng,
        held=held,
    )


def _painter_service(
    config: Config, kept: Storage, studio: _Studio, house: _House, metrics: Metrics
) -> PainterService:
    return PainterService(
        config,
        quotas=house.quotas,
        moderation=house.moderation,
        status=house.status,
        subscriptions=Subscriptions(studio.broadcast, house.cursors),
        painter=studio.painter,
        journal=kept.journal,
        broadcast=studio.broadcast,
        snapshots=studio.snapshots,
        catalogue=kept.history.catalogue,
        stroke_undo=StrokeUndo(
            studio.deferred,
            database=kept.journal.path,
            frames=config.data_dir / layout.FRAMES,
            seconds=config.undo_seconds,
            clock=wall_clock,
            bounds=undo_bounds(config),
            limited=metrics.limited,
        ),
        cursors=house.cursors,
        info=house.info,
        started=wall_clock(),
    )


def _admin_service(config: Config, kept: Storage, studio: _Studio, house: _House) -> AdminService:
    return AdminService(
        moderation=house.moderation,
        restorer=Restorer(
            studio.deferred,
            house.moderation,
            database=kept.journal.path,
            frames=config.data_dir / layout.FRAMES,
            lost=kept.history.catalogue.picture,
        ),
        painter=studio.painter,
        status=house.status,
        clients=house.clients,
        dream_loop=studio.dream_loop,
        clock=wall_clock,
    )


def _connections(
    config: Config,
    kept: Storage,
    studio: _Studio,
    house: _House,
    *,
    metrics: Metrics,
    visited: Callable[[], None],
) -> Connections:
    """Return the endpoint of the websockets, with the methods of both services."""
    return Connections(
        config,
        service=service_of(
            _painter_service(config, kept, studio, house, metrics),
            _admin_service(config, kept, studio, house),
            quotas=house.quotas,
            dabs_per_call=config.dabs_per_call,
        ),
        site=site_of(config),
        clients=house.clients,
        quotas=house.quotas,
        access=house.access,
        journal=kept.journal,
        subscriptions=Subscriptions(studio.broadcast, house.cursors),
        metrics=metrics,
        visited=visited,
    )


def _web(
    config: Config,
    kept: Storage,
    studio: _Studio,
    house: _House,
    *,
    connections: Connections,
    metrics: Metrics,
) -> Web:
    methods = tuple(method.name for method in connections.service.methods)
    catalogue = kept.history.catalogue
    history = WebHistory(
        catalogue,
        window_seconds=config.history_window,
        timezone=config.timezone,
        root=config.root_path,
    )
    about = WebAbout(house.info, pages=Pages(PAGE, root=config.root_path), acts=house.moderation.act_counts)
    return Web(
        connections=connections,
        posters=Posters(kept.journal, house.quotas, house.access),
        status=house.status,
        document=partial(document, methods, config.dabs_per_call),
        painter=studio.painter,
        journal=kept.journal,
        dreams=kept.dreams,
        pictures=PictureCache(),
        snapshots=studio.snapshots,
        metrics=metrics,
        page=PAGE,
        message_bytes=config.message_bytes,
        batch_calls=config.batch_calls,
        site=site_of(config),
        further=[*history.routes(), *about.routes()],
        past=catalogue.picture,
    )


def _listen(signals: _Signals, metrics: Metrics, house: _House, connections: Connections) -> None:
    """Connect the signals of parts that were built early to the parts that were built later."""
    signals.painted.listen(metrics.painted)
    signals.moderated.listen(house.status.announce)
    signals.moderated.listen(connections.close_revoked)
    signals.dream_changed.listen(house.status.announce)
    signals.visited.listen(house.status.announce)


def _follow(signals: _Signals, dream_loop: DreamLoop) -> None:
    """Tell the dream loop when somebody comes, leaves or draws."""
    signals.painted.listen(lambda _: dream_loop.active())
    signals.visited.listen(dream_loop.active)


def _watch(metrics: Metrics, kept: Storage, studio: _Studio, house: _House) -> None:
    """Add gauges and counters of all parts to `/metrics`."""
    users = house.clients.count
    watch_canvas(metrics, studio.painter, kept.journal, studio.broadcast, users=users)
    if studio.dream_loop is not None:
        watch_dreams(metrics, studio.dream_loop)
    watch_pictures(metrics, house.cursors, studio.snapshots)
    kept.history.watch(metrics.watch, metrics.count)


class App:
    """A server. `serve` runs it until SIGTERM or Ctrl-C; SIGHUP changes the style of its dreams.

    `started` is called with its address when it accepts connections.
    """

    def __init__(self, config: Config, *, rng: random.Random, started: Callable[[str], None]) -> None:
        self._config = config
        self._rng = rng
        self._started = started
        self._stop = asyncio.Event()
        self._watchdog = Watchdog()
        self._metrics = Metrics()

    async def serve(self) -> None:
        """Run until a signal says to stop. Raises ConfigError or StoreError where it cannot start."""
        config = self._config
        lock = DirectoryLock(config.data_dir)
        try:
            access = Access(admin_token(config.data_dir))
            listener = listen(config)
            with storage(config, clock=wall_clock, committed=self._metrics.committed) as kept:
                async with self._built(kept, access, listener) as parts:
                    await self._run(parts, listener)
        finally:
            lock.release()

    @contextlib.asynccontextmanager
    async def _built(self, kept: Storage, access: Access, listener: socket.socket) -> AsyncIterator[_Parts]:
        """Build the parts. Maintenance of the stored data runs beside them once the picture is loaded."""
        config, metrics, signals = self._config, self._metrics, _Signals()
        broadcast = Broadcast(tick=config.tick_ms / 1000, root=config.root_path)
        painter = await _painter(config, kept, broadcast, signals.painted)
        async with beside(kept.maintenance.run()):
            uptime = Uptime(kept.journal, clock=wall_clock, monotonic=monotonic_clock)
            await uptime.load()
            moderation = await open_moderation(
                config, kept.journal, access, changed=signals.moderated, clock=wall_clock
            )
            clients = Clients()
            dream_loop = self._dream_loop(painter, clients, moderation, uptime, signals)
            studio = _Studio(
                broadcast, painter, DeferredPatches(painter), _snapshots(config, painter), dream_loop
            )
            house = _House(
                access=access,
                moderation=moderation,
                clients=clients,
                quotas=Quotas(config, metrics, now=time.monotonic),
                cursors=Cursors(),
                status=Status(
                    broadcast=broadcast, moderation=moderation, users=clients.count, dream_loop=dream_loop
                ),
                info=ServerInfo(config, uptime),
            )
            with contextlib.closing(studio.snapshots.encoders):
                yield _Parts(
                    kept, studio, moderation, uptime, self._http(kept, studio, house, signals, listener)
                )

    def _dream_loop(
        self, painter: Painter, clients: Clients, moderation: Moderation, uptime: Uptime, signals: _Signals
    ) -> DreamLoop | None:
        if not self._config.dream:
            return None
        dream_loop = _dream_loop(
            self._config,
            painter,
            users=clients.count,
            changed=signals.dream_changed,
            dreamt=partial(_dreamt, self._metrics, uptime),
            held=moderation.resting,
            rng=self._rng,
        )
        _follow(signals, dream_loop)
        return dream_loop

    def _http(
        self, kept: Storage, studio: _Studio, house: _House, signals: _Signals, listener: socket.socket
    ) -> HttpServer:
        config, metrics = self._config, self._metrics
        connections = _connections(config, kept, studio, house, metrics=metrics, visited=signals.visited)
        web = _web(config, kept, studio, house, connections=connections, metrics=metrics)
        _listen(signals, metrics, house, connections)
        _watch(metrics, kept, studio, house)
        return HttpServer(web.app(), listener, config, connections, metrics)

    # Starting

    def _take_signals(self, dream_loop: DreamLoop | None) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        # Without a handler SIGHUP would end the process: one is needed also where the server does not dream
        next_style = dream_loop.next_style if dream_loop is not None else lambda: None
        loop.add_signal_handler(signal.SIGHUP, next_style)

    async def _run(self, parts: _Parts, listener: socket.socket) -> None:
        """Start the parts, and stop them when a signal says so."""
        dream_loop = parts.studio.dream_loop
        self._take_signals(dream_loop)
        async with asyncio.TaskGroup() as group:
            group.create_task(parts.http.serve(sockets=[listener]))
            tasks = [group.create_task(dream_loop.run())] if dream_loop is not None else []
            await parts.http.up.wait()
            self._started(url(listener))
            gc.collect()
            # What is loaded now stays until the end: each collection that goes through it takes 20 ms
            gc.freeze()
            log.info("started", extra={"url": url(listener), "version": __version__})
            if self._config.movies:
                tasks.append(group.create_task(parts.storage.history.run()))
            tasks.append(group.create_task(parts.moderation.run()))
            tasks.append(group.create_task(parts.uptime.run()))
            self._watchdog.ready(url(listener))
            tasks.append(group.create_task(self._watchdog.run()))
            await self._stop.wait()
            await self._end(parts, tasks)
        version = parts.studio.painter.version
        log.info("stopped", extra={"dream": version.dream, "seq": version.seq})

    # Stopping

    async def _end(self, parts: _Parts, tasks: list[asyncio.Task[None]]) -> None:
        """Stop what makes new things, save what is there, and then close the connections.

        They are last, so that calls which are already on their way get their replies.
        """
        log.info("stopping")
        self._watchdog.stopping()
        for task in tasks:
            task.cancel()
        await parts.uptime.try_to_save()
        parts.studio.deferred.close()  # else the painter would wait for the patches that are being made
        await parts.studio.painter.close()
        parts.http.should_exit = True


def _dreamt(metrics: Metrics, uptime: Uptime, seconds: float) -> None:
    metrics.dreamt(seconds)
    uptime.dreamt(round(1000 * seconds))
