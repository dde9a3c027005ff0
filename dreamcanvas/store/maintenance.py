"""Keep the store small: archive operations and enforce the disk budget, every minute."""

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
FILE_HOURS: Final = 24  # operations wait so long for a full archive file; then they get one that is not full


@dataclass(frozen=True, slots=True)
class Keeping:
    """Which operations stay in the database.

    These are the operations of the last `hours` (0: all), the newest `replay_operations`, and those after the
    dream before the newest ten, or after the oldest of the newest checkpoints. Where the disk budget needs
    room, only those of the last `at_least_ms` and those after that dream or checkpoint stay.

    `file_operations` are moved at a time. An author who has not drawn for `sessions_ms` is forgotten (0:
    never).
    """

    hours: float
    replay_operations: int
    file_operations: int = FILE_OPERATIONS
    at_least_ms: int = HOUR_MS
    sessions_ms: int = 0


class Maintenance:
    """The task that moves and deletes what is due."""

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

        A failure is logged, and the work is tried again the next time.
        """
        while True:
            try:
                await self.once()
            except (OSError, sqlite3.Error) as error:
                log.error("upkeep failed", extra={"error": str(error)})
            await asyncio.sleep(self._interval)

    async def once(self) -> None:
        """Archive what is due, forget authors, and make room. Raises OSError, sqlite3.Error."""
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
    """Return the last operation that no start will draw again.

    That holds even if the newest frames or checkpoints are damaged.
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
