"""From frames to movies: real frame files, a real encoder; the clock and the disk are the tests'."""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from PIL import Image

from dreamcanvas.api import history_messages
from dreamcanvas.canvas.model import Dab
from dreamcanvas.config import Config
from dreamcanvas.errors import MovieError
from dreamcanvas.history import recording as module
from dreamcanvas.history.encoder import Encoder
from dreamcanvas.history.history import History
from dreamcanvas.history.movie import decode, to_image
from dreamcanvas.history.recording import Recording, Shape
from dreamcanvas.process import Frame
from dreamcanvas.proto import dreamcanvas_pb2 as pb
from dreamcanvas.store.budget import KEEP_AT_LEAST, Budget
from dreamcanvas.store.dream_queries import DreamQueries, Reader
from dreamcanvas.store.dreams import Dream, Dreams
from dreamcanvas.store.file_state import FileState
from dreamcanvas.store.journal import Entry, Journal
from dreamcanvas.store.maintenance import Keeping, Maintenance
from dreamcanvas.store.movies import Movies, movie_path, name_of
from tests.history.marks import mark, read

HOUR = 3_600_000
THERE, GONE, WAITING = FileState.THERE, FileState.GONE, FileState.WAITING
LENGTH = 2 * HOUR
NOON = round(datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp() * 1000)
SHAPE = Shape(LENGTH, UTC, 30, "ultrafast", 1)


@cache
def jpeg(number: int) -> bytes:
    buffer = io.BytesIO()
    mark(number).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def missing(frames: Sequence[tuple[int, str, int]]) -> list[int]:
    return [dream for dream, path, _ in frames if not Path(path).is_file()]


def numbers(path: Path) -> list[int]:
    return [read(to_image(frame)) for frame in decode(path)]


@dataclass
class FakeEncoder(Encoder):
    """Writes files that say what went in, where a test is not about pictures."""

    failing: Exception | None = None
    tasks: list[dict[str, Any]] = field(default_factory=list)
    hurries: list[bool] = field(default_factory=list)

    async def carry_out(self, task: Mapping[str, Any], *, hurry: bool = False, **_: Any) -> Frame:
        self.tasks.append(dict(task))
        self.hurries.append(hurry)
        if self.failing is not None:
            raise self.failing
        directory = Path(task["directory"])
        for name in ("1536.mp4", "768.mp4", "poster.jpg", "sprite.jpg"):
            await asyncio.to_thread((directory / name).write_text, json.dumps(task.get("frames", name)))
        unusable = missing(task.get("frames", ()))
        picked = sum(len(indexes) for _, indexes in task.get("picks", ()))
        return Frame({"frames": picked or len(task["frames"]) - len(unusable), "unusable": unusable})


class Studio:
    """A data directory, and dreams at times of one's choice."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.now = NOON
        self.free = 10**12
        self.journal = Journal(data_dir / "dreamcanvas.db", clock=lambda: self.now)
        self.dreams = Dreams(data_dir / "frames", self.journal)
        self.reader = Reader(self.journal.path)
        self.queries = DreamQueries(self.reader)
        self.movies = Movies(self.journal, self.reader)
        self.encoder = FakeEncoder()
        self.recording = self.with_encoder(self.encoder)
        self.count = 0

    def with_encoder(self, encoder: Encoder, shape: Shape = SHAPE) -> Recording:
        return Recording(
            *(self.data_dir, self.queries, self.movies, encoder, shape),
            clock=lambda: self.now,
            free=lambda _: self.free,
        )

    async def dream(self, *times: int, style: str = "Eyes", picture: bool = False) -> None:
        for time in times:
            self.count += 1
            data = jpeg(self.count) if picture else b"frame %d" % self.count
            seq = self.journal.seq
            await self.dreams.record(Dream(self.count, seq, time, style, "b9", "none", 5, 2, len(data)), data)

    async def paint(self, time: int, dabs: int) -> None:
        self.now = time
        await self.journal.append(Entry(self.journal.anonymous("here"), [Dab(1, 1, 1, 1)] * dabs))

    async def states(self) -> dict[str, tuple[int, int]]:
        """State and frames of every closed window."""
        return {name_of(total.start): (total.file, total.frames) for total in await self.movies.totals()}

    async def content(self, start: int) -> list[int]:
        """The dreams that went into a window's movie."""
        window = await self.movies.window(start)
        assert window is not None
        return [dream for dream, _ in await self.queries.numbers(window)]

    def budget(self, **more: Any) -> Budget:
        return Budget(self.data_dir, self.journal, clock=lambda: self.now, **{"limit": 0, **more})

    def frames(self) -> list[int]:
        return sorted(int(path.stem) for path in (self.data_dir / "frames").glob("*/*.jpg"))

    async def close(self) -> None:
        await self.journal.drain()
        self.reader.close()
        self.journal.close()


@pytest.fixture
async def studio(tmp_path: Path) -> AsyncIterator[Studio]:
    studio = Studio(tmp_path)
    yield studio
    await studio.close()


# Windows


async def test_a_movie_is_made_when_its_window_is_over(studio: Studio) -> None:
    await studio.dream(NOON, NOON + 2000, NOON + LENGTH - 1)
    studio.now = NOON + LENGTH - 1
    assert await studio.recording.catch_up() == 0
    studio.now += 1
    assert await studio.recording.catch_up() == 1
    assert await studio.states() == {"20261122T120000Z": (THERE, 3)}
    assert await studio.content(NOON) == [1, 2, 3]
    assert await studio.recording.catch_up() == 0
    window = await studio.movies.window(NOON)
    assert window is not None
    for ending, length in window.files.items():
        assert movie_path(studio.data_dir / "movies", "20261122T120000Z", ending).stat().st_size == length
    assert set(window.files) == {"-1536.mp4", "-768.mp4", ".jpg", "-sprite.jpg"}


async def test_after_two_missed_days_all_are_made_oldest_first(studio: Studio) -> None:
    starts = [NOON + n * LENGTH for n in (0, 1, 2, 26)]
    for start in starts:
        await studio.dream(start + 1, start + 2)
    studio.now = starts[-1] + 5
    assert await studio.recording.catch_up() == 3 + 1  # the windows, and the day on which they are
    assert [task["kind"] for task in studio.encoder.tasks] == ["window"] * 3 + ["day"]
    assert [len(task.get("frames", ())) for task in studio.encoder.tasks[:3]] == [2, 2, 2]
    assert [task["frames"][0][0] for task in studio.encoder.tasks[:3]] == [1, 3, 5]
    assert list(await studio.states()) == [name_of(start) for start in starts[:3]]


async def test_with_a_backlog_the_encoder_is_in_a_hurry(studio: Studio) -> None:
    for n in range(4):
        await studio.dream(NOON + n * LENGTH)
    studio.now = NOON + 5 * LENGTH
    await studio.recording.catch_up()
    assert studio.encoder.hurries == [True, True, False, False]


async def test_a_clock_set_back_leaves_no_dream_without_a_movie_and_changes_none(studio: Studio) -> None:
    await studio.dream(NOON + 1, NOON + LENGTH + 1)
    studio.now = NOON + LENGTH + 2
    await studio.recording.catch_up()
    await studio.dream(NOON + 5, NOON + 6, NOON + LENGTH + 7)  # the first two once more in a closed window
    studio.now = NOON + 2 * LENGTH
    await studio.recording.catch_up()
    assert await studio.states() == {
        "20261122T120000Z": (THERE, 1),
        "20261122T140000Z": (THERE, 4),
    }
    assert await studio.content(NOON + LENGTH) == [2, 3, 4, 5]


async def test_a_clock_that_was_a_year_ahead(studio: Studio) -> None:
    year = NOON + 365 * 24 * HOUR
    await studio.dream(year)
    await studio.dream(NOON)
    studio.now = NOON + 1
    await studio.recording.catch_up()
    assert await studio.states() == {name_of(year): (THERE, 1)}


async def test_what_is_known_of_a_window(studio: Studio) -> None:
    await studio.paint(NOON + 1000, 5)
    await studio.dream(NOON + 2000)
    await studio.paint(NOON + 61_000, 7)
    await studio.dream(NOON + 62_000, style="Towers")
    await studio.dream(NOON + 64_000, style="Towers")
    await studio.paint(NOON + LENGTH + 1, 100)
    studio.now = NOON + LENGTH + 2
    await studio.recording.catch_up()
    window = await studio.movies.window(NOON)
    assert window is not None
    assert (window.minutes[:3], len(window.minutes), window.dabs) == ((5, 7, 0), 120, 12)
    assert window.styles == ((NOON + 2000, "Eyes"), (NOON + 62_000, "Towers"))


async def test_dabs_that_are_archived_count_too(studio: Studio) -> None:
    await studio.paint(NOON + 1000, 30)
    await studio.paint(NOON + 61_000, 30)
    await studio.dream(NOON + 62_000)
    assert (
        await studio.journal.archive.move(until=40, before=NOON + HOUR, overdue=0, file_operations=40) == 40
    )
    studio.now = NOON + LENGTH
    await studio.recording.catch_up()
    window = await studio.movies.window(NOON)
    assert window is not None
    assert window.minutes[:2] == (30, 30)


async def test_frames_that_are_lost_are_not_counted_and_the_rest_is_in_place(
    studio: Studio, caplog: pytest.LogCaptureFixture
) -> None:
    await studio.dream(*(NOON + n for n in range(5)))
    await asyncio.to_thread(studio.dreams.frame(2).unlink)
    studio.now = NOON + LENGTH
    await studio.recording.catch_up()
    assert await studio.content(NOON) == [1, 3, 4, 5]
    assert await studio.queries.index(4, NOON) == 2
    assert "dreams without a frame" in caplog.text


async def test_a_window_of_which_nothing_is_left_waits_for_nothing(studio: Studio) -> None:
    await studio.dream(NOON)
    await asyncio.to_thread(studio.dreams.frame(1).unlink)
    studio.now = NOON + LENGTH
    await studio.recording.catch_up()
    assert await studio.states() == {"20261122T120000Z": (GONE, 0)}
    assert studio.recording.waiting == 0


# What goes wrong


async def test_on_a_full_disk_it_waits_says_so_once_and_goes_on(
    studio: Studio, caplog: pytest.LogCaptureFixture
) -> None:
    await studio.dream(NOON, NOON + 1)
    studio.now = NOON + LENGTH
    studio.free = 0
    for _ in range(2):
        assert await studio.recording.catch_up() == 0
    assert "the disk is full" in str(studio.recording.failing)
    assert caplog.text.count("movies wait") == 1
    assert (await studio.states(), studio.frames()) == ({"20261122T120000Z": (WAITING, 2)}, [1, 2])
    assert studio.encoder.tasks == []
    studio.free = 10**12
    studio.encoder.failing = OSError(28, "No space left on device")  # it was enough, and then it was not
    assert await studio.recording.catch_up() == 0
    studio.encoder.failing = None
    assert await studio.recording.catch_up() == 1
    assert studio.recording.failing is None
    assert "movies are made again" in caplog.text


async def test_a_movie_that_cannot_be_made_is_tried_again_ever_later_and_the_next_is_made(
    studio: Studio, caplog: pytest.LogCaptureFixture
) -> None:
    await studio.dream(NOON, NOON + LENGTH)
    studio.now = NOON + 2 * LENGTH
    studio.encoder.failing = MovieError("the encoder ended with status -11")
    await studio.recording.catch_up()
    assert len(studio.encoder.tasks) == 2
    await studio.recording.catch_up()
    assert len(studio.encoder.tasks) == 2  # not yet
    studio.now += 300_000
    studio.encoder.failing = None
    assert await studio.recording.catch_up() == 2
    assert "status -11" in str([vars(record) for record in caplog.records])


async def test_frames_go_only_when_their_movie_is_there_and_never_the_newest(studio: Studio) -> None:
    await studio.dream(*(NOON + n * 1000 for n in range(30)))
    studio.now = NOON + LENGTH
    studio.encoder.failing = MovieError("not today")
    await studio.recording.catch_up()
    await studio.budget().enforce()
    assert studio.frames() == list(range(1, 31))
    studio.now += HOUR
    studio.encoder.failing = None
    await studio.recording.catch_up()
    await studio.budget(keep_ms=2 * LENGTH).enforce()
    assert studio.frames() == list(range(1, 31))  # of the last hours
    await studio.budget().enforce()
    assert studio.frames() == list(range(30 - KEEP_AT_LEAST, 31))


# Days


async def test_a_day_is_made_when_it_is_over_and_its_windows_are(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "DAY_FRAMES", 180)
    midnight = NOON + 12 * HOUR
    for start in range(NOON, midnight + 1, LENGTH):
        await studio.dream(*(start + n for n in range(40)))
    studio.now = midnight + 1
    assert await studio.recording.catch_up() == 6 + 1
    [day] = await studio.movies.days()
    assert (day.day, day.windows, day.frames, len(day.dreams)) == ("2026-11-22", 6, 240, 180)
    assert day.until == midnight
    [task] = [task for task in studio.encoder.tasks if task["kind"] == "day"]
    assert [len(indexes) for _, indexes in task["picks"]] == [30] * 6
    assert day.dreams[:3] == tuple(index + 1 for index in task["picks"][0][1][:3])
    assert await studio.recording.catch_up() == 0


async def test_a_window_that_reaches_past_midnight_is_waited_for(studio: Studio) -> None:
    berlin = Shape(LENGTH, ZoneInfo("Europe/Berlin"), 30, "ultrafast", 1)
    recording = studio.with_encoder(studio.encoder, berlin)
    await studio.dream(NOON, NOON + 10 * HOUR + 1)  # 22:00 UTC is 23:00 in Berlin
    studio.now = NOON + 11 * HOUR + 1  # past midnight there
    assert await recording.catch_up() == 1
    studio.now = NOON + 12 * HOUR
    assert await recording.catch_up() == 2
    assert [day.day for day in await studio.movies.days()] == ["2026-11-22"]


# The budget


async def test_the_oldest_movies_go_first_and_their_posters_and_days_stay(studio: Studio) -> None:
    for n in range(20):
        await studio.dream(NOON + n * LENGTH)
    studio.now = NOON + 21 * LENGTH
    await studio.recording.catch_up()
    look = studio.budget()
    await look.enforce()
    first = await studio.movies.window(NOON)
    assert first is not None
    room = sum(first.files.values()) - first.files[".jpg"]
    assert await studio.budget(limit=look.used - 2 * room).enforce() == 2
    states = await studio.states()
    assert [name for name, (file, _) in states.items() if file == GONE] == [
        name_of(NOON),
        name_of(NOON + LENGTH),
    ]
    path = movie_path(studio.data_dir / "movies", name_of(NOON), ".jpg")
    assert path.is_file()
    assert not path.with_name(f"{name_of(NOON)}-768.mp4").exists()
    assert [day.file for day in await studio.movies.days()] == [THERE, THERE]


# The whole, with pictures


async def test_each_dream_is_one_frame_and_found_again(tmp_path: Path) -> None:
    studio = Studio(tmp_path)
    config = Config(data_dir=tmp_path, movie_preset="ultrafast")
    budget = studio.budget()
    maintenance = Maintenance(studio.journal, budget, Keeping(0, 0), clock=lambda: studio.now)
    history = History(config, studio.journal, budget, maintenance, clock=lambda: studio.now)
    try:
        await studio.dream(*(NOON + n * 2000 for n in range(14)), picture=True)
        studio.now = NOON + 24 * HOUR
        await history.look()
        window = await studio.movies.window(NOON)
        assert window is not None
        for name in ("20261122T120000Z", "2026-11-22"):
            for side in (1536, 768):
                path = movie_path(tmp_path / "movies", name, f"-{side}.mp4")
                assert await asyncio.to_thread(numbers, path) == list(range(1, 15))
        assert studio.frames() == list(range(14 - KEEP_AT_LEAST, 15))
        assert sorted(path.name for path in (tmp_path / "movies").iterdir()) == ["2026", "partial"]

        frame = history_messages.frame(await history.catalogue.frame(time=NOON + 3000), "")
        assert (frame.dream, frame.url, frame.style, frame.users) == (2, "/dreams/2.jpg", "Eyes", 2)
        picture = await history.catalogue.picture(2)
        with Image.open(io.BytesIO(picture)) as image:
            assert read(image.convert("RGB")) == 2
        [told] = [history_messages.window(each, "") for each in await history.catalogue.windows()]
        assert told.state == pb.Window.ENCODED

        await studio.budget(limit=1).enforce()
        assert history_messages.frame(await history.catalogue.frame(dream=2), "").url == ""
        kept = history_messages.frame(await history.catalogue.frame(dream=14), "/canvas")
        assert kept.url == "/canvas/dreams/14.jpg"
        with pytest.raises(MovieError, match="not kept"):
            await history.catalogue.picture(2)
        [told] = [history_messages.window(each, "") for each in await history.catalogue.windows()]
        assert (told.state, len(told.renditions), told.sprite) == (pb.Window.EXPIRED, 0, "")
        assert told.poster == "/movies/20261122T120000Z.jpg"
    finally:
        history.close()
        await studio.close()


async def test_it_warns_a_week_ahead(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    studio = Studio(tmp_path)
    for n in range(12):
        await studio.dream(NOON + n * LENGTH)
    studio.now = NOON + 12 * LENGTH
    await studio.recording.catch_up()
    look = studio.budget()
    await look.enforce()
    a_day = sum(total.bytes for total in await studio.movies.totals())

    async def warned(limit: int) -> float | None:
        config = Config(data_dir=tmp_path, max_data_gb=limit / 1e9)
        maintenance = Maintenance(studio.journal, look, Keeping(0, 0), clock=lambda: studio.now)
        history = History(config, studio.journal, look, maintenance, clock=lambda: studio.now)
        try:
            return await history.warn()
        finally:
            history.close()

    assert await warned(look.used + 8 * a_day) is None
    assert caplog.text.count("will be deleted soon") == 0
    assert await warned(look.used + 3 * a_day) == pytest.approx(3, rel=0.2)
    assert caplog.text.count("will be deleted soon") == 1
    assert await warned(0) is None
    await studio.close()
