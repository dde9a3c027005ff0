"""Keep the tokens of bots, which draw under a name and with a quota of their own.

A token is `NAME.SECRET`. Only the SHA-256 of the secret is stored. As the secret has 256 random bits, nobody
can find it from that, and a slower hash would not help.
"""

import contextlib
import hashlib
import json
import re
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from dreamcanvas.errors import StoreError
from dreamcanvas.store import layout, schema
from dreamcanvas.store.check import check_present

NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
RESERVED: Final = ("admin",)  # the operator's
SECRET_BYTES: Final = 32
COLUMNS: Final = "name, hash, dabs_per_second, dabs_burst, connections, created, revoked"


@dataclass(frozen=True, slots=True)
class Token:
    """A bot's name and quota, without the secret. Times in ms since 1970; `revoked` is 0 while valid."""

    name: str
    hash: bytes
    dabs_per_second: int
    dabs_burst: int
    connections: int
    created: int
    revoked: int


def digest(secret: str) -> bytes:
    """Return the digest of a secret, which is stored in its place."""
    return hashlib.sha256(secret.encode(errors="replace")).digest()


def read(connection: sqlite3.Connection) -> dict[str, Token]:
    """Return all tokens by name, the revoked ones too."""
    rows = connection.execute(f"SELECT {COLUMNS} FROM tokens ORDER BY name").fetchall()
    return {row[0]: Token(*row) for row in rows}


class TokenFile:
    """The tokens in a data directory, for its operator; a server may run meanwhile."""

    def __init__(self, data_dir: Path, *, clock: Callable[[], int]) -> None:
        path = data_dir / layout.DATABASE
        if not path.exists():
            check_present(path)
            raise StoreError(f"{data_dir} holds no canvas: start a server on it first")
        self._connection = schema.connect(path)
        self._clock = clock

    def close(self) -> None:
        """Close the database."""
        self._connection.close()

    def add(self, name: str, *, dabs_per_second: int, dabs_burst: int, connections: int) -> str:
        """Make a token and return it; it cannot be read again later.

        Raises StoreError where the name is taken or not valid.
        """
        if not NAME.fullmatch(name) or name in RESERVED:
            raise StoreError(
                f"{name!r} cannot be a name: 1 to 32 lower-case letters, digits and hyphens, not admin"
            )
        secret = secrets.token_urlsafe(SECRET_BYTES)
        token = Token(name, digest(secret), dabs_per_second, dabs_burst, connections, self._clock(), 0)
        found = read(self._connection).get(name)
        if found is not None and not found.revoked:
            raise StoreError(f"there is a token {name} already: revoke it first")
        with self._transaction():
            self._connection.execute(
                f"INSERT OR REPLACE INTO tokens ({COLUMNS}) VALUES "
                "(:name, :hash, :dabs_per_second, :dabs_burst, :connections, :created, :revoked)",
                asdict(token),
            )
            self._write_down("tokens add", name)
        return f"{name}.{secret}"

    def all(self) -> list[Token]:
        """Return all tokens in the order of their names."""
        return list(read(self._connection).values())

    def revoke(self, name: str) -> None:
        """Make a token invalid. Raises StoreError where there is none of that name."""
        with self._transaction():
            done = self._connection.execute(
                "UPDATE tokens SET revoked = :now WHERE name = :name AND revoked = 0",
                {"now": self._clock(), "name": name},
            )
            if not done.rowcount:
                raise StoreError(f"there is no token {name}")
            self._write_down("tokens revoke", name)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def _write_down(self, what: str, name: str) -> None:
        """Write down an act of the operator."""
        self._connection.execute(
            "INSERT INTO acts (time, what, details) VALUES (:time, :what, :details)",
            {"time": self._clock(), "what": what, "details": json.dumps({"name": name})},
        )
