"""The composition root: builds every part of a server, starts and stops them in order."""

import asyncio
import contextlib
import gc
import logging
import os
import random
import signal
import socket
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from dreamcanvas import __version__
from dreamcanvas.access.tokens import Access, admin_token
from dreamcanvas.api.connections import Visitors
from dreamcanvas.api.painter_service import PainterService
from dreamcanvas.api.server_info import ServerInfo
from dreamcanvas.broadcast.cursors import Cursors
from dreamcanvas.clock import monotonic_clock, wall_clock
from dreamcanvas.config import Config
from dreamcanvas.dream.dreamer import Dreamer
from dreamcanvas.dream.styles import load_styles
from dreamcanvas.history.history import History
from dreamcanvas.painting.deferred_patch import DeferredPatches
from dreamcanvas.painting.dream_loop import DreamLoop, Timetable
from dreamcanvas.painting.encoder_pool import EncoderPool
from dreamcanvas.painting.painter import Painter
from dreamcanvas.painting.picture_cache import PictureCache
from dreamcanvas.painting.snapshots import Snapshots
from dreamcanvas.painting.stroke_undo import StrokeUndo, undo_bounds
from dreamcanvas.server.admin_setup import AdminSetup
from dreamcanvas.server.gauges import watch_all
from dreamcanvas.server.http_server import HttpServer
from dreamcanvas.server.listener import listen, url
from dreamcanvas.server.storage import storage
from dreamcanvas.server.systemd import Watchdog
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


class App:
    """A server. `serve` runs it until SIGTERM or Ctrl-C; SIGHUP has it dream something else."""

    def __init__(self, config: Config, *, rng: random.Random, started: Callable[[str], None]) -> None:
        self._config = config
        self._rng = rng
        self._started = started
        self._stop = asyncio.Event()
        self._watchdog = Watchdog()

    async def serve(self) -> None:
        """Runs until told to stop. Raises ConfigError or StoreError where it cannot start."""
        config = self._config
        lock = DirectoryLock(config.data_dir)
        try:
            access = Access(admin_token(config.data_dir))
            listener = listen(config)
            async with storage(config, clock=wall_clock) as (journal, painter, broadcast, dreams, history):
                metrics, pictures = Metrics(), PictureCache()
                running = Uptime(journal, clock=wall_clock, monotonic=monotonic_clock)
                await running.load()
                about = ServerInfo(config, running)
                cursors = Cursors()
                host = await AdminSetup.open(config, journal, access, clock=wall_clock)
                visitors = Visitors(
                    config,
                    journal=journal,
                    broadcast=broadcast,
                    metrics=metrics,
                    now=time.monotonic,
                    cursors=cursors,
                    access=host.access,
                    moderation=host.moderation,
                )
                encoders = EncoderPool(
                    config.encoders, waiting=config.pictures_waiting, unread=config.pictures_unread
                )
                snapshots = Snapshots(
                    painter, encoders=encoders, interval=config.dream_interval, now=time.monotonic
                )
                deferred = DeferredPatches(painter)
                api = PainterService(
                    config,
                    visitors=visitors,
                    painter=painter,
                    journal=journal,
                    broadcast=broadcast,
                    snapshots=snapshots,
                    catalogue=history.catalogue,
                    stroke_undo=StrokeUndo(
                        deferred,
                        database=journal.path,
                        frames=config.data_dir / layout.FRAMES,
                        seconds=config.undo_seconds,
                        clock=wall_clock,
                        bounds=undo_bounds(config),
                        limited=metrics.limited,
                    ),
                    cursors=cursors,
                    about=about,
                    started=wall_clock(),
                )
                web = Web(
                    api=api,
                    visitors=visitors,
                    painter=painter,
                    journal=journal,
                    dreams=dreams,
                    pictures=pictures,
                    snapshots=snapshots,
                    metrics=metrics,
                    page=PAGE,
                    message_bytes=config.message_bytes,
                    batch_calls=config.batch_calls,
                    site=visitors.site,
                    further=[
                        *WebHistory(
                            history.catalogue,
                            window_seconds=config.history_window,
                            timezone=config.timezone,
                        ).routes(),
                        *WebAbout(
                            about,
                            pages=Pages(PAGE, root=visitors.site.root),
                            acts=host.moderation.act_counts,
                        ).routes(),
                    ],
                    past=history.catalogue.picture,
                )
                if config.dream:
                    visitors.dreaming = self._dreaming(painter, visitors, metrics, running)
                host.admit(visitors, painter, deferred, lost=history.catalogue.picture)
                painter.painted = partial(_painted, metrics, visitors)
                watch_all(metrics, painter, journal, broadcast, visitors)
                metrics.count("cursors_dropped", "Cursors that were not passed on.", lambda: cursors.dropped)
                metrics.count(
                    "views", "Pictures that were encoded since the start.", lambda: snapshots.encoded
                )
                metrics.watch(
                    "pictures_waiting", "Pictures that wait to be encoded.", lambda: encoders.waiting
                )
                metrics.count("pictures_refused", "Pictures that were refused.", lambda: encoders.refused)
                history.watch(metrics.watch, metrics.count)
                with contextlib.closing(encoders):
                    await self._run(
                        web, visitors, painter, history, running, metrics=metrics, listener=listener
                    )
        finally:
            lock.release()

    def _dreaming(self, painter: Painter, visitors: Visitors, metrics: Metrics, running: Uptime) -> DreamLoop:
        config = self._config
        threads = config.dream_threads or os.cpu_count() or 1
        return DreamLoop(
            painter,
            Dreamer(
                config.network,
                threads=threads,
                precision=config.precision,
                timeout=config.dream_timeout,
            ),
            load_styles(config.network),
            network=config.network,
            timetable=Timetable(
                config.dream_interval, config.style_interval, config.rest_after, config.sleep_after
            ),
            users=visitors.users,
            changed=visitors.announce,
            dreamt=partial(_dreamt, metrics, running),
            clock=wall_clock,
            rng=self._rng,
        )

    async def _run(
        self,
        web: Web,
        visitors: Visitors,
        painter: Painter,
        history: History,
        running: Uptime,
        *,
        metrics: Metrics,
        listener: socket.socket,
    ) -> None:
        server = HttpServer(web.app(), listener, self._config, visitors, metrics)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        # Without a handler SIGHUP would end the process, also where it does not dream
        loop.add_signal_handler(signal.SIGHUP, _next_style, visitors)
        async with asyncio.TaskGroup() as group:
            group.create_task(server.serve(sockets=[listener]))
            dreaming = group.create_task(visitors.dreaming.run()) if visitors.dreaming is not None else None
            await server.up.wait()
            self._started(url(listener))
            gc.collect()
            gc.freeze()  # what was loaded stays; to look through it again stops everything for 20 ms
            log.info("started", extra={"url": url(listener), "version": __version__})
            movies = group.create_task(history.run()) if self._config.movies else None
            moderating = group.create_task(visitors.moderation.run())
            hours = group.create_task(running.run())
            self._watchdog.ready(url(listener))
            watching = group.create_task(self._watchdog.run())
            await self._stop.wait()
            log.info("stopping")
            self._watchdog.stopping()
            for task in (dreaming, movies, moderating, hours, watching):
                if task is not None:
                    task.cancel()
            await running.try_to_save()
            await painter.close()
            server.should_exit = True
        log.info("stopped", extra={"dream": painter.version.dream, "seq": painter.version.seq})


def _next_style(visitors: Visitors) -> None:
    if visitors.dreaming is not None:
        visitors.dreaming.next_style()


def _dreamt(metrics: Metrics, running: Uptime, seconds: float) -> None:
    metrics.dreamt(seconds)
    running.dreamt(round(1000 * seconds))


def _painted(metrics: Metrics, visitors: Visitors, dabs: int) -> None:
    metrics.painted(dabs)
    if visitors.dreaming is not None:
        visitors.dreaming.active()
