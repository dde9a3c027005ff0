"""The picture and its version."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from dreamcanvas.canvas.model import WHOLE, Canvas, Dab, Operation, Patch, Region, Version, bounds
from tests.events import operation

WHITE = (255, 255, 255)


def small(colour: tuple[int, int, int] = WHITE) -> Image.Image:
    return Image.new("RGB", (48, 32), colour)


def png(width: int, height: int, rgba: tuple[int, int, int, int]) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGBA", (width, height), rgba).save(buffer, "PNG")
    return buffer.getvalue()


def test_it_begins_white_with_1536_pixels_a_side_at_version_0_0() -> None:
    canvas = Canvas()
    image = canvas.snapshot()
    assert (image.mode, image.size) == ("RGB", (1536, 1536))
    assert image.getcolors() == [(1536 * 1536, WHITE)]
    assert canvas.version == Version(0, 0)
    assert str(canvas.version) == "0-0"


def test_an_operation_changes_picture_and_version() -> None:
    canvas = Canvas(small())
    canvas.apply(operation(1, Dab(10, 10, 1, 0)))
    assert canvas.version == Version(0, 1)
    assert canvas.snapshot().getpixel((10, 10)) == (153, 153, 153)


@pytest.mark.parametrize("seq", [0, 1, 3])
def test_an_operation_that_is_not_the_next_is_refused(seq: int) -> None:
    canvas = Canvas(small())
    canvas.apply(operation(1))
    before = canvas.snapshot()
    with pytest.raises(ValueError, match=f"operation {seq} does not follow 1"):
        canvas.apply(operation(seq))
    assert canvas.version == Version(0, 1)
    assert canvas.snapshot() == before


def test_a_patch_puts_pixels_somewhere() -> None:
    canvas = Canvas(small((10, 10, 10)))
    canvas.apply(operation(1, Patch(46, 31, png(4, 4, (200, 100, 50, 255)))))
    image = canvas.snapshot()
    assert image.getpixel((46, 31)) == (200, 100, 50)
    assert image.getpixel((47, 31)) == (200, 100, 50)
    assert image.getpixel((45, 31)) == (10, 10, 10)
    assert image.getpixel((46, 30)) == (10, 10, 10)


def test_a_patch_leaves_what_it_is_transparent_over() -> None:
    canvas = Canvas(small((10, 10, 10)))
    canvas.apply(operation(1, Patch(0, 0, png(48, 32, (200, 100, 50, 0)))))
    assert canvas.snapshot() == small((10, 10, 10))


def test_a_snapshot_and_a_crop_are_copies() -> None:
    canvas = Canvas(small())
    snapshot, crop = canvas.snapshot(), canvas.crop(Region(8, 8, 12, 12))
    canvas.apply(operation(1, Dab(10, 10, 20, 0)))
    assert snapshot == small()
    assert crop.size == (4, 4)
    assert crop.getcolors() == [(16, WHITE)]


def test_a_dream_goes_under_the_operations_after_it() -> None:
    canvas = Canvas(small())
    first, second = operation(1, Dab(8, 8, 9, 0)), operation(2, Dab(30, 20, 9, 0xFF))
    canvas.apply(first)
    canvas.apply(second)
    canvas.lay(Canvas(small((0, 90, 0)), dream=1, dream_seq=1), [second])

    expected = Canvas(small((0, 90, 0)), dream=1, dream_seq=1)
    expected.apply(second)
    assert (canvas.version, canvas.dream_seq) == (Version(1, 2), 1)
    assert canvas.snapshot() == expected.snapshot()
    canvas.apply(operation(3))
    assert canvas.version == Version(1, 3)


@pytest.mark.parametrize("later", [[], [operation(3)], [operation(2)], [operation(n) for n in (2, 3, 4)]])
def test_a_dream_without_all_later_operations_is_refused(later: list[Operation]) -> None:
    canvas = Canvas(small())
    for seq in (1, 2, 3):
        canvas.apply(operation(seq))
    before = canvas.snapshot()
    with pytest.raises(ValueError, match=r"ends with operation|does not follow"):
        canvas.lay(Canvas(small((1, 2, 3)), dream=1, dream_seq=1), later)
    assert (canvas.version, canvas.dream_seq) == (Version(0, 3), 0)
    assert canvas.snapshot() == before


@pytest.mark.parametrize("dream", [0, 1, 2])
def test_a_dream_that_is_not_newer_is_refused(dream: int) -> None:
    canvas = Canvas(small(), dream=2)
    with pytest.raises(ValueError, match="not newer than dream 2"):
        canvas.lay(Canvas(small(), dream=dream), [])


dabs = st.builds(
    Dab,
    x=st.integers(-20, 70),
    y=st.integers(-20, 50),
    size=st.integers(1, 60),
    color=st.integers(0, 2**24 - 1),
)
patches = st.builds(
    lambda x, y, width, height, rgba: Patch(x, y, png(width, height, rgba)),
    st.integers(-20, 60),
    st.integers(-20, 40),
    st.integers(1, 30),
    st.integers(1, 30),
    st.tuples(*[st.integers(0, 255)] * 4),
)
operations = st.lists(dabs | patches, max_size=12).map(
    lambda marks: [operation(seq, mark) for seq, mark in enumerate(marks, start=1)]
)


@settings(deadline=None)
@given(operations, st.data())
def test_replay_gives_the_same_picture_wherever_it_is_cut(done: list[Operation], data: st.DataObject) -> None:
    straight = Canvas(small())
    for one in done:
        straight.apply(one)

    cut = data.draw(st.integers(0, len(done)))
    first = Canvas(small())
    for one in done[:cut]:
        first.apply(one)
    resumed = Canvas(first.snapshot(), dream=0, dream_seq=cut)
    for one in done[cut:]:
        resumed.apply(one)
    assert resumed.snapshot() == straight.snapshot()
    assert resumed.version == straight.version


@settings(deadline=None)
@given(operations, st.data())
def test_a_dream_laid_at_any_time_equals_the_dream_with_the_later_operations_drawn_on_it(
    done: list[Operation], data: st.DataObject
) -> None:
    started = data.draw(st.integers(0, len(done)))
    ended = data.draw(st.integers(started, len(done)))
    caught_up = data.draw(st.integers(started, ended))
    live = Canvas(small())
    for one in done[:ended]:
        live.apply(one)
    base = Canvas(small((7, 77, 177)), dream=1, dream_seq=started)
    for one in done[started:caught_up]:
        base.apply(one)
    live.lay(base, done[caught_up:ended])
    for one in done[ended:]:
        live.apply(one)

    replayed = Canvas(small((7, 77, 177)), dream=1, dream_seq=started)
    for one in done[started:]:
        replayed.apply(one)
    assert live.snapshot() == replayed.snapshot()
    assert (live.version, live.dream_seq) == (replayed.version, replayed.dream_seq)


# Boxes


def test_a_region_has_left_top_right_bottom_in_this_order() -> None:
    region = bounds(Dab(100, 200, 20, 0))
    assert region == Region(left=90, top=190, right=110, bottom=210)
    assert (region.width, region.height, region.area) == (20, 20, 400)
    assert region.shifted(-90, 10) == (0, 200, 20, 220)
    assert region.grown(5) == (85, 185, 115, 215)
    assert (WHOLE.width, WHOLE.height) == (1536, 1536)


boxes = st.builds(
    lambda left, top, width, height: Region(left, top, left + width, top + height),
    st.integers(0, 9),
    st.integers(0, 9),
    st.integers(1, 9),
    st.integers(1, 9),
)


def pixels(region: Region) -> set[tuple[int, int]]:
    return {(x, y) for x in range(region.left, region.right) for y in range(region.top, region.bottom)}


@given(boxes, boxes)
def test_what_two_regions_have_in_common(one: Region, other: Region) -> None:
    common = pixels(one) & pixels(other)
    assert one.touches(other) == bool(common)
    if common:
        assert pixels(one.within(other)) == common
