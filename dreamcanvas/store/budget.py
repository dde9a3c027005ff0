"""Keep a data directory within a limit: measure what is used, and delete what is needed least.

Whatever the limit is, frame files whose dreams are in a movie are deleted, except those of the last minutes
and the newest eleven: a restart makes the canvas from one of them. Where the rest is still above the limit,
files are deleted in this order, the oldest of each kind first:

1. frame files without a movie that take more than half of the room, beyond the newest 4,500 (two and a half
   hours at a dream every 2 s): then the making of movies has failed, and old movies must not pay for that;
   archives of operations that take more than a quarter;
2. movies of windows, beyond the newest twelve (a day), and then movies of days; their posters stay;
3. frame files beyond the newest 4,500; archives of operations;
4. the other movies of windows; frame files beyond the newest 10.

Operations in the database are never deleted; where they need too much room, `maintenance` moves them to
archives earlier than usual. A file is marked in the database before it is deleted (1) and again after (2). So
a file that is missing on purpose is not taken for damage, and one that outlived a crash is deleted later.
"""

import asyncio
import contextlib
import json
import logging
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from dreamcanvas.clock import wall_clock
from dreamcanvas.store import layout
from dreamcanvas.store.archive import archive_path
from dreamcanvas.store.dreams import frame_path
from dreamcanvas.store.file_state import FileState
from dreamcanvas.store.journal import Journal
from dreamcanvas.store.movies import POSTER, movie_path, name_of

log = logging.getLogger(__name__)

KEEP_FRAMES: Final = 4500
KEEP_AT_LEAST: Final = 10
KEEP_WINDOWS: Final = 12
SLICE: Final = 200  # files that are deleted at a time
FREE_PAGES: Final = 500  # of the database (2 MB): so many may stay unused, and are given back at a time
_DIRECTORIES: Final = (layout.CHECKPOINTS, layout.PARTIAL_MOVIES)

_TABLES: Final = {"dreams": "dream", "archives": "first", "windows": "start", "days": "day"}
_NAMES: Final = {
    "dreams": "frames of dreams",
    "archives": "archives of operations",
    "windows": "movies of windows",
    "days": "movies of days",
}


def _pages(connection: sqlite3.Connection, what: str) -> int:
    return int(connection.execute(f"PRAGMA {what}").fetchone()[0])


def _free(connection: sqlite3.Connection) -> int:
    """Return how many pages of the database are unused."""
    return _pages(connection, "freelist_count")


def _held(connection: sqlite3.Connection) -> int:
    """Return how many bytes of the database are used."""
    return (_pages(connection, "page_count") - _free(connection)) * _pages(connection, "page_size")


def _can_shrink(connection: sqlite3.Connection) -> bool:
    """Say whether unused pages can be given back: not in a database that an older version made."""
    return bool(_pages(connection, "auto_vacuum"))


class Budget:
    """Keeps a data directory within `limit` bytes; 0 is no limit. `used` is as of the last look.

    A frame file whose dream is in a movie is kept for `keep_ms`.
    """

    def __init__(
        self,
        data_dir: Path,
        journal: Journal,
        *,
        limit: int,
        keep_frames: int = KEEP_FRAMES,
        keep_ms: int = 0,
        clock: Callable[[], int] = wall_clock,
    ) -> None:
        self._data_dir = data_dir
        self._journal = journal
        self._limit = limit
        self._keep_frames = max(keep_frames, KEEP_AT_LEAST)
        self._keep_ms = keep_ms
        self._clock = clock
        self._over = False
        self._of = {"dreams": 0, "archives": 0}
        self._others = 0
        self.used = 0

    async def enforce(self) -> int:
        """Delete frame files that are in movies, then what is above the limit; return how many those were.

        Raises OSError, sqlite3.Error.
        """
        deleted = 0
        while await self._release():
            await self._finish("dreams")
        for table in _TABLES:
            await self._finish(table)
        await self.measure()
        steps = (
            ("dreams", self._keep_frames, self._limit // 2),
            ("archives", 0, self._limit // 4),
            ("windows", KEEP_WINDOWS, 0),
            ("days", 0, 0),
            ("dreams", self._keep_frames, 0),
            ("archives", 0, 0),
            ("windows", 0, 0),
            ("dreams", KEEP_AT_LEAST, 0),
        )
        for table, keep, share in steps:
            while (excess := self._excess(table, share)) > 0:
                count = await self._delete(table, keep, excess)
                if not count:
                    break
                deleted += count
                await self._measure()
        over = bool(self._limit) and self.used > self._limit
        if over and not self._over:
            log.error(
                "over the disk budget, and nothing left to delete",
                extra={"used": self.used, "limit": self._limit},
            )
        self._over = over
        return deleted

    def _excess(self, table: str, share: int) -> int:
        """Return by how many bytes the directory is above its limit.

        At most as many as this kind of file takes beyond `share` bytes.
        """
        excess = self.used - self._limit if self._limit else 0
        return min(excess, self._of[table] - share) if share else excess

    async def operations_excess(self) -> int:
        """Return how many of the bytes above the limit are operations beyond a quarter of the limit."""
        await self.measure()
        excess = self._excess("dreams", 0)
        if excess <= 0:
            return 0
        held = await self._journal.run(_held)
        return min(excess, held - self._limit // 4)

    async def shrink(self) -> None:
        """Give unused pages of the database back to the disk, a slice at a time."""
        while await self._journal.run(_free) > FREE_PAGES:
            await self._journal.write(
                lambda connection: connection.execute(f"PRAGMA incremental_vacuum({FREE_PAGES})").fetchall()
            )
            if not await self._journal.run(_can_shrink):
                return

    async def _release(self) -> int:
        """Mark frame files whose dreams are in a movie, at most a slice; return how many."""
        now = self._clock()

        def mark(connection: sqlite3.Connection) -> int:
            return connection.execute(
                "UPDATE dreams SET file = :marked WHERE dream IN ("
                "SELECT dream FROM dreams JOIN windows ON windows.start = dreams.movie "
                "WHERE dreams.file = :there AND windows.file != :waiting "
                "AND NOT dreams.time BETWEEN :since AND :until AND dream <= "
                "(SELECT dream FROM dreams WHERE file = :there ORDER BY dream DESC LIMIT 1 OFFSET :stay) "
                "ORDER BY dream LIMIT :slice)",
                {
                    "marked": FileState.MARKED,
                    "there": FileState.THERE,
                    "waiting": FileState.WAITING,
                    "since": now - self._keep_ms,
                    "until": now + self._keep_ms,
                    # One more than the budget keeps: operations are archived up to the dream before those ten
                    "stay": KEEP_AT_LEAST + 1,
                    "slice": SLICE,
                },
            ).rowcount

        return await self._journal.write(mark)

    async def measure(self) -> None:
        """Measure the bytes in use of everything in the data directory."""
        await self._journal.empty_log()
        self._others = await asyncio.to_thread(self._measure_others)
        await self._measure()

    def _measure_others(self) -> int:
        """Return the bytes that no table counts.

        These are the database with its log, checkpoints, a movie in the making, and small files.
        """
        total = 0
        for directory in (self._data_dir, *(self._data_dir / name for name in _DIRECTORIES)):
            with contextlib.suppress(FileNotFoundError):
                for entry in list(os.scandir(directory)):
                    with contextlib.suppress(FileNotFoundError):
                        total += entry.stat().st_size if entry.is_file() else 0
        return total

    async def _measure(self) -> None:

        def query(connection: sqlite3.Connection) -> tuple[int, int, int, int]:
            lengths: tuple[int, int, int, int] = connection.execute(
                "SELECT (SELECT coalesce(sum(bytes), 0) FROM dreams WHERE file = :there), "
                "(SELECT coalesce(sum(bytes), 0) FROM archives WHERE file = :there), "
                "(SELECT coalesce(sum(poster + iif(file = :there, bytes, 0)), 0) FROM windows), "
                "(SELECT coalesce(sum(poster + iif(file = :there, bytes, 0)), 0) FROM days)",
                {"there": FileState.THERE},
            ).fetchone()
            return lengths

        dreams, archives, windows, days = await self._journal.run(query)
        self._of = {"dreams": dreams, "archives": archives}
        self.used = dreams + archives + windows + days + self._others

    async def _delete(self, table: str, keep: int, excess: int) -> int:
        """Delete the oldest files, except the newest `keep`, and return how many.

        As many as make up `excess` bytes, and at most a slice.
        """
        key = _TABLES[table]

        def mark(connection: sqlite3.Connection) -> list[tuple[Any, int]]:
            newest = connection.execute(
                f"SELECT {key} FROM {table} WHERE file = :there ORDER BY {key} DESC LIMIT 1 OFFSET :keep",
                {"there": FileState.THERE, "keep": keep},
            ).fetchone()
            if newest is None:
                return []
            found: list[tuple[Any, int]] = []
            for row in connection.execute(
                f"SELECT {key}, bytes FROM {table} WHERE file = :there AND {key} <= :newest "
                f"ORDER BY {key} LIMIT :slice",
                {"there": FileState.THERE, "newest": newest[0], "slice": SLICE},
            ).fetchall():
                if sum(length for _, length in found) >= excess:
                    break
                found.append(row)
            lost = ", movie = coalesce(movie, 0)" if table == "dreams" else ""
            connection.executemany(
                f"UPDATE {table} SET file = :marked{lost} WHERE {key} = :number",
                [{"marked": FileState.MARKED, "number": number} for number, _ in found],
            )
            return found

        marked = await self._journal.write(mark)
        if marked:
            await self._finish(table)
            log.warning(
                "deleted for want of room",
                extra={
                    "what": _NAMES[table],
                    "first": marked[0][0],
                    "last": marked[-1][0],
                    "files": len(marked),
                    "bytes": sum(length for _, length in marked),
                    "limit": self._limit,
                },
            )
        return len(marked)

    async def _finish(self, table: str) -> None:
        """Delete the marked files, and mark them as gone."""
        key = _TABLES[table]
        files = "NULL" if table in ("dreams", "archives") else "files"
        rows = await self._journal.run(
            lambda connection: connection.execute(
                f"SELECT {key}, {files} FROM {table} WHERE file = :marked", {"marked": FileState.MARKED}
            ).fetchall()
        )
        if not rows:
            return
        paths = [path for row in rows for path in self._paths(table, *row)]

        def unlink() -> None:
            for path in paths:
                path.unlink(missing_ok=True)

        await asyncio.to_thread(unlink)

        def gone(connection: sqlite3.Connection) -> None:
            connection.executemany(
                f"UPDATE {table} SET file = :gone WHERE {key} = :number",
                [{"gone": FileState.GONE, "number": row[0]} for row in rows],
            )
            connection.executemany(
                "DELETE FROM digests WHERE file = :file",
                [{"file": path.relative_to(self._data_dir).as_posix()} for path in paths],
            )

        await self._journal.write(gone)

    def _paths(self, table: str, number: Any, files: str | None) -> list[Path]:
        if table == "dreams":
            return [frame_path(self._data_dir / layout.FRAMES, number)]
        if table == "archives":
            return [archive_path(self._data_dir / layout.ARCHIVE, number)]
        name = name_of(number) if table == "windows" else number
        endings = json.loads(files or "{}").keys() - {POSTER}
        return [movie_path(self._data_dir / layout.MOVIES, name, ending) for ending in endings]
