"""Connections that only read a database, whether a server writes to it or not."""

import sqlite3
from pathlib import Path


def connect(path: Path, *, any_thread: bool = False) -> sqlite3.Connection:
    """Open a database to read it; with `any_thread` not only in this thread. Raises sqlite3.Error.

    It is never made, nor migrated, by being opened.
    """
    uri = f"{path.absolute().as_uri()}?mode=ro"
    return sqlite3.connect(uri, uri=True, check_same_thread=not any_thread)
