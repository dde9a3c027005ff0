"""The framing between dreamer and worker, in literal bytes."""

import asyncio
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamcanvas.errors import DreamError
from dreamcanvas.process import Frame, read_frame, read_frame_async, write_frame

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
    with pytest.raises(DreamError, match=sentence):
        read_frame(io.BytesIO(data))
    with pytest.raises(DreamError, match=sentence):
        await read_frame_async(stream_reader(data))
