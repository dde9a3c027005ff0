"""What a bot draws, as dabs (pure): colours, bounds, the dabs along a stroke."""

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
"""0xRRGGBB, a name or `#rrggbb` as Pillow knows them, or (red, green, blue)."""
DabLike: TypeAlias = Dab | tuple[float, float, int, Color] | Iterable[float]
"""A dab, or its x, y, size and colour."""
Point: TypeAlias = tuple[float, float]
PointLike: TypeAlias = Iterable[float]
"""x and y in canvas pixels."""

SPACING: Final = 0.25
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
        except (ValueError, OverflowError):
            raise InvalidParams(f"color is {shown(color)}, which is no colour", field="color") from None
        return red << 16 | green << 8 | blue
    if isinstance(color, Iterable):
        red, green, blue = parts("color", color, "three numbers 0 to 255", 3)
        channels = [bounded("color", channel, 0, 255) for channel in (red, green, blue)]
        return channels[0] << 16 | channels[1] << 8 | channels[2]
    return bounded("color", color, 0, MAX_COLOR)


def checked(dabs: Iterable[DabLike]) -> list[Dab]:
    """Dabs whose places are whole pixels. Raises InvalidParams, as the server would."""
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
    """What there is to draw, as a list: of any iterable, NumPy's arrays among them. Raises InvalidParams."""
    if isinstance(given, str | bytes | Mapping) or not isinstance(given, Iterable):
        raise InvalidParams(f"{name} is {shown(given)}, but has to be a list", field=name)
    try:
        return list(given)
    except TypeError:  # such as an array without a dimension
        raise InvalidParams(f"{name} is {shown(given)}, but has to be a list", field=name) from None


def parts(name: str, given: Any, wanted: str, count: int) -> list[Any]:
    """The parts of a point, a dab or a colour. Raises InvalidParams."""
    try:
        found = [] if isinstance(given, str | bytes) else list(given)
    except TypeError:
        found = []
    if len(found) != count:
        raise InvalidParams(f"{name} is {shown(given)}, but has to be {wanted}", field=name)
    return found


def bounded(name: str, value: Any, low: int, high: int) -> int:
    """A number as the nearest whole one. Raises InvalidParams, naming the field and its bounds."""
    whole = round(number(name, value))
    if not low <= whole <= high:
        raise InvalidParams(f"{name} is {shown(whole)}, but has to be {low} to {high}", field=name)
    return whole


def number(name: str, value: Any) -> float:
    """A finite number, of whatever type. Raises InvalidParams."""
    try:
        found = math.nan if isinstance(value, str | bytes) else float(value)
    except (TypeError, ValueError, OverflowError):
        found = math.nan
    if not math.isfinite(found):
        raise InvalidParams(f"{name} is {shown(value)}, but has to be a number", field=name)
    return found


def shown(value: object) -> str:
    """A value in a sentence, however large it is."""
    return reprlib.repr(value)


def message(dab: Dab) -> pb.Dab:
    """The dab on the wire."""
    return pb.Dab(pos=pb.Position(x=dab.x, y=dab.y), size=dab.size, color=dab.color)


def dabs_along(points: Iterable[PointLike], size: int, color: Color) -> list[Dab]:
    """The dabs of a stroke along straight lines between points in canvas pixels, a quarter of the size apart.

    The first and the last point get a dab each. Raises InvalidParams.
    """
    way = [_point(f"points[{index}]", point) for index, point in enumerate(items("points", points))]
    whole = bounded("size", size, 1, MAX_SIZE)
    ink = rgb(color)
    return checked((x, y, whole, ink) for x, y in _places(way, max(1.0, whole * SPACING)))


def _point(name: str, given: PointLike) -> Point:
    x, y = parts(name, given, "x and y", 2)
    # Bounded before dabs are laid along the way: a stroke to 1e300 would never end
    for axis, value in (("x", x), ("y", y)):
        bounded(f"{name}.{axis}", value, -POSITION_BOUND, POSITION_BOUND)
    return float(x), float(y)


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
