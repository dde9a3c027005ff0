"""What requests have to be like (pure): each check names the field and its bounds."""

from typing import Final

from dreamcanvas.canvas.brush import MAX_SIZE
from dreamcanvas.canvas.model import POSITION_BOUND, Dab
from dreamcanvas.errors import InvalidParams
from dreamcanvas.proto import dreamcanvas_pb2 as pb
from dreamcanvas.store.journal import Author
from dreamcanvas.text.plural import form
from dreamcanvas.text.visible import is_line, is_visible

MAX_COLOR: Final = 0xFFFFFF
NAME_LENGTH: Final = 40


def dabs_of(request: pb.PaintRequest, most: int) -> list[Dab]:
    """Return the dabs of a call, at most `most`. Raises InvalidParams, naming the field and its bounds."""
    if not request.dabs:
        return [_dab(request, None)]
    if request.HasField("pos") or request.HasField("size") or request.HasField("color"):
        raise InvalidParams("dabs stands in place of pos, size and color: leave these out", field="dabs")
    if len(request.dabs) > most:
        raise InvalidParams(
            f"dabs has {len(request.dabs)} items, at most {most} {form(most, 'is', 'are')} allowed",
            field="dabs",
        )
    return [_dab(dab, index) for index, dab in enumerate(request.dabs)]


def _dab(dab: pb.Dab | pb.PaintRequest, index: int | None) -> Dab:
    # One condition for all fields, as this runs for each dab; which of them is wrong is found out later
    pos, size, color = dab.pos, dab.size, dab.color
    x, y = pos.x, pos.y
    if not (
        -POSITION_BOUND <= x <= POSITION_BOUND
        and -POSITION_BOUND <= y <= POSITION_BOUND
        and 1 <= size <= MAX_SIZE
        and color <= MAX_COLOR
        and dab.HasField("pos")
    ):
        _refuse(dab, "" if index is None else f"dabs[{index}].")
    return Dab(x, y, size, color)


def _refuse(dab: pb.Dab | pb.PaintRequest, place: str) -> None:
    if not dab.HasField("pos"):
        raise InvalidParams(f"{place}pos is missing: the middle of the dab", field=f"{place}pos")
    if not dab.HasField("size"):
        raise InvalidParams(f"{place}size is missing: 1 to {MAX_SIZE} pixels", field=f"{place}size")
    within(f"{place}pos.x", dab.pos.x, -POSITION_BOUND, POSITION_BOUND)
    within(f"{place}pos.y", dab.pos.y, -POSITION_BOUND, POSITION_BOUND)
    within(f"{place}size", dab.size, 1, MAX_SIZE)
    within(f"{place}color", dab.color, 0, MAX_COLOR)


def check_call(author: Author, call: int) -> None:
    """Check that a call with a number has a session. Raises InvalidParams.

    The number lets a client repeat a call after a new connection; only a session is known again there.
    """
    if call and author.session is None:
        raise InvalidParams("call needs a session: subscribe with one first", field="call")


def visible_name(name: str) -> str:
    """Return a name that is one visible line, or empty. Raises InvalidParams where it is not."""
    if len(name) > NAME_LENGTH:
        raise InvalidParams(
            f"name has {len(name)} characters, at most {NAME_LENGTH} are allowed", field="name"
        )
    return visible_line("name", name)


def visible_line(field: str, text: str) -> str:
    """Return a text that is one visible line, or empty. Raises InvalidParams where it is not."""
    if not is_line(text):
        raise InvalidParams(f"{field} holds control characters or line breaks", field=field)
    if text and not is_visible(text):
        raise InvalidParams(f"{field} has no character that can be seen: leave it empty", field=field)
    return text


def within(name: str, value: int, low: int, high: int) -> int:
    """Return the value of a field. Raises InvalidParams where it is not `low` to `high`, both included."""
    if not low <= value <= high:
        raise InvalidParams(f"{name} is {value}, but has to be {low} to {high}", field=name)
    return value
