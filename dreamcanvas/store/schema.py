"""The database's schema: its versions, and the migrations from each to the next.

`PRAGMA user_version` holds the version. Each migration leads from its index to the next version, in one
transaction. A released migration is never changed.
"""

import contextlib
import fcntl
import functools
import os
import sqlite3
from pathlib import Path
from typing import Final

from dreamcanvas.errors import StoreError
from dreamcanvas.store import layout
from dreamcanvas.store.check import HINT, check_present, refusal
from dreamcanvas.store.files import make_directory

_VERSION_1: Final = """
CREATE TABLE authors (
    author     INTEGER PRIMARY KEY,      -- the public number
    session    BLOB UNIQUE,              -- the client's secret, NULL for a connection without one
    address    TEXT NOT NULL,            -- from where it was first seen
    created    INTEGER NOT NULL,         -- ms since 1970
    last_call  INTEGER NOT NULL,         -- the session's last applied call, 0 before the first
    last_seq   INTEGER NOT NULL,         -- the last operation of that call
    last_time  INTEGER NOT NULL          -- its time, ms since 1970
) STRICT;
CREATE TABLE operations (
    seq    INTEGER PRIMARY KEY,          -- 1, 2, 3 … without a gap
    time   INTEGER NOT NULL,             -- ms since 1970
    author INTEGER NOT NULL,
    stroke INTEGER NOT NULL,             -- the author's number for it, 0 for none
    x      INTEGER NOT NULL,             -- a dab's middle, a patch's top left corner, px
    y      INTEGER NOT NULL,
    size   INTEGER,                      -- a dab's diameter, px; NULL for a patch
    color  INTEGER,                      -- a dab's 0xRRGGBB; NULL for a patch
    patch  BLOB                          -- a patch's PNG; NULL for a dab
) STRICT;
CREATE TABLE dreams (
    dream   INTEGER PRIMARY KEY,         -- 1, 2, 3 …
    seq     INTEGER NOT NULL,            -- the last operation that it contains
    time    INTEGER NOT NULL,            -- when it was done, ms since 1970
    style   TEXT NOT NULL,               -- in words
    layer   TEXT NOT NULL,               -- in the grammar of styles
    network TEXT NOT NULL,
    ms      INTEGER NOT NULL,            -- how long it took
    users   INTEGER NOT NULL,            -- how many websockets were open
    bytes   INTEGER NOT NULL             -- the length of its frame file
) STRICT;
CREATE INDEX dreams_by_time ON dreams (time);
"""

_VERSION_2: Final = """
CREATE TABLE archives (
    first      INTEGER PRIMARY KEY,      -- the first and the last operation in the file
    last       INTEGER NOT NULL,
    first_time INTEGER NOT NULL,         -- their times, ms since 1970
    last_time  INTEGER NOT NULL,
    bytes      INTEGER NOT NULL,         -- the length of the file
    sha256     TEXT NOT NULL,            -- its checksum, hexadecimal
    file       INTEGER NOT NULL          -- 0: it is there, 1: to be deleted for want of room, 2: gone
) STRICT;
ALTER TABLE dreams ADD COLUMN file INTEGER NOT NULL DEFAULT 0;  -- the frame file: 0, 1 or 2 as above
CREATE INDEX dreams_by_file ON dreams (file, dream, bytes);
"""

_VERSION_3: Final = """
CREATE TABLE windows (
    start  INTEGER PRIMARY KEY,          -- its beginning and its end, ms since 1970
    until  INTEGER NOT NULL,
    first  INTEGER NOT NULL,             -- the first and the last dream in it
    last   INTEGER NOT NULL,
    frames INTEGER NOT NULL,             -- how many dreams
    dabs   INTEGER NOT NULL,             -- how many dabs
    minutes TEXT NOT NULL,               -- dabs in each of its minutes, JSON
    styles TEXT NOT NULL,                -- what was dreamt from when on, JSON: [[ms since 1970, style], …]
    files  TEXT NOT NULL,                -- lengths by the end of the name, JSON: {"-1536.mp4": 130000000, …}
    bytes  INTEGER NOT NULL,             -- of its files without the poster
    poster INTEGER NOT NULL,             -- the length of its poster, which stays
    file   INTEGER NOT NULL              -- its movie: 0, 1 or 2 as of an archive, 3: not made yet
) STRICT;
CREATE TABLE days (
    day     TEXT PRIMARY KEY,            -- 2026-11-22
    start   INTEGER NOT NULL,            -- its beginning and its end, ms since 1970
    until   INTEGER NOT NULL,
    windows INTEGER NOT NULL,            -- how many windows it has, with how many dreams and dabs
    frames  INTEGER NOT NULL,
    dabs    INTEGER NOT NULL,
    dreams  TEXT NOT NULL,               -- which dreams its movie shows, JSON
    files   TEXT NOT NULL,               -- the rest as of a window
    bytes   INTEGER NOT NULL,
    poster  INTEGER NOT NULL,
    file    INTEGER NOT NULL
) STRICT;
ALTER TABLE dreams ADD COLUMN movie INTEGER;  -- the window it is in; 0: its frame went before that
UPDATE dreams SET movie = 0 WHERE file != 0;
CREATE INDEX dreams_without_movie ON dreams (dream) WHERE movie IS NULL;
"""

_VERSION_4: Final = """
CREATE TABLE tokens (
    name            TEXT PRIMARY KEY,    -- a bot's
    hash            BLOB NOT NULL,       -- SHA-256 of the secret
    dabs_per_second INTEGER NOT NULL,    -- its quota; 0: none
    dabs_burst      INTEGER NOT NULL,
    connections     INTEGER NOT NULL,
    created         INTEGER NOT NULL,    -- ms since 1970
    revoked         INTEGER NOT NULL     -- when, ms since 1970; 0: it is valid
) STRICT;
CREATE TABLE bans (
    ban     INTEGER PRIMARY KEY,
    author  INTEGER,                     -- who, or NULL
    address TEXT,                        -- the hash of an address, or NULL
    until   INTEGER NOT NULL,            -- ms since 1970
    reason  TEXT NOT NULL,               -- what they are told
    created INTEGER NOT NULL
) STRICT;
CREATE TABLE acts (
    act     INTEGER PRIMARY KEY,         -- what the host did: 1, 2, 3 …
    time    INTEGER NOT NULL,            -- ms since 1970
    what    TEXT NOT NULL,               -- the method
    details TEXT NOT NULL,               -- JSON
    seq     INTEGER                      -- the patch that it made
) STRICT;
CREATE TABLE settings (
    name  TEXT PRIMARY KEY,              -- what the host has set, and is to last: JSON
    value TEXT NOT NULL
) STRICT;
ALTER TABLE authors ADD COLUMN token TEXT;  -- the name of the bot's token, or NULL
CREATE INDEX authors_by_age ON authors (created) WHERE substr(address, 1, 1) != '#';  -- to be hashed
CREATE TABLE running (
    day      INTEGER PRIMARY KEY,        -- days since 1970, by UTC
    up_ms    INTEGER NOT NULL,           -- for how long the server was up
    dream_ms INTEGER NOT NULL            -- for how long it dreamt
) STRICT;
"""

_VERSION_5: Final = """
CREATE TABLE checkpoints (
    seq    INTEGER PRIMARY KEY,          -- the newest operation in the picture
    dream  INTEGER NOT NULL,             -- the dream that it is based on, 0 for none
    time   INTEGER NOT NULL,             -- when the newest operation or dream in it was made, ms since 1970
    made   INTEGER NOT NULL,             -- when it was kept, ms since 1970
    bytes  INTEGER NOT NULL,             -- the length of its file
    sha256 TEXT NOT NULL                 -- its checksum, hexadecimal
) STRICT;
CREATE TABLE undone (
    seq  INTEGER PRIMARY KEY,            -- a patch that took dabs back
    dabs TEXT NOT NULL                   -- their numbers, JSON: [[first, last], …]
) STRICT;
CREATE TABLE digests (
    file   TEXT PRIMARY KEY,             -- of a frame or a movie, in the data directory
    sha256 BLOB NOT NULL                 -- its checksum
) STRICT, WITHOUT ROWID;
CREATE TABLE seen (
    author INTEGER PRIMARY KEY,          -- who drew long after the row of it was made
    time   INTEGER NOT NULL              -- when, to the day, ms since 1970
) STRICT;
"""

MIGRATIONS: Final = (_VERSION_1, _VERSION_2, _VERSION_3, _VERSION_4, _VERSION_5)


def connect(path: Path) -> sqlite3.Connection:
    """Open the database for writing, and make or migrate it if needed. A commit is durable when it returns.

    Raises StoreError where the file is not a database, was written by a newer version of this package, or
    cannot be written.
    """
    check_present(path)
    _keep_private(path)
    try:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as error:
        raise refusal(path, error) from error
    try:
        migrate(connection, path)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA wal_autocheckpoint = 16000")  # `Database` checkpoints earlier, by itself
        connection.execute(
            "PRAGMA journal_size_limit = 4194304"
        )  # the log shrinks to this when it is used again
    except sqlite3.Error as error:
        connection.close()
        raise refusal(path, error) from error
    except StoreError:
        connection.close()
        raise
    return connection


def _keep_private(path: Path) -> None:
    """Let only the owner read the database: it holds addresses and secrets of sessions.

    SQLite gives the log beside it the same mode.
    """
    with contextlib.suppress(OSError):  # SQLite's own error, which follows, is the better one
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    for ending in ("", "-wal", "-shm"):
        # By name: closing any descriptor of the database would release SQLite's (POSIX) locks
        file = path.with_name(path.name + ending)
        with contextlib.suppress(OSError):
            if file.stat().st_mode & 0o077:
                file.chmod(0o600)


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring a database of an older version to this one. Raises StoreError where a newer version wrote it."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > len(MIGRATIONS):
        raise StoreError(
            f"{path} has schema version {version}, this Dreamcanvas knows versions up to {len(MIGRATIONS)}: "
            "use the newer Dreamcanvas that wrote it"
        )
    if version < 0 or (version == 0 and _columns(connection)):
        raise StoreError(f"{path} is no database of Dreamcanvas; {HINT}")
    if not version:  # this has an effect only before there are tables
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
        connection.executescript(f"BEGIN IMMEDIATE; {script} PRAGMA user_version = {number}; COMMIT;")
    found = _columns(connection)
    for table, columns in _expected().items():
        if table not in found:
            raise StoreError(f"{path}: the table {table} is missing; {HINT}")
        missing = sorted(columns - found[table])
        if missing:
            raise StoreError(f"{path}: the table {table} has no column {missing[0]}; {HINT}")


def _columns(connection: sqlite3.Connection) -> dict[str, set[str]]:
    """Return the names of each table's columns."""
    columns: dict[str, set[str]] = {}
    query = "SELECT m.name, c.name FROM sqlite_master m, pragma_table_xinfo(m.name) c WHERE m.type = 'table'"
    for table, column in connection.execute(query):
        columns.setdefault(table, set()).add(column)
    return columns


@functools.cache
def _expected() -> dict[str, set[str]]:
    """Return the names of each table's columns as the migrations make them."""
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript("".join(MIGRATIONS))
        return _columns(connection)


class DirectoryLock:
    """A lock that keeps a second server out of a data directory.

    The kernel releases it however the process ends.

    Raises StoreError where the directory cannot be made or written, or is in use.
    """

    def __init__(self, directory: Path) -> None:
        try:
            make_directory(directory)
            self._descriptor = os.open(directory / layout.LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise StoreError(f"{directory} cannot be used: {error.strerror}") from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.read(self._descriptor, 32).decode(errors="replace").strip()
            os.close(self._descriptor)
            raise StoreError(f"{directory} is in use by another server (process {holder})") from None
        with contextlib.suppress(OSError):  # on a full disk the lock holds all the same
            os.ftruncate(self._descriptor, 0)
            os.write(self._descriptor, f"{os.getpid()}\n".encode())

    def release(self) -> None:
        """Release the lock."""
        os.close(self._descriptor)
