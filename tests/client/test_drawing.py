"""Colours, bounds, and the dabs along a stroke."""

import math
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from dreamcanvas.canvas.model import Dab
from dreamcanvas.client.drawing import Color, checked, dabs_along, rgb
from dreamcanvas.errors import InvalidParams


@pytest.mark.parametrize("color", [0x008080, "teal", "#008080", "rgb(0, 128, 128)", (0, 128, 128)])
def test_colours(color: Color) -> None:
    assert rgb(color) == 0x008080


@pytest.mark.parametrize(
    "color", [np.int64(0x008080), np.array([0, 128, 128]), [0, 128, 128], np.float32(0x008080)]
)
def test_colours_of_other_types(color: Color) -> None:
    assert rgb(color) == 0x008080


@pytest.mark.parametrize(
    "color",
    [
        *("tael", (0, 256, 0), (0, 0), None, math.nan, -1, 2**24, b"red", [], {}, "#" * 5000),
        *(("a", "b", "c"), np.zeros((3, 3)), np.array(math.inf), (0, None, 0)),
    ],
)
def test_what_is_no_colour(color: Any) -> None:
    with pytest.raises(InvalidParams, match=r"^color is") as raised:
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


WAY = [(10.0, 20.0), (200.0, 60.0), (180.0, 300.0)]


@pytest.mark.parametrize(
    "points",
    [
        np.array(WAY),
        np.array(WAY, dtype=np.float32),
        np.array(WAY).astype(np.int32),
        np.asfortranarray(WAY),
        [np.array(point) for point in WAY],
        [list(point) for point in WAY],
        tuple(WAY),
        (point for point in WAY),
        zip(*zip(*WAY, strict=True), strict=True),
        dict.fromkeys(WAY).keys(),
        [(Fraction(x), Fraction(y)) for x, y in WAY],
    ],
    ids=range(11),
)
def test_points_of_any_kind(points: Iterable[Any]) -> None:
    assert dabs_along(points, np.int16(40), 7) == dabs_along(WAY, 40, 7)  # type: ignore[arg-type]


def test_no_points_of_any_kind() -> None:
    assert dabs_along(np.zeros((0, 2)), 40, 7) == []


@pytest.mark.parametrize(
    ("points", "field"),
    [
        (None, "points"),
        (7, "points"),
        ("points", "points"),
        ({(1, 2): 3}, "points"),
        (np.array(7), "points"),
        (np.array([1.0, 2.0]), "points[0]"),
        (np.zeros((2, 3)), "points[0]"),
        ([(1, 2), (1, 2, 3)], "points[1]"),
        ([(1, 2), "ab"], "points[1]"),
        ([(1, 2), None], "points[1]"),
        (np.array([[1, 2], [math.nan, 3]]), "points[1].x"),
        (np.array([[1, 2], [3, math.inf]]), "points[1].y"),
        ([(1, 2), ("3", 4)], "points[1].x"),
        ([(1, 2), (3, 1j)], "points[1].y"),
        ([(1, 2), (1e300, 4)], "points[1].x"),
        ([(1, 2), (3, 10**400)], "points[1].y"),
        (np.array([[1, 2], [70_000, 3]]), "points[1].x"),
    ],
)
def test_what_are_no_points(points: Any, field: str) -> None:
    with pytest.raises(InvalidParams, match="has to be") as raised:
        dabs_along(points, 40, 7)
    assert raised.value.field == field


@pytest.mark.parametrize("size", [0, 125, math.nan, None, "40", [40], 10**400])
def test_what_is_no_size(size: Any) -> None:
    with pytest.raises(InvalidParams, match=r"size is .*has to be") as raised:
        dabs_along(WAY, size, 7)
    assert raised.value.field == "size"


def test_dabs_of_an_array() -> None:
    assert checked(np.array([[1.4, -2.6, 5, 0xFF0000]])) == [Dab(1, -3, 5, 0xFF0000)]


@pytest.mark.parametrize(
    ("dabs", "field"),
    [
        (None, "dabs"),
        (np.array([1, 2, 3, 4]), "dabs[0]"),
        ([(1, 2, 3)], "dabs[0]"),
        ([(1, 2, 3, None)], "dabs[0].color"),
        ([(1, 2, "3", 4)], "dabs[0].size"),
    ],
)
def test_what_are_no_dabs(dabs: Any, field: str) -> None:
    with pytest.raises(InvalidParams, match="has to be") as raised:
        checked(dabs)
    assert raised.value.field == field
