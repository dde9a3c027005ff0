"""The callers without a websocket, which post to /rpc, and what they may spend."""

from collections import OrderedDict
from typing import Final

from dreamcanvas.access.quotas import Client, Quotas, token_of
from dreamcanvas.access.tokens import Access
from dreamcanvas.store.journal import Journal

KEPT_POSTERS: Final = 4096


class Posters:
    """The last `KEPT_POSTERS` callers that posted.

    They are kept because a new caller has full buckets: with a new one each time, no limit would hold.
    """

    def __init__(self, journal: Journal, quotas: Quotas, access: Access) -> None:
        self._journal = journal
        self._quotas = quotas
        self._access = access
        self._posters: OrderedDict[object, tuple[tuple[str, int] | None, Client]] = OrderedDict()

    def identify(
        self, address: str, authorization: str | None, connection: tuple[str, int] | None = None
    ) -> Client:
        """Return the caller that posts from an address; `authorization` is its header. Raises UnknownToken.

        It is the same caller as before where the token is the same, or, without a token, the connection: the
        same tuple object, not an equal one. Else it is a new one, as others may have the same address.
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
        """Wait until the calls of one message of `size` bytes may be carried out."""
        await self._quotas.pass_calls(client, calls, size)
