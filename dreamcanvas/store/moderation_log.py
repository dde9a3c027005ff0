"""What the host has done: bans, settings that last, and a row for every act in the same transaction."""

import hashlib
import hmac
import json
import re
import secrets
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, replace
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
    """Who may not draw until when (ms since 1970), and what they are told.

    `address` is a hash, or a network in plain text: a hash of that could not be found again.
    """

    ban: int
    author: int | None
    address: str | None
    until: int
    reason: str
    created: int


@dataclass(frozen=True, slots=True)
class Act:
    """Something that the host did, and the patch that it made."""

    act: int
    time: int
    what: str
    details: str
    seq: int | None


def is_hash(text: str) -> bool:
    """Whether a text is the hash of an address."""
    return re.fullmatch(f"{HASHED}[0-9a-f]{{{HASH_LENGTH}}}", text, re.ASCII) is not None


class Addresses:
    """Hashes of addresses: of what counts as one, by a key that only this data directory has."""

    def __init__(self, key: bytes) -> None:
        @lru_cache(maxsize=4096)
        def hashed(address: str) -> str:
            found = hmac.new(key, household(address).encode(), hashlib.sha256)
            return HASHED + found.hexdigest()[:HASH_LENGTH]

        self._hashed = hashed

    def hashed(self, address: str) -> str:
        """`#` and the hash; what is one already stays."""
        return address if address.startswith(HASHED) else self._hashed(address)


class ModerationLog:
    """The tables. Each method raises sqlite3.Error; then nothing was changed. Times in ms since 1970."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def addresses(self) -> Addresses:
        """The hashes of this data directory."""
        return Addresses(await self._journal.write(_address_key))

    async def settings(self) -> dict[str, Any]:
        """What was set and is to last."""
        return await self._journal.run(settings.read)

    async def tokens(self) -> dict[str, Token]:
        """The bots' tokens by name."""
        return await self._journal.run(tokens.read)

    async def bans(self, now: int) -> list[Ban]:
        """The bans in force."""

        def query(connection: sqlite3.Connection) -> list[Ban]:
            rows = connection.execute(
                "SELECT ban, author, address, until, reason, created FROM bans WHERE until > ? ORDER BY ban",
                (now,),
            ).fetchall()
            return [Ban(*row) for row in rows]

        return await self._journal.run(query)

    async def set(self, now: int, what: str, values: Mapping[str, Any]) -> None:
        """Makes settings last."""

        def work(connection: sqlite3.Connection) -> None:
            for name, value in values.items():
                _set(connection, name, value)
            _record(connection, now, what, values)

        await self._journal.write(work)

    async def ban(self, ban: Ban) -> Ban:
        """Keeps a ban, and gives it a number."""

        def work(connection: sqlite3.Connection) -> int:
            done = connection.execute(
                "INSERT INTO bans (author, address, until, reason, created) VALUES (?, ?, ?, ?, ?)",
                (ban.author, ban.address, ban.until, ban.reason, ban.created),
            )
            number = int(done.lastrowid or 0)
            whom = {"ban": number, "author": ban.author, "address": ban.address}
            _record(connection, ban.created, "ban", {**whom, "until": ban.until, "reason": ban.reason})
            return number

        return replace(ban, ban=await self._journal.write(work))

    async def address_of(self, author: int) -> str | None:
        """Where an author was first seen, or the hash of that; None where it has not drawn."""
        row = await self._journal.run(
            lambda connection: connection.execute(
                "SELECT address FROM authors WHERE author = ?", (author,)
            ).fetchone()
        )
        return None if row is None else str(row[0])

    async def unban(self, now: int, ban: int) -> bool:
        """Ends a ban, if it is in force."""

        def work(connection: sqlite3.Connection) -> bool:
            done = connection.execute(
                "UPDATE bans SET until = ? WHERE ban = ? AND until > ?", (now, ban, now)
            )
            if done.rowcount:
                _record(connection, now, "unban", {"ban": ban})
            return bool(done.rowcount)

        return await self._journal.write(work)

    async def record(self, now: int, what: str, details: Mapping[str, Any]) -> int:
        """Writes down an act, and gives its number."""
        return await self._journal.write(lambda connection: _record(connection, now, what, details))

    async def made(self, act: int, seq: int) -> None:
        """Writes down which patch an act made."""
        await self._journal.write(
            lambda connection: connection.execute("UPDATE acts SET seq = ? WHERE act = ?", (seq, act))
        )

    async def acts(self, limit: int) -> list[Act]:
        """The newest acts, newest first."""
        rows = await self._journal.run(
            lambda connection: connection.execute(
                "SELECT act, time, what, details, seq FROM acts ORDER BY act DESC LIMIT ?", (limit,)
            ).fetchall()
        )
        return [Act(*row) for row in rows]

    async def act_counts(self) -> dict[str, int]:
        """How often the host did what."""
        return await self._journal.run(
            lambda connection: dict(
                connection.execute("SELECT what, count(*) FROM acts GROUP BY what").fetchall()
            )
        )

    async def hash_addresses(self, before: int, addresses: Addresses) -> int:
        """Hashes addresses of authors from before a time, a slice at most; gives how many."""
        rows = await self._journal.run(
            lambda connection: connection.execute(
                "SELECT author, address FROM authors "
                "WHERE created < ? AND substr(address, 1, 1) != '#' LIMIT ?",
                (before, SLICE),
            ).fetchall()
        )
        hashed = [(addresses.hashed(address), author) for author, address in rows]
        if hashed:
            await self._journal.write(
                lambda connection: connection.executemany(
                    "UPDATE authors SET address = ? WHERE author = ?", hashed
                )
            )
        return len(hashed)


def _set(connection: sqlite3.Connection, name: str, value: Any) -> None:
    connection.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, json.dumps(value)))


def _address_key(connection: sqlite3.Connection) -> bytes:
    """The key of the hashes; the first time it is made."""
    text = settings.read(connection).get(settings.ADDRESS_KEY)
    if text is None:
        text = secrets.token_hex(32)
        _set(connection, settings.ADDRESS_KEY, text)
    return bytes.fromhex(text)


def _record(connection: sqlite3.Connection, time: int, what: str, details: Mapping[str, Any]) -> int:
    text = json.dumps(details, ensure_ascii=False)
    done = connection.execute("INSERT INTO acts (time, what, details) VALUES (?, ?, ?)", (time, what, text))
    return int(done.lastrowid or 0)
