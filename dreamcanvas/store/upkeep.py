"""What keeps the store small: archives and the disk budget, every minute, beside everything else."""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from dreamcanvas.store.archive import FILE_OPERATIONS
from dreamcanvas.store.budget import KEEP_AT_LEAST, Budget
from dreamcanvas.store.journal import Journal

log = logging.getLogger(__name__)

HOUR_MS: Final = 3_600_000
FILE_HOURS: Final = 24  # a file that is not full is made of operations that have waited for so long


@dataclass(frozen=True, slots=True)
class Keeping:
    """What stays in the database: the operations of the last `hours` (0: all), the newest
    `replay_operations`, and those after the dream before the newest ten.

    `file_operations` are moved at a time.
    """

    hours: float
    replay_operations: int
    file_operations: int = FILE_OPERATIONS


class Upkeep:
    """Does it, until cancelled."""

    def __init__(
        self,
        journal: Journal,
        budget: Budget,
        keeping: Keeping,
        *,
        clock: Callable[[], int],
        interval: float = 60.0,
    ) -> None:
        self._journal = journal
        self._budget = budget
        self._keeping = keeping
        self._clock = clock
        self._interval = interval
        self._at_work = asyncio.Lock()

    async def run(self) -> None:
        """Does it every `interval` seconds. What fails is logged, and tried again."""
        while True:
            try:
                await self.once()
            except (OSError, sqlite3.Error) as error:
                log.error("upkeep failed", extra={"error": str(error)})
            await asyncio.sleep(self._interval)

    async def once(self) -> None:
        """Moves all that is due, then makes room. Raises OSError, sqlite3.Error."""
        async with self._at_work:
            if self._keeping.hours:
                while await self._move():
                    pass
            await self._budget.enforce()

    async def _move(self) -> int:
        newest = await self._journal.run(
            lambda connection: connection.execute(
                "SELECT seq FROM dreams WHERE file = 0 ORDER BY dream DESC LIMIT 1 OFFSET ?", (KEEP_AT_LEAST,)
            ).fetchone()
        )
        if newest is None:
            return 0
        before = self._clock() - round(self._keeping.hours * HOUR_MS)
        return await self._journal.archive.move(
            until=min(newest[0], self._journal.seq - self._keeping.replay_operations),
            before=before,
            overdue=before - FILE_HOURS * HOUR_MS,
            file_operations=self._keeping.file_operations,
        )
