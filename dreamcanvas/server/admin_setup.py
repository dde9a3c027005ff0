"""What the host of a canvas has, put together for a server: tokens, settings that last, DreamAdmin."""

import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path

from dreamcanvas.access.moderation import Moderation
from dreamcanvas.access.tokens import Access
from dreamcanvas.api.admin_service import AdminService
from dreamcanvas.api.connections import Visitors
from dreamcanvas.config import Config
from dreamcanvas.painting.deferred_patch import DeferredPatches
from dreamcanvas.painting.painter import Painter
from dreamcanvas.painting.restore import Restorer
from dreamcanvas.store import layout
from dreamcanvas.store.check import refusal
from dreamcanvas.store.journal import Journal
from dreamcanvas.store.moderation_log import ModerationLog


class AdminSetup:
    """The host's parts. `clock` gives ms since 1970."""

    def __init__(
        self,
        access: Access,
        moderation: Moderation,
        *,
        database: Path,
        frames: Path,
        clock: Callable[[], int],
    ) -> None:
        self.access = access
        self.moderation = moderation
        self._database = database
        self._frames = frames
        self._clock = clock

    @staticmethod
    async def open(
        config: Config, journal: Journal, access: Access, *, clock: Callable[[], int]
    ) -> "AdminSetup":
        """With what was set before. Raises StoreError."""
        moderation = Moderation(
            ModerationLog(journal), access, keep_addresses_hours=config.keep_addresses_hours, clock=clock
        )
        try:
            await moderation.load()
        except sqlite3.Error as error:
            raise refusal(journal.path, error) from error
        return AdminSetup(
            access, moderation, database=journal.path, frames=config.data_dir / layout.FRAMES, clock=clock
        )

    def admit(
        self,
        visitors: Visitors,
        painter: Painter,
        deferred: DeferredPatches,
        *,
        lost: Callable[[int], Awaitable[bytes]],
    ) -> AdminService:
        """Lets the host in: `visitors` answers `admin.METHOD` from now on."""
        restorer = Restorer(
            deferred, self.moderation, database=self._database, frames=self._frames, lost=lost
        )
        return AdminService(
            visitors=visitors,
            moderation=self.moderation,
            restorer=restorer,
            painter=painter,
            clock=self._clock,
        )
