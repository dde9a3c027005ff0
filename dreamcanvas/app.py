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
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final, cast

import uvicorn

from dreamcanvas import __version__
from dreamcanvas.about import About
from dreamcanvas.access import Access, admin_token
from dreamcanvas.api import Api
from dreamcanvas.config import Config
from dreamcanvas.cursors import Cursors
from dreamcanvas.dream.dreamer import Dreamer
from dreamcanvas.dream.styles import load_styles
from dreamcanvas.dreaming import Dreaming, Timetable
from dreamcanvas.gauges import watch_all
from dreamcanvas.history.history import History
from dreamcanvas.host import Host
from dreamcanvas.listener import listen, url
from dreamcanvas.metrics import Metrics
from dreamcanvas.painter import Painter
from dreamcanvas.pictures import Pictures
from dreamcanvas.reach import timeouts
from dreamcanvas.retracting import Retracting
from dreamcanvas.rpc.http import HttpProtocol
from dreamcanvas.rpc.protocol import RpcProtocol
from dreamcanvas.storage import storage
from dreamcanvas.store.running import Running
from dreamcanvas.store.schema import DirectoryLock
from dreamcanvas.undoing import Undoing, undo_bounds
from dreamcanvas.views import Views
from dreamcanvas.visitors import Visitors
from dreamcanvas.watchdog import Watchdog
from dreamcanvas.web import Web
from dreamcanvas.web_about import WebAbout
from dreamcanvas.web_history import WebHistory

log = logging.getLogger(__name__)

PAGE: Final = Path(__file__).parent / "page"
GRACE_SECONDS: Final = 3


def _monotonic() -> int:
    return time.monotonic_ns() // 1_000_000


def _clock() -> int:
    return time.time_ns() // 1_000_000


class _Server(uvicorn.Server):
    """uvicorn, but signals are the application's, and it says when it is up."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts to accept connections."""
        await super().startup(sockets)
        self.up.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


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
            async with storage(config, clock=_clock) as (journal, painter, broadcast, dreams, history):
                metrics, pictures = Metrics(), Pictures()
                running = Running(journal, clock=_clock, monotonic=_monotonic)
                await running.load()
                about = About(config, running)
                cursors = Cursors()
                host = await Host.open(config, journal, access, clock=_clock)
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
                views = Views(painter, interval=config.dream_interval, now=time.monotonic)
                retracting = Retracting(painter)
                api = Api(
                    config,
                    visitors=visitors,
                    painter=painter,
                    journal=journal,
                    broadcast=broadcast,
                    views=views,
                    catalogue=history.catalogue,
                    undoing=Undoing(
                        retracting,
                        database=journal.path,
                        frames=config.data_dir / "frames",
                        seconds=config.undo_seconds,
                        clock=_clock,
                        bounds=undo_bounds(config),
                        limited=metrics.limited,
                    ),
                    cursors=cursors,
                    about=about,
                    started=_clock(),
                )
                web = Web(
                    api=api,
                    visitors=visitors,
                    painter=painter,
                    journal=journal,
                    dreams=dreams,
                    pictures=pictures,
                    views=views,
                    metrics=metrics,
                    page=PAGE,
                    message_bytes=config.message_bytes,
                    batch_calls=config.batch_calls,
                    reach=visitors.reach,
                    further=[
                        *WebHistory(
                            history.catalogue,
                            window_seconds=config.history_window,
                            timezone=config.timezone,
                        ).routes(),
                        *WebAbout(about, page=PAGE / "about.html", acts=host.moderation.act_counts).routes(),
                    ],
                    past=history.catalogue.picture,
                )
                if config.dream:
                    visitors.dreaming = self._dreaming(painter, visitors, metrics, running)
                host.admit(visitors, painter, retracting, lost=history.catalogue.picture)
                painter.painted = partial(_painted, metrics, visitors)
                watch_all(metrics, painter, journal, broadcast, visitors)
                metrics.count("cursors_dropped", "Cursors that were not passed on.", lambda: cursors.dropped)
                metrics.count("views", "Pictures that were encoded since the start.", lambda: views.encoded)
                history.watch(metrics.watch, metrics.count)
                await self._run(web, visitors, painter, history, running, listener=listener)
        finally:
            lock.release()

    def _dreaming(self, painter: Painter, visitors: Visitors, metrics: Metrics, running: Running) -> Dreaming:
        config = self._config
        threads = config.dream_threads or os.cpu_count() or 1
        return Dreaming(
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
            clock=_clock,
            rng=self._rng,
        )

    async def _run(
        self,
        web: Web,
        visitors: Visitors,
        painter: Painter,
        history: History,
        running: Running,
        *,
        listener: socket.socket,
    ) -> None:
        server = _Server(
            uvicorn.Config(
                web.app(),
                ws=cast(Any, partial(RpcProtocol, endpoint=visitors)),
                http=cast(Any, partial(HttpProtocol, timeouts=timeouts(self._config))),
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,  # it would believe anybody on this machine; `addresses` decides
                timeout_keep_alive=10**6,  # HttpProtocol's is shorter
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )
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


def _dreamt(metrics: Metrics, running: Running, seconds: float) -> None:
    metrics.dreamt(seconds)
    running.dreamt(round(1000 * seconds))


def _painted(metrics: Metrics, visitors: Visitors, dabs: int) -> None:
    metrics.painted(dabs)
    if visitors.dreaming is not None:
        visitors.dreaming.active()
