"""A TCP proxy that breaks connections in the middle of messages, after seeded counts of bytes."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from typing import Self


class Proxy:
    """Forwards to a port. While `dropping`, all its connections are reset after `low` to `high` bytes."""

    def __init__(self, port: int, rng: random.Random, *, low: int = 200, high: int = 20_000) -> None:
        self._target = port
        self._rng = rng
        self._bounds = (low, high)
        self._left = rng.randint(low, high)
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self.dropping = False
        self.drops = 0
        self._dropped = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.drop()
        await asyncio.sleep(0.1)

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def has_dropped(self, times: int) -> None:
        """Waits until so many connections were broken."""
        while self.drops < times:
            self._dropped.clear()
            await self._dropped.wait()

    def drop(self) -> None:
        """Resets every connection."""
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with self._known(writer):
            try:
                up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._target)
            except OSError:  # the server is being restarted
                return
            async with self._known(up_writer):
                there = asyncio.create_task(self._pipe(reader, up_writer))
                await self._pipe(up_reader, writer)
                there.cancel()
                await asyncio.gather(there, return_exceptions=True)

    @contextlib.asynccontextmanager
    async def _known(self, writer: asyncio.StreamWriter) -> AsyncIterator[None]:
        self._writers.add(writer)
        try:
            yield
        finally:
            self._writers.discard(writer)
            writer.transport.abort()

    async def _pipe(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                if self.dropping and len(data) >= self._left:
                    writer.write(data[: self._left])
                    await writer.drain()
                    self._left = self._rng.randint(*self._bounds)
                    self.drops += 1
                    self._dropped.set()
                    self.drop()
                    return
                if self.dropping:
                    self._left -= len(data)
                writer.write(data)
                await writer.drain()
            writer.transport.abort()
