"""Connect to a database only to read it, whether a server writes to it or not."""

import sqlite3
from pathlib import Path


def connect(path: Path, *, any_thread: bool = False) -> sqlite3.Connection:
    """Open a database to read it. Raises sqlite3.Error, also where there is none.

    With `any_thread` other threads than this one may use it, too. The database is neither made nor migrated.
    """
    uri = f"{path.absolute().as_uri()}?mode=ro"
    return sqlite3.connect(uri, uri=True, check_same_thread=not any_thread)
