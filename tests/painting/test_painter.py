"""The single writer: numbered, durable, applied, acknowledged, broadcast; and recovered."""

import asyncio
import io
import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from dreamcanvas.broadcast.broadcast import Broadcast, Subscription
from dreamcanvas.canvas.ink import Ink
from dreamcanvas.canvas.model import Canvas, Dab, Operation, Patch, Version
from dreamcanvas.errors import NotNow
from dreamcanvas.observers import Signal
from dreamcanvas.painting.painter import Painter
from dreamcanvas.proto import dreamcanvas_pb2 as pb
from dreamcanvas.store.dreams import Dream, Dreams, decode
from dreamcanvas.store.journal import Author, Journal
from tests.events import events

STYLE = {"style": "Eyes", "layer": "b9_exp^2", "network": "efficientnet_lite0"}


def jpeg(colour: tuple[int, int, int], side: int = 1536) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (side, side), colour).save(buffer, "JPEG", quality=95, subsampling=0)
    return buffer.getvalue()


GREEN, BLUE = jpeg((0, 120, 0)), jpeg((0, 0, 120))


class Reader:
    """Keeps the events that it is sent."""

    slow = False

    def __init__(self) -> None:
        self.events: list[tuple[str, Any]] = []

    def send(self, frames: bytes) -> None:
        self.events += events(frames)

    def stream(self, frames: Iterator[bytes]) -> None:
        for some in frames:
            self.send(some)


class Studio:
    """A painter with the parts that it works with, on a directory."""

    def __init__(self, directory: Path, *, replay_operations: int = 1000, ink: Ink | None = None) -> None:
        self.now = 1000
        self.journal = Journal(directory / "test.db", clock=lambda: self.now)
        self.dreams = Dreams(directory / "frames", self.journal)
        self.broadcast = Broadcast(tick=0)
        self.painted = Signal[[int]]()
        self.painter = Painter(
            journal=self.journal,
            dreams=self.dreams,
            broadcast=self.broadcast,
            replay_operations=replay_operations,
            clock=lambda: self.now,
            ink=ink,
            painted=self.painted,
        )
        self.author: Author = self.journal.anonymous("here")

    async def paint(self, *dabs: Dab | Patch) -> int:
        """Paints, and gives the last number; the time is a millisecond later then."""
        receipt = await self.painter.paint(self.author, dabs)
        self.now += 1
        return receipt.seq

    async def dream(self, data: bytes = GREEN, *, users: int = 1) -> Dream:
        return await self.painter.end_dream(data, **STYLE, ms=900, users=users)

    async def close(self) -> None:
        await self.painter.close()
        self.journal.close()


@pytest.fixture
async def studio(tmp_path: Path) -> AsyncIterator[Studio]:
    studio = Studio(tmp_path)
    await studio.painter.recover()
    yield studio
    await studio.close()


async def again(studio: Studio, directory: Path, *, replay_operations: int = 1000) -> Studio:
    """What a restart finds."""
    await studio.close()
    found = Studio(directory, replay_operations=replay_operations)
    await found.painter.recover()
    return found


def picture(base: bytes | None, marks: Sequence[Dab | Patch]) -> Image.Image:
    """A dream, or white, and the marks on it."""
    canvas = Canvas(decode(base) if base else None)
    for seq, mark in enumerate(marks, start=1):
        canvas.apply(Operation(seq, 0, 0, 0, mark))
    return canvas.snapshot()


RED, BLACK, WHITE = Dab(100, 100, 80, 0xFF0000), Dab(120, 110, 60, 0), Dab(700, 700, 124, 0xFFFFFF)


# Painting


async def test_a_dab_is_numbered_applied_and_durable_when_it_is_acknowledged(
    studio: Studio, tmp_path: Path
) -> None:
    assert await studio.paint(RED, BLACK) == 2
    other = sqlite3.connect(tmp_path / "test.db")
    assert other.execute("SELECT seq, x, color FROM operations").fetchall() == [
        (1, 100, 0xFF0000),
        (2, 120, 0),
    ]
    other.close()
    assert studio.painter.version == Version(0, 2)
    assert (await studio.painter.snapshot()).image == picture(None, [RED, BLACK])


async def test_all_but_their_origin_hear_of_operations(studio: Studio) -> None:
    painter, watcher = Reader(), Reader()
    studio.broadcast.subscribe(painter, Subscription())
    studio.broadcast.subscribe(watcher, Subscription())
    await studio.painter.paint(studio.author, [RED, BLACK], stroke=6, origin=painter)
    studio.broadcast.flush()
    assert painter.events == []
    assert [(name, event.seq, event.stroke) for name, event in watcher.events] == [
        ("paint", 1, 6),
        ("paint", 2, 6),
    ]


async def test_a_crop_shows_every_operation_up_to_its_version(studio: Studio) -> None:
    await studio.paint(RED)
    crop = await studio.painter.crop(90, 80, 30, 50)
    assert crop.image == picture(None, [RED]).crop((90, 80, 120, 130))
    assert (crop.version, crop.time) == (Version(0, 1), 1000)


async def test_painted_is_called_for_operations_alone(studio: Studio) -> None:
    calls: list[int] = []
    studio.painted.listen(calls.append)
    await studio.painter.introduce(studio.author)
    assert calls == []
    await studio.paint(RED)
    assert calls == [1]


async def test_a_duplicate_changes_nothing(studio: Studio) -> None:
    author = studio.journal.session(bytes(16), "here")
    await studio.painter.paint(author, [RED], call=1)
    receipt = await studio.painter.paint(author, [RED], call=1)
    assert receipt.duplicate
    assert studio.painter.version.seq == 1
    assert (await studio.painter.snapshot()).image == picture(None, [RED])


async def test_once_it_closes_it_refuses_and_what_came_before_is_settled(studio: Studio) -> None:
    before = studio.painter.paint(studio.author, [RED])
    closing = asyncio.create_task(studio.painter.close())
    await asyncio.sleep(0)
    with pytest.raises(NotNow, match="shutting down") as caught:
        studio.painter.paint(studio.author, [RED])
    assert caught.value.wait == 1
    with pytest.raises(NotNow):
        studio.painter.introduce(studio.author)
    await closing
    assert before.result().seq == 1


# Replay


async def test_since_gives_the_operations_after_a_number(studio: Studio) -> None:
    await studio.paint(RED, BLACK, WHITE)
    assert [operation.seq for operation in studio.painter.since(1) or ()] == [2, 3]
    assert [operation.mark for operation in studio.painter.since(0) or ()] == [RED, BLACK, WHITE]
    assert studio.painter.since(3) == []


async def test_since_gives_none_where_the_number_is_in_the_future(studio: Studio) -> None:
    await studio.paint(RED)
    assert studio.painter.since(2) is None


@pytest.mark.parametrize(("since", "count"), [(5, 0), (2, 3), (1, None), (0, None)])
async def test_since_gives_none_where_operations_are_kept_no_more(
    tmp_path: Path, since: int, count: int | None
) -> None:
    studio = Studio(tmp_path, replay_operations=3)
    await studio.painter.recover()
    for _ in range(5):
        await studio.paint(RED)
    for _ in ("live", "after a restart"):
        found = studio.painter.since(since)
        assert (None if found is None else len(found)) == count
        studio = await again(studio, tmp_path, replay_operations=3)
    await studio.close()


async def test_without_limit_all_operations_are_kept(tmp_path: Path) -> None:
    studio = Studio(tmp_path, replay_operations=0)
    await studio.painter.recover()
    for _ in range(5):
        await studio.paint(RED)
    await studio.painter.begin_dream()
    await studio.dream()
    assert len(studio.painter.since(0) or ()) == 5
    studio = await again(studio, tmp_path, replay_operations=0)
    assert len(studio.painter.since(0) or ()) == 5
    await studio.close()


# Dreams


async def test_a_dream_becomes_the_base_under_the_operations_that_came_while_it_was_dreamt(
    studio: Studio,
) -> None:
    await studio.paint(RED)
    snapshot = await studio.painter.begin_dream()
    assert (snapshot.version, snapshot.image) == (Version(0, 1), picture(None, [RED]))
    await studio.paint(BLACK, WHITE)
    dream = await studio.dream(users=3)
    assert dream == Dream(1, 1, 1002, "Eyes", "b9_exp^2", "efficientnet_lite0", 900, 3, len(GREEN))
    assert (studio.painter.version, studio.painter.dream_seq) == (Version(1, 3), 1)
    assert (await studio.painter.snapshot()).image == picture(GREEN, [BLACK, WHITE])
    assert await studio.paint(RED) == 4
    assert (await studio.painter.snapshot()).image == picture(GREEN, [BLACK, WHITE, RED])


async def test_operations_that_come_while_a_dream_is_laid_are_not_lost(studio: Studio) -> None:
    await studio.painter.begin_dream()
    ending = asyncio.create_task(studio.dream())
    count = 0
    while not ending.done():
        await studio.paint(Dab(20 * count, 500, 30, 0))
        count += 1
    await ending
    marks = [Dab(20 * n, 500, 30, 0) for n in range(count)]
    assert studio.painter.version == Version(1, count)
    assert (await studio.painter.snapshot()).image == picture(GREEN, marks)


async def test_the_canvas_event_follows_the_operations_before_it(studio: Studio) -> None:
    reader = Reader()
    studio.broadcast.subscribe(reader, Subscription())
    await studio.painter.begin_dream()
    await studio.paint(RED)
    await studio.dream()
    assert [name for name, _ in reader.events] == ["paint", "canvas"]
    assert reader.events[1][1] == pb.CanvasEvent(
        timestamp=1001,
        seq=1,
        dream=1,
        dream_seq=0,
        url="/dreams/1.jpg",
        style="Eyes",
        resync=False,
        time=1001,
    )


async def test_the_event_to_resync_tells_the_version_and_has_every_field(studio: Studio) -> None:
    await studio.paint(RED)
    event = studio.broadcast.resync_event()
    assert event == pb.CanvasEvent(
        timestamp=0, seq=1, dream=0, dream_seq=0, url="/canvas.png", style="", resync=True, time=0
    )


async def test_the_time_is_that_of_the_newest_operation_or_dream(studio: Studio) -> None:
    assert (await studio.painter.snapshot()).time == 0
    await studio.painter.begin_dream()
    studio.now = 5000
    ending = asyncio.create_task(studio.dream())
    await asyncio.sleep(0)
    studio.now = 6000
    await studio.paint(RED)
    await ending
    assert (await studio.painter.snapshot()).time == 6000


async def test_the_time_after_a_restart_is_that_of_the_newest_too(studio: Studio, tmp_path: Path) -> None:
    await studio.painter.begin_dream()
    await studio.paint(RED)
    studio.now = 9000
    await studio.dream()
    found = await again(studio, tmp_path)
    assert found.painter.version == Version(1, 1)
    assert (await found.painter.snapshot()).time == 9000
    await found.close()


async def test_what_a_dream_under_way_will_need_is_kept(tmp_path: Path) -> None:
    studio = Studio(tmp_path, replay_operations=2)
    await studio.painter.recover()
    await studio.paint(WHITE)
    await studio.painter.begin_dream()
    marks = [Dab(20 * n, 500, 30, 0) for n in range(6)]
    for mark in marks:
        await studio.paint(mark)
    assert len(studio.painter.since(1) or ()) == 6
    await studio.dream()
    assert (await studio.painter.snapshot()).image == picture(GREEN, marks)
    assert studio.painter.since(4) is None
    assert len(studio.painter.since(5) or ()) == 2
    await studio.close()


async def test_an_abandoned_dream_keeps_nothing(tmp_path: Path) -> None:
    studio = Studio(tmp_path, replay_operations=2)
    await studio.painter.recover()
    await studio.painter.begin_dream()
    await studio.paint(RED, RED, RED)
    assert len(studio.painter.since(0) or ()) == 3
    studio.painter.abandon_dream()
    assert studio.painter.since(0) is None
    await studio.close()


@pytest.mark.parametrize("data", [b"no JPEG", GREEN[:-2000], jpeg((1, 2, 3), side=768)])
async def test_a_dream_that_is_no_picture_changes_nothing(studio: Studio, data: bytes) -> None:
    await studio.paint(RED)
    await studio.painter.begin_dream()
    with pytest.raises(OSError):
        await studio.dream(data)
    assert studio.painter.version == Version(0, 1)
    assert (await studio.painter.snapshot()).image == picture(None, [RED])
    assert await studio.dreams.last_number() == 0
    await studio.painter.begin_dream()
    assert (await studio.dream()).dream == 1


async def test_a_dream_that_cannot_be_recorded_changes_nothing(studio: Studio) -> None:
    await studio.paint(RED)
    await studio.journal.run(lambda connection: connection.execute("PRAGMA query_only = ON").fetchall())
    await studio.painter.begin_dream()
    with pytest.raises(sqlite3.OperationalError):
        await studio.dream()
    await studio.journal.run(lambda connection: connection.execute("PRAGMA query_only = OFF").fetchall())
    assert studio.painter.version == Version(0, 1)
    assert (await studio.painter.snapshot()).image == picture(None, [RED])
    await studio.painter.begin_dream()
    assert (await studio.dream(BLUE)).dream == 1
    assert (await studio.painter.snapshot()).image == picture(BLUE, [])


# Recovery


async def test_a_restart_finds_the_picture(
    studio: Studio, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await studio.paint(RED)
    await studio.painter.begin_dream()
    await studio.paint(BLACK)
    await studio.dream()
    await studio.paint(WHITE)
    before = await studio.painter.snapshot()
    with caplog.at_level("INFO"):
        found = await again(studio, tmp_path)
    [record] = [record for record in caplog.records if record.message == "recovered"]
    assert {"dream": 1, "operations": 3, "replayed": 2}.items() <= vars(record).items()
    assert await found.painter.snapshot() == before
    assert found.painter.dream_seq == 1
    assert [operation.seq for operation in found.painter.since(0) or ()] == [1, 2, 3]
    assert found.broadcast.resync_event().style == "Eyes"
    await found.close()


@pytest.mark.parametrize("harm", ["missing", "torn"])
async def test_a_restart_without_the_last_frame_file_goes_by_the_one_before(
    studio: Studio, tmp_path: Path, harm: str
) -> None:
    await studio.painter.begin_dream()
    await studio.paint(RED)
    await studio.dream(GREEN)
    await studio.painter.begin_dream()
    await studio.paint(BLACK)
    await studio.dream(BLUE)
    path = studio.dreams.frame(2)
    if harm == "missing":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:5000])
    found = await again(studio, tmp_path)
    assert found.painter.version == Version(1, 2)
    assert (await found.painter.snapshot()).image == picture(GREEN, [RED, BLACK])
    await found.painter.begin_dream()
    assert (await found.dream()).dream == 3, "a number is never given twice"
    await found.close()


async def test_a_restart_without_any_frame_file_replays_all_on_white(studio: Studio, tmp_path: Path) -> None:
    await studio.paint(RED, BLACK)
    await studio.painter.begin_dream()
    await studio.dream()
    studio.dreams.frame(1).unlink()
    found = await again(studio, tmp_path, replay_operations=1)
    assert found.painter.version == Version(0, 2)
    assert (await found.painter.snapshot()).image == picture(None, [RED, BLACK])
    assert found.painter.since(0) is None
    await found.close()


async def test_a_restart_knows_how_old_ink_is(studio: Studio, tmp_path: Path) -> None:
    for mark in (RED, BLACK, WHITE):
        await studio.paint(mark)
        for _ in range(2):
            await studio.painter.begin_dream()
            await studio.dream()
    await studio.painter.begin_dream()
    await studio.paint(Dab(300, 300, 20, 0))
    with pytest.raises(OSError, match="cannot identify"):
        await studio.dream(b"no picture")  # which ages nothing
    before = (await studio.painter.begin_dream()).ink
    assert [before.age(seq) for seq in (1, 2, 3, 4)] == [6, 4, 2, 0]
    found = await again(studio, tmp_path, replay_operations=1)
    after = (await found.painter.begin_dream()).ink
    assert after == before
    await found.close()


async def test_what_a_restart_reads_of_old_ink_is_bounded(studio: Studio, tmp_path: Path) -> None:
    await studio.paint(*[BLACK] * 50)
    await studio.close()
    found = Studio(tmp_path, ink=Ink(most=20))
    await found.painter.recover()
    assert found.painter.ink.spots == 20
    assert [spot.seq for spot in found.painter.ink.recent().spots] == list(range(31, 51))
    await found.close()


async def test_ink_of_a_lost_dream_is_fresh_again(studio: Studio, tmp_path: Path) -> None:
    await studio.paint(RED)
    await studio.painter.begin_dream()
    await studio.dream()
    await studio.paint(BLACK)
    await studio.painter.begin_dream()
    await studio.dream()
    studio.dreams.frame(2).unlink()
    found = await again(studio, tmp_path)
    ink = (await found.painter.begin_dream()).ink
    assert [ink.age(seq) for seq in (1, 2)] == [1, 0]
    await found.close()


async def test_what_is_drawn_while_a_picture_is_copied_is_not_in_its_ink(studio: Studio) -> None:
    await studio.paint(RED)
    beginning = asyncio.create_task(studio.painter.begin_dream())
    await asyncio.sleep(0)
    await studio.paint(BLACK)
    snapshot = await beginning
    assert snapshot.version == Version(0, 1)
    assert [spot.seq for spot in snapshot.ink.spots] == [1]


async def test_a_frame_file_without_a_row_is_no_dream(studio: Studio, tmp_path: Path) -> None:
    await studio.paint(RED)
    path = studio.dreams.frame(1)
    path.parent.mkdir(parents=True)
    path.write_bytes(GREEN)
    found = await again(studio, tmp_path)
    assert found.painter.version == Version(0, 1)
    assert (await found.painter.snapshot()).image == picture(None, [RED])
    await found.close()
