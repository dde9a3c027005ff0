"""The callers without a websocket: who posts to /rpc, and what they may spend."""

from collections import OrderedDict
from typing import Final

from dreamcanvas.access.quotas import Client, Quotas, token_of
from dreamcanvas.access.tokens import Access
from dreamcanvas.store.journal import Journal

KEPT_POSTERS: Final = 4096


class Posters:
    """Knows callers again, so that what they spend counts. The last `KEPT_POSTERS` are kept."""

    def __init__(self, journal: Journal, quotas: Quotas, access: Access) -> None:
        self._journal = journal
        self._quotas = quotas
        self._access = access
        self._posters: OrderedDict[object, tuple[tuple[str, int] | None, Client]] = OrderedDict()

    def identify(
        self, address: str, authorization: str | None, connection: tuple[str, int] | None = None
    ) -> Client:
        """Return the caller that posts from an address with an Authorization header, if it sent one.

        It is known by its token, else by the connection it posts on (the very tuple), else not: others may
        have its address. Raises UnknownToken.
        """
        identity = self._access.identify(authorization)
        key = (address, identity, connection if identity is None else None)
        known, client = self._posters.pop(key, (None, None))
        if client is None or (identity is None and (connection is None or known is not connection)):
            author = self._journal.anonymous(address, token_of(identity))
            client = self._quotas.client(author, identity, None)
        if identity is not None or connection is not None:
            self._posters[key] = connection, client
            if len(self._posters) > KEPT_POSTERS:
                self._posters.popitem(last=False)
        return client

    async def pass_calls(self, client: Client, calls: int, size: int) -> None:
        """Wait until the calls of one message, of so many bytes, may be carried out."""
        await self._quotas.pass_calls(client, calls, size)
