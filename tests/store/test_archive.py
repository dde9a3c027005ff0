"""Operations of the past in files, and what moves them there."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from dreamcanvas.canvas.model import Dab, Operation, Patch
from dreamcanvas.errors import StoreError
from dreamcanvas.store import archive
from dreamcanvas.store.archive import archive_path, decode, encode
from dreamcanvas.store.budget import Budget
from dreamcanvas.store.dreams import Dream, Dreams
from dreamcanvas.store.journal import Entry, Journal
from dreamcanvas.store.maintenance import HOUR_MS, Keeping, Maintenance

NEVER = 10**15
PATCH = Patch(-5, 6, b"\x89PNG\r\n\0\xff")
ROWS = [(7, 100, 1, 2, -3, 4, 5, 0xFFFFFF, None), (8, 101, 1, 0, -5, 6, None, None, PATCH.image)]


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    now = iter(range(1000, 10**9))
    journal = Journal(tmp_path / "dreamcanvas.db", clock=lambda: next(now))
    yield journal
    await journal.drain()
    journal.close()


async def paint(journal: Journal, count: int) -> list[Operation]:
    """Operations 1, 2, …, at 1000, 1001, … ms; every fifth is a patch."""
    author = journal.anonymous("here")
    for n in range(count):
        await journal.append(Entry(author, [PATCH if n % 5 == 4 else Dab(n, n, 20, n)], stroke=n))
    return list(journal.operations(0))


async def move(journal: Journal, until: int, *, before: int = NEVER, overdue: int = 0, full: int = 4) -> int:
    return await journal.archive.move(until=until, before=before, overdue=overdue, file_operations=full)


async def live(journal: Journal) -> list[int]:
    return await journal.run(
        lambda connection: [row[0] for row in connection.execute("SELECT seq FROM operations ORDER BY seq")]
    )


# The file


def test_a_file_gives_back_its_rows() -> None:
    assert decode(encode(ROWS)) == ROWS


def test_a_file_is_gzip_of_lines_of_json() -> None:
    header, *lines = gzip.decompress(encode(ROWS)).decode().splitlines()
    assert json.loads(header) == {
        "format": "dreamcanvas operations 1",
        "first": 7,
        "last": 8,
        "fields": ["seq", "time", "author", "stroke", "x", "y", "size", "color", "patch"],
    }
    assert lines[0] == "[7,100,1,2,-3,4,5,16777215,null]"
    assert lines[1] == '[8,101,1,0,-5,6,null,null,"iVBORw0KAP8="]'


def test_the_same_rows_give_the_same_file() -> None:
    assert encode(ROWS) == encode(ROWS)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"text",
        encode(ROWS)[:-1],
        encode(ROWS)[:40],
        bytes([*encode(ROWS)[:-6], 1, 2, 3, 4, 5, 6]),
        gzip.compress(gzip.decompress(encode(ROWS)).replace(b"operations 1", b"operations 9")),
        gzip.compress(b"\n".join(gzip.decompress(encode(ROWS)).splitlines()[:2])),
    ],
)
def test_a_damaged_file_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        decode(data)


# Moving


async def test_what_is_moved_is_read_as_before(journal: Journal, tmp_path: Path) -> None:
    painted = await paint(journal, 10)
    assert await move(journal, 8) == 4
    assert await move(journal, 8) == 4
    assert await move(journal, 8) == 0
    assert await live(journal) == [9, 10]
    assert journal.archive.last == 8
    assert [path.name for path in sorted((tmp_path / "archive").iterdir())] == [
        "000000000001.jsonl.gz",
        "000000000005.jsonl.gz",
    ]
    for after in range(11):
        assert list(journal.operations(after)) == painted[after:]


async def test_numbers_go_on_where_all_was_moved(journal: Journal, tmp_path: Path) -> None:
    await paint(journal, 4)
    assert await move(journal, 4) == 4
    assert await live(journal) == []
    assert (await journal.append(Entry(journal.anonymous("here"), [Dab(1, 1, 1, 1)]))).seq == 5
    await journal.drain()
    journal.close()
    again = Journal(tmp_path / "dreamcanvas.db", clock=lambda: 0)
    assert again.seq == 5
    assert [operation.seq for operation in again.operations(0)] == [1, 2, 3, 4, 5]
    again.close()


async def test_a_file_is_made_when_it_is_full_or_overdue(journal: Journal) -> None:
    await paint(journal, 3)  # at 1000, 1001, 1002
    assert await move(journal, 3, overdue=1000) == 0
    assert await move(journal, 3, overdue=1001) == 3


async def test_only_what_is_old_enough_is_moved(journal: Journal) -> None:
    await paint(journal, 10)
    assert await move(journal, 10, before=1003) == 0  # three are old enough
    assert await move(journal, 10, before=1003, full=3) == 3
    assert await live(journal) == list(range(4, 11))


async def test_patches_fill_a_file_too(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "FILE_PATCH_BYTES", len(PATCH.image))
    monkeypatch.setattr(archive, "SLICE", 5)
    await paint(journal, 10)
    assert await move(journal, 10, full=1000) == 5


async def test_paints_go_on_while_it_moves(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "SLICE", 10)
    await paint(journal, 200)
    moving = asyncio.create_task(move(journal, 200, full=200))
    author, between = journal.anonymous("here"), 0
    while not moving.done():
        await journal.append(Entry(author, [Dab(1, 1, 1, 1)]))
        between += not moving.done()
    assert await moving == 200
    assert between > 20  # reading and deleting let one in after each slice
    assert [operation.seq for operation in journal.operations(0)] == list(range(1, journal.seq + 1))


async def test_what_a_crash_left_in_both_is_read_once_and_deleted_later(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    painted = await paint(journal, 6)
    with monkeypatch.context() as patched:
        patched.setattr(archive.Archive, "_delete_moved", lambda _: asyncio.sleep(0))
        await move(journal, 4)
    assert await live(journal) == [1, 2, 3, 4, 5, 6]
    assert list(journal.operations(0)) == painted
    await move(journal, 4)
    assert await live(journal) == [5, 6]


async def test_a_file_that_a_crash_left_without_row_is_written_again(
    journal: Journal, tmp_path: Path
) -> None:
    painted = await paint(journal, 4)
    path = archive_path(tmp_path / "archive", 1)
    path.parent.mkdir()
    path.write_bytes(b"left")
    assert await move(journal, 4) == 4
    assert list(journal.operations(0)) == painted


@pytest.mark.parametrize("harm", ["missing", "torn", "other"])
async def test_a_damaged_archive_is_an_error_and_never_a_gap(
    journal: Journal, tmp_path: Path, harm: str
) -> None:
    await paint(journal, 9)
    await move(journal, 4)
    await move(journal, 8)
    path = archive_path(tmp_path / "archive", 5)
    if harm == "missing":
        path.unlink()
    elif harm == "torn":
        path.write_bytes(path.read_bytes()[:-5])
    else:
        path.write_bytes(archive_path(tmp_path / "archive", 1).read_bytes())
    with pytest.raises(StoreError, match=rf"{path.name} is damaged"):
        list(journal.operations(0))
    assert [operation.seq for operation in journal.operations(8)] == [9]


# Maintenance


@pytest.fixture
def dreams(journal: Journal, tmp_path: Path) -> Dreams:
    return Dreams(tmp_path / "frames", journal)


async def dream(dreams: Dreams, number: int, seq: int) -> None:
    await dreams.record(Dream(number, seq, 5, "Eyes", "b9", "none", 1, 0, 4), b"jpeg")


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.01)


def maintenance(
    journal: Journal, tmp_path: Path, hours: float, replay: int, clock: Callable[[], int]
) -> Maintenance:
    budget = Budget(tmp_path, journal, limit=0)
    return Maintenance(journal, budget, Keeping(hours, replay, file_operations=2), clock=clock)


@pytest.mark.parametrize(
    ("keeping", "now", "first"),
    [
        ((1, 0), HOUR_MS + 5000, 7),  # what the dreams before the newest ten contain, whole files of two
        ((1, 35), HOUR_MS + 5000, 5),
        ((1, 0), HOUR_MS + 1004, 5),  # four are older than an hour
        ((1, 0), HOUR_MS + 1000, 1),
        ((0, 0), 10 * HOUR_MS, 1),  # 0 hours: never
    ],
)
async def test_what_stays_in_the_database(  # noqa: PLR0917 - fixtures and parameters
    journal: Journal, dreams: Dreams, tmp_path: Path, keeping: tuple[float, int], now: int, first: int
) -> None:
    painted = await paint(journal, 40)
    for number in range(1, 17):
        await dream(dreams, number, number)
    await maintenance(journal, tmp_path, *keeping, lambda: now).once()
    assert await live(journal) == list(range(first, 41))
    assert list(journal.operations(0)) == painted


async def test_without_dreams_all_stay(journal: Journal, tmp_path: Path) -> None:
    await paint(journal, 10)
    await maintenance(journal, tmp_path, 1, 0, lambda: NEVER).once()
    assert len(await live(journal)) == 10


async def test_what_fails_is_logged_and_tried_again(
    journal: Journal, dreams: Dreams, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await paint(journal, 10)
    for number in range(1, 17):
        await dream(dreams, number, 6)
    (tmp_path / "archive").write_text("a file in the place of the directory")
    keeper = maintenance(journal, tmp_path, 1, 0, lambda: NEVER)
    keeper._interval = 0.01
    running = asyncio.create_task(keeper.run())
    await until(lambda: "upkeep failed" in caplog.text)
    assert len(await live(journal)) == 10
    (tmp_path / "archive").unlink()
    await until(lambda: journal.archive.last == 6)
    running.cancel()
    await asyncio.wait([running])
