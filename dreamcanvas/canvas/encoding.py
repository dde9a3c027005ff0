"""Pictures as files: made once per key, however many ask at the same time, and kept while asked for."""

import asyncio
import io
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Final, TypeAlias

from PIL import Image

Format: TypeAlias = str

MEDIA_TYPES: Final[dict[Format, str]] = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp"}
DELIVERY_SIDES: Final = (1536, 768)


def encode(image: Image.Image, format_: Format) -> bytes:
    """An RGB picture as a file: `jpg` (quality 90, no chroma subsampling), `png`, or `webp` (quality 90)."""
    buffer = io.BytesIO()
    if format_ == "jpg":
        image.save(buffer, "JPEG", quality=90, subsampling=0)
    elif format_ == "png":
        image.save(buffer, "PNG", compress_level=3)
    else:
        image.save(buffer, "WEBP", quality=90, method=2)
    return buffer.getvalue()


def encode_delivery(image: Image.Image, side: int) -> bytes:
    """A dream as browsers get it: a JPEG of `side` × `side` pixels, quality 78, 4:2:0.

    Not progressive: that takes four times as long, all of it without letting another thread run.
    """
    if image.width != side:
        image = image.reduce(image.width // side)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=78, subsampling=2)
    return buffer.getvalue()


class Pictures:
    """A cache of `max_bytes`. Work is done in threads, once per key."""

    def __init__(self, max_bytes: int = 48 * 2**20) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._kept: OrderedDict[Hashable, bytes] = OrderedDict()
        self._making: dict[Hashable, asyncio.Task[bytes]] = {}

    async def get(self, key: Hashable, make: Callable[[], bytes]) -> bytes:
        """What `make` returns for the key, from the cache where it is there. Raises what `make` raises."""
        return await self.fetch(key, lambda: asyncio.to_thread(make))

    async def fetch(self, key: Hashable, make: Callable[[], Awaitable[bytes]]) -> bytes:
        """The same with a `make` that has to be awaited, and need not be a thread's work."""
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
            return kept
        task = self._making.get(key)
        if task is None:
            task = asyncio.create_task(self._make(key, make))
            self._making[key] = task
        return await asyncio.shield(task)

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
