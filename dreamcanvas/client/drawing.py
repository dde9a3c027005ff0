"""What a bot draws, as dabs (pure): colours, bounds, the dabs along a stroke."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, TypeAlias

from PIL import ImageColor

from dreamcanvas.brush import MAX_SIZE
from dreamcanvas.canvas import Dab
from dreamcanvas.errors import InvalidParams
from dreamcanvas.proto import dreamcanvas_pb2 as pb

Color: TypeAlias = int | str | tuple[int, int, int]
"""0xRRGGBB, a name or `#rrggbb` as Pillow knows them, or (red, green, blue)."""
DabLike: TypeAlias = Dab | tuple[float, float, int, Color]
"""A dab, or its x, y, size and colour."""
Point: TypeAlias = tuple[float, float]

SPACING: Final = 0.25
POSITION_BOUND: Final = 65535
MAX_COLOR: Final = 0xFFFFFF


@dataclass(frozen=True, slots=True)
class Ink:
    """What was drawn and is durable.

    `stroke` is its number for `undo`, `seq` that of its last operation, `time` in ms since 1970.
    """

    stroke: int
    seq: int
    time: int


def rgb(color: Color) -> int:
    """A colour as 0xRRGGBB. Raises InvalidParams where it is none."""
    if isinstance(color, str):
        try:
            red, green, blue = ImageColor.getrgb(color)[:3]
        except ValueError:
            raise InvalidParams(f"color is {color!r}, which is no colour", field="color") from None
        return red << 16 | green << 8 | blue
    if isinstance(color, tuple):
        if len(color) != 3 or not all(0 <= channel <= 255 for channel in color):
            raise InvalidParams(f"color is {color}, but has to be three numbers 0 to 255", field="color")
        return int(color[0]) << 16 | int(color[1]) << 8 | int(color[2])
    return color


def checked(dabs: Iterable[DabLike]) -> list[Dab]:
    """Dabs whose places are whole pixels. Raises InvalidParams, as the server would."""
    return [_checked(dab, f"dabs[{index}].") for index, dab in enumerate(dabs)]


def _checked(given: DabLike, place: str) -> Dab:
    x, y, size, color = (given.x, given.y, given.size, given.color) if isinstance(given, Dab) else given
    dab = Dab(_whole(f"{place}pos.x", x), _whole(f"{place}pos.y", y), int(size), int(rgb(color)))
    bounds = (
        ("pos.x", dab.x, -POSITION_BOUND, POSITION_BOUND),
        ("pos.y", dab.y, -POSITION_BOUND, POSITION_BOUND),
        ("size", dab.size, 1, MAX_SIZE),
        ("color", dab.color, 0, MAX_COLOR),
    )
    for name, value, low, high in bounds:
        if not low <= value <= high:
            raise InvalidParams(
                f"{place}{name} is {value}, but has to be {low} to {high}", field=f"{place}{name}"
            )
    return dab


def _whole(name: str, value: float) -> int:
    if not math.isfinite(value):
        raise InvalidParams(f"{name} is {value}, but has to be a number", field=name)
    return round(value)


def message(dab: Dab) -> pb.Dab:
    """The dab on the wire."""
    return pb.Dab(pos=pb.Position(x=dab.x, y=dab.y), size=dab.size, color=dab.color)


def dabs_along(points: Sequence[Point], size: int, color: Color) -> list[Dab]:
    """The dabs of a stroke along straight lines between points in canvas pixels, a quarter of the size apart.

    The first and the last point get a dab each. Raises InvalidParams.
    """
    for index, (x, y) in enumerate(points):
        _whole(f"points[{index}].x", x)
        _whole(f"points[{index}].y", y)
    rgb_color = rgb(color)
    return checked((x, y, size, rgb_color) for x, y in _places(points, max(1.0, size * SPACING)))


def _places(points: Sequence[Point], step: float) -> Iterator[Point]:
    if not points:
        return
    yield points[0]
    rest = step  # how far the next dab is
    for (ax, ay), (bx, by) in pairwise(points):
        length = math.hypot(bx - ax, by - ay)
        at = rest
        while at < length:
            yield ax + (bx - ax) * at / length, ay + (by - ay) * at / length
            at += step
        rest = at - length
    if rest < step and len(points) > 1:
        yield points[-1]
