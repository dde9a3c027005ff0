"""Turns: an address with many connections gets as much of the loop as one with a single one."""

import asyncio
import time

from dreamcanvas.rpc.fair_scheduler import SHARE_SECONDS, TURN_SECONDS, FairScheduler, Share

STEP = 0.0005


class Busy:
    """A connection with so many steps to do, each of which takes half a millisecond."""

    def __init__(self, name: str, steps: int, done: list[str]) -> None:
        self.name = name
        self.steps = steps
        self.done = done
        self.longest = 0.0

    def work(self, until: float) -> bool:
        began = time.monotonic()
        while self.steps:
            self.steps -= 1
            self.done.append(self.name)
            time.sleep(STEP)
            if time.monotonic() >= until:
                break
        self.longest = max(self.longest, time.monotonic() - began)
        return self.steps > 0


async def until_done(*workers: Busy) -> None:
    async with asyncio.timeout(30):
        while any(worker.steps for worker in workers):  # noqa: ASYNC110 - workers tell nobody
            await asyncio.sleep(0)


async def test_a_little_work_is_done_at_once() -> None:
    turns, done = FairScheduler(), list[str]()
    turns.ready(turns.share("a"), Busy("a", 1, done))
    assert done == ["a"]


async def test_what_is_more_waits_and_the_loop_goes_on_meanwhile() -> None:
    turns, done = FairScheduler(), list[str]()
    share = turns.share("a")
    workers = [Busy("a", 40, done) for _ in range(10)]
    for worker in workers:
        turns.ready(share, worker)
    assert len(done) <= 2 * SHARE_SECONDS / STEP
    turned = 0
    while any(worker.steps for worker in workers):
        await asyncio.sleep(0)
        turned += 1
    assert turned >= 400 * STEP / TURN_SECONDS / 2
    assert turns.waits > 0


async def test_fifty_connections_of_one_address_leave_another_s_its_half() -> None:
    turns, done = FairScheduler(), list[str]()
    many = [Busy("many", 20, done) for _ in range(50)]
    for worker in many:
        turns.ready(turns.share("a"), worker)
    one = Busy("one", 100, done)
    turns.ready(turns.share("b"), one)
    await until_done(one)
    before = done[: len(done) - done[::-1].index("one")]
    assert before.count("many") <= 3 * before.count("one")
    await until_done(*many)
    assert done.count("many") == 1000


async def test_connections_of_an_address_take_turns() -> None:
    turns, done = FairScheduler(), list[str]()
    a, b = Busy("a", 60, done), Busy("b", 60, done)
    for worker in (a, b):
        turns.ready(turns.share("x"), worker)
    await until_done(a, b)
    first = done[:40]
    assert 5 <= first.count("a") <= 35


class Slow:
    """An address that may do `calls` in all until `open`."""

    def __init__(self, calls: int) -> None:
        self.left = calls
        self.taken: list[tuple[int, int]] = []

    def wait(self, now: float) -> float:
        return 0.02 if self.left <= 0 else 0.0

    def take(self, now: float, calls: int, size: int, seconds: float) -> None:
        self.left -= calls
        self.taken.append((calls, size))
        assert seconds >= 0


class Counting(Busy):
    """Does three steps, each a call of ten bytes, whenever it works."""

    def __init__(self, name: str, steps: int, done: list[str], share: Share) -> None:
        super().__init__(name, steps, done)
        self.share = share

    def work(self, until: float) -> bool:
        for _ in range(min(3, self.steps)):
            self.steps -= 1
            self.done.append(self.name)
            self.share.count(1, 10)
        return self.steps > 0


async def test_who_is_over_its_rate_waits_for_it_and_nobody_else_does() -> None:
    rate = Slow(6)
    turns, done = FairScheduler(lambda key: rate if key == "fast" else None), list[str]()
    share = turns.share("fast")
    fast, other = Counting("fast", 12, done, share), Busy("other", 1, done)
    turns.ready(share, fast)
    await asyncio.sleep(0.01)
    assert done.count("fast") == 6
    assert rate.taken == [(3, 30), (3, 30)]
    turns.ready(turns.share("other"), other)
    assert done.count("other") == 1
    await asyncio.sleep(0.1)
    assert done.count("fast") == 6
    assert turns.held >= 1
    rate.left = 100
    await until_done(fast)
    assert done.count("fast") == 12


async def test_who_has_gone_has_no_turn() -> None:
    turns, done = FairScheduler(), list[str]()
    share = turns.share("a")
    first, second = Busy("first", 100, done), Busy("second", 1, done)
    turns.ready(share, first)
    turns.ready(share, second)
    turns.leave(share, second)
    await until_done(first)
    await asyncio.sleep(0.01)
    assert "second" not in done
