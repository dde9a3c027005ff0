"""Check a database before a server goes on with it: nothing may be missing without a word."""

import logging
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from dreamcanvas.errors import StoreError
from dreamcanvas.store import layout, read_only, settings
from dreamcanvas.store.diagnosis import explain, is_damage
from dreamcanvas.text.plural import counted, form

log = logging.getLogger(__name__)

WHOLE_BYTES: Final = 64 * 2**20
HINT: Final = "restore a backup, or see docs/operating.md, Storage"


def check_present(path: Path) -> None:
    """Raise StoreError where there are dreams, archives or movies, but their database is missing."""
    directories = [path.parent / name for name in (layout.FRAMES, layout.ARCHIVE, layout.MOVIES)]
    for directory in directories:
        if directory.exists() and not directory.is_dir():
            raise StoreError(f"{directory} is no directory; {HINT}")
    if path.exists() and path.stat().st_size:
        return
    for directory in directories:
        if directory.is_dir() and any(directory.iterdir()):
            raise StoreError(f"{path} is missing, but there is {directory}: {HINT}")


def check(connection: sqlite3.Connection, path: Path) -> None:
    """Raise StoreError where the database is damaged, operations are missing, or a setting is not valid.

    A database of more than 64 MiB is not checked whole, since that takes seconds.
    """
    try:
        whole = path.stat().st_size <= WHOLE_BYTES
        if whole:
            found = connection.execute("PRAGMA quick_check(1)").fetchone()[0].splitlines()[-1]
            if found != "ok":
                raise StoreError(f"{path}: the database is damaged: {found}; {HINT}")
        _check_numbers(connection, path, whole=whole)
        settings.read(connection)
    except sqlite3.Error as error:
        raise refusal(path, error) from error
    except ValueError as error:
        raise StoreError(f"{path}: {error}; {HINT}") from error
    if not whole:
        log.info("database not read whole", extra={"path": str(path), "bytes": path.stat().st_size})


def _check_numbers(connection: sqlite3.Connection, path: Path, *, whole: bool) -> None:
    """Raise StoreError unless all operations, with the archived ones, are numbered 1, 2, 3 ….

    It is also raised where a dream holds an operation that there is not.
    """
    one = connection.execute
    archived = one("SELECT coalesce(max(last), 0) FROM archives").fetchone()[0]
    first, last = one("SELECT min(seq), max(seq) FROM operations").fetchone()
    if first is not None and first > archived + 1:
        raise StoreError(f"{path}: operations {archived + 1} to {first - 1} are missing; {HINT}")
    if whole and first is not None:
        count = one("SELECT count(*) FROM operations").fetchone()[0]
        if count != last - first + 1:
            missing = last - first + 1 - count
            lost = f"{counted(missing, 'operation')} between {first} and {last}"
            raise StoreError(f"{path}: {lost} {form(missing, 'is', 'are')} missing; {HINT}")
    newest = max(last or 0, archived)
    dreamt = one("SELECT coalesce(max(seq), 0) FROM dreams").fetchone()[0]
    if dreamt > newest:
        raise StoreError(
            f"{path}: operations {newest + 1} to {dreamt}, which were dreamt, are missing; {HINT}"
        )


def refusal(path: Path, error: sqlite3.Error) -> StoreError:
    """Return the StoreError with which a start ends after an error of SQLite."""
    if is_damage(error):
        return StoreError(f"{path}: {error}: the database is damaged; {HINT}")
    return StoreError(f"{path}: {explain(path.parent, error)}")


def newest_dream(path: Path) -> int | None:
    """Return the newest dream's time, ms since 1970; None where there is none or it cannot be read.

    A server may have the database open meanwhile.
    """
    if not path.exists():
        return None
    try:
        with closing(read_only.connect(path)) as connection:
            newest = connection.execute("SELECT max(time) FROM dreams").fetchone()[0]
    except sqlite3.Error:
        return None
    return None if newest is None else int(newest)
