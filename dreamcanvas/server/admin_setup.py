"""Loading of what the operator has set, at the start of a server."""

import sqlite3
from collections.abc import Callable

from dreamcanvas.access.moderation import Moderation
from dreamcanvas.access.tokens import Access
from dreamcanvas.config import Config
from dreamcanvas.store.check import refusal
from dreamcanvas.store.journal import Journal
from dreamcanvas.store.moderation_log import ModerationLog


async def open_moderation(
    config: Config,
    journal: Journal,
    access: Access,
    *,
    changed: Callable[[], None],
    clock: Callable[[], int],
) -> Moderation:
    """Return the operator's stored settings and bans. Raises StoreError where they cannot be read.

    `changed` is called when they, or a token, change.
    """
    moderation = Moderation(
        ModerationLog(journal),
        access,
        keep_addresses_hours=config.keep_addresses_hours,
        changed=changed,
        clock=clock,
    )
    try:
        await moderation.load()
    except sqlite3.Error as error:
        raise refusal(journal.path, error) from error
    return moderation
