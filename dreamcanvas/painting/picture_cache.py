"""A cache of picture files: each is made once, however many ask at the same time; the least used go first."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable


class PictureCache:
    """A cache of up to `max_bytes`. A file is made once per key."""

    def __init__(self, max_bytes: int = 48 * 2**20) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._kept: OrderedDict[Hashable, bytes] = OrderedDict()
        self._making: dict[Hashable, asyncio.Task[bytes]] = {}

    async def get(self, key: Hashable, make: Callable[[], bytes]) -> bytes:
        """Return the file of a key, from the cache or from `make` in a thread. Raises what `make` raises."""
        return await self.fetch(key, lambda: asyncio.to_thread(make))

    async def fetch(self, key: Hashable, make: Callable[[], Awaitable[bytes]]) -> bytes:
        """Return the file of a key, from the cache or from `make`, a coroutine. Raises what `make` raises."""
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
            return kept
        task = self._making.get(key)
        if task is None:
            task = asyncio.create_task(self._make(key, make))
            self._making[key] = task
        return await asyncio.shield(task)  # others wait for it, too: one that leaves must not cancel it

    async def _make(self, key: Hashable, make: Callable[[], Awaitable[bytes]]) -> bytes:
        try:
            data = await make()
        finally:
            del self._making[key]
        self._kept[key] = data
        self._bytes += len(data)
        while self._bytes > self._max_bytes:
            self._bytes -= len(self._kept.popitem(last=False)[1])
        return data
