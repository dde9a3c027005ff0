"""The order in which what waits is made durable."""

import asyncio
from collections.abc import Sequence

import pytest

from dreamcanvas.canvas.model import Dab, Patch
from dreamcanvas.store.queue import Author, Entry, Late, Queue

DAB = Dab(1, 2, 3, 4)
ANN, BOB = Author(1, b"a" * 16, "here"), Author(2, None, "there")


def plain(author: Author = ANN) -> Entry:
    return Entry(author, [DAB])


def late(author: Author = ANN, call: int = 0) -> tuple[Entry, asyncio.Future[Late]]:
    making: asyncio.Future[Late] = asyncio.get_running_loop().create_future()
    return Entry(author, call=call, late=making), making


async def marks() -> Sequence[Dab | Patch]:
    return [DAB, DAB]


async def broken() -> Sequence[Dab | Patch]:
    raise ValueError("a bug")


def queue_of(*entries: Entry) -> Queue:
    queue = Queue()
    for entry in entries:
        queue.append(entry)
    return queue


async def test_all_that_waits_is_taken_at_once() -> None:
    entries = [plain(), plain(BOB), plain()]
    queue = queue_of(*entries)
    assert await queue.take() == entries
    assert queue.waiting == []


async def test_while_marks_are_being_made_only_their_author_waits() -> None:
    before, (slow, making), after, other = plain(), late(), plain(), plain(BOB)
    queue = queue_of(before, slow, after, other)
    assert await queue.take() == [before, other]
    making.set_result(marks)
    (made,) = await queue.take()
    assert (made.marks, made.settled) == ([DAB, DAB], slow.settled)
    assert await queue.take() == [after]


async def test_marks_are_made_when_all_before_them_is_committed_and_alone() -> None:
    called: list[int] = []

    async def make() -> Sequence[Dab | Patch]:
        called.append(1)
        return [DAB]

    before, (slow, making), other = plain(BOB), late(), plain(BOB)
    making.set_result(make)
    queue = queue_of(before, slow, other)
    assert await queue.take() == [before, other]
    assert called == []
    assert [entry.author for entry in await queue.take()] == [ANN]
    assert called == [1]


async def test_where_nothing_can_be_taken_it_waits_for_a_change() -> None:
    slow, making = late()
    queue = queue_of(slow)
    taking = asyncio.create_task(queue.take())
    await asyncio.sleep(0)
    assert not taking.done()
    other = plain(BOB)
    queue.append(other)
    assert await taking == []
    assert await queue.take() == [other]
    taking = asyncio.create_task(queue.take())
    await asyncio.sleep(0)
    making.set_result(marks)
    assert await taking == []
    assert [entry.marks for entry in await queue.take()] == [[DAB, DAB]]


async def test_what_fails_is_told_to_its_caller_and_the_rest_goes_on() -> None:
    (one, first), (two, second), after = late(), late(BOB), plain()
    first.set_exception(ValueError("a bug"))
    second.set_result(broken)
    queue = queue_of(one, two, after)
    assert await queue.take() == []
    assert await queue.take() == []
    assert await queue.take() == [after]
    for entry in (one, two):
        with pytest.raises(ValueError, match="a bug"):
            await entry.settled


async def test_a_call_that_was_applied_is_not_made_again() -> None:
    author = Author(3, b"c" * 16, "here", last_call=7)
    entry, making = late(author, call=7)
    making.set_exception(ValueError("there is nothing to take back"))
    assert await queue_of(entry).take() == [entry]
