"""Colours, bounds, and the dabs along a stroke."""

import math

import pytest

from dreamcanvas.canvas import Dab
from dreamcanvas.client.drawing import Color, checked, dabs_along, rgb
from dreamcanvas.errors import InvalidParams


@pytest.mark.parametrize("color", [0x008080, "teal", "#008080", "rgb(0, 128, 128)", (0, 128, 128)])
def test_colours(color: Color) -> None:
    assert rgb(color) == 0x008080


@pytest.mark.parametrize("color", ["tael", (0, 256, 0), (0, 0)])
def test_what_is_no_colour(color: Color) -> None:
    with pytest.raises(InvalidParams, match="color is") as raised:
        rgb(color)
    assert raised.value.field == "color"


def test_places_become_whole_pixels() -> None:
    assert checked([(1.4, -2.6, 5, "red"), Dab(1, 2, 3, 4)]) == [Dab(1, -3, 5, 0xFF0000), Dab(1, 2, 3, 4)]


@pytest.mark.parametrize(
    ("dab", "field"),
    [
        ((65536, 0, 1, 0), "pos.x"),
        ((0, -65536, 1, 0), "pos.y"),
        ((0, 0, 0, 0), "size"),
        ((0, 0, 125, 0), "size"),
        ((0, 0, 1, 0x1000000), "color"),
        ((math.nan, 0, 1, 0), "pos.x"),
        ((0, math.inf, 1, 0), "pos.y"),
    ],
)
def test_bounds_are_named_as_the_server_names_them(dab: tuple[float, float, int, Color], field: str) -> None:
    with pytest.raises(InvalidParams, match="has to be") as raised:
        checked([(0, 0, 1, 0), dab])
    assert raised.value.field == f"dabs[1].{field}"


def test_the_dabs_of_a_stroke_lie_a_quarter_of_their_size_apart() -> None:
    dabs = dabs_along([(0, 0), (100, 0)], 40, 7)
    assert dabs == [Dab(x, 0, 40, 7) for x in range(0, 101, 10)]


def test_a_corner_does_not_change_the_distance() -> None:
    dabs = dabs_along([(0, 0), (25, 0), (25, 25)], 40, 7)
    assert [(dab.x, dab.y) for dab in dabs] == [(0, 0), (10, 0), (20, 0), (25, 5), (25, 15), (25, 25)]


def test_the_last_point_gets_a_dab() -> None:
    assert [dab.x for dab in dabs_along([(0, 0), (14, 0)], 40, 7)] == [0, 10, 14]


@pytest.mark.parametrize(("points", "count"), [([], 0), ([(5, 5)], 1), ([(5, 5), (5, 5)], 1)])
def test_short_strokes(points: list[tuple[float, float]], count: int) -> None:
    assert dabs_along(points, 1, 0) == [Dab(5, 5, 1, 0)] * count
