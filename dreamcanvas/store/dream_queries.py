"""Find dreams of the past: which belong together, what was dreamt, how much was drawn. Reads only.

Reading has a connection and a thread of its own, so that nobody who paints waits for it.
"""

import asyncio
import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias, TypeVar

from dreamcanvas.errors import StoreError
from dreamcanvas.store import layout, read_only
from dreamcanvas.store.archive import archive_files
from dreamcanvas.store.diagnosis import explain
from dreamcanvas.store.dreams import COLUMNS, Dream
from dreamcanvas.store.file_state import FileState

T = TypeVar("T")

Values: TypeAlias = Mapping[str, int | str]


class Reader:
    """A connection that reads only, and the one thread that may use it.

    A caller may be cancelled, but its work in the thread goes on. Meanwhile nobody else may use the
    connection or close it: SQLite would free what the thread works with. Raises StoreError where the database
    cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._connection = read_only.connect(path, any_thread=True)
        except sqlite3.Error as error:  # for example too many open files
            raise StoreError(f"{path}: {explain(path.parent, error)}") from error
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="reader")

    def close(self) -> None:
        """Interrupt what is being read, and close the connection."""
        self._connection.interrupt()
        self._executor.shutdown(cancel_futures=True)
        self._connection.close()

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do work in the thread, and return its result. Raises sqlite3.Error."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, work, self._connection)


class Selection(Protocol):
    """Some dreams, given by an SQL condition and its named values.

    The names begin with `selected_`, so that a statement can have other values, too.
    """

    @property
    def first(self) -> int:
        """Return the lowest of their numbers."""

    @property
    def last(self) -> int:
        """Return the highest of their numbers."""

    def condition(self) -> tuple[str, Values]:
        """Return the condition in SQL, of a row of the table `dreams`, and its values."""


@dataclass(frozen=True, slots=True)
class Span:
    """Dreams that are in no closed window yet, and the window in which they are to be.

    It also holds the windows of their times (the same one, or earlier ones that were closed already), the
    first dream, the last, and how many there are.
    """

    start: int
    length: int
    sources: tuple[int, ...]
    first: int
    last: int
    frames: int

    def condition(self) -> tuple[str, Values]:
        """Return the condition in SQL, of a row of the table `dreams`, and its values."""
        return (
            "dream BETWEEN :selected_first AND :selected_last AND movie IS NULL AND file = :selected_state "
            "AND time / :selected_length * :selected_length IN "
            "(SELECT value FROM json_each(:selected_sources))",
            {
                "selected_first": self.first,
                "selected_last": self.last,
                "selected_state": FileState.THERE,
                "selected_length": self.length,
                "selected_sources": json.dumps(self.sources),
            },
        )


@dataclass(frozen=True, slots=True)
class Found:
    """A dream, the window that it is in, and whether its frame file and that window's movie are there.

    The window is None while the dream is in none, and 0 where its frame was lost.
    """

    dream: Dream
    window: int | None
    frame: bool
    movie: bool


class DreamQueries:
    """Finds dreams by the reader. Its methods raise sqlite3.Error."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def spans(self, length: int) -> list[Span]:
        """Return the dreams in no closed window, grouped by the windows of `length` ms of their times."""
        rows = await self._reader.read(
            lambda connection: connection.execute(
                "SELECT time / :length * :length, min(dream), max(dream), count(*) FROM dreams "
                "WHERE movie IS NULL AND file = :there GROUP BY 1 ORDER BY 1",
                {"length": length, "there": FileState.THERE},
            ).fetchall()
        )
        return [Span(start, length, (start,), *rest) for start, *rest in rows]

    async def styles(self, selection: Selection) -> list[tuple[int, str]]:
        """Return the styles as (time from which on it was dreamt, style), in order."""
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
        """Return the dreams as (number, time), in order."""
        where, values = selection.condition()
        return await self._reader.read(
            lambda connection: connection.execute(
                f"SELECT dream, time FROM dreams WHERE {where} ORDER BY dream", values
            ).fetchall()
        )

    async def frames(self, selection: Selection) -> list[tuple[int, int]]:
        """Return the dreams whose frame files are there, as (number, length of the file), in order."""
        where, values = selection.condition()
        return await self._reader.read(
            lambda connection: connection.execute(
                f"SELECT dream, bytes FROM dreams WHERE {where} AND file = :there ORDER BY dream",
                {**values, "there": FileState.THERE},
            ).fetchall()
        )

    async def find(self, *, dream: int | None = None, time: int | None = None) -> Found | None:
        """Return a dream by its number, or the newest one at a time; None where there is none."""
        where = (
            "dream = :dream" if dream is not None else "time <= :time ORDER BY time DESC, dream DESC LIMIT 1"
        )
        row = await self._reader.read(
            lambda connection: connection.execute(
                f"SELECT {COLUMNS}, movie, file = :there, "
                "(SELECT windows.file = :there FROM windows WHERE windows.start = dreams.movie) "
                f"FROM dreams WHERE {where}",
                {"there": FileState.THERE, "dream": dream, "time": time},
            ).fetchone()
        )
        return Found(Dream(*row[:-3]), row[-3], bool(row[-2]), bool(row[-1])) if row is not None else None

    async def times(self, dreams: Sequence[int]) -> list[int]:
        """Return the times of dreams, in the dreams' order."""
        rows = await self._reader.read(
            lambda connection: connection.execute(
                "SELECT time FROM json_each(:dreams) JOIN dreams ON dream = value ORDER BY key",
                {"dreams": json.dumps(dreams)},
            ).fetchall()
        )
        return [row[0] for row in rows]

    async def index(self, dream: int, window: int) -> int:
        """Return the index of a dream's frame, from 0, in the movie of a closed window."""
        row = await self._reader.read(
            lambda connection: connection.execute(
                "SELECT count(*) FROM dreams WHERE movie = :window AND dream < :dream "
                "AND dream >= (SELECT first FROM windows WHERE start = :window)",
                {"window": window, "dream": dream},
            ).fetchone()
        )
        return int(row[0])

    async def bounds(self) -> tuple[int, int, int] | None:
        """Return the first dream, the last dream and the earliest time; None where there is no dream."""
        row: tuple[int, int, int] = await self._reader.read(
            lambda connection: connection.execute(
                "SELECT min(dream), max(dream), (SELECT min(time) FROM dreams) FROM dreams"
            ).fetchone()
        )
        return row if row[0] is not None else None

    async def dabs(self, selection: Selection, start: int) -> list[tuple[int, int]]:
        """Return how many dabs came, as (minute after `start`, number).

        Counted are those after the dream before the first, up to the last dream; not those of deleted
        archives. Raises StoreError where an archive is damaged.
        """

        def work(connection: sqlite3.Connection) -> list[tuple[int, int]]:
            after, until = connection.execute(
                "SELECT (SELECT coalesce(max(seq), 0) FROM dreams WHERE dream < :first), "
                "(SELECT coalesce(max(seq), 0) FROM dreams WHERE dream = :last)",
                {"first": selection.first, "last": selection.last},
            ).fetchone()
            found: list[tuple[int, int]] = connection.execute(
                "SELECT (time - :start) / 60000, count(*) FROM operations "
                "WHERE seq > :after AND seq <= :until AND size IS NOT NULL GROUP BY 1",
                {"start": start, "after": after, "until": until},
            ).fetchall()
            kept = connection.execute("SELECT min(seq) FROM operations").fetchone()[0]
            archived = until if kept is None else min(until, kept - 1)
            for file in archive_files(connection, after, archived):
                if file.state is FileState.THERE:
                    found += [
                        ((row[1] - start) // 60_000, 1)
                        for row in file.read(self._reader.path.parent / layout.ARCHIVE)
                        if after < row[0] <= archived and row[6] is not None
                    ]
            return found

        return await self._reader.read(work)
