"""Timers by name."""

import asyncio

from dreamcanvas.rpc.timers import Timers

DEADLINE = 10


async def test_an_action_is_done_after_its_delay() -> None:
    timers, done = Timers(), asyncio.Event()
    timers.start("a", 0.001, done.set)
    assert timers.started("a")
    await asyncio.wait_for(done.wait(), DEADLINE)


async def test_a_later_start_takes_the_place_of_the_one_before() -> None:
    timers, done = Timers(), list[str]()
    finished = asyncio.Event()
    timers.start("a", 0, lambda: done.append("first"))
    timers.start("a", 0, lambda: done.append("second"))
    timers.start("b", 0.005, finished.set)
    await asyncio.wait_for(finished.wait(), DEADLINE)
    assert done == ["second"]


async def test_what_is_cancelled_is_not_done() -> None:
    timers, done = Timers(), list[str]()
    finished = asyncio.Event()
    for name in ("a", "b", "c"):
        timers.start(name, 0, lambda name=name: done.append(name))  # type: ignore[misc]
    timers.cancel("a", "nothing")
    assert not timers.started("a")
    asyncio.get_running_loop().call_later(0.005, finished.set)
    await asyncio.wait_for(finished.wait(), DEADLINE)
    assert sorted(done) == ["b", "c"]


async def test_cancel_without_names_cancels_all() -> None:
    timers, done = Timers(), list[str]()
    timers.start("a", 0, lambda: done.append("a"))
    timers.start("b", 0, lambda: done.append("b"))
    timers.cancel()
    await asyncio.sleep(0.005)
    assert done == []
