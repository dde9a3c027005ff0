"""Room on the disk: what is deleted first, and what never."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image

from dreamcanvas.broadcast.broadcast import Broadcast
from dreamcanvas.canvas.model import Dab, Version
from dreamcanvas.painting.painter import Painter
from dreamcanvas.store import budget as module
from dreamcanvas.store.budget import KEEP_AT_LEAST, Budget
from dreamcanvas.store.dreams import Dream, Dreams
from dreamcanvas.store.journal import Entry, Journal
from dreamcanvas.store.movies import movie_path, name_of

FRAME = 100_000


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    journal = Journal(tmp_path / "dreamcanvas.db", clock=lambda: 1000)
    yield journal
    await journal.drain()
    journal.close()


@pytest.fixture
def dreams(journal: Journal, tmp_path: Path) -> Dreams:
    return Dreams(tmp_path / "frames", journal)


async def fill(journal: Journal, dreams: Dreams, count: int, archives: int = 0) -> None:
    for number in range(1, count + 1):
        await dreams.record(Dream(number, 0, 5, "Eyes", "b9", "none", 1, 0, FRAME), bytes(FRAME))
    author = journal.anonymous("here")
    await journal.append(Entry(author, [Dab(n, n, 9, n) for n in range(1 + 100 * archives)]))
    for n in range(archives):
        until = 100 * (n + 1)
        assert await journal.archive.move(until=until, before=2000, overdue=2000, file_operations=100) == 100


async def add_movies(journal: Journal, tmp_path: Path, count: int) -> None:
    """Windows, two hours from each other, each with a movie as long as a frame file and a small poster."""
    for number in range(count):
        start = number * 7_200_000
        for ending, length in (("-768.mp4", FRAME), (".jpg", 10)):
            path = movie_path(tmp_path / "movies", name_of(start), ending)
            await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True)
            await asyncio.to_thread(path.write_bytes, bytes(length))
        files = json.dumps({"-768.mp4": FRAME, ".jpg": 10})
        row = (start, start + 7_200_000, 0, 0, 9, 0, "[]", "[]", files, FRAME, 10, 0)
        await journal.write(
            lambda connection, row=row: connection.execute(  # type: ignore[misc]
                f"INSERT INTO windows VALUES ({','.join('?' * 12)})", row
            )
        )


def movies(tmp_path: Path, ending: str = "-768.mp4") -> int:
    return len(list((tmp_path / "movies").glob(f"*/*{ending}")))


def frames(tmp_path: Path) -> list[int]:
    return sorted(int(path.stem) for path in (tmp_path / "frames").glob("*/*.jpg"))


def archives(tmp_path: Path) -> list[int]:
    return sorted(int(path.name.partition(".")[0]) for path in (tmp_path / "archive").glob("*.gz"))


async def states(journal: Journal, table: str = "dreams") -> list[int]:
    return await journal.run(
        lambda connection: [row[0] for row in connection.execute(f"SELECT file FROM {table} ORDER BY 1")]
    )


async def used(journal: Journal, tmp_path: Path) -> int:
    look = Budget(tmp_path, journal, limit=0)
    assert await look.enforce() == 0
    return look.used


async def test_it_counts_whatever_is_there_the_log_of_the_database_too(
    journal: Journal, dreams: Dreams, tmp_path: Path
) -> None:
    await fill(journal, dreams, 3, archives=2)
    names = await asyncio.to_thread(lambda: [path for path in tmp_path.rglob("*") if path.is_file()])
    assert {path.suffix for path in names} == {".jpg", ".gz", ".db", ".db-wal", ".db-shm"}
    assert len(names) == 3 + 2 + 3
    assert await used(journal, tmp_path) == sum(path.stat().st_size for path in names)


async def test_the_oldest_frames_go_first_and_as_few_as_needed(
    journal: Journal, dreams: Dreams, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await fill(journal, dreams, 30, archives=2)
    limit = await used(journal, tmp_path) - 3 * FRAME
    budget = Budget(tmp_path, journal, limit=limit, keep_frames=12)
    assert await budget.enforce() == 3
    assert frames(tmp_path) == list(range(4, 31))
    assert archives(tmp_path) == [1, 101]
    assert budget.used <= limit
    [record] = [record for record in caplog.records if record.message == "deleted for want of room"]
    assert {"what": "frames of dreams", "first": 1, "last": 3, "files": 3}.items() <= vars(record).items()
    assert await budget.enforce() == 0


async def test_then_archives_then_frames_beyond_the_newest_ten(
    journal: Journal, dreams: Dreams, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await fill(journal, dreams, 30, archives=2)
    size = await used(journal, tmp_path)
    first = (tmp_path / "archive" / "000000000001.jsonl.gz").stat().st_size
    assert await Budget(tmp_path, journal, limit=size - 18 * FRAME - first, keep_frames=12).enforce() == 19
    assert frames(tmp_path) == list(range(19, 31))
    assert archives(tmp_path) == [101]
    assert [operation.seq for operation in journal.operations(0)] == list(range(101, 202))
    tight = Budget(tmp_path, journal, limit=1, keep_frames=12)
    await tight.enforce()
    assert frames(tmp_path) == list(range(31 - KEEP_AT_LEAST, 31))
    assert archives(tmp_path) == []
    assert [operation.seq for operation in journal.operations(0)] == [201]
    await tight.enforce()
    assert caplog.text.count("over the disk budget") == 1


async def test_movies_beyond_the_newest_twelve_go_before_frames_and_their_posters_stay(
    journal: Journal, dreams: Dreams, tmp_path: Path
) -> None:
    await fill(journal, dreams, 12)
    await add_movies(journal, tmp_path, 20)
    size = await used(journal, tmp_path)
    budget = Budget(tmp_path, journal, limit=size - 3 * FRAME, keep_frames=10)
    assert await budget.enforce() == 3
    assert (len(frames(tmp_path)), movies(tmp_path), movies(tmp_path, "Z.jpg")) == (12, 17, 20)
    assert budget.used == size - 3 * FRAME
    assert await Budget(tmp_path, journal, limit=size - 9 * FRAME, keep_frames=10).enforce() == 6
    assert (len(frames(tmp_path)), movies(tmp_path)) == (11, 12)
    await Budget(tmp_path, journal, limit=1, keep_frames=10).enforce()
    assert (len(frames(tmp_path)), movies(tmp_path), movies(tmp_path, "Z.jpg")) == (10, 0, 20)


async def test_frames_that_should_be_movies_do_not_cost_the_old_movies(
    journal: Journal, dreams: Dreams, tmp_path: Path
) -> None:
    await fill(journal, dreams, 40)
    await add_movies(journal, tmp_path, 14)
    size = await used(journal, tmp_path)
    assert await Budget(tmp_path, journal, limit=size - 5 * FRAME, keep_frames=10).enforce() == 5
    assert (frames(tmp_path)[0], movies(tmp_path)) == (6, 14)
    lost = await journal.run(
        lambda connection: connection.execute("SELECT count(*) FROM dreams WHERE movie = 0").fetchone()[0]
    )
    assert lost == 5


async def test_many_are_deleted_a_slice_at_a_time(
    journal: Journal, dreams: Dreams, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SLICE", 4)
    await fill(journal, dreams, 25)
    assert await Budget(tmp_path, journal, limit=1).enforce() == 15
    assert frames(tmp_path) == list(range(16, 26))


async def test_0_is_no_limit(journal: Journal, dreams: Dreams, tmp_path: Path) -> None:
    await fill(journal, dreams, 20)
    assert await Budget(tmp_path, journal, limit=0).enforce() == 0
    assert len(frames(tmp_path)) == 20


async def test_what_a_crash_left_marked_is_deleted_with_the_next_look(
    journal: Journal, dreams: Dreams, tmp_path: Path
) -> None:
    await fill(journal, dreams, 12)
    await journal.write(lambda connection: connection.execute("UPDATE dreams SET file = 1 WHERE dream < 3"))
    dreams.frame(1).unlink()
    await Budget(tmp_path, journal, limit=0).enforce()
    assert frames(tmp_path) == list(range(3, 13))
    assert sorted(await states(journal)) == [0] * 10 + [2, 2]


async def test_what_is_gone_on_purpose_is_no_fault_at_start(
    journal: Journal, dreams: Dreams, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (1536, 1536), (0, 120, 0)).save(buffer, "JPEG")
    whole = buffer.getvalue()
    for number in range(1, 13):
        await dreams.record(Dream(number, 0, 5, "Eyes", "b9", "none", 1, 0, len(whole)), whole)
    await Budget(tmp_path, journal, limit=1).enforce()
    await journal.write(lambda connection: connection.execute("UPDATE dreams SET file = 2 WHERE dream = 12"))
    dreams.frame(12).unlink()
    caplog.clear()
    found = await dreams.newest_whole()
    assert found is not None
    assert found[0].dream == 11
    assert caplog.text == ""


async def test_without_frames_and_archives_it_begins_white_and_says_so(
    journal: Journal, dreams: Dreams, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await fill(journal, dreams, 12, archives=2)
    await Budget(tmp_path, journal, limit=1).enforce()
    painter = Painter(
        journal=journal, dreams=dreams, broadcast=Broadcast(tick=0), replay_operations=0, clock=lambda: 0
    )
    await painter.recover()  # the frames of this test are no pictures
    assert painter.version == Version(0, 201)
    assert painter.dream_seq == 200
    assert [operation.seq for operation in painter.since(200) or ()] == [201]
    assert painter.since(199) is None
    [record] = [record for record in caplog.records if record.message.startswith("begins white")]
    assert {"first": 1, "last": 200}.items() <= vars(record).items()
    assert (await painter.paint(journal.anonymous("here"), [Dab(1, 1, 1, 1)])).seq == 202
