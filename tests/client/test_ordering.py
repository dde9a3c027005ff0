"""Operations in order, each once, however they come."""

import random

from dreamcanvas.canvas.model import Dab, Operation
from dreamcanvas.client.ordering import Ordering

DAB = Dab(1, 2, 3, 4)


def operation(seq: int) -> Operation:
    return Operation(seq, 0, 1, 0, DAB)


def push(ordering: Ordering, seq: int) -> list[int]:
    return [ready.seq for ready in ordering.push(operation(seq))]


def test_nothing_is_wanted_before_it_is_started() -> None:
    assert push(Ordering(), 1) == []


def test_it_gives_the_next_and_what_waited_for_it() -> None:
    ordering = Ordering()
    ordering.start(4)
    assert (push(ordering, 6), ordering.gap) == ([], True)
    assert (push(ordering, 5), ordering.gap) == ([5, 6], False)
    assert ordering.seq == 6


def test_what_is_known_is_passed_over() -> None:
    ordering = Ordering()
    ordering.start(4)
    assert [push(ordering, seq) for seq in (3, 4, 5, 5, 7, 7, 6)] == [[], [], [5], [], [], [], [6, 7]]


def test_a_new_start_forgets_what_waited() -> None:
    ordering = Ordering()
    ordering.start(4)
    push(ordering, 9)
    ordering.start(7)
    assert not ordering.gap
    assert push(ordering, 8) == [8]


def test_any_order_with_any_repetitions_comes_out_in_order() -> None:
    rng = random.Random(1)
    for _ in range(50):
        ordering = Ordering()
        ordering.start(10)
        numbers = list(range(11, 41)) + rng.choices(range(1, 41), k=20)
        rng.shuffle(numbers)
        assert [ready for seq in numbers for ready in push(ordering, seq)] == list(range(11, 41))
