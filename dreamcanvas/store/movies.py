"""Keep the movies: a row for each closed window of dreams and for each day; files in `movies/`.

A window's row is made when the window closes; from then on its dreams are fixed. Its movie is written
elsewhere, then moved to its place, then its row says that it is there. When a movie is deleted to make room
(see `budget`), its poster stays.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from dreamcanvas.store.dream_queries import Reader, Span, Values
from dreamcanvas.store.file_state import FileState
from dreamcanvas.store.journal import Journal

POSTER: Final = ".jpg"
SPRITE: Final = "-sprite.jpg"
LOST: Final = 0  # instead of a window's start, for a dream whose frame was lost before its movie was made
_NAME: Final = "%Y%m%dT%H%M%SZ"
_WINDOW: Final = "start, until, first, last, frames, minutes, styles, files, file"
_DAY: Final = "day, start, until, windows, frames, dabs, dreams, files, file"


@dataclass(frozen=True, slots=True)
class Window:
    """A closed window. Times are in ms since 1970.

    It holds its first and last dream and how many there are, the dabs in each of its minutes, the styles with
    the times from which on they were dreamt, and the lengths of its files by the ends of their names.
    """

    start: int
    until: int
    first: int
    last: int
    frames: int
    minutes: tuple[int, ...]
    styles: tuple[tuple[int, str], ...]
    files: dict[str, int]
    file: FileState = FileState.WAITING

    @property
    def dabs(self) -> int:
        """Return how many dabs came in all its minutes."""
        return sum(self.minutes)

    def condition(self) -> tuple[str, Values]:
        """Return the SQL condition of its dreams, for a row of the table `dreams`, and the values."""
        return (
            "dream BETWEEN :selected_first AND :selected_last AND movie = :selected_movie",
            {"selected_first": self.first, "selected_last": self.last, "selected_movie": self.start},
        )


@dataclass(frozen=True, slots=True)
class Day:
    """A day's movie: its name, times and files, and the dreams that it shows.

    It also says how many windows, frames and dabs the day had.
    """

    day: str
    start: int
    until: int
    windows: int
    frames: int
    dabs: int
    dreams: tuple[int, ...]
    files: dict[str, int]
    file: FileState = FileState.THERE


@dataclass(frozen=True, slots=True)
class Total:
    """A closed window in numbers. `bytes` is the length of all its files that are there."""

    start: int
    until: int
    frames: int
    dabs: int
    bytes: int
    file: FileState


def name_of(start: int) -> str:
    """Return the name of a window and its files: `20261122T140000Z`."""
    return datetime.fromtimestamp(start / 1000, UTC).strftime(_NAME)


def start_of(name: str) -> int | None:
    """Return the start of the window of a name; None where it is no such name."""
    try:
        start = datetime.strptime(name, _NAME).replace(tzinfo=UTC)
    except ValueError:
        return None
    return round(start.timestamp() * 1000) if start.strftime(_NAME) == name else None


def movie_path(directory: Path, name: str, ending: str) -> Path:
    """Return the path of a movie's file below `directory`, which has a directory for each year."""
    return directory / name[:4] / f"{name}{ending}"


class Movies:
    """The tables of movies. Without a journal they can only be read."""

    def __init__(self, journal: Journal | None, reader: Reader) -> None:
        self._journal = journal
        self._reader = reader

    # Windows

    async def close_window(self, window: Window, span: Span) -> None:
        """Close a window: make its row of the dreams gathered for it, which are fixed from now on.

        Raises sqlite3.Error.
        """
        where, values = span.condition()

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(
                f"INSERT INTO windows ({_WINDOW}, dabs, bytes, poster) VALUES "
                "(:start, :until, :first, :last, :frames, :minutes, :styles, :files, :file, :dabs, 0, 0)",
                {
                    "start": window.start,
                    "until": window.until,
                    "first": window.first,
                    "last": window.last,
                    "frames": window.frames,
                    "minutes": json.dumps(window.minutes),
                    "styles": json.dumps(window.styles),
                    "files": json.dumps(window.files),
                    "file": window.file,
                    "dabs": window.dabs,
                },
            )
            connection.execute(
                f"UPDATE dreams SET movie = :start WHERE {where}", {**values, "start": window.start}
            )

        await self._write(work)

    async def window_made(
        self, window: Window, lost: Iterable[int], digests: Mapping[str, bytes] = MappingProxyType({})
    ) -> None:
        """Mark a window's movie as made, without the `lost` dreams. Raises sqlite3.Error.

        `digests` are the checksums of its files, by their paths in the data directory.
        """

        def work(connection: sqlite3.Connection) -> None:
            connection.executemany(
                "UPDATE dreams SET movie = :lost WHERE dream = :dream",
                [{"lost": LOST, "dream": number} for number in lost],
            )
            connection.execute(
                "UPDATE windows SET frames = :frames, files = :files, bytes = :bytes, poster = :poster, "
                "file = :file WHERE start = :start",
                {
                    "frames": window.frames,
                    "file": window.file,
                    "start": window.start,
                    **_lengths(window.files),
                },
            )
            _keep_digests(connection, digests)

        await self._write(work)

    async def _write(self, work: Callable[[sqlite3.Connection], object]) -> None:
        assert self._journal is not None, "it is not only read"
        await self._journal.write(work)

    async def starts(self) -> set[int]:
        """Return the starts of the closed windows."""
        rows = await self._reader.read(
            lambda connection: connection.execute("SELECT start FROM windows").fetchall()
        )
        return {row[0] for row in rows}

    async def windows(self, *, before: int, limit: int) -> list[Window]:
        """Return the newest closed windows that start before a time, newest first."""
        return await self._windows(
            "start < :before ORDER BY start DESC LIMIT :limit", before=before, limit=limit
        )

    async def window(self, start: int) -> Window | None:
        """Return the closed window of that start; None where there is none."""
        found = await self._windows("start = :start", start=start)
        return found[0] if found else None

    async def between(self, start: int, until: int) -> list[Window]:
        """Return the closed windows that start in a span of time, oldest first."""
        return await self._windows(
            "start >= :start AND start < :until ORDER BY start", start=start, until=until
        )

    async def waiting(self) -> list[Window]:
        """Return the closed windows whose movie is not made, oldest first."""
        return await self._windows("file = :waiting ORDER BY start", waiting=FileState.WAITING)

    async def _windows(self, where: str, **values: int) -> list[Window]:
        rows = await self._reader.read(
            lambda connection: connection.execute(
                f"SELECT {_WINDOW} FROM windows WHERE {where}", values
            ).fetchall()
        )
        return [_to_window(row) for row in rows]

    async def totals(self) -> list[Total]:
        """Return all closed windows in numbers, oldest first."""
        rows = await self._reader.read(
            lambda connection: connection.execute(
                "SELECT start, until, frames, dabs, poster + iif(file = :there, bytes, 0), file "
                "FROM windows ORDER BY start",
                {"there": FileState.THERE},
            ).fetchall()
        )
        return [_to_total(row) for row in rows]

    # Days

    async def day_made(self, day: Day, digests: Mapping[str, bytes] = MappingProxyType({})) -> None:
        """Mark a day's movie as made; `digests` are as for a window. Raises sqlite3.Error."""
        row = {**asdict(day), "dreams": json.dumps(day.dreams), **_lengths(day.files)}

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(
                f"INSERT INTO days ({_DAY}, bytes, poster) VALUES (:day, :start, :until, :windows, :frames, "
                ":dabs, :dreams, :files, :file, :bytes, :poster)",
                row,
            )
            _keep_digests(connection, digests)

        await self._write(work)

    async def days(self) -> list[Day]:
        """Return the days that have, or had, a movie, newest first."""
        rows = await self._reader.read(
            lambda connection: connection.execute(f"SELECT {_DAY} FROM days ORDER BY day DESC").fetchall()
        )
        return [_to_day(row) for row in rows]


def _keep_digests(connection: sqlite3.Connection, digests: Mapping[str, bytes]) -> None:
    connection.executemany(
        "INSERT OR REPLACE INTO digests VALUES (:file, :sha256)",
        [{"file": file, "sha256": sha256} for file, sha256 in digests.items()],
    )


def _lengths(files: dict[str, int]) -> dict[str, str | int]:
    """Return the columns that hold the lengths of a movie's files."""
    poster = files.get(POSTER, 0)
    return {"files": json.dumps(files), "bytes": sum(files.values()) - poster, "poster": poster}


def _to_window(row: Sequence[Any]) -> Window:
    start, until, first, last, frames, minutes, styles, files, file = row
    return Window(
        start,
        until,
        first,
        last,
        frames,
        minutes=tuple(json.loads(minutes)),
        styles=tuple((time, style) for time, style in json.loads(styles)),
        files=json.loads(files),
        file=FileState(file),
    )


def _to_total(row: Sequence[Any]) -> Total:
    start, until, frames, dabs, length, file = row
    return Total(start, until, frames, dabs, length, FileState(file))


def _to_day(row: Sequence[Any]) -> Day:
    day, start, until, windows, frames, dabs, dreams, files, file = row
    return Day(
        day,
        start,
        until,
        windows,
        frames,
        dabs,
        dreams=tuple(json.loads(dreams)),
        files=json.loads(files),
        file=FileState(file),
    )
