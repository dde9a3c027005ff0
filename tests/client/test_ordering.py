"""Operations in order, each once, however they come."""

import random

from dreamcanvas.canvas.model import Dab, Operation
from dreamcanvas.client.ordering import Feed

DAB = Dab(1, 2, 3, 4)


def operation(seq: int) -> Operation:
    return Operation(seq, 0, 1, 0, DAB)


def push(feed: Feed, seq: int) -> list[int]:
    return [ready.seq for ready in feed.push(operation(seq))]


def test_nothing_is_wanted_before_it_is_started() -> None:
    assert push(Feed(), 1) == []


def test_it_gives_the_next_and_what_waited_for_it() -> None:
    feed = Feed()
    feed.start(4)
    assert (push(feed, 6), feed.gap) == ([], True)
    assert (push(feed, 5), feed.gap) == ([5, 6], False)
    assert feed.seq == 6


def test_what_is_known_is_passed_over() -> None:
    feed = Feed()
    feed.start(4)
    assert [push(feed, seq) for seq in (3, 4, 5, 5, 7, 7, 6)] == [[], [], [5], [], [], [], [6, 7]]


def test_a_new_start_forgets_what_waited() -> None:
    feed = Feed()
    feed.start(4)
    push(feed, 9)
    feed.start(7)
    assert not feed.gap
    assert push(feed, 8) == [8]


def test_any_order_with_any_repetitions_comes_out_in_order() -> None:
    rng = random.Random(1)
    for _ in range(50):
        feed = Feed()
        feed.start(10)
        numbers = list(range(11, 41)) + rng.choices(range(1, 41), k=20)
        rng.shuffle(numbers)
        assert [ready for seq in numbers for ready in push(feed, seq)] == list(range(11, 41))
