"""Keep what operators did: bans and lasting settings, and in the same transaction a row for each act."""

import hashlib
import hmac
import json
import re
import secrets
import sqlite3
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Any, Final

from dreamcanvas.net.addresses import household
from dreamcanvas.store import settings, tokens
from dreamcanvas.store.journal import Journal
from dreamcanvas.store.tokens import Token

HASHED: Final = "#"
HASH_LENGTH: Final = 24
SLICE: Final = 500


@dataclass(frozen=True, slots=True)
class Ban:
    """A ban: who may not draw, until when (ms since 1970), and what they are told.

    `address` is a hash, or a network in plain text, as no address could be matched with a network's hash.
    """

    ban: int
    author: int | None
    address: str | None
    until: int
    reason: str
    created: int


@dataclass(frozen=True, slots=True)
class Act:
    """Something that an operator did, and the patch that it made, if any."""

    act: int
    time: int
    what: str
    details: str
    seq: int | None


def is_hash(text: str) -> bool:
    """Say whether a text is the hash of an address."""
    return re.fullmatch(f"{HASHED}[0-9a-f]{{{HASH_LENGTH}}}", text, re.ASCII) is not None


class Addresses:
    """Hashes addresses by a key that only this data directory has.

    Addresses that count as one caller have the same hash.
    """

    def __init__(self, key: bytes) -> None:
        @lru_cache(maxsize=4096)
        def hashed(address: str) -> str:
            found = hmac.new(key, household(address).encode(), hashlib.sha256)
            return HASHED + found.hexdigest()[:HASH_LENGTH]

        self._hashed = hashed

    def hashed(self, address: str) -> str:
        """Return `#` and the hash of an address; what is such a hash already is returned unchanged."""
        return address if address.startswith(HASHED) else self._hashed(address)


class ModerationLog:
    """The tables of moderation. Times are in ms since 1970.

    Each method raises sqlite3.Error; then nothing was changed.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def addresses(self) -> Addresses:
        """Return what hashes addresses for this data directory."""
        return Addresses(await self._journal.write(_address_key))

    async def settings(self) -> dict[str, Any]:
        """Return the lasting settings by name."""
        return await self._journal.run(settings.read)

    async def tokens(self) -> dict[str, Token]:
        """Return the bots' tokens by name."""
        return await self._journal.run(tokens.read)

    async def bans(self, now: int) -> list[Ban]:
        """Return the bans in force."""

        def query(connection: sqlite3.Connection) -> list[Ban]:
            rows = connection.execute(
                "SELECT ban, author, address, until, reason, created FROM bans "
                "WHERE until > :now ORDER BY ban",
                {"now": now},
            ).fetchall()
            return [Ban(*row) for row in rows]

        return await self._journal.run(query)

    async def set(self, now: int, what: str, values: Mapping[str, Any]) -> None:
        """Store settings, and the act that set them."""

        def work(connection: sqlite3.Connection) -> None:
            for name, value in values.items():
                _set(connection, name, value)
            _record(connection, now, what, values)

        await self._journal.write(work)

    async def ban(self, ban: Ban) -> Ban:
        """Store a ban, and return it with its number."""

        def work(connection: sqlite3.Connection) -> int:
            done = connection.execute(
                "INSERT INTO bans (author, address, until, reason, created) "
                "VALUES (:author, :address, :until, :reason, :created)",
                asdict(ban),
            )
            number = int(done.lastrowid or 0)
            whom = {"ban": number, "author": ban.author, "address": ban.address}
            _record(connection, ban.created, "ban", {**whom, "until": ban.until, "reason": ban.reason})
            return number

        return replace(ban, ban=await self._journal.write(work))

    async def address_of(self, author: int) -> str | None:
        """Return an author's first address, or its hash; None where the author has not drawn."""
        row = await self._journal.run(
            lambda connection: connection.execute(
                "SELECT address FROM authors WHERE author = :author", {"author": author}
            ).fetchone()
        )
        return None if row is None else str(row[0])

    async def unban(self, now: int, ban: int) -> bool:
        """End a ban, and say whether it was in force."""

        def work(connection: sqlite3.Connection) -> bool:
            done = connection.execute(
                "UPDATE bans SET until = :now WHERE ban = :ban AND until > :now", {"now": now, "ban": ban}
            )
            if done.rowcount:
                _record(connection, now, "unban", {"ban": ban})
            return bool(done.rowcount)

        return await self._journal.write(work)

    async def record(self, now: int, what: str, details: Mapping[str, Any]) -> int:
        """Write down an act, and return its number."""
        return await self._journal.write(lambda connection: _record(connection, now, what, details))

    async def made(self, act: int, seq: int) -> None:
        """Write down that an act made the patch `seq`."""
        await self._journal.write(
            lambda connection: connection.execute(
                "UPDATE acts SET seq = :seq WHERE act = :act", {"seq": seq, "act": act}
            )
        )

    async def acts(self, limit: int) -> list[Act]:
        """Return the newest acts, newest first."""
        rows = await self._journal.run(
            lambda connection: connection.execute(
                "SELECT act, time, what, details, seq FROM acts ORDER BY act DESC LIMIT :limit",
                {"limit": limit},
            ).fetchall()
        )
        return [Act(*row) for row in rows]

    async def act_counts(self) -> dict[str, int]:
        """Return how often each kind of act was done."""
        return await self._journal.run(
            lambda connection: dict(
                connection.execute("SELECT what, count(*) FROM acts GROUP BY what").fetchall()
            )
        )

    async def hash_addresses(self, before: int, addresses: Addresses) -> int:
        """Hash the addresses of authors from before a time, at most a slice, and return how many."""
        rows = await self._journal.run(
            lambda connection: connection.execute(
                "SELECT author, address FROM authors "
                "WHERE created < :before AND substr(address, 1, 1) != '#' LIMIT :slice",
                {"before": before, "slice": SLICE},
            ).fetchall()
        )
        hashed = [{"address": addresses.hashed(address), "author": author} for author, address in rows]
        if hashed:
            await self._journal.write(
                lambda connection: connection.executemany(
                    "UPDATE authors SET address = :address WHERE author = :author", hashed
                )
            )
        return len(hashed)


def _set(connection: sqlite3.Connection, name: str, value: Any) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO settings VALUES (:name, :value)", {"name": name, "value": json.dumps(value)}
    )


def _address_key(connection: sqlite3.Connection) -> bytes:
    """Return the key of the hashes; the first call makes it."""
    text = settings.read(connection).get(settings.ADDRESS_KEY)
    if text is None:
        text = secrets.token_hex(32)
        _set(connection, settings.ADDRESS_KEY, text)
    return bytes.fromhex(text)


def _record(connection: sqlite3.Connection, time: int, what: str, details: Mapping[str, Any]) -> int:
    done = connection.execute(
        "INSERT INTO acts (time, what, details) VALUES (:time, :what, :details)",
        {"time": time, "what": what, "details": json.dumps(details, ensure_ascii=False)},
    )
    return int(done.lastrowid or 0)
