"""Turns what a bot wants to draw into dabs: colours, bounds, the dabs along a stroke (pure)."""

import math
import reprlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, TypeAlias, TypeVar

from PIL import ImageColor

from dreamcanvas.canvas.brush import MAX_SIZE
from dreamcanvas.canvas.model import POSITION_BOUND, Dab
from dreamcanvas.errors import InvalidParams
from dreamcanvas.proto import dreamcanvas_pb2 as pb

T = TypeVar("T")

Color: TypeAlias = int | str | Iterable[int]
"""A colour: 0xRRGGBB, a name or `#rrggbb` that Pillow knows, or (red, green, blue), each 0 to 255."""
DabLike: TypeAlias = Dab | tuple[float, float, int, Color] | Iterable[float]
"""A Dab, or its x, y, size and colour, in canvas pixels."""
Point: TypeAlias = tuple[float, float]
PointLike: TypeAlias = Iterable[float]
"""x and y in canvas pixels."""

SPACING: Final = 0.25
MAX_COLOR: Final = 0xFFFFFF


@dataclass(frozen=True, slots=True)
class Ink:
    """A stroke that was drawn and is stored.

    `stroke` is its number, which `undo` takes. `seq` and `time` are those of its last operation:
    its number, and when it was drawn, in ms since 1970.
    """

    stroke: int
    seq: int
    time: int


def rgb(color: Color) -> int:
    """Return a colour as 0xRRGGBB. Raises InvalidParams where it is no colour."""
    if isinstance(color, str):
        try:
            red, green, blue = ImageColor.getrgb(color)[:3]
        except (ValueError, OverflowError):
            raise InvalidParams(f"color is {shown(color)}, which is no colour", field="color") from None
        return red << 16 | green << 8 | blue
    if isinstance(color, Iterable):
        red, green, blue = parts("color", color, "three numbers 0 to 255", 3)
        channels = [bounded("color", channel, 0, 255) for channel in (red, green, blue)]
        return channels[0] << 16 | channels[1] << 8 | channels[2]
    return bounded("color", color, 0, MAX_COLOR)


def checked(dabs: Iterable[DabLike]) -> list[Dab]:
    """Return dabs at whole pixels. Raises InvalidParams where the server would refuse one."""
    return [_checked(dab, f"dabs[{index}]") for index, dab in enumerate(items("dabs", dabs))]


def _checked(given: DabLike, place: str) -> Dab:
    if isinstance(given, Dab):
        x, y, size, color = given.x, given.y, given.size, given.color
    else:
        x, y, size, color = parts(place, given, "x, y, size and colour", 4)
    try:
        ink = rgb(color)
    except InvalidParams as error:
        raise InvalidParams(f"{place}.{error.sentence}", field=f"{place}.color") from None
    return Dab(
        bounded(f"{place}.pos.x", x, -POSITION_BOUND, POSITION_BOUND),
        bounded(f"{place}.pos.y", y, -POSITION_BOUND, POSITION_BOUND),
        bounded(f"{place}.size", size, 1, MAX_SIZE),
        ink,
    )


def items(name: str, given: Iterable[T]) -> list[T]:
    """Return what is in an iterable, which may be a NumPy array, as a list. Raises InvalidParams."""
    if isinstance(given, str | bytes | Mapping) or not isinstance(given, Iterable):
        raise InvalidParams(f"{name} is {shown(given)}, but has to be a list", field=name)
    try:
        return list(given)
    except TypeError:  # for example a NumPy array of no dimensions
        raise InvalidParams(f"{name} is {shown(given)}, but has to be a list", field=name) from None


def parts(name: str, given: Any, wanted: str, count: int) -> list[Any]:
    """Return the `count` parts of a point, a dab or a colour. Raises InvalidParams, which says `wanted`."""
    try:
        found = [] if isinstance(given, str | bytes) else list(given)
    except TypeError:
        found = []
    if len(found) != count:
        raise InvalidParams(f"{name} is {shown(given)}, but has to be {wanted}", field=name)
    return found


def bounded(name: str, value: Any, low: int, high: int) -> int:
    """Return the whole number nearest to a number. Raises InvalidParams, naming the field and its bounds."""
    whole = round(number(name, value))
    if not low <= whole <= high:
        raise InvalidParams(f"{name} is {shown(whole)}, but has to be {low} to {high}", field=name)
    return whole


def number(name: str, value: Any) -> float:
    """Return a number of any type as a float. Raises InvalidParams where it is not finite."""
    try:
        found = math.nan if isinstance(value, str | bytes) else float(value)
    except (TypeError, ValueError, OverflowError):
        found = math.nan
    if not math.isfinite(found):
        raise InvalidParams(f"{name} is {shown(value)}, but has to be a number", field=name)
    return found


def shown(value: object) -> str:
    """Return a value as text for a sentence, shortened where it is long."""
    return reprlib.repr(value)


def message(dab: Dab) -> pb.Dab:
    """Return a dab as the protobuf message that is sent."""
    return pb.Dab(pos=pb.Position(x=dab.x, y=dab.y), size=dab.size, color=dab.color)


def dabs_along(points: Iterable[PointLike], size: int, color: Color) -> list[Dab]:
    """Return the dabs of a stroke along straight lines between points in canvas pixels.

    They are a quarter of `size` apart, at least 1 pixel; the first and the last point get a dab
    each. Raises InvalidParams where a point, the size (1 to 124) or the colour cannot be used.
    """
    way = [_point(f"points[{index}]", point) for index, point in enumerate(items("points", points))]
    whole = bounded("size", size, 1, MAX_SIZE)
    ink = rgb(color)
    return checked((x, y, whole, ink) for x, y in _places(way, max(1.0, whole * SPACING)))


def _point(name: str, given: PointLike) -> Point:
    x, y = parts(name, given, "x and y", 2)
    # Checked before dabs are placed along the lines: those of a stroke to 1e300 would never end
    for axis, value in (("x", x), ("y", y)):
        bounded(f"{name}.{axis}", value, -POSITION_BOUND, POSITION_BOUND)
    return float(x), float(y)


def _places(points: Sequence[Point], step: float) -> Iterator[Point]:
    if not points:
        return
    yield points[0]
    rest = step  # how far the next dab is from the beginning of the line
    for (ax, ay), (bx, by) in pairwise(points):
        length = math.hypot(bx - ax, by - ay)
        at = rest
        while at < length:
            yield ax + (bx - ax) * at / length, ay + (by - ay) * at / length
            at += step
        rest = at - length
    if rest < step and len(points) > 1:
        yield points[-1]
