"""Ink takes a share of a dream by its age, wherever its dab was."""

import random
import time
from itertools import pairwise

import pytest
from PIL import Image

from dreamcanvas.canvas.ink import CURVE, FULL, Curve, Ink, Recent
from dreamcanvas.canvas.model import HOST, Dab, Operation, Patch, Region
from dreamcanvas.canvas.undo import Retraction

CURVE_OF_TEN = Curve(start=0.2, dreams=10, bend=1.0)
YOUNG = round(0.2 * FULL)
ANNA, BORIS = 1, 2


def dab(seq: int, x: int, y: int, size: int = 40, *, author: int = ANNA, stroke: int = 1) -> Operation:
    return Operation(seq, 0, author, stroke, Dab(x, y, size, 0))


def patch(seq: int, left: int, top: int, side: int, *, author: int, stroke: int = 1) -> Operation:
    box = Region(left, top, left + side, top + side)
    image, alpha = Image.new("RGB", (side, side)), Image.new("L", (side, side), 255)
    mark = Retraction(box, image, alpha, seq - 1).patch()
    return Operation(seq, 0, author, stroke, mark)


def drawn(*operations: Operation, dreams: tuple[int, ...] = ()) -> Ink:
    """What remembers operations and dreams, each dream after the operation of its number."""
    ink = Ink(CURVE_OF_TEN)
    waiting = list(dreams)
    for operation in operations:
        while waiting and waiting[0] < operation.seq:
            ink.dreamt(waiting.pop(0))
        ink.add([operation])
    for seq in waiting:
        ink.dreamt(seq)
    return ink


def share(ink: Ink | Recent, x: int, y: int) -> int:
    """What is in the plane at a place."""
    recent = ink.recent() if isinstance(ink, Ink) else ink
    plane = recent.plane()
    return FULL if plane is None else plane[y * 1536 + x]


# The curve


def test_the_share_grows_from_its_start_to_the_whole() -> None:
    shares = [CURVE.share(age) for age in range(CURVE.dreams + 2)]
    assert shares[0] == pytest.approx(CURVE.start)
    assert all(one < other for one, other in pairwise(shares[:-1]))
    assert shares[-2:] == [1.0, 1.0]


def test_a_share_of_no_age_is_the_start() -> None:
    assert CURVE.share(-1) == CURVE.share(0)
    assert Curve(dreams=0).share(0) == 1.0
    ink = Ink(Curve(dreams=0))
    ink.add([dab(1, 100, 100)])
    assert ink.recent().plane() is None
    ink.dreamt(1)
    assert (ink.spots, ink.needed_after(5)) == (0, 0)


# Ages


def test_ink_ages_with_each_dream_that_had_it() -> None:
    ink = drawn(dab(1, 100, 100))
    assert share(ink, 100, 100) == YOUNG
    shares = []
    for _ in range(12):
        ink.dreamt(1)
        shares.append(share(ink, 100, 100))
    assert shares == sorted(shares)
    assert shares[0] > YOUNG
    assert shares[9:] == [FULL] * 3


def test_a_dream_that_started_before_does_not_age_it() -> None:
    ink = drawn(dab(1, 100, 100), dab(2, 500, 100), dab(3, 900, 100), dreams=(1, 1, 2))
    assert [ink.recent().age(seq) for seq in (1, 2, 3)] == [3, 1, 0]
    shares = [share(ink, x, 100) for x in (100, 500, 900)]
    assert shares == [round(FULL * CURVE_OF_TEN.share(age)) for age in (3, 1, 0)]


def test_what_is_given_over_is_forgotten() -> None:
    ink = drawn(dab(1, 100, 100), dab(2, 500, 100))
    for _ in range(10):
        ink.dreamt(1)
    assert ink.spots == 1
    assert share(ink, 100, 100) == FULL
    assert share(ink, 500, 100) == YOUNG
    for _ in range(10):
        ink.dreamt(2)
    assert (ink.spots, ink.recent().plane()) == (0, None)


def test_no_more_is_remembered_than_is_allowed() -> None:
    ink = Ink(CURVE_OF_TEN, most=3)
    ink.add(dab(seq, 100 * seq, 100) for seq in range(1, 6))
    assert (ink.spots, ink.forgotten) == (3, 2)
    assert [share(ink, 100 * seq, 100) for seq in range(1, 6)] == [FULL, FULL, YOUNG, YOUNG, YOUNG]
    nothing = Ink(CURVE_OF_TEN, most=0)
    nothing.add([dab(1, 100, 100)])
    assert nothing.recent().plane() is None


def test_what_is_needed_to_know_it_again() -> None:
    ink = Ink(CURVE_OF_TEN, most=100)
    assert (ink.needed_after(7), ink.needed_after(1000)) == (0, 900)
    for seq in range(951, 961):
        ink.dreamt(seq)
    assert ink.needed_after(1000) == 951


# Places


def test_a_plane_has_a_byte_a_pixel_and_soft_edges_where_the_dab_was() -> None:
    recent = drawn(dab(1, 300, 200, 60)).recent()
    plane = recent.plane()
    assert plane is not None
    assert len(plane) == 1536 * 1536
    row = plane[200 * 1536 : 201 * 1536]
    assert set(row[275:325]) == {YOUNG}
    assert set(row[:264] + row[336:]) == {FULL}
    assert list(row[264:276]) == sorted(row[264:276], reverse=True)
    assert len(set(row[264:276])) > 3, "an edge that is no step"
    column = plane[300::1536]
    assert set(column[175:225]) == {YOUNG}
    assert set(column[:164] + column[236:]) == {FULL}


@pytest.mark.parametrize("size", [1, 2, 3, 7, 11, 12, 13, 38, 124])
def test_every_size_is_spared_to_its_middle(size: int) -> None:
    for x, y in ((401, 400), (400, 401)):
        ink = drawn(*(dab(1 + n, x + n * max(1, size // 3), y, size) for n in range(12)))
        assert share(ink, x + 5 * max(1, size // 3), y) <= YOUNG + 16


def test_a_thin_line_is_spared_with_its_margin() -> None:
    line = drawn(*(dab(1 + n, 300 + 2 * n, 500, 7) for n in range(100)))
    plane = line.recent().plane()
    assert plane is not None
    column = plane[400::1536]
    assert max(column[497:504]) <= YOUNG + 4, "all of its 7 px"
    assert column[500 - 12] == column[500 + 12] == FULL


def test_marks_beyond_the_edge_do_no_harm() -> None:
    corners = [(-30, -30), (0, 0), (1535, 1535), (1590, 3), (-65535, 65535)]
    ink = drawn(*(dab(1 + n, *corner, 124) for n, corner in enumerate(corners)))
    assert share(ink, 0, 0) == share(ink, 1535, 1535) == YOUNG
    assert share(ink, 700, 700) == FULL


# What lies on what


def test_later_ink_replaces_earlier() -> None:
    ink = drawn(dab(1, 100, 100), dab(2, 130, 100), dreams=(1, 1, 1, 1))
    assert share(ink, 130, 100) == YOUNG
    assert share(ink, 90, 100) == round(FULL * CURVE_OF_TEN.share(4))


def test_a_patch_of_the_host_clears_its_place() -> None:
    ink = drawn(dab(1, 100, 100), dab(2, 500, 100), patch(3, 60, 60, 80, author=HOST))
    assert share(ink, 100, 100) == FULL
    assert share(ink, 500, 100) == YOUNG
    ink.add([dab(4, 100, 100)])
    assert share(ink, 100, 100) == YOUNG


@pytest.mark.parametrize("side", [1, 2, 3])
def test_a_patch_may_be_small(side: int) -> None:
    assert share(drawn(dab(1, 100, 100), patch(2, 100, 100, side, author=HOST)), 110, 110) == YOUNG


def test_what_is_taken_back_is_no_ink_and_what_lay_below_is_again() -> None:
    ink = drawn(
        dab(1, 100, 100, 80, stroke=1),
        dab(2, 120, 100, 40, stroke=2),
        dab(3, 500, 100, 40, author=BORIS, stroke=2),
        dab(4, 700, 100, 40, stroke=2),
        patch(5, 90, 60, 700, author=ANNA, stroke=2),
        dreams=(1, 1, 1, 1),
    )
    assert share(ink, 120, 100) == round(FULL * CURVE_OF_TEN.share(4)), "stroke 1, which is older"
    assert share(ink, 500, 100) == YOUNG, "another's, though the patch lies around it"
    assert share(ink, 700, 100) == FULL
    ink.add([dab(6, 700, 100, stroke=2)])
    assert share(ink, 700, 100) == YOUNG, "a number may be used again"
    assert drawn(dab(1, 100, 100), patch(2, 80, 80, 40, author=ANNA)).recent().plane() is None


def test_a_patch_from_a_file_has_the_size_of_its_picture() -> None:
    mark = patch(1, 10, 20, 30, author=HOST).mark
    assert isinstance(mark, Patch)
    ink = Ink()
    ink.add([Operation(1, 0, HOST, 0, mark)])
    assert ink.recent().spots[0].box == (10, 20, 40, 50)


def test_five_thousand_dabs_take_no_time_to_speak_of() -> None:
    """Generous: 15 ms on an idle processor."""
    rng = random.Random(1)
    ink = Ink()
    ink.add(dab(1 + n, rng.randrange(1536), rng.randrange(1536), rng.randrange(1, 125)) for n in range(5000))
    recent = ink.recent()
    seconds = []
    for _ in range(5):
        started = time.process_time()
        assert recent.plane() is not None
        seconds.append(time.process_time() - started)
    assert min(seconds) < 0.15
