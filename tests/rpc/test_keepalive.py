"""Pings to a peer. What they do to a connection is in test_protocol.py."""

import asyncio

from dreamcanvas.rpc.keepalive import Keepalive

DEADLINE = 10


class Peer:
    """Notes the pings that it is sent, and whether it was given up."""

    def __init__(self, *, interval: float, timeout: float) -> None:
        self.pings: asyncio.Queue[bytes] = asyncio.Queue()
        self.expired = asyncio.Event()
        self.keepalive = Keepalive(
            interval=interval, timeout=timeout, ping=self.pings.put_nowait, expired=self.expired.set
        )
        self.keepalive.start()

    async def ping(self) -> bytes:
        return await asyncio.wait_for(self.pings.get(), DEADLINE)


async def test_each_ping_that_is_answered_is_followed_by_another_with_other_data() -> None:
    peer = Peer(interval=0.001, timeout=3600)
    seen = set()
    for _ in range(5):
        data = await peer.ping()
        seen.add(data)
        peer.keepalive.pong(data)
    peer.keepalive.stop()
    assert len(seen) == 5
    assert not peer.expired.is_set()


async def test_one_ping_is_out_at_a_time_and_no_answer_is_the_end() -> None:
    peer = Peer(interval=0.001, timeout=0.02)
    await asyncio.wait_for(peer.expired.wait(), DEADLINE)
    peer.keepalive.stop()
    assert peer.pings.qsize() == 1


async def test_an_answer_to_something_else_is_none() -> None:
    peer = Peer(interval=0.001, timeout=0.02)
    peer.keepalive.pong(await peer.ping() + b"?")
    peer.keepalive.pong(b"")
    await asyncio.wait_for(peer.expired.wait(), DEADLINE)
    peer.keepalive.stop()


async def test_without_interval_it_pings_never() -> None:
    peer = Peer(interval=0, timeout=0.001)
    await asyncio.sleep(0.01)
    assert peer.pings.empty()
    assert not peer.expired.is_set()


async def test_what_was_stopped_pings_no_more_and_gives_nobody_up() -> None:
    peer = Peer(interval=0.001, timeout=0.01)
    await peer.ping()
    peer.keepalive.stop()
    await asyncio.sleep(0.03)
    assert peer.pings.empty()
    assert not peer.expired.is_set()
