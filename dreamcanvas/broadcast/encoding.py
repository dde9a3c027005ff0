"""Operations as events: encoded once per form, then joined for each reader that is due them (pure)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, TypeAlias

from dreamcanvas.canvas.model import Dab, Operation, Patch, Version
from dreamcanvas.proto import dreamcanvas_pb2 as pb
from dreamcanvas.rpc import jsonmap, jsonrpc, wsrpc
from dreamcanvas.rpc.connection import encode_event
from dreamcanvas.rpc.frames import frame

PAINTS_PER_EVENT: Final = 1024
_UINT32: Final = 2**32


@dataclass(frozen=True, slots=True)
class Form:
    """How operations are encoded: JSON text or binary, dabs in bunches (`batch`) or singly.

    `paints` and `patches` say which of them are sent; with `resyncs` a `canvas` event with `resync` is sent
    in place of patches.
    """

    text: bool
    batch: bool
    paints: bool
    patches: bool
    resyncs: bool


@dataclass(frozen=True, slots=True)
class Picture:
    """What is known of the picture that everyone should see; by default it is white paper.

    `dream_seq` is the last operation that its dream contains, `dream_time` is in ms since 1970.
    """

    version: Version = Version(0, 0)
    dream_seq: int = 0
    style: str = ""
    dream_time: int = 0


Bunch: TypeAlias = list[bytes] | list[jsonrpc.Json]
Piece: TypeAlias = bytes | Bunch  # framed events, or encoded dabs that `join` puts into bunches


def encode(operations: Sequence[Operation], form: Form, resync: Callable[[], pb.CanvasEvent]) -> list[Piece]:
    """Return the events of operations, in their order; `resync` makes the event that replaces patches."""
    pieces: list[Piece] = []
    for is_dab, run in groupby(operations, key=lambda operation: isinstance(operation.mark, Dab)):
        if is_dab and form.paints:
            pieces.append(_dabs(run, form))
        elif not is_dab and form.resyncs:
            pieces.append(frame(encode_event("canvas", resync(), text=form.text)))
        elif not is_dab and form.patches:
            events = (patch_event(operation) for operation in run)
            pieces.append(b"".join(frame(encode_event("patch", event, text=form.text)) for event in events))
    return pieces


def join(pieces: Iterable[Piece], form: Form) -> bytes:
    """Return the frames of encoded operations; in bunches, dabs that follow each other share an event."""
    frames: list[bytes] = []
    bunch: list[bytes | jsonrpc.Json] = []
    for piece in pieces:
        if isinstance(piece, list):
            bunch += piece
        else:
            frames += _paints(bunch, form)
            bunch = []
            frames.append(piece)
    frames += _paints(bunch, form)
    return b"".join(frames)


def paint_event(operation: Operation, event: pb.PaintEvent) -> pb.PaintEvent:
    """Return the event of a dab. `event` is filled in and returned: a new one takes three times as long.

    Every field is set, because fields are `required` in the schema of stock clients.
    """
    mark, position = operation.mark, event.pos
    assert isinstance(mark, Dab)
    position.x = mark.x
    position.y = mark.y
    event.size = mark.size
    event.color = mark.color
    event.timestamp = operation.time % _UINT32
    event.seq = operation.seq
    event.author = operation.author
    event.stroke = operation.stroke
    event.time = operation.time
    return event


def patch_event(operation: Operation) -> pb.PatchEvent:
    """Return the event of a patch."""
    mark = operation.mark
    assert isinstance(mark, Patch)
    return pb.PatchEvent(
        time=operation.time,
        seq=operation.seq,
        offset=pb.Position(x=mark.x, y=mark.y),
        image=mark.image,
        author=operation.author,
    )


def canvas_event(picture: Picture, url: str, *, resync: bool) -> pb.CanvasEvent:
    """Return the event that has clients fetch a picture: a new dream, or with `resync` the whole picture."""
    return pb.CanvasEvent(
        timestamp=picture.dream_time % _UINT32,
        seq=picture.version.seq,
        dream=picture.version.dream,
        dream_seq=picture.dream_seq,
        url=url,
        style=picture.style,
        resync=resync,
        time=picture.dream_time,
    )


def _dabs(run: Iterable[Operation], form: Form) -> Piece:
    event = pb.PaintEvent()
    if form.text:
        values = [jsonmap.to_json(paint_event(operation, event)) for operation in run]
        if form.batch:
            return values
        return b"".join(frame(jsonrpc.encode(jsonrpc.event("paint", value))) for value in values)
    payloads = [paint_event(operation, event).SerializeToString() for operation in run]
    if form.batch:
        return payloads
    return b"".join([frame(wsrpc.encode_event("paint", payload)) for payload in payloads])


def _paints(bunch: list[bytes | jsonrpc.Json], form: Form) -> Iterable[bytes]:
    for start in range(0, len(bunch), PAINTS_PER_EVENT):
        some = bunch[start : start + PAINTS_PER_EVENT]
        if form.text:
            yield frame(jsonrpc.encode(jsonrpc.event("paints", {"paints": some})))
        else:
            paints = b"".join(b"\x0a%b%b" % (wsrpc.varint(len(dab)), dab) for dab in some)
            yield frame(wsrpc.encode_event("paints", paints))
