"""What `dreamcanvas history` does by hand: list movies, make those that are due, join some into a file."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from dreamcanvas.clock import from_iso, wall_clock
from dreamcanvas.config import Config
from dreamcanvas.errors import ConfigError, MovieError, StoreError
from dreamcanvas.history.recording import SIDES
from dreamcanvas.history.windows import moment
from dreamcanvas.server.storage import storage
from dreamcanvas.store import layout
from dreamcanvas.store.diagnosis import explain
from dreamcanvas.store.dream_queries import Reader
from dreamcanvas.store.file_state import FileState
from dreamcanvas.store.movies import Movies, Total, Window, movie_path, name_of
from dreamcanvas.store.schema import DirectoryLock
from dreamcanvas.text.plural import column

_STATES = {FileState.THERE: "encoded", FileState.WAITING: "waiting"}


def time_of(text: str) -> int:
    """Parse a time, `2026-11-22T14:00Z`, to ms since 1970; without a zone in UTC. Raises ConfigError."""
    try:
        return from_iso(text)
    except ValueError:
        raise ConfigError(f"{text!r} is no time such as 2026-11-22T14:00Z") from None


def lines(data_dir: Path) -> Iterator[str]:
    """Write a line for each closed window and each day's movie, oldest first. Raises StoreError."""

    async def read(movies: Movies) -> Iterator[str]:
        days = [
            f"{day.day:<18}{'encoded' if day.file == FileState.THERE else 'expired':<9}"
            f"{_facts(len(day.dreams), day.dabs, sum(day.files.values()))}"
            for day in await movies.days()
        ]
        return iter(sorted([*(_line(total) for total in await movies.totals()), *days]))

    with _open(data_dir) as movies:
        return asyncio.run(read(movies))


def _line(total: Total) -> str:
    state = _STATES.get(total.file, "expired")
    return f"{name_of(total.start):<18}{state:<9}{_facts(total.frames, total.dabs, total.bytes)}"


def _facts(frames: int, dabs: int, size: int) -> str:
    columns = (column(frames, 6, "frame"), column(dabs, 8, "dab"), column(size, 12, "byte"))
    return "".join(columns).rstrip()


async def encode(config: Config) -> int:
    """Make all movies that are due, as the server does, which must not be running; return how many.

    Raises StoreError, MovieError.
    """
    lock = DirectoryLock(config.data_dir)
    try:
        with storage(config, clock=wall_clock) as kept:
            history = kept.history
            await history.look()
            if history.recording.failing is not None:
                raise MovieError(history.recording.failing)
            return history.recording.made
    except (OSError, sqlite3.Error) as error:
        raise StoreError(explain(config.data_dir, error)) from error
    finally:
        lock.release()


def export(data_dir: Path, target: Path, *, since: int, until: int, width: int) -> tuple[int, int]:
    """Join the movies of the windows that start in a span of time into a file, as they are.

    Gives how many windows and frames. Raises StoreError, MovieError.
    """
    from dreamcanvas.history import movie  # noqa: PLC0415 - the other commands do without PyAV

    if width not in SIDES:
        raise ConfigError(f"width is {width}, but has to be one of {', '.join(map(str, SIDES))}")
    if target.exists():
        raise StoreError(f"{target} is there already: nothing was done")
    with _open(data_dir) as movies:
        windows = [
            window for window in asyncio.run(_between(movies, since, until)) if window.file == FileState.THERE
        ]
    if not windows:
        raise MovieError(f"there is no movie between {moment(since)} and {moment(until)}")
    paths = [
        movie_path(data_dir / layout.MOVIES, name_of(window.start), f"-{width}.mp4") for window in windows
    ]
    partial = target.with_name(f"{target.name}.partial")
    title = f"Dreamcanvas {moment(windows[0].start)} to {moment(windows[-1].until)}"
    try:
        count = movie.join(paths, partial, {"title": title, "creation_time": moment(windows[0].start)})
        partial.replace(target)
    except (OSError, ValueError) as error:  # PyAV's errors of damaged files are ValueErrors
        partial.unlink(missing_ok=True)
        raise MovieError(f"{target} was not written: {error}") from error
    return len(windows), count


async def _between(movies: Movies, since: int, until: int) -> list[Window]:
    return await movies.between(since, until)


@contextlib.contextmanager
def _open(data_dir: Path) -> Iterator[Movies]:
    """Open the tables to read, whether a server runs or not."""
    path = data_dir / layout.DATABASE
    if not path.is_file():
        raise StoreError(f"{path} is missing: there is no canvas")
    with contextlib.closing(Reader(path)) as reader:
        try:
            yield Movies(None, reader)
        except sqlite3.Error as error:
            raise StoreError(f"{path}: {error}; start the server once to bring it up to date") from error
