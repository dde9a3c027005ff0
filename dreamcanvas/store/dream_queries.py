"""Dreams of the past: which belong together, what was dreamt, and who drew meanwhile. Reads only.

Reading is done on a connection of its own, in a thread, so that nobody who paints waits for it.
"""

import asyncio
import json
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from dreamcanvas.errors import StoreError
from dreamcanvas.store import layout
from dreamcanvas.store.archive import archive_path, decode
from dreamcanvas.store.diagnosis import explain
from dreamcanvas.store.dreams import COLUMNS, Dream

T = TypeVar("T")


class Reader:
    """A connection that reads only, and the one thread that may use it.

    Whoever asked may give up, but what a thread does goes on: it must not meet another reader, or the
    connection's end, at which SQLite frees what the thread works with. Raises StoreError.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        uri = f"{path.absolute().as_uri()}?mode=ro"
        try:
            self._connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
        except sqlite3.Error as error:  # as where no more files may be opened
            raise StoreError(f"{path}: {explain(path.parent, error)}") from error
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="reader")

    def close(self) -> None:
        """Closes the connection. What is being read is given up."""
        self._connection.interrupt()
        self._executor.shutdown(cancel_futures=True)
        self._connection.close()

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Does it in the thread. Raises sqlite3.Error."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, work, self._connection)


class Selection(Protocol):
    """Some dreams: the condition that tells them from others, and its values."""

    @property
    def first(self) -> int:
        """The lowest of their numbers."""

    @property
    def last(self) -> int:
        """The highest."""

    def condition(self) -> tuple[str, tuple[int, ...]]:
        """In SQL, of a row of the table `dreams`."""


@dataclass(frozen=True, slots=True)
class Span:
    """Dreams that are in no closed window yet: the window of `length` ms in which they are to be, the windows
    of their times (the same, or earlier ones that were closed already), the first, the last, and how many.
    """

    start: int
    length: int
    sources: tuple[int, ...]
    first: int
    last: int
    frames: int

    def condition(self) -> tuple[str, tuple[int, ...]]:
        """In SQL, of a row of the table `dreams`."""
        marks = ",".join("?" * len(self.sources))
        return (
            f"dream BETWEEN ? AND ? AND movie IS NULL AND file = 0 AND time / ? * ? IN ({marks})",
            (self.first, self.last, self.length, self.length, *self.sources),
        )


@dataclass(frozen=True, slots=True)
class Found:
    """A dream, the window that it is in (None: in none yet, 0: its frame was lost), whether its frame file is
    there, and whether that window's movie is.
    """

    dream: Dream
    window: int | None
    frame: bool
    movie: bool


class DreamQueries:
    """Finds dreams."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def spans(self, length: int) -> list[Span]:
        """The dreams that are in no closed window, by the windows of `length` ms of their times."""
        rows = await self._reader.read(
            lambda connection: connection.execute(
                "SELECT time / ? * ?, min(dream), max(dream), count(*) FROM dreams "
                "WHERE movie IS NULL AND file = 0 GROUP BY 1 ORDER BY 1",
                (length, length),
            ).fetchall()
        )
        return [Span(start, length, (start,), *rest) for start, *rest in rows]

    async def styles(self, selection: Selection) -> list[tuple[int, str]]:
        """From when on which style was dreamt."""
        where, values = selection.condition()
        return await self._reader.read(
            lambda connection: connection.execute(
                "SELECT time, style FROM (SELECT dream, time, style, "
                f"lag(style) OVER (ORDER BY dream) AS before FROM dreams WHERE {where}) "
                "WHERE style IS NOT before ORDER BY dream",
                values,
            ).fetchall()
        )

    async def numbers(self, selection: Selection) -> list[tuple[int, int]]:
        """The dreams' numbers and times, in order."""
        where, values = selection.condition()
        return await self._reader.read(
            lambda connection: connection.execute(
                f"SELECT dream, time FROM dreams WHERE {where} ORDER BY dream", values
            ).fetchall()
        )

    async def frames(self, selection: Selection) -> list[tuple[int, int]]:
        """The dreams whose frame files are there, and the files' lengths, in order."""
        where, values = selection.condition()
        return await self._reader.read(
            lambda connection: connection.execute(
                f"SELECT dream, bytes FROM dreams WHERE {where} AND file = 0 ORDER BY dream", values
            ).fetchall()
        )

    async def find(self, *, dream: int | None = None, time: int | None = None) -> Found | None:
        """A dream by its number, or the newest at a time."""
        where = "dream = ?" if dream is not None else "time <= ? ORDER BY time DESC, dream DESC LIMIT 1"
        row = await self._reader.read(
            lambda connection: connection.execute(
                f"SELECT {COLUMNS}, movie, file = 0, "
                "(SELECT windows.file = 0 FROM windows WHERE windows.start = dreams.movie) "
                f"FROM dreams WHERE {where}",
                (dream if dream is not None else time,),
            ).fetchone()
        )
        return Found(Dream(*row[:-3]), row[-3], bool(row[-2]), bool(row[-1])) if row is not None else None

    async def times(self, dreams: Sequence[int]) -> list[int]:
        """When dreams were dreamt, in their order."""
        rows = await self._reader.read(
            lambda connection: connection.execute(
                "SELECT time FROM json_each(?) JOIN dreams ON dream = value ORDER BY key",
                (json.dumps(dreams),),
            ).fetchall()
        )
        return [row[0] for row in rows]

    async def index(self, dream: int, window: int) -> int:
        """Which frame of a closed window's movie a dream is, from 0."""
        row = await self._reader.read(
            lambda connection: connection.execute(
                "SELECT count(*) FROM dreams WHERE movie = ? AND dream < ? "
                "AND dream >= (SELECT first FROM windows WHERE start = ?)",
                (window, dream, window),
            ).fetchone()
        )
        return int(row[0])

    async def bounds(self) -> tuple[int, int, int] | None:
        """The first and the last dream, and the earliest time of one; None where there is none."""
        row: tuple[int, int, int] = await self._reader.read(
            lambda connection: connection.execute(
                "SELECT min(dream), max(dream), (SELECT min(time) FROM dreams) FROM dreams"
            ).fetchone()
        )
        return row if row[0] is not None else None

    async def dabs(self, selection: Selection, start: int) -> list[tuple[int, int]]:
        """The dabs that came after the dream before the first, up to the last, by minutes after `start`.

        Those of deleted archives are not counted. Raises OSError, ValueError where an archive is damaged.
        """

        def work(connection: sqlite3.Connection) -> list[tuple[int, int]]:
            seq = "SELECT coalesce(max(seq), 0) FROM dreams WHERE dream {} ?"
            after = connection.execute(seq.format("<"), (selection.first,)).fetchone()[0]
            until = connection.execute(seq.format("="), (selection.last,)).fetchone()[0]
            found: list[tuple[int, int]] = connection.execute(
                "SELECT (time - ?) / 60000, count(*) FROM operations "
                "WHERE seq > ? AND seq <= ? AND size IS NOT NULL GROUP BY 1",
                (start, after, until),
            ).fetchall()
            kept = connection.execute("SELECT min(seq) FROM operations").fetchone()[0]
            archived = until if kept is None else min(until, kept - 1)
            for (first,) in connection.execute(
                "SELECT first FROM archives WHERE last > ? AND first <= ? AND file = 0", (after, archived)
            ).fetchall():
                rows = decode(archive_path(self._reader.path.parent / layout.ARCHIVE, first).read_bytes())
                found += [
                    ((row[1] - start) // 60_000, 1)
                    for row in rows
                    if after < row[0] <= archived and row[6] is not None
                ]
            return found

        return await self._reader.read(work)
