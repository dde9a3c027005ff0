"""Fair turns: how addresses share the event loop, now and in the long run.

An address may use so many seconds of the loop in each moment. When it has used them, what its
connections have read waits here. The addresses that wait take turns, and so do the connections of
one address: a thousand connections of one address get as much as the single connection of another.
Nothing is dropped. A connection that waits is not read from, so TCP makes its peer wait too.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Final, Protocol
from weakref import WeakValueDictionary

SHARE_SECONDS: Final = 0.004  # for one address in a turn: a tick of 20 ms holds several turns
TURN_SECONDS: Final = 0.008  # for all in a turn; then the loop handles sockets and timers
PIECE_SECONDS: Final = 0.001  # for one connection, within the share of its address
LEAST_WAIT: Final = 0.005  # seconds: the shortest pause of an address


class Worker(Protocol):
    """A connection that has something to do."""

    def work(self, until: float) -> bool:
        """Work until a time of the scheduler's clock. Return whether there is more to do now."""


class Rate(Protocol):
    """What an address may do in the long run. `now` is in seconds on the scheduler's clock."""

    def wait(self, now: float) -> float:
        """Return the seconds until the address may go on, 0 where it may go on now."""

    def take(self, now: float, calls: int, size: int, seconds: float) -> None:
        """Charge calls, bytes and processor seconds that are already spent, even beyond what is left."""


@dataclass(slots=True, eq=False, weakref_slot=True)
class Share:
    """What one address has used of the loop, and which of its connections wait for a turn.

    Connections count in `calls` and `size` (bytes) what they have done since the rate was last
    charged.
    """

    rate: Rate | None
    calls: int = 0
    size: int = 0
    waiting: dict[Worker, None] = field(default_factory=dict)
    listed: bool = False  # whether it is in the ring of those who take turns
    paused: bool = False  # whether it waits until its rate lets it go on
    began: float = 0.0  # when the moment began in which it has used `spent` seconds
    spent: float = 0.0

    def count(self, calls: int, size: int) -> None:
        """Count calls and bytes that were handled."""
        self.calls += calls
        self.size += size


class FairScheduler:
    """The shares of all addresses, and a ring of those that wait for a turn.

    `rate` returns what the address `key` may do in the long run, None for no limit. `waits` counts
    how often a connection had to wait for a turn, `held` how often an address had to wait for its
    rate.
    """

    def __init__(
        self,
        rate: Callable[[Hashable], Rate | None] = lambda _: None,
        *,
        clock: Callable[[], float] = time.monotonic,  # the clock of a uvloop loop has only whole milliseconds
    ) -> None:
        self.clock = clock
        self._rate = rate
        self._shares: WeakValueDictionary[Hashable, Share] = WeakValueDictionary()
        self._ring: deque[Share] = deque()
        self._due = False
        self.waits = 0
        self.held = 0

    def share(self, key: Hashable) -> Share:
        """Return the share of an address: the same one for all of its connections."""
        share = self._shares.get(key)
        if share is None:
            share = self._shares[key] = Share(self._rate(key))
        return share

    def ready(self, share: Share, worker: Worker) -> None:
        """Let a connection work that has something to do: at once, or when its turn comes."""
        now = self.clock()
        if now - share.began >= TURN_SECONDS:
            share.began, share.spent = now, 0.0
        left = SHARE_SECONDS - share.spent
        if not share.waiting and not share.paused and left > 0:
            # A short piece is for the sake of others who wait; where nobody waits, all that is left
            # is used
            self._serve(share, worker, now, min(left, PIECE_SECONDS) if self._ring else left)
        elif worker not in share.waiting:
            self.waits += 1
            share.waiting[worker] = None
        self._enlist(share)

    def leave(self, share: Share, worker: Worker) -> None:
        """Forget a connection that has gone."""
        share.waiting.pop(worker, None)

    def _serve(self, share: Share, worker: Worker, now: float, seconds: float) -> float:
        """Let a connection work for some seconds, and charge its address. Return the time at the end."""
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
        """Put an address in the ring, where it has a waiting connection and its rate allows it."""
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
        """Give each address in the ring its turn, or as many as there is time for."""
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
            self._due = True  # else _enlist would schedule a second turn
            self._enlist(share)
            if now >= end:
                break
        self._due = bool(self._ring)
        if self._due:
            asyncio.get_running_loop().call_soon(self._turn)
