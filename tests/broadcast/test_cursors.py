"""Cursors: the newest of each, to all others, and dropped before anything else suffers."""

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dreamcanvas.broadcast.cursors import CURSORS_PER_TICK, EVENTS_PER_TICK, LATE, Cursors
from dreamcanvas.proto import dreamcanvas_pb2 as pb
from tests.events import events

TICK = 0.01


class Watcher:
    """A websocket that keeps what it is sent."""

    address = "here"

    def __init__(self) -> None:
        self.slow = False
        self.backlog = 0
        self.writes: list[bytes] = []

    def send(self, frames: bytes) -> None:
        self.writes.append(frames)

    def stream(self, frames: Iterator[bytes]) -> None:
        raise AssertionError

    def when_sent(self, done: Callable[[], None]) -> None:
        raise AssertionError

    def close(self, code: int, reason: str = "") -> None:
        raise AssertionError

    @property
    def events(self) -> list[Any]:
        return [event for frames in self.writes for _, event in events(frames)]

    def authors(self) -> list[int]:
        return [event.author for event in self.events]


@pytest.fixture
def cursors() -> Cursors:
    return Cursors(tick=TICK)


def watching(cursors: Cursors, *, text: bool = False) -> Watcher:
    watcher = Watcher()
    cursors.watch(watcher, text=text)
    return watcher


def at(author: int, x: int = 0) -> pb.CursorEvent:
    return pb.CursorEvent(author=author, pos=pb.Position(x=x, y=0), down=False, color=0, name="")


async def ticks(count: int = 1) -> None:
    for _ in range(count):
        await asyncio.sleep(2 * TICK)


async def test_all_who_watch_but_its_origin_get_it_in_their_encoding(cursors: Cursors) -> None:
    origin, binary, text, away = watching(cursors), watching(cursors), watching(cursors, text=True), Watcher()
    cursors.moved(at(7, 5), origin)
    await ticks()
    assert origin.events == []
    assert binary.events == [at(7, 5)]
    assert text.events == [
        {"author": 7, "pos": {"x": 5, "y": 0}, "down": False, "color": 0, "name": ""},
    ]
    assert away.events == []


async def test_of_each_author_the_newest_goes_out_in_one_write(cursors: Cursors) -> None:
    watcher, one, other = watching(cursors), watching(cursors), Watcher()
    for x in range(5):
        cursors.moved(at(1, x), one)
        cursors.moved(at(2, 10 * x), other)
    await ticks()
    assert watcher.events == [at(1, 4), at(2, 40)]
    assert len(watcher.writes) == 1
    assert one.events == [at(2, 40)]


async def test_nothing_is_repeated_nor_sent_to_who_has_gone(cursors: Cursors) -> None:
    watcher, gone = watching(cursors), watching(cursors)
    cursors.unwatch(gone)
    cursors.moved(at(1), Watcher())
    await ticks(3)
    assert (watcher.authors(), gone.authors()) == ([1], [])


@pytest.mark.parametrize("state", [{"slow": True}, {"backlog": 1}])
async def test_who_has_not_read_all_gets_none_and_none_later(cursors: Cursors, state: dict[str, Any]) -> None:
    watcher, other = watching(cursors), watching(cursors)
    for name, value in state.items():
        setattr(watcher, name, value)
    cursors.moved(at(1), Watcher())
    await ticks()
    watcher.slow, watcher.backlog = False, 0
    cursors.moved(at(2), Watcher())
    await ticks()
    assert (watcher.authors(), other.authors()) == ([2], [1, 2])
    assert cursors.dropped == 1


async def test_of_many_some_go_out_in_a_tick_and_the_others_with_the_next(cursors: Cursors) -> None:
    watcher, origin = watching(cursors), Watcher()
    for author in range(CURSORS_PER_TICK + 3):
        cursors.moved(at(author), origin)
    await ticks(4)
    assert watcher.authors() == list(range(CURSORS_PER_TICK + 3))
    assert len(watcher.writes) == 2


async def test_the_more_watch_the_fewer_go_out_in_a_tick(cursors: Cursors) -> None:
    watchers = [watching(cursors) for _ in range(1000)]
    for author in range(EVENTS_PER_TICK // 1000 + 1):
        cursors.moved(at(author), Watcher())
    await ticks(4)
    assert [len(events(frames)) for frames in watchers[0].writes] == [EVENTS_PER_TICK // 1000, 1]


async def test_a_tick_that_comes_late_sends_none(cursors: Cursors) -> None:
    watcher = watching(cursors)
    cursors.moved(at(1), Watcher())
    time.sleep(TICK + LATE + 0.05)  # noqa: ASYNC251 - the loop has other things to do
    await ticks()
    assert watcher.events == []
    assert cursors.dropped == 1
    cursors.moved(at(2), Watcher())
    await ticks()
    assert watcher.authors() == [2]
