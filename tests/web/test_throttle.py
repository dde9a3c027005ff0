"""Who is let in over HTTP, and what is kept of what is sent."""

import asyncio
from collections.abc import Callable
from typing import Any

from dreamcanvas.web.throttle import PEAK_BURST, PIECE, Throttle

BODY = bytes(range(256)) * 2048


class Site:
    """An application behind a gate: answers with a body when it is told to; one request is `ask`."""

    def __init__(self, **options: Any) -> None:
        self.refused: list[str] = []
        self.go = asyncio.Event()
        self.go.set()
        self.begun = 0
        self.bodies: Callable[[], bytes] = lambda: BODY
        settings: dict[str, Any] = {
            "rate": 0,
            "most": 0,
            "held": 0,
            "limited": self.refused.append,
            **options,
        }
        self.gate = Throttle(self._answer, household=lambda peer, forwarded: forwarded or peer, **settings)

    async def _answer(self, scope: Any, receive: Any, send: Any) -> None:
        self.begun += 1
        await self.go.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": self.bodies()})

    async def ask(self, reader: "Reader", peer: str = "a", path: str = "/", forwarded: str = "") -> int:
        scope = {
            "type": "http",
            "path": path,
            "client": (peer, 1),
            "method": "GET",
            "headers": [(b"x-forwarded-for", forwarded.encode())] if forwarded else [],
        }

        async def receive() -> Any:
            raise AssertionError

        await self.gate(scope, receive, reader.send)
        return reader.status


class Reader:
    """Who asks. Reads when it likes."""

    def __init__(self, *, reads: bool = True) -> None:
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.data = b""
        self.pieces: list[int] = []
        self.ended = 0
        self.reads = asyncio.Event()
        if reads:
            self.reads.set()

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], dict(message["headers"])
            return
        self.data += bytes(message["body"])
        self.pieces.append(len(message["body"]))
        self.ended += not message.get("more_body", False)
        await self.reads.wait()


async def test_a_large_body_comes_piece_by_piece_and_whole() -> None:
    reader = Reader()
    assert await Site().ask(reader) == 200
    assert reader.data == BODY
    assert max(reader.pieces) <= PIECE
    assert reader.ended == 1


async def begun(site: Site, count: int) -> None:
    async with asyncio.timeout(5):
        while site.begun < count:  # noqa: ASYNC110 - the site tells nobody
            await asyncio.sleep(0.001)


async def test_so_many_are_under_way_for_an_address_and_more_are_told_to_come_back() -> None:
    site = Site(most=3)
    slow = [Reader(reads=False) for _ in range(3)]
    tasks = [asyncio.create_task(site.ask(reader)) for reader in slow]
    await begun(site, 3)
    refused, other, proxied = Reader(), Reader(), Reader()
    assert await site.ask(refused) == 503
    assert refused.headers[b"retry-after"] == b"1"
    assert await site.ask(other, "b") == 200
    assert await site.ask(proxied, "a", forwarded="c") == 200
    assert site.refused == ["responses"]
    for reader in slow:
        reader.reads.set()
    assert await asyncio.gather(*tasks) == [200] * 3
    assert await site.ask(Reader()) == 200


async def test_bodies_that_are_not_read_are_bounded_but_the_same_one_counts_once() -> None:
    site = Site(held=2 * len(BODY))
    slow = [Reader(reads=False) for _ in range(20)]
    tasks = [asyncio.create_task(site.ask(reader)) for reader in slow]
    await begun(site, 20)
    made = [bytes(len(BODY)), bytes(len(BODY) + 1)]
    site.bodies = lambda: made[0]
    slow.append(Reader(reads=False))
    tasks.append(asyncio.create_task(site.ask(slow[-1])))
    await begun(site, 21)
    site.bodies = lambda: made[1]
    refused = Reader()
    assert await site.ask(refused) == 503
    assert len(refused.data) < 1000
    assert site.refused == ["response_bytes"]
    for reader in slow:
        reader.reads.set()
    assert await asyncio.gather(*tasks) == [200] * 21
    assert await site.ask(Reader()) == 200


async def test_requests_over_the_rate_wait() -> None:
    site = Site(rate=50)
    site.bodies = lambda: b"ok"
    began = asyncio.get_running_loop().time()
    statuses = await asyncio.gather(*(site.ask(Reader()) for _ in range(110)))
    assert statuses == [200] * 110
    assert asyncio.get_running_loop().time() - began > 0.15  # 100 may come at once, 10 have to wait
    assert "requests_waited" in site.refused


async def test_dear_ones_cost_more_and_who_would_wait_too_long_is_told() -> None:
    site = Site(rate=1)
    site.bodies = lambda: b"ok"
    first = asyncio.create_task(site.ask(Reader(), path="/metrics"))
    await first
    assert await site.ask(Reader(), path="/metrics") == 503
    assert site.refused == ["requests"]
    assert await site.ask(Reader(), "b") == 200


async def test_many_at_once_begin_one_after_the_other() -> None:
    site = Site(rate=10_000)
    site.go.clear()
    tasks = [asyncio.create_task(site.ask(Reader())) for _ in range(100)]
    for _ in range(3):
        await asyncio.sleep(0)
    assert 1 <= site.begun <= PEAK_BURST + 2
    site.go.set()
    assert await asyncio.gather(*tasks) == [200] * 100
