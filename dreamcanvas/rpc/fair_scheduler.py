"""Fair turns: how addresses share the event loop, now and in the long run.

What a connection has read waits here where its address has used its share of the moment. Then addresses take
turns, and within an address its connections do: a thousand connections of one get as much as a single one of
another. Nothing is dropped; who waits is not read from, and the kernel tells the peer to wait.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Final, Protocol
from weakref import WeakValueDictionary

SHARE_SECONDS: Final = 0.004  # of an address in a turn: a tick of 20 ms holds several turns
TURN_SECONDS: Final = 0.008  # after which the loop sees to sockets, timers and everyone else
PIECE_SECONDS: Final = 0.001  # of a connection within its address's share
LEAST_WAIT: Final = 0.005


class Worker(Protocol):
    """A connection that has something to do."""

    def work(self, until: float) -> bool:
        """Goes on until a time of the turns' clock; says whether there is more that can be done now."""


class Rate(Protocol):
    """What an address may do in the long run. `now` is in seconds on the turns' clock."""

    def wait(self, now: float) -> float:
        """Seconds until it may go on, 0 where it may now."""

    def take(self, now: float, calls: int, size: int, seconds: float) -> None:
        """Takes calls, bytes and processor seconds, done already: it may owe them."""


@dataclass(slots=True, eq=False, weakref_slot=True)
class Share:
    """What an address has of the loop. Connections note here what they have done."""

    rate: Rate | None
    calls: int = 0
    size: int = 0
    waiting: dict[Worker, None] = field(default_factory=dict)
    listed: bool = False  # among those who take turns
    paused: bool = False  # until its rate lets it go on
    began: float = 0.0  # of the moment in which it has `spent` so many seconds
    spent: float = 0.0

    def count(self, calls: int, size: int) -> None:
        """Notes calls and bytes that were dealt with."""
        self.calls += calls
        self.size += size


class FairScheduler:
    """The shares, and who waits for a turn. `rate` gives what the address `key` may do, None for no limit."""

    def __init__(
        self,
        rate: Callable[[Hashable], Rate | None] = lambda _: None,
        *,
        clock: Callable[[], float] = time.monotonic,  # that of uvloop's loops has whole milliseconds
    ) -> None:
        self.clock = clock
        self._rate = rate
        self._shares: WeakValueDictionary[Hashable, Share] = WeakValueDictionary()
        self._ring: deque[Share] = deque()
        self._due = False
        self.waits = 0
        self.held = 0

    def share(self, key: Hashable) -> Share:
        """The share of an address, one for all of its connections."""
        share = self._shares.get(key)
        if share is None:
            share = self._shares[key] = Share(self._rate(key))
        return share

    def ready(self, share: Share, worker: Worker) -> None:
        """A connection has something to do: does it at once, or when it is its turn."""
        now = self.clock()
        if now - share.began >= TURN_SECONDS:
            share.began, share.spent = now, 0.0
        left = SHARE_SECONDS - share.spent
        if not share.waiting and not share.paused and left > 0:
            # Where nobody waits there is nobody to whom a shorter piece would help
            self._serve(share, worker, now, min(left, PIECE_SECONDS) if self._ring else left)
        elif worker not in share.waiting:
            self.waits += 1
            share.waiting[worker] = None
        self._enlist(share)

    def leave(self, share: Share, worker: Worker) -> None:
        """A connection has gone."""
        share.waiting.pop(worker, None)

    def _serve(self, share: Share, worker: Worker, now: float, seconds: float) -> float:
        """Lets a connection work; the time at which it has."""
        cpu = time.thread_time()
        if worker.work(now + seconds):
            share.waiting[worker] = None
        ended = self.clock()
        share.spent += ended - now
        if share.rate is not None:
            share.rate.take(ended, share.calls, share.size, time.thread_time() - cpu)
        share.calls = share.size = 0
        return ended

    def _enlist(self, share: Share) -> None:
        """Has an address take turns, where somebody of it waits and its rate allows it."""
        if not share.waiting or share.listed or share.paused:
            return
        loop = asyncio.get_running_loop()
        wait = share.rate.wait(self.clock()) if share.rate is not None else 0.0
        if wait > 0:
            self.held += 1
            share.paused = True
            loop.call_later(max(wait, LEAST_WAIT), self._go_on, share)
            return
        share.listed = True
        self._ring.append(share)
        if not self._due:
            self._due = True
            loop.call_soon(self._turn)

    def _go_on(self, share: Share) -> None:
        share.paused = False
        self._enlist(share)

    def _turn(self) -> None:
        """One round, or as much of it as there is time for."""
        now = self.clock()
        end = now + TURN_SECONDS
        for _ in range(len(self._ring)):
            share = self._ring.popleft()
            share.listed = False
            share.began, share.spent = now, 0.0
            until = now + SHARE_SECONDS
            while share.waiting and now < until:
                worker = next(iter(share.waiting))
                del share.waiting[worker]
                piece = PIECE_SECONDS if share.waiting else SHARE_SECONDS
                now = self._serve(share, worker, now, min(piece, until - now))
                if share.rate is not None and share.rate.wait(now):
                    break
            self._due = True  # so that it is not due twice
            self._enlist(share)
            if now >= end:
                break
        self._due = bool(self._ring)
        if self._due:
            asyncio.get_running_loop().call_soon(self._turn)
