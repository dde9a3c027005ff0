"""The frames between a parent and its child, in literal bytes; their ends."""

import asyncio
import io
import os
import sys

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamcanvas.errors import ProcessError
from dreamcanvas.process import MAX_HEADER, Child, Frame, read_frame, read_frame_async, write_frame

LITERAL = b'\x00\x00\x00\x1b{"ready": true, "bytes": 3}abc'


def stream_reader(data: bytes) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    return reader


def test_a_frame_in_literal_bytes() -> None:
    stream = io.BytesIO()
    write_frame(stream, Frame({"ready": True}, b"abc"))
    assert stream.getvalue() == LITERAL


async def test_both_readers_read_it_back() -> None:
    assert read_frame(io.BytesIO(LITERAL)) == Frame({"ready": True}, b"abc")
    assert await read_frame_async(stream_reader(LITERAL)) == Frame({"ready": True}, b"abc")


@given(st.dictionaries(st.text().filter(lambda key: key != "bytes"), st.integers() | st.text()), st.binary())
def test_every_frame_round_trips(header: dict[str, int | str], payload: bytes) -> None:
    stream = io.BytesIO()
    write_frame(stream, Frame(header, payload))
    stream.seek(0)
    assert read_frame(stream) == Frame(header, payload)
    assert read_frame(stream) is None


@pytest.mark.parametrize("length", [0, 3, 4, 20, len(LITERAL) - 1])
async def test_an_end_in_the_middle_is_an_end(length: int) -> None:
    assert read_frame(io.BytesIO(LITERAL[:length])) is None
    with pytest.raises(asyncio.IncompleteReadError):
        await read_frame_async(stream_reader(LITERAL[:length]))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"\xff\xff\xff\xff{}", "a header of 4294967295 bytes"),
        (b"\x00\x00\x00\x02{}", "no JSON object with `bytes`"),
        (b"\x00\x00\x00\x02[]", "no JSON object with `bytes`"),
        (b"\x00\x00\x00\x02\xff\xff", "no JSON object with `bytes`"),
        (b'\x00\x00\x00\x0d{"bytes": -1}', "a payload of -1 bytes"),
        (b'\x00\x00\x00\x0e{"bytes": "3"}', "a payload of '3' bytes"),
        (b'\x00\x00\x00\x0f{"bytes": true}', "a payload of True bytes"),
    ],
)
async def test_bytes_that_are_no_frame_are_an_error(data: bytes, sentence: str) -> None:
    with pytest.raises(ProcessError, match=sentence):
        read_frame(io.BytesIO(data))
    with pytest.raises(ProcessError, match=sentence):
        await read_frame_async(stream_reader(data))


def test_a_header_names_all_frames_of_a_day() -> None:
    frames = [
        [number, f"/var/lib/dreamcanvas/frames/000000/{number:09d}.jpg", 700_000] for number in range(43_200)
    ]
    stream = io.BytesIO()
    write_frame(stream, Frame({"frames": frames}))
    assert len(stream.getvalue()) < MAX_HEADER
    stream.seek(0)
    assert read_frame(stream) == Frame({"frames": frames})


# Real children

ECHO = """
import sys
from dreamcanvas.process import Frame, Parent
parent = Parent(int(sys.argv[-1]))
print("what a library says")
for _ in range(2):
    frame = parent.receive()
    parent.send(Frame({"was": dict(frame.header)}, frame.payload[::-1]))
"""
BUSY = """
import sys
from dreamcanvas.process import Frame, Parent
parent = Parent(int(sys.argv[-1]))
parent.send(Frame({"busy": True}))
while True:
    pass
"""
LARGE = bytes(range(256)) * 20_000


async def test_a_child_answers_in_frames_whatever_a_library_prints_and_ends_by_itself() -> None:
    child = await Child.start((sys.executable, "-c", ECHO))
    for number in range(2):
        await child.send(Frame({"number": number}, LARGE))
        assert await child.receive() == Frame({"was": {"number": number}}, LARGE[::-1])
    assert await child.wait() == 0  # though its thread still waits for stdin
    with pytest.raises(EOFError):
        await child.receive()


async def test_a_child_that_is_busy_ends_with_its_stdin() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        BUSY,
        str(os.getpid()),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    child = Child(process)
    assert (await child.receive()).header == {"busy": True}
    assert process.stdin is not None
    process.stdin.close()
    assert await child.wait() == 0


async def test_what_is_no_frame_ends_the_child() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        BUSY,
        str(os.getpid()),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    child = Child(process)
    assert (await child.receive()).header == {"busy": True}
    assert process.stdin is not None
    process.stdin.write(b"GET / HTTP/1.1\r\n")
    assert await child.wait() == 1


async def test_a_child_whose_start_is_cancelled_is_no_more() -> None:
    start = asyncio.create_task(Child.start((sys.executable, "-c", BUSY)))
    await asyncio.sleep(0)
    start.cancel()
    with pytest.raises(asyncio.CancelledError):
        await start
    assert [child for child in psutil.Process().children() if BUSY in child.cmdline()] == []
