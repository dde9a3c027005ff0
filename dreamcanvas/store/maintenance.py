"""What keeps the store small: archives and the disk budget, every minute, beside everything else."""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from dreamcanvas.store.archive import FILE_OPERATIONS
from dreamcanvas.store.authors import forget_authors
from dreamcanvas.store.budget import KEEP_AT_LEAST, Budget
from dreamcanvas.store.checkpoints import KEEP, Checkpoints
from dreamcanvas.store.file_state import FileState
from dreamcanvas.store.journal import Journal

log = logging.getLogger(__name__)

HOUR_MS: Final = 3_600_000
FILE_HOURS: Final = 24  # a file that is not full is made of operations that have waited for so long


@dataclass(frozen=True, slots=True)
class Keeping:
    """What stays in the database: the operations of the last `hours` (0: all), the newest
    `replay_operations`, and those after the dream before the newest ten, or after the oldest of the newest
    checkpoints.

    `file_operations` are moved at a time. Where the disk budget needs it, only those of the last
    `at_least_ms` stay, and those after that dream or checkpoint. Who has not drawn for `sessions_ms` is
    forgotten (0: never).
    """

    hours: float
    replay_operations: int
    file_operations: int = FILE_OPERATIONS
    at_least_ms: int = HOUR_MS
    sessions_ms: int = 0


class Maintenance:
    """Moves and deletes what is due, every minute."""

    def __init__(
        self,
        journal: Journal,
        budget: Budget,
        keeping: Keeping,
        *,
        clock: Callable[[], int],
        interval: float = 60.0,
        checkpoints: Checkpoints | None = None,
    ) -> None:
        self._checkpoints = checkpoints
        self._journal = journal
        self._budget = budget
        self._keeping = keeping
        self._clock = clock
        self._interval = interval
        self._at_work = asyncio.Lock()

    async def run(self) -> None:
        """Move and delete what is due every `interval` seconds, until cancelled.

        What fails is logged, and tried again.
        """
        while True:
            try:
                await self.once()
            except (OSError, sqlite3.Error) as error:
                log.error("upkeep failed", extra={"error": str(error)})
            await asyncio.sleep(self._interval)

    async def once(self) -> None:
        """Move all that is due, then make room. Raises OSError, sqlite3.Error."""
        async with self._at_work:
            keeping, now = self._keeping, self._clock()
            if self._checkpoints is not None:
                await self._checkpoints.prune(now)
            if keeping.hours:
                before = now - round(keeping.hours * HOUR_MS)
                newest = self._journal.seq - keeping.replay_operations
                while await self._move(newest, before, before - FILE_HOURS * HOUR_MS):
                    pass
            if keeping.sessions_ms:
                await forget_authors(self._journal, now - keeping.sessions_ms)
            while await self._budget.operations_excess() > 0:
                before = now - keeping.at_least_ms
                if not await self._move(self._journal.seq, before, before):
                    break
                log.warning("operations archived before their time", extra={"used": self._budget.used})
                await self._budget.shrink()
            await self._budget.enforce()

    async def _move(self, newest: int, before: int, overdue: int) -> int:
        base = await self._journal.run(_base)
        return await self._journal.archive.move(
            until=min(base, newest),
            before=before,
            overdue=overdue,
            file_operations=self._keeping.file_operations,
        )


def _base(connection: sqlite3.Connection) -> int:
    """Return the last operation that nobody will lay again, even if the newest frames or checkpoints are
    damaged.
    """
    found = connection.execute(
        "SELECT max((SELECT coalesce(min(seq), 0) FROM "
        "(SELECT seq FROM dreams WHERE file = :there ORDER BY dream DESC LIMIT 1 OFFSET :dreams)), "
        "(SELECT coalesce(min(seq), 0) FROM "
        "(SELECT seq FROM checkpoints WHERE dream = (SELECT coalesce(max(dream), 0) FROM dreams) "
        "ORDER BY seq DESC LIMIT 1 OFFSET :checkpoints)))",
        {"there": FileState.THERE, "dreams": KEEP_AT_LEAST, "checkpoints": KEEP - 1},
    ).fetchone()
    return int(found[0])
