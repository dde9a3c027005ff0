"""The recording: rows and frame files."""

import io
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image

from dreamcanvas.store.dreams import Dream, Dreams, decode
from dreamcanvas.store.journal import Journal


def jpeg(colour: tuple[int, int, int], side: int = 1536) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (side, side), colour).save(buffer, "JPEG", quality=95, subsampling=0)
    return buffer.getvalue()


RED, BLUE = jpeg((200, 0, 0)), jpeg((0, 0, 200))


def dream(number: int, data: bytes = RED, seq: int = 0) -> Dream:
    return Dream(number, seq, 5, "Eyes", "b9_exp^2", "efficientnet_lite0", 900, 2, len(data))


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    journal = Journal(tmp_path / "test.db", clock=lambda: 0)
    yield journal
    journal.close()


@pytest.fixture
def dreams(tmp_path: Path, journal: Journal) -> Dreams:
    return Dreams(tmp_path / "frames", journal)


def test_a_thousand_frame_files_share_a_directory(tmp_path: Path, dreams: Dreams) -> None:
    assert dreams.frame(1) == tmp_path / "frames" / "000000" / "000000001.jpg"
    assert dreams.frame(999).parent.name == "000000"
    assert dreams.frame(1000) == tmp_path / "frames" / "000001" / "000001000.jpg"


async def test_where_there_is_none_there_is_none(dreams: Dreams) -> None:
    assert await dreams.newest_whole() is None
    assert await dreams.last_number() == 0


async def test_a_recorded_dream_is_found_with_its_picture(dreams: Dreams) -> None:
    await dreams.record(dream(1), RED)
    await dreams.record(dream(2, BLUE, seq=7), BLUE)
    found = await dreams.newest_whole()
    assert found is not None
    assert found[0] == dream(2, BLUE, seq=7)
    assert found[1] == decode(BLUE)
    assert await dreams.last_number() == 2
    assert dreams.frame(1).read_bytes() == RED


async def test_it_is_there_after_a_restart(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "again.db", clock=lambda: 0)
    await Dreams(tmp_path / "frames", journal).record(dream(1), RED)
    journal.close()
    journal = Journal(tmp_path / "again.db", clock=lambda: 0)
    found = await Dreams(tmp_path / "frames", journal).newest_whole()
    assert found is not None
    assert found[0] == dream(1)
    journal.close()


@pytest.mark.parametrize("harm", ["missing", "short", "garbled", "empty", "small"])
async def test_a_frame_file_that_cannot_be_used_gives_way_to_the_one_before(
    dreams: Dreams, harm: str, caplog: pytest.LogCaptureFixture
) -> None:
    small = jpeg((1, 2, 3), side=64)
    await dreams.record(dream(1), RED)
    await dreams.record(dream(2, small if harm == "small" else BLUE), small if harm == "small" else BLUE)
    path = dreams.frame(2)
    if harm == "missing":
        path.unlink()
    elif harm == "short":
        path.write_bytes(BLUE[:-100])
    elif harm == "garbled":
        path.write_bytes(b"\0" * len(BLUE))
    elif harm == "empty":
        path.write_bytes(b"")
    found = await dreams.newest_whole()
    assert found is not None
    assert found[0].dream == 1
    assert "frame file unusable" in caplog.text
    assert await dreams.last_number() == 2


async def test_a_dream_whose_file_cannot_be_written_has_no_row(tmp_path: Path, dreams: Dreams) -> None:
    (tmp_path / "frames").write_text("a file where the directory should be")
    with pytest.raises(OSError, match="frames"):
        await dreams.record(dream(1), RED)
    assert await dreams.last_number() == 0


async def test_a_number_is_recorded_once(dreams: Dreams) -> None:
    await dreams.record(dream(1), RED)
    with pytest.raises(sqlite3.IntegrityError):
        await dreams.record(dream(1), RED)


@pytest.mark.parametrize("data", [b"", b"\xff\xd8", RED[:200], RED[:-2000], jpeg((0, 0, 0), side=8)])
def test_what_is_no_whole_picture_is_an_oserror(data: bytes) -> None:
    with pytest.raises(OSError):
        decode(data)
