"""Back up a data directory while a server works on it, and restore it.

A backup is a directory: `dreamcanvas.db` (one file, no log beside it), `frames/`, `archive/` and `movies/` as
in a data directory, and `backup.json`, which is written last: without it the copy is incomplete. The
database is copied first, as of one moment. The files that it names were durable before their rows, and never
change; so they can be hard links where the backup is on the same file system.
"""

import contextlib
import json
import logging
import os
import sqlite3
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from dreamcanvas.errors import StoreError
from dreamcanvas.store import layout, read_only, schema
from dreamcanvas.store.archive import archive_path
from dreamcanvas.store.check import check
from dreamcanvas.store.checkpoints import checkpoint_path
from dreamcanvas.store.diagnosis import explain
from dreamcanvas.store.dreams import END_OF_IMAGE, frame_path
from dreamcanvas.store.file_state import FileState
from dreamcanvas.store.files import (
    copy,
    digest,
    make_directory,
    place,
    sync_directory,
    sync_file,
    write_durably,
)
from dreamcanvas.store.insertion import NEWEST
from dreamcanvas.store.movies import POSTER, movie_path, name_of

log = logging.getLogger(__name__)

_NEWEST_DREAM: Final = "SELECT coalesce(max(dream), 0) FROM dreams"


@dataclass(frozen=True, slots=True)
class Backup:
    """The contents of a backup: its last operation and dream, the number of its files and their bytes.

    The checksum is the SHA-256 of its database; it is empty where an older version made the backup.
    """

    schema: int
    time: int
    seq: int
    dream: int
    files: int
    bytes: int
    sha256: str = ""


def backup(data_dir: Path, target: Path, *, clock: Callable[[], int]) -> Backup:
    """Copy a data directory, whether a server works on it or not, into a new or empty directory.

    Everything that was acknowledged before is in it. Raises StoreError.
    """
    source = data_dir / layout.DATABASE
    if not source.is_file():
        raise StoreError(f"{source} is missing: there is nothing to back up")
    _claim(target)
    try:
        started = clock()
        _copy_database(source, target / layout.DATABASE)
        return _copy_files(data_dir, target, started, source)
    except sqlite3.Error as error:
        raise StoreError(f"no backup: {explain(target, error)}") from error
    except OSError as error:
        raise StoreError(f"no backup: {error.filename or target}: {explain(target, error)}") from error


def restore(source: Path, data_dir: Path) -> Backup:
    """Check a backup, and make a data directory of it, which must be new or empty. Raises StoreError."""
    try:
        known = Backup(**json.loads((source / layout.MANIFEST).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise StoreError(f"{source} is no complete backup: {layout.MANIFEST}: {error}") from error
    if known.schema > len(schema.MIGRATIONS):
        raise StoreError(
            f"not restored: {source} has schema version {known.schema}, this Dreamcanvas knows versions "
            f"up to {len(schema.MIGRATIONS)}: use the newer Dreamcanvas that made it"
        )
    _claim(data_dir)
    try:
        # The database comes last: without it no server would start on the directory.
        partial = data_dir / f"{layout.DATABASE}.partial"
        _take_database(source / layout.DATABASE, partial, known.sha256)
        with contextlib.closing(read_only.connect(partial)) as database:
            files = _files(database)
        missing = _place_all(source, data_dir, files)
        if missing:
            raise StoreError(f"not restored: {source / missing[0]} is missing")
        for path, length, sha256 in files:
            _check_file(data_dir / path, length, sha256)
        partial.replace(data_dir / layout.DATABASE)
        sync_directory(data_dir)
    except sqlite3.Error as error:
        raise StoreError(f"not restored: {source / layout.DATABASE}: {error}") from error
    except OSError as error:
        raise StoreError(f"not restored: {error.filename or source}: {explain(data_dir, error)}") from error
    return known


def _take_database(source: Path, target: Path, sha256: str) -> None:
    """Copy a backup's database, check all of it, and migrate it where it is of an older version."""
    with contextlib.closing(read_only.connect(source)) as database:
        database.execute("PRAGMA user_version")
    copy(source, target)
    target.chmod(0o600)
    if sha256 and digest(target).hex() != sha256:
        raise StoreError(f"not restored: {source} has a wrong checksum")
    with contextlib.closing(sqlite3.connect(target, isolation_level=None)) as database:
        found = database.execute("PRAGMA integrity_check(1)").fetchone()[0].splitlines()[-1]
        if found != "ok":
            raise StoreError(f"not restored: {source}: the database is damaged: {found}")
        schema.migrate(database, source)
        check(database, target)
    sync_file(target)


def _claim(directory: Path) -> None:
    try:
        make_directory(directory)
        if any(directory.iterdir()):
            raise StoreError(f"{directory} is not empty: nothing was done")
    except OSError as error:
        raise StoreError(f"{directory} cannot be used: {error.strerror}") from error


def _copy_database(source: Path, target: Path) -> None:
    """Copy a database as of one moment into a single file. Writers go on meanwhile."""
    with (
        contextlib.closing(read_only.connect(source)) as reader,
        contextlib.closing(sqlite3.connect(target)) as writer,
    ):
        version = reader.execute("PRAGMA user_version").fetchone()[0]
        if version != len(schema.MIGRATIONS):
            raise StoreError(
                f"{source} has schema version {version}, this Dreamcanvas writes {len(schema.MIGRATIONS)}: "
                "back up with the version that serves"
            )
        reader.backup(writer)
        target.chmod(0o600)
        writer.execute("PRAGMA journal_mode = DELETE")


def _files(database: sqlite3.Connection) -> list[tuple[Path, int, str | None]]:
    """Return the files that a database names, as (path in the data directory, length, checksum).

    The checksum is None where it is not known.
    """
    digests = {file: sha256.hex() for file, sha256 in database.execute("SELECT file, sha256 FROM digests")}
    named = _named(database)
    return [(path, length, sha256 or digests.get(path.as_posix())) for path, length, sha256 in named]


def _named(database: sqlite3.Connection) -> list[tuple[Path, int, str | None]]:
    """Return the files with the checksums that stand beside the lengths."""
    checkpoints = database.execute("SELECT seq, bytes, sha256 FROM checkpoints ORDER BY seq")
    there = {"there": FileState.THERE}
    frames = database.execute("SELECT dream, bytes FROM dreams WHERE file = :there ORDER BY dream", there)
    archives = database.execute(
        "SELECT first, bytes, sha256 FROM archives WHERE file = :there ORDER BY first", there
    )
    windows = database.execute("SELECT start, files, file FROM windows ORDER BY start").fetchall()
    days = database.execute("SELECT day, files, file FROM days ORDER BY day").fetchall()
    movies = [(name_of(start), files, file) for start, files, file in windows] + days
    named: list[tuple[Path, int, str | None]] = []
    for dream, length in frames:
        named.append((frame_path(Path(layout.FRAMES), dream), length, None))
    for first, length, sha256 in archives:
        named.append((archive_path(Path(layout.ARCHIVE), first), length, sha256))
    for seq, length, sha256 in checkpoints:
        named.append((checkpoint_path(Path(layout.CHECKPOINTS), seq), length, sha256))
    for name, files, file in movies:
        for ending, length in json.loads(files).items():
            if file == FileState.THERE or ending == POSTER:
                named.append((movie_path(Path(layout.MOVIES), name, ending), length, None))
    return named


def _place_all(source: Path, target: Path, files: list[tuple[Path, int, str | None]]) -> list[Path]:
    """Put the files into a directory, and return those that are missing."""
    missing = []
    for directory in sorted({path.parent for path, _, _ in files}):
        make_directory(target / directory)
    for path, _, _ in files:
        try:
            place(source / path, target / path)
        except FileNotFoundError:
            missing.append(path)
    for directory in {path.parent for path, _, _ in files}:
        sync_directory(target / directory)
    return missing


def _copy_files(data_dir: Path, target: Path, time: int, source: Path) -> Backup:
    with contextlib.closing(sqlite3.connect(target / layout.DATABASE, isolation_level=None)) as database:
        missing = _place_all(data_dir, target, _files(database))
        if missing:  # deleted to make room meanwhile, or damaged: in the backup they are gone
            with contextlib.closing(read_only.connect(source)) as live:
                kept = {path for path, _, _ in _files(live)}
            for path in missing:
                if path in kept:
                    log.error("missing, and so not in the backup", extra={"path": str(data_dir / path)})
                _mark_missing(database, path)
        files = _files(database)
        seq, dream = (database.execute(query).fetchone()[0] for query in (NEWEST, _NEWEST_DREAM))
    size = (target / layout.DATABASE).stat().st_size + sum(length for _, length, _ in files)
    sync_file(target / layout.DATABASE)
    sha256 = digest(target / layout.DATABASE).hex()
    made = Backup(len(schema.MIGRATIONS), time, seq, dream, len(files) + 1, size, sha256)
    write_durably(target / layout.MANIFEST, (json.dumps(asdict(made)) + "\n").encode())
    return made


def _mark_missing(database: sqlite3.Connection, path: Path) -> None:
    """Mark a file as gone in a backup's database."""
    if path.parts[0] == layout.CHECKPOINTS:
        database.execute("DELETE FROM checkpoints WHERE seq = :seq", {"seq": int(path.stem)})
        return
    if path.parts[0] != layout.MOVIES:
        table, key = ("dreams", "dream") if path.parts[0] == layout.FRAMES else ("archives", "first")
        number = int(path.name.partition(".")[0])
        database.execute(
            f"UPDATE {table} SET file = :gone WHERE {key} = :number",
            {"gone": FileState.GONE, "number": number},
        )
        return
    for table, key in (("windows", "start"), ("days", "day")):
        for number, files in database.execute(f"SELECT {key}, files FROM {table}").fetchall():
            name = name_of(number) if table == "windows" else number
            if path.name == f"{name}{POSTER}":  # the movie is as it was
                kept = {ending: length for ending, length in json.loads(files).items() if ending != POSTER}
                database.execute(
                    f"UPDATE {table} SET files = :files, poster = 0 WHERE {key} = :number",
                    {"files": json.dumps(kept), "number": number},
                )
            elif path.name.startswith(f"{name}-"):
                database.execute(
                    f"UPDATE {table} SET file = :gone WHERE {key} = :number AND file IN (:there, :marked)",
                    {
                        "gone": FileState.GONE,
                        "there": FileState.THERE,
                        "marked": FileState.MARKED,
                        "number": number,
                    },
                )


def _check_file(path: Path, length: int, sha256: str | None) -> None:
    if path.stat().st_size != length:
        raise StoreError(f"not restored: {path.name} has {path.stat().st_size} bytes in place of {length}")
    if sha256 is not None and digest(path).hex() != sha256:
        raise StoreError(f"not restored: {path.name} has a wrong checksum")
    if sha256 is None and path.suffix == ".jpg":
        with path.open("rb") as file:
            file.seek(-len(END_OF_IMAGE), os.SEEK_END)
            if file.read() != END_OF_IMAGE:
                raise StoreError(f"not restored: {path.name} is damaged: its end is missing")
