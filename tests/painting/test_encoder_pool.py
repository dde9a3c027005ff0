"""Threads for pictures: addresses take turns, and what one may have under way is bounded."""

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest

from dreamcanvas.errors import NotNow
from dreamcanvas.painting import encoder_pool as module
from dreamcanvas.painting.encoder_pool import EVERYBODY, EncoderPool


@pytest.fixture
async def encoders() -> AsyncIterator[EncoderPool]:
    made = EncoderPool(1, waiting=4, unread=2)
    yield made
    made.close()


class Job:
    """Notes its name when its turn has come, then waits for `go`."""

    def __init__(self, encoders: EncoderPool, done: list[str], household: str, key: object = None) -> None:
        self.go = asyncio.Event()
        self.task = asyncio.create_task(self._run(encoders, done, household, key))

    async def _run(self, encoders: EncoderPool, done: list[str], household: str, key: object) -> None:
        async with encoders.turn(household, key):
            done.append(household)
            await self.go.wait()


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_work_is_done_in_another_thread(encoders: EncoderPool) -> None:
    async with encoders.turn("a"):
        assert await encoders.run(threading.get_ident) != threading.get_ident()


async def test_addresses_take_turns(encoders: EncoderPool) -> None:
    done: list[str] = []
    jobs = [Job(encoders, done, name) for name in ("many", "many", "many", "many", "one", "two")]
    await settle()
    for job in jobs:
        job.go.set()
    await asyncio.gather(*(job.task for job in jobs))
    assert done == ["many", "many", "one", "two", "many", "many"]


async def test_beyond_so_many_that_wait_it_is_unavailable_for_that_address_only(
    encoders: EncoderPool,
) -> None:
    done: list[str] = []
    jobs = [Job(encoders, done, "many") for _ in range(5)]
    await settle()
    assert encoders.waiting == 4
    with pytest.raises(NotNow) as caught:
        async with encoders.turn("many"):
            pass
    assert caught.value.wait
    assert encoders.refused == 1
    jobs += [Job(encoders, done, "other"), Job(encoders, done, EVERYBODY)]
    for job in jobs:
        job.go.set()
    await asyncio.gather(*(job.task for job in jobs))
    assert len(done) == 7


async def test_who_gives_up_makes_room(encoders: EncoderPool) -> None:
    done: list[str] = []
    jobs = [Job(encoders, done, "a") for _ in range(3)]
    await settle()
    jobs[1].task.cancel()
    jobs[0].task.cancel()
    await settle()
    jobs[2].go.set()
    await jobs[2].task
    assert done == ["a", "a"]
    async with asyncio.timeout(5), encoders.turn("b"):
        pass


async def test_what_another_wants_too_is_made_when_it_is_the_turn_of_either(encoders: EncoderPool) -> None:
    done: list[str] = []
    first = Job(encoders, done, "other")
    jobs = [Job(encoders, done, "many", key) for key in ("x", "y", "z")]
    await settle()
    encoders.also("visitor", "z")
    encoders.also("visitor", "unknown")
    first.go.set()
    jobs[0].go.set()
    await asyncio.gather(first.task, jobs[0].task)
    jobs[2].go.set()
    async with asyncio.timeout(5):
        await jobs[2].task  # before y, which has waited longer
    assert not jobs[1].task.done()
    jobs[1].go.set()
    await jobs[1].task
    assert encoders.waiting == 0


async def test_an_error_makes_room(encoders: EncoderPool) -> None:
    for _ in range(3):
        with pytest.raises(OSError, match="broken"):
            async with encoders.turn("a"):
                raise OSError("broken")
    async with asyncio.timeout(5), encoders.turn("a"):
        pass


async def test_so_many_are_on_their_way_and_the_next_waits_until_one_was_read(encoders: EncoderPool) -> None:
    sent = [await encoders.room("a") for _ in range(2)]
    third = asyncio.create_task(encoders.room("a"))
    await encoders.room("b")
    await settle()
    assert not third.done()
    sent[0]()
    sent[0]()  # once counts
    leave = await asyncio.wait_for(third, 5)
    fourth = asyncio.create_task(encoders.room("a"))
    await settle()
    assert not fourth.done()
    leave()
    (await asyncio.wait_for(fourth, 5))()
    sent[1]()


async def test_too_many_that_wait_for_room_and_waiting_too_long_are_unavailable(
    encoders: EncoderPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LONGEST_WAIT", 0.05)
    sent = [await encoders.room("a") for _ in range(2)]
    waiting = [asyncio.create_task(encoders.room("a")) for _ in range(4)]
    await settle()
    with pytest.raises(NotNow):
        await encoders.room("a")
    for task in waiting:
        with pytest.raises(NotNow):
            await task
    for leave in sent:
        leave()
    (await encoders.room("a"))()
