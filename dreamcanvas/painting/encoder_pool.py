"""Threads that encode pictures. Addresses take turns, and each may have only so much under way.

What a picture is made from, a crop or a frame file, is taken when its turn has come: what waits is small.
"""

import asyncio
import contextlib
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator, Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, ParamSpec, TypeVar

from dreamcanvas.errors import NotNow

P = ParamSpec("P")
T = TypeVar("T")
EVERYBODY: Final = ""  # whose turn it is where all get the same picture
LONGEST_WAIT: Final = 10.0


class EncoderPool:
    """`threads` of them. `waiting` is how many pictures may wait for an address, 0 any number; beyond that,
    NotNow is raised. `unread` is how many may be made or sent for an address at once: those who do not read
    what they asked for get no more."""

    def __init__(self, threads: int = 2, *, waiting: int = 64, unread: int = 8) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="encoder")
        self._free = threads
        self._most_waiting = waiting
        self._unread = unread
        self._queues: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()
        self._by_key: dict[Hashable, asyncio.Future[None]] = {}
        self._rooms: dict[str, asyncio.Semaphore] = {}
        self._in_rooms: Counter[str] = Counter()
        self.refused = 0

    @property
    def waiting(self) -> int:
        """How many pictures wait for their turn."""
        return sum(map(len, self._queues.values()))

    def close(self) -> None:
        """Begins nothing more."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Does the work in a thread; within a turn."""
        call = partial(work, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._executor, call)

    @contextlib.asynccontextmanager
    async def turn(self, household: str, key: Hashable = None) -> AsyncIterator[None]:
        """Waits until it is an address's turn to have a picture made, that of `key`. Raises NotNow."""
        granted = self._enqueue(household)
        if key is not None:
            self._by_key[key] = granted
        self._next()
        try:
            await granted
            yield
        finally:
            if key is not None:
                self._by_key.pop(key, None)
            if granted.done() and not granted.cancelled():
                self._free += 1
            self._next()

    def also(self, household: str, key: Hashable) -> None:
        """Another address waits for the picture, too: it is made when it is either's turn."""
        granted = self._by_key.get(key)
        if granted is not None and not granted.done():
            queue = self._queues.setdefault(household, deque())
            if granted not in queue and not (self._most_waiting and len(queue) >= self._most_waiting):
                queue.append(granted)

    def _enqueue(self, household: str) -> "asyncio.Future[None]":
        queue = self._queues.get(household)
        if queue is not None and 0 < self._most_waiting <= len(queue) and household != EVERYBODY:
            raise self._refusal()
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queues.setdefault(household, deque()).append(granted)
        return granted

    def _next(self) -> None:
        while self._free and self._queues:
            household, queue = self._queues.popitem(last=False)
            granted = queue.popleft()
            if queue:
                self._queues[household] = queue  # behind the others
            if not granted.done():
                self._free -= 1
                granted.set_result(None)

    def _refusal(self) -> NotNow:
        self.refused += 1
        return NotNow("too many pictures are asked for from your address")

    async def room(self, household: str) -> Callable[[], None]:
        """Waits until an address may have one more picture on its way. Call what is returned when it is sent.

        Raises NotNow where too many wait, or it takes too long.
        """
        room = self._rooms.setdefault(household, asyncio.Semaphore(self._unread))
        if self._most_waiting and self._in_rooms[household] >= self._unread + self._most_waiting:
            raise self._refusal()
        self._in_rooms[household] += 1
        try:
            async with asyncio.timeout(LONGEST_WAIT):
                await room.acquire()
        except TimeoutError:
            self._leave(household)
            raise self._refusal() from None
        except BaseException:
            self._leave(household)
            raise
        left = False

        def leave() -> None:
            nonlocal left
            if not left:
                left = True
                room.release()
                self._leave(household)

        return leave

    def _leave(self, household: str) -> None:
        self._in_rooms[household] -= 1
        if not self._in_rooms[household]:
            del self._in_rooms[household], self._rooms[household]
