"""Count for how long the server was up, and for how long it dreamt: a row for each day in UTC.

The counts are kept in memory, and written every minute and at the end. So kill -9 loses at most a minute of
up-time. A start counts the dreaming again from the dreams.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from dreamcanvas.store.journal import Journal

log = logging.getLogger(__name__)

DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class Hours:
    """Hours in a span of time: those that the server was up, and those that it dreamt."""

    up: float
    dreaming: float


class Uptime:
    """The counts of all days. `clock` gives ms since 1970; `monotonic` gives ms that only ever grow."""

    def __init__(self, journal: Journal, *, clock: Callable[[], int], monotonic: Callable[[], int]) -> None:
        self._journal = journal
        self._clock = clock
        self._monotonic = monotonic
        self._counted = monotonic()
        self._days: dict[int, list[int]] = {}
        self._changed: set[int] = set()

    async def load(self) -> None:
        """Read the counts of before, and add the dreams since the last day that was written."""

        def read(connection: sqlite3.Connection) -> tuple[list[tuple[int, int, int]], list[tuple[int, int]]]:
            days = connection.execute("SELECT day, up_ms, dream_ms FROM running").fetchall()
            last = max((day for day, _, _ in days), default=0)
            dreams = connection.execute(
                "SELECT time / :day_ms, sum(ms) FROM dreams WHERE time >= :since GROUP BY 1",
                {"day_ms": DAY_MS, "since": last * DAY_MS},
            ).fetchall()
            return days, dreams

        days, dreams = await self._journal.run(read)
        self._days = {day: [up, dreaming] for day, up, dreaming in days}
        for day, ms in dreams:
            self._of(day)[1] = ms

    def dreamt(self, ms: int) -> None:
        """Count how long a dream took."""
        self._of(self._clock() // DAY_MS)[1] += ms

    def hours(self) -> tuple[Hours, Hours, Hours]:
        """Return the hours since midnight, since the first of the month, and since the start, by UTC."""
        self._count()
        now = datetime.fromtimestamp(self._clock() / 1000, UTC)
        today = self._clock() // DAY_MS
        return self._since(today), self._since(today - now.day + 1), self._since(0)

    async def save(self) -> None:
        """Write what has changed. Raises sqlite3.Error; then the next call writes it."""
        self._count()
        rows = [
            {"day": day, "up_ms": self._days[day][0], "dream_ms": self._days[day][1]}
            for day in sorted(self._changed)
        ]
        await self._journal.write(
            lambda connection: connection.executemany(
                "INSERT OR REPLACE INTO running VALUES (:day, :up_ms, :dream_ms)", rows
            )
        )
        self._changed = {self._clock() // DAY_MS}

    async def run(self, interval: float = 60.0) -> None:
        """Write the days every `interval` seconds until cancelled. What fails is logged, and tried again."""
        while True:
            await asyncio.sleep(interval)
            await self.try_to_save()

    async def try_to_save(self) -> None:
        """Write what has changed, or log why that failed."""
        try:
            await self.save()
        except sqlite3.Error as error:
            log.error("hours not written", extra={"error": str(error)})

    def _of(self, day: int) -> list[int]:
        self._changed.add(day)
        return self._days.setdefault(day, [0, 0])

    def _count(self) -> None:
        now = self._monotonic()
        self._of(self._clock() // DAY_MS)[0] += now - self._counted
        self._counted = now

    def _since(self, first: int) -> Hours:
        days = [counts for day, counts in self._days.items() if day >= first]
        return Hours(sum(up for up, _ in days) / 3_600_000, sum(dreaming for _, dreaming in days) / 3_600_000)
