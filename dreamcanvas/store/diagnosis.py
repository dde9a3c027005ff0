"""Say what is wrong with the disk, in words for the log and for /readyz."""

import errno
import os
import sqlite3
from pathlib import Path
from typing import Final

_OF_ERRNO: Final = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk's quota is used up",
    errno.EFBIG: "the largest size of a file is reached",
    errno.EROFS: "the disk is read-only",
    errno.EACCES: "the data directory may not be written",
    errno.EIO: "the disk has input/output errors",
}
_OF_SQLITE: Final = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_READONLY: "the disk is read-only",
    sqlite3.SQLITE_IOERR: "the disk has input/output errors",
    sqlite3.SQLITE_CORRUPT: "the database is damaged",
    sqlite3.SQLITE_NOTADB: "the database is damaged",
}


def explain(directory: Path, error: OSError | sqlite3.Error) -> str:
    """Return why writing in a directory failed: `the disk is full: database or disk is full`.

    SQLite says "disk I/O error" of many causes. So a file is written and synced, to get the system's own
    error.
    """
    number = error.errno if isinstance(error, OSError) else _probe(directory)
    cause = _OF_ERRNO.get(number or 0)
    if cause is None and isinstance(error, sqlite3.Error):
        cause = _OF_SQLITE.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)
    text = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
    return f"{cause or 'the storage fails'}: {text}"


def is_damage(error: sqlite3.Error) -> bool:
    """Say whether an error says that the database itself is damaged."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _probe(directory: Path) -> int | None:
    """Write and sync a small file, and return the errno; None where that works."""
    path = directory / "probe"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
        try:
            os.write(descriptor, bytes(4096))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
            path.unlink()
    except OSError as error:
        return error.errno
    return None
