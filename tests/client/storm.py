"""Clients on a connection that breaks again and again, and what of their drawing arrived, how often."""

import asyncio
import random
from dataclasses import dataclass

from PIL import ImageChops

from dreamcanvas.canvas.model import Dab, Operation
from dreamcanvas.client import AsyncClient, Events
from dreamcanvas.client.events import operations
from dreamcanvas.client.wire import RawEvent
from tests.client.proxy import Proxy
from tests.live_server import Server
from tests.socket_client import Socket

UNDONE = 0.1  # the share of strokes that are taken back
LAST = Dab(-65535, 65535, 1, 0x123456)  # none that is drawn by chance


@dataclass(frozen=True, slots=True)
class Storm:
    """What happened: how often connections broke, and the operations in the end."""

    drops: int
    restarts: int
    operations: int
    connections: int


async def weather(server: Server, *, seed: int, drops: int, restarts: int) -> Storm:
    """Paints, takes back and watches over breaking connections; asserts that nothing was lost or doubled."""
    rng = random.Random(seed)
    drawn: list[list[Dab | None]] = [[], []]
    with Socket(server.ws_url) as before:
        start = before.subscribe(events=["status"]).seq
    async with Proxy(server.port, rng) as proxy:
        painters = [AsyncClient(proxy.url, rng=random.Random(seed + n), timeout=300) for n in range(2)]
        async with (
            painters[0],
            painters[1],
            AsyncClient(proxy.url, timeout=300) as watcher,
            watcher.events("paint", "patch") as events,
            painters[0].replica() as replica,
        ):
            proxy.dropping = True
            reading = asyncio.create_task(_read(events))
            painting = [
                asyncio.create_task(_paint(client, proxy, drops, random.Random(seed * 7 + n), drawn[n]))
                for n, client in enumerate(painters)
            ]
            for n in range(restarts):
                await proxy.has_dropped((n + 1) * drops // (restarts + 1))
                await asyncio.to_thread(server.kill)
                await asyncio.to_thread(server.start)
            await asyncio.gather(*painting)
            proxy.dropping = False
            drawn[0].append(LAST)
            last = (await painters[0].dabs([LAST])).seq
            seen = await reading
            await replica.reaches(seq=last)
            picture = await watcher.get_canvas()
            assert ImageChops.difference(picture, replica.image()).getbbox() is None
            connections = sum(client.connections for client in (*painters, watcher))
    kept = stored(server, start)
    assert [operation.seq for operation in kept] == list(range(start + 1, last + 1))
    for client, dabs in zip(painters, drawn, strict=True):
        marks = [operation.mark for operation in kept if operation.author == client.author]
        assert [mark if isinstance(mark, Dab) else None for mark in marks] == dabs
    assert seen == kept
    return Storm(proxy.drops, restarts, len(kept), connections)


async def _paint(
    client: AsyncClient, proxy: Proxy, drops: int, rng: random.Random, drawn: list[Dab | None]
) -> None:
    while proxy.drops < drops:
        dabs = [
            Dab(rng.randrange(1536), rng.randrange(1536), rng.randint(1, 124), rng.randrange(2**24))
            for _ in range(rng.randint(1, 8))
        ]
        drawn += dabs
        ink = await client.dabs(dabs)
        if rng.random() < UNDONE:
            await client.undo(ink)
            drawn.append(None)


async def _read(events: Events) -> list[Operation]:
    """What comes, up to the last dab."""
    seen: list[Operation] = []
    async for event in events:
        assert isinstance(event, Operation), event
        seen.append(event)
        if event.mark == LAST:
            break
    return seen


def stored(server: Server, start: int) -> list[Operation]:
    """The operations after a number, as the server replays them."""
    found: list[Operation] = []
    with Socket(server.ws_url) as socket:
        reply = socket.subscribe(events=["paint", "patch"], batch=True, since=start)
        assert not reply.resync
        while not found or found[-1].seq < reply.seq:
            while not socket.events:
                socket.receive()
            name, event = socket.events.popleft()
            if name in ("paints", "patch"):
                found += operations(RawEvent(name, event.SerializeToString()))
    return found
