"""When movies are made: the only part that knows APScheduler.

A job says no more than that it is time; what is to be done then is found in the database, so that a job that
came late, twice or never does no harm. The work is done by one task, a structured one, never by two at once.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 300.0
SHORTLY_SECONDS: Final = 15.0


class Jobs:
    """Calls `look` at the start, shortly after each window of `window` seconds has ended, and every five
    minutes for what could not be done before; `daily` at the start and at midnight of a time zone.
    """

    def __init__(
        self,
        look: Callable[[], Awaitable[object]],
        daily: Callable[[], Awaitable[object]],
        *,
        window: float,
        zone: tzinfo,
    ) -> None:
        logging.getLogger("apscheduler").setLevel(logging.WARNING)  # else it tells of every look
        self._work = {"look": look, "daily": daily}
        self._due = {name: asyncio.Event() for name in self._work}
        self._any = asyncio.Event()
        period = min(window, LOOK_SECONDS)
        shortly = min(SHORTLY_SECONDS, window / 4)
        self._scheduler = AsyncIOScheduler(
            timezone=UTC, job_defaults={"misfire_grace_time": None, "coalesce": True}
        )
        aligned = datetime.fromtimestamp(0, UTC) + timedelta(seconds=shortly)
        self._scheduler.add_job(
            self._tell, IntervalTrigger(seconds=period, start_date=aligned, timezone=UTC), ["look"]
        )
        self._scheduler.add_job(self._tell, CronTrigger(hour=0, minute=0, second=1, timezone=zone), ["daily"])

    async def _tell(self, name: str) -> None:
        self._due[name].set()
        self._any.set()

    async def run(self) -> None:
        """Run the jobs until cancelled. What fails is logged, and tried again with the next call."""
        for name in self._work:
            await self._tell(name)
        self._scheduler.start()
        try:
            while True:
                await self._any.wait()
                self._any.clear()
                for name, work in self._work.items():
                    if self._due[name].is_set():
                        self._due[name].clear()
                        await self._do(name, work)
        finally:
            self._scheduler.shutdown(wait=False)

    async def _do(self, name: str, work: Callable[[], Awaitable[object]]) -> None:
        try:
            await work()
        except (OSError, sqlite3.Error) as error:
            log.error("history failed", extra={"job": name, "error": str(error)})
