"""Threads that encode pictures. Addresses take turns, and each may have a limited number on their way.

What a picture is made from, a crop or a frame file, is read when its turn has come: so a waiting request
takes little memory.
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
EVERYBODY: Final = ""  # the household of pictures that are the same for all
LONGEST_WAIT: Final = 10.0  # s, for room


class EncoderPool:
    """A pool of `threads` encoder threads, and the queues of the addresses.

    `waiting` is how many pictures may wait for an address (0: any number); beyond that NotNow is raised.
    `unread` is how many may be made or sent for an address at once: who does not read gets no more.
    """

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
        """Begin no more work; what runs in a thread goes on."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work` in a thread and return its result; raises what it raises. Call it within a turn."""
        call = partial(work, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._executor, call)

    @contextlib.asynccontextmanager
    async def turn(self, household: str, key: Hashable = None) -> AsyncIterator[None]:
        """Wait until it is an address's turn to have a picture made. Raises NotNow where too many wait.

        `key` names the picture for `also`.
        """
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
            # Where it was cancelled just after it had been granted, the thread has to be given back, too
            if granted.done() and not granted.cancelled():
                self._free += 1
            self._next()

    def also(self, household: str, key: Hashable) -> None:
        """Let a picture that waits for its turn also wait in another address's queue.

        It is made when it is the turn of either. Without it, a picture that many want could wait behind the
        long queue of the one address that asked first.
        """
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
        """Wait until an address may have one more picture on its way. Raises NotNow.

        That is raised where too many wait, or after `LONGEST_WAIT`. Call the function that is returned when
        the picture is sent or given up; a second call does nothing.
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
