"""Operations as framed events, against the messages that protobuf makes of them."""

from collections.abc import Iterable, Sequence
from itertools import groupby, pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from dreamcanvas.broadcast.encoding import PAINTS_PER_EVENT, Form, encode, join
from dreamcanvas.canvas.model import Dab, Operation, Patch
from dreamcanvas.proto import dreamcanvas_pb2 as pb
from dreamcanvas.proto import wsrpc_pb2 as envelope
from tests.events import events, operation

DABS = Form(text=False, batch=False, paints=True, patches=True, resyncs=False)
BUNCHES = Form(text=False, batch=True, paints=True, patches=True, resyncs=False)
TEXT = Form(text=True, batch=True, paints=True, patches=True, resyncs=False)

MARK = st.builds(
    Dab, st.integers(-65535, 65535), st.integers(-65535, 65535), st.integers(1, 124), st.integers(0, 0xFFFFFF)
) | st.builds(Patch, st.integers(0, 1535), st.integers(0, 1535), st.binary(max_size=200))
OPERATION = st.builds(
    Operation,
    st.integers(1, 2**53),
    st.integers(0, 2**53),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
    MARK,
)


def resync() -> pb.CanvasEvent:
    return pb.CanvasEvent(seq=9, resync=True)


def made(operations: Sequence[Operation], form: Form) -> bytes:
    return join(encode(operations, form, resync), form)


def dab_event(operation: Operation) -> pb.PaintEvent:
    dab = operation.mark
    assert isinstance(dab, Dab)
    return pb.PaintEvent(
        pos=pb.Position(x=dab.x, y=dab.y),
        size=dab.size,
        color=dab.color,
        timestamp=operation.time % 2**32,
        seq=operation.seq,
        author=operation.author,
        stroke=operation.stroke,
        time=operation.time,
    )


def expected(operations: Iterable[Operation], batch: bool) -> bytes:
    said: list[tuple[str, Any]] = []
    for is_dab, run in groupby(operations, key=lambda operation: isinstance(operation.mark, Dab)):
        if is_dab and batch:
            said.append(("paints", pb.PaintsEvent(paints=map(dab_event, run))))
        elif is_dab:
            said += [("paint", dab_event(operation)) for operation in run]
        for patch in () if is_dab else run:
            mark = patch.mark
            assert isinstance(mark, Patch)
            offset = pb.Position(x=mark.x, y=mark.y)
            event = pb.PatchEvent(
                time=patch.time, seq=patch.seq, offset=offset, image=mark.image, author=patch.author
            )
            said.append(("patch", event))
    frames = []
    for name, event in said:
        message = envelope.Message(
            type=envelope.Message.EVENT, event=envelope.Event(name=name, payload=event.SerializeToString())
        )
        frames.append(Frame(Opcode.BINARY, message.SerializeToString()).serialize(mask=False))
    return b"".join(frames)


@given(st.lists(OPERATION, max_size=12))
def test_the_bytes_are_those_of_protobuf_and_the_library(operations: list[Operation]) -> None:
    for form in (DABS, BUNCHES):
        assert made(operations, form) == expected(operations, form.batch)


@given(st.lists(OPERATION, max_size=12), st.lists(st.integers(0, 12), max_size=4))
def test_operations_that_were_encoded_apart_are_joined_as_if_together(
    operations: list[Operation], cuts: list[int]
) -> None:
    places = [0, *sorted(cuts), len(operations)]
    parts = [operations[start:end] for start, end in pairwise(places)]
    for form in (DABS, BUNCHES, TEXT):
        pieces = [piece for part in parts for piece in encode(part, form, resync)]
        assert events(join(pieces, form)) == events(made(operations, form))


def test_nothing_is_no_bytes() -> None:
    assert made([], BUNCHES) == b""
    assert (
        made([operation(1)], Form(text=False, batch=True, paints=False, patches=True, resyncs=False)) == b""
    )


def test_a_bunch_has_an_upper_bound_though_it_comes_in_parts() -> None:
    pieces = [
        piece for seq in range(PAINTS_PER_EVENT + 3) for piece in encode([operation(seq)], BUNCHES, resync)
    ]
    assert [len(event.paints) for _, event in events(join(pieces, BUNCHES))] == [PAINTS_PER_EVENT, 3]
