"""Public numbers of authors: none is given twice, and little is stored for those who have not drawn.

An author without a session gets the next number below 2^31. Numbers are reserved in blocks: the end of a
block is written down before its first number is given, so that a restart goes on after it. A session's number
is made from the session and a key that only this data directory has; so it is the same after a restart,
though nothing was stored. It is at least 2^31. Where another session has it already, a different one is made.
"""

import hashlib
import hmac
import json
import secrets
import sqlite3
from collections.abc import Callable
from typing import Final

BLOCK: Final = 1000
HALF: Final = 2**31
_KEY: Final = "author_key"
_UNTIL: Final = "author_numbers"


class Numbers:
    """Gives numbers to authors."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Read what was given, or set it up, in a transaction of its own. Raises sqlite3.Error."""
        connection.execute("BEGIN IMMEDIATE")
        try:
            self._key = bytes.fromhex(_setting(connection, _KEY, secrets.token_hex(32)))
            highest = connection.execute(
                "SELECT coalesce(max(author), 0) FROM authors WHERE author < :half", {"half": HALF}
            ).fetchone()[0]
            self._next: int = max(highest + 1, int(_setting(connection, _UNTIL, 1)))
            self._until = self._next + BLOCK
            set_until(connection, self._until)
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")

    def next(self, reserve: Callable[[int], None]) -> int:
        """Return the next number for an author without a session.

        `reserve` is called with a number; it is to write down that all below it may have been given.
        """
        number: int = self._next
        self._next = number % (HALF - 1) + 1
        if self._until - number < BLOCK // 2:
            self._until = number + BLOCK
            reserve(self._until)
        return number

    def of_session(self, session: bytes, taken: Callable[[int], bool]) -> int:
        """Return the number of a session that is not stored; `taken` says if another session has a number."""
        attempt = 0
        while True:
            found = hmac.new(self._key, bytes((attempt,)) + session, hashlib.sha256).digest()
            number = HALF + int.from_bytes(found[:4], "big") % HALF
            if not taken(number):
                return number
            attempt = (attempt + 1) % 256


def set_until(connection: sqlite3.Connection, until: int) -> None:
    """Write down that all numbers below `until` may have been given."""
    connection.execute(
        "INSERT OR REPLACE INTO settings VALUES (:name, :value)", {"name": _UNTIL, "value": json.dumps(until)}
    )


def _setting(connection: sqlite3.Connection, name: str, default: str | int) -> str:
    """Return a setting; where there is none, store the default and return it."""
    row = connection.execute("SELECT value FROM settings WHERE name = :name", {"name": name}).fetchone()
    if row is not None:
        return str(json.loads(row[0]))
    connection.execute(
        "INSERT INTO settings VALUES (:name, :value)", {"name": name, "value": json.dumps(default)}
    )
    return str(default)
