"""What the operator has set: who may draw, whether the server dreams, a line for everyone.

All of it is stored, so that it survives a restart.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from dreamcanvas.access.quotas import Client
from dreamcanvas.access.tokens import Access
from dreamcanvas.errors import NotAllowed
from dreamcanvas.net.addresses import in_network, target
from dreamcanvas.store.moderation_log import Act, Addresses, Ban, ModerationLog, is_hash

log = logging.getLogger(__name__)

REFRESH_SECONDS: Final = 2.0
HOUR_MS: Final = 3_600_000


class Moderation:
    """The operator's settings and bans. `changed` is called when a setting changes or a token is revoked.

    Addresses of authors are kept in clear for `keep_addresses_hours`, then as hashes. `clock` gives ms
    since 1970.
    """

    def __init__(
        self,
        records: ModerationLog,
        access: Access,
        *,
        keep_addresses_hours: float,
        clock: Callable[[], int],
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._records = records
        self._access = access
        self._keep_ms = round(keep_addresses_hours * HOUR_MS)
        self._clock = clock
        self._settings: dict[str, Any] = {}
        self._bans: list[Ban] = []
        self._addresses = Addresses(b"")
        self._changed = changed

    async def load(self) -> None:
        """Read the stored settings, tokens and bans. Raises sqlite3.Error."""
        self._addresses = await self._records.addresses()
        self._settings = await self._records.settings()
        await self.refresh()

    async def run(self) -> None:
        """Call `refresh` every `REFRESH_SECONDS`, until cancelled; errors of the database are logged."""
        while True:
            await asyncio.sleep(REFRESH_SECONDS)
            try:
                await self.refresh()
            except sqlite3.Error as error:
                log.error("tokens and bans not read", extra={"error": str(error)})

    async def refresh(self) -> None:
        """Read tokens and bans anew, end an announcement whose time is over, and hash old addresses.

        Other processes, such as `dreamcanvas tokens`, write to the same database. Raises sqlite3.Error.
        """
        now = self._clock()
        revoked = self._access.refresh(await self._records.tokens())
        self._bans = await self._records.bans(now)
        over = 0 < self.announced_until <= now
        if over:
            self._settings = {**self._settings, "announced_until": 0, "announcement": ""}
        if revoked or over:
            self._changed()
        while await self._records.hash_addresses(now - self._keep_ms, self._addresses):
            pass

    # What holds

    @property
    def read_only(self) -> bool:
        """Whether nobody may draw."""
        return bool(self._settings.get("read_only"))

    @property
    def resting(self) -> bool:
        """Whether the operator has stopped the dreams."""
        return bool(self._settings.get("resting"))

    @property
    def announcement(self) -> str:
        """The line that everyone is shown; empty where there is none."""
        return str(self._settings.get("announcement", ""))

    @property
    def announced_until(self) -> int:
        """When the announcement ends, in ms since 1970; 0 where it stays until it is replaced."""
        return int(self._settings.get("announced_until", 0))

    @property
    def bans(self) -> tuple[Ban, ...]:
        """The bans in force."""
        now = self._clock()
        return tuple(ban for ban in self._bans if ban.until > now)

    def place(self, text: str) -> str:
        """Return an address as its hash, a network as text, a hash as it is: the form that bans have.

        Raises ValueError where `text` is none of them; its message continues a sentence.
        """
        if is_hash(text):
            return text
        found = target(text)
        return self._addresses.hashed(found) if isinstance(found, str) else str(found)

    def is_at(self, place: str, address: str) -> bool:
        """Return whether an address, or the hash of one, is at a place, which `place` has returned.

        A hash is in no network: what it was made of is not known.
        """
        return in_network(address, place) if "/" in place else self._addresses.hashed(address) == place

    def ban_of(self, author: int, address: str) -> Ban | None:
        """Return the ban that holds for an author or its address, or None where there is none."""
        if not self._bans:
            return None
        return next(
            (
                ban
                for ban in self.bans
                if ban.author == author or (ban.address is not None and self.is_at(ban.address, address))
            ),
            None,
        )

    def check(self, client: Client) -> None:
        """Check that a caller may draw. Raises NotAllowed where it is banned or the canvas is read-only."""
        if self._bans:
            ban = self.ban_of(client.author.number, client.address)
            if ban is not None:
                until = datetime.fromtimestamp(ban.until / 1000, UTC).strftime("%Y-%m-%d %H:%M")
                raise NotAllowed(f"banned until {until} UTC: {ban.reason}")
        if self.read_only and not (client.identity is not None and client.identity.admin):
            raise NotAllowed("nobody may draw at the moment: the canvas is read-only")

    # What the operator does. Each act is written down; where that raises sqlite3.Error, nothing has changed

    async def set(self, what: str, **values: Any) -> None:
        """Store new values of settings, then use them; `what` names the act. Raises sqlite3.Error."""
        await self._records.set(self._clock(), what, values)
        self._settings = {**self._settings, **values}
        log.info("host", extra={"what": what, **values})
        self._changed()

    async def record(self, what: str, details: Mapping[str, Any]) -> int:
        """Write down an act and return its number. Raises sqlite3.Error."""
        log.info("host", extra={"what": what})
        return await self._records.record(self._clock(), what, details)

    async def made(self, act: int, seq: int) -> None:
        """Write down which patch an act made. Raises sqlite3.Error."""
        await self._records.made(act, seq)

    async def address_of(self, author: int) -> str | None:
        """Return the hash of the address where an author was first seen, or None where it has not drawn."""
        address = await self._records.address_of(author)
        return self._addresses.hashed(address) if address else None

    async def ban(self, author: int | None, place: str | None, *, seconds: int, reason: str) -> Ban:
        """Ban an author, a place (see `place`), or both, and return the ban. Raises sqlite3.Error."""
        now = self._clock()
        ban = await self._records.ban(Ban(0, author, place, now + 1000 * seconds, reason, now))
        log.info("host", extra={"what": "ban", "ban": ban.ban})
        await self.refresh()
        return ban

    async def unban(self, ban: int) -> bool:
        """End a ban, and return whether it was in force. Raises sqlite3.Error."""
        ended = await self._records.unban(self._clock(), ban)
        await self.refresh()
        return ended

    async def acts(self, limit: int) -> list[Act]:
        """Return the newest acts, at most `limit`, newest first. Raises sqlite3.Error."""
        return await self._records.acts(limit)

    async def act_counts(self) -> dict[str, int]:
        """Return how many acts of each kind there were, by name. Raises sqlite3.Error."""
        return await self._records.act_counts()
