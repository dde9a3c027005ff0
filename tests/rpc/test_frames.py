"""Frames, read and written by hand, against the library that judges the rest."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.utils import apply_mask

from dreamcanvas.rpc.frames import BINARY, OTHER, SLICE, TEXT, Splitter, frame

CONTROL = st.sampled_from([Opcode.PING, Opcode.PONG, Opcode.CLOSE])
DATA = st.sampled_from([Opcode.BINARY, Opcode.TEXT, Opcode.CONT])
ODD = st.sampled_from(
    [
        b"\x82\x01x",
        b"\x83\x80\0\0\0\0",
        b"\xc2\x80\0\0\0\0",
        b"\x89\xfe\0\x7e",
        b"\x82\xff" + bytes(8),
        b"\x82",
    ]
)


def splitter(limit: int = 0) -> Splitter:
    return Splitter(apply_mask, limit)


def masked(opcode: Opcode, data: bytes = b"", fin: bool = True) -> bytes:
    return Frame(opcode, data, fin).serialize(mask=True)


@pytest.mark.parametrize("length", [0, 1, 125, 126, 127, 65535, 65536, 70000])
def test_a_frame_is_as_the_library_writes_it(length: int) -> None:
    data = bytes(length)
    assert frame(data) == Frame(Opcode.BINARY, data).serialize(mask=False)
    assert frame("é" + data.decode()) == Frame(Opcode.TEXT, b"\xc3\xa9" + data).serialize(mask=False)


@pytest.mark.parametrize("length", [0, 1, 125, 126, 65535])
def test_a_whole_message_is_taken_out(length: int) -> None:
    data = bytes(i % 251 for i in range(length))
    assert splitter().split(masked(Opcode.BINARY, data)) == [(BINARY, data)]
    assert splitter().split(masked(Opcode.TEXT, data)) == [(TEXT, data)]


def test_what_is_not_whole_yet_waits() -> None:
    one = splitter()
    data = masked(Opcode.BINARY, b"abc") + masked(Opcode.TEXT, bytes(300))
    pieces = [piece for i in range(len(data)) for piece in one.split(data[i : i + 1])]
    assert pieces == [(BINARY, b"abc"), (TEXT, bytes(300))]


def test_controls_are_the_librarys_and_messages_after_them_are_not() -> None:
    ping = masked(Opcode.PING, b"x")
    assert splitter().split(ping + masked(Opcode.BINARY, b"y")) == [(OTHER, ping), (BINARY, b"y")]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(masked(Opcode.BINARY, b"x", fin=False), id="a fragment"),
        pytest.param(masked(Opcode.CONT, b"x"), id="a continuation"),
        pytest.param(masked(Opcode.BINARY, bytes(65536)), id="64 KiB"),
        pytest.param(masked(Opcode.BINARY, bytes(101)), id="over the limit"),
        pytest.param(b"\x82\xfe", id="over the limit, however long"),
        pytest.param(b"\x82\x01x", id="not masked"),
        pytest.param(b"\xc2\x80", id="a reserved bit"),
        pytest.param(b"\x89\xfe", id="a long ping"),
    ],
)
def test_from_anything_else_on_all_is_the_librarys(data: bytes) -> None:
    """In pieces that are soon looked through, however many frames are in them."""
    one, message = splitter(100), masked(Opcode.BINARY, b"x")
    first, *others = one.split(message + data)
    assert first == (BINARY, b"x")
    assert {kind for kind, _ in others} == {OTHER}
    assert max(len(piece) for _, piece in others) <= SLICE
    assert b"".join(piece for _, piece in others) == data
    assert one.split(message) == [(OTHER, message)]


def test_messages_are_taken_one_by_one_and_what_was_taken_is_not_kept() -> None:
    one = splitter()
    data = b"".join(masked(Opcode.BINARY, bytes((i,))) for i in range(100))
    one.feed(data[:-1])
    assert [one.take() for _ in range(99)] == [(BINARY, bytes((i,))) for i in range(99)]
    assert one.take() is None
    one.feed(data[-1:])
    assert one.take() == (BINARY, b"c")
    assert one.take() is None


def test_what_waited_goes_to_the_library_once_all_does() -> None:
    one = splitter()
    assert one.split(b"\x82") == []
    one.pass_on()
    assert one.split(b"\x81") == [(OTHER, b"\x82\x81")]


def server() -> ServerProtocol:
    made = ServerProtocol(max_size=200)
    made.state = State.OPEN
    made.parser = made.parse()
    next(made.parser)
    return made


def seen(library: ServerProtocol) -> list[tuple[Any, ...]]:
    events = [event for event in library.events_received() if isinstance(event, Frame)]
    return [(event.opcode, bytes(event.data), event.fin) for event in events]


@given(
    st.lists(
        st.builds(masked, DATA, st.binary(max_size=150), st.booleans())
        | st.builds(masked, CONTROL, st.just(b"\x03\xe8"))
        | ODD,
        max_size=8,
    ),
    st.integers(1, 40),
)
def test_together_they_read_what_the_library_reads_alone(frames: list[bytes], step: int) -> None:
    """In pieces of any size: the same messages, and in the end the same verdict."""
    data = b"".join(frames)
    alone, together, one, found = server(), server(), splitter(200), []
    for start in range(0, len(data), step):
        piece = data[start : start + step]
        alone.receive_data(piece)
        if together.state is not State.OPEN:
            one.pass_on()
        for kind, part in one.split(piece):
            if kind == OTHER:
                together.receive_data(part)
                found += seen(together)
            elif together.state is State.OPEN:
                found.append((Opcode(kind & 15), part, True))
    assert found == seen(alone)
    assert type(together.parser_exc) is type(alone.parser_exc)
    assert together.close_sent == alone.close_sent
