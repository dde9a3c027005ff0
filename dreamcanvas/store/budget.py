"""Room on the disk: how much is used, and what is deleted first where that is too much.

First the frame files of the oldest dreams beyond the newest 4,500 (two and a half hours at a dream every 2
s); then archives, oldest first; then frame files beyond the newest 10. Never the newest dreams' frames, never
operations that are in the database. What is deleted is marked in the database before (1) and after (2), so
that a file that is missing on purpose is not taken for damage, and one that outlived a crash is deleted
later.
"""

import asyncio
import logging
import sqlite3
from pathlib import Path
from typing import Final

from dreamcanvas.store.archive import archive_path
from dreamcanvas.store.dreams import frame_path
from dreamcanvas.store.journal import Journal

log = logging.getLogger(__name__)

KEEP_FRAMES: Final = 4500
KEEP_AT_LEAST: Final = 10
SLICE: Final = 200  # files that are deleted at a time

_TABLES: Final = {"dreams": "dream", "archives": "first"}


class Budget:
    """Keeps a data directory within `limit` bytes; 0 is no limit. `used` is as of the last look."""

    def __init__(
        self, data_dir: Path, journal: Journal, *, limit: int, keep_frames: int = KEEP_FRAMES
    ) -> None:
        self._data_dir = data_dir
        self._journal = journal
        self._limit = limit
        self._keep_frames = keep_frames
        self._over = False
        self.used = 0

    async def enforce(self) -> int:
        """Deletes what is too much, and gives how many files. Raises OSError, sqlite3.Error."""
        deleted = 0
        for table in _TABLES:
            await self._finish(table)
        steps = (
            ("dreams", max(self._keep_frames, KEEP_AT_LEAST)),
            ("archives", 0),
            ("dreams", KEEP_AT_LEAST),
        )
        self.used = await self._measure()
        for table, keep in steps:
            while self._limit and self.used > self._limit:
                count = await self._delete(table, keep)
                if not count:
                    break
                deleted += count
                self.used = await self._measure()
        over = bool(self._limit) and self.used > self._limit
        if over and not self._over:
            log.error(
                "over the disk budget, and nothing left to delete",
                extra={"used": self.used, "limit": self._limit},
            )
        self._over = over
        return deleted

    async def _measure(self) -> int:
        """The bytes in use: frames, archives, and the database, but not its log, which stays small."""
        rows = await self._journal.run(
            lambda connection: connection.execute(
                "SELECT (SELECT coalesce(sum(bytes), 0) FROM dreams WHERE file = 0), "
                "(SELECT coalesce(sum(bytes), 0) FROM archives WHERE file = 0)"
            ).fetchone()
        )
        return int(sum(rows)) + self._journal.path.stat().st_size

    async def _delete(self, table: str, keep: int) -> int:
        """Deletes the oldest files beyond the newest `keep`, as many as needed, a slice at most."""
        key = _TABLES[table]
        excess = self.used - self._limit

        def mark(connection: sqlite3.Connection) -> list[tuple[int, int]]:
            newest = connection.execute(
                f"SELECT {key} FROM {table} WHERE file = 0 ORDER BY {key} DESC LIMIT 1 OFFSET ?", (keep,)
            ).fetchone()
            if newest is None:
                return []
            found: list[tuple[int, int]] = []
            for row in connection.execute(
                f"SELECT {key}, bytes FROM {table} WHERE file = 0 AND {key} <= ? ORDER BY {key} LIMIT ?",
                (newest[0], SLICE),
            ).fetchall():
                if sum(length for _, length in found) >= excess:
                    break
                found.append(row)
            connection.executemany(
                f"UPDATE {table} SET file = 1 WHERE {key} = ?", [(number,) for number, _ in found]
            )
            return found

        marked = await self._journal.write(mark)
        if marked:
            await self._finish(table)
            log.warning(
                "deleted for want of room",
                extra={
                    "what": "frames of dreams" if table == "dreams" else "archives of operations",
                    "first": marked[0][0],
                    "last": marked[-1][0],
                    "files": len(marked),
                    "bytes": sum(length for _, length in marked),
                    "limit": self._limit,
                },
            )
        return len(marked)

    async def _finish(self, table: str) -> None:
        """Deletes the files that are marked."""
        key = _TABLES[table]
        rows = await self._journal.run(
            lambda connection: connection.execute(f"SELECT {key} FROM {table} WHERE file = 1").fetchall()
        )
        if not rows:
            return
        paths = [
            frame_path(self._data_dir / "frames", number)
            if table == "dreams"
            else archive_path(self._data_dir / "archive", number)
            for (number,) in rows
        ]

        def unlink() -> None:
            for path in paths:
                path.unlink(missing_ok=True)

        await asyncio.to_thread(unlink)
        await self._journal.write(
            lambda connection: connection.executemany(f"UPDATE {table} SET file = 2 WHERE {key} = ?", rows)
        )
