"""A TCP proxy that breaks connections in the middle of messages, after seeded counts of bytes."""

import asyncio
import contextlib
import random
from dataclasses import dataclass
from typing import Self


@dataclass(slots=True, eq=False)
class Pair:
    """The two halves of a connection, and after how many bytes it breaks."""

    near: asyncio.StreamWriter
    far: asyncio.StreamWriter
    left: int

    def reset(self) -> None:
        self.near.transport.abort()
        self.far.transport.abort()


class Proxy:
    """Forwards to a port. While `dropping`, a connection is reset after `low` to `high` bytes, mostly few."""

    def __init__(self, port: int, rng: random.Random, *, low: int = 200, high: int = 200_000) -> None:
        self._target = port
        self._rng = rng
        self._bounds = (low, high)
        self._pairs: set[Pair] = set()
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
        for pair in self._pairs:
            pair.reset()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:  # the server is being restarted
            writer.transport.abort()
            return
        low, high = self._bounds
        pair = Pair(writer, far_writer, round(low * (high / low) ** self._rng.random()))
        self._pairs.add(pair)
        there = asyncio.create_task(self._pipe(reader, far_writer, pair))
        await self._pipe(far_reader, writer, pair)
        there.cancel()
        await asyncio.gather(there, return_exceptions=True)
        self._pairs.discard(pair)

    async def _pipe(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pair: Pair) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                breaks = self.dropping and len(data) >= pair.left
                writer.write(data[: pair.left] if breaks else data)
                await writer.drain()
                if breaks:
                    self.drops += 1
                    self._dropped.set()
                    break
                if self.dropping:
                    pair.left -= len(data)
        pair.reset()
