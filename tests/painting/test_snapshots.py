"""The picture as files for a crowd: made once, and no more often than is allowed."""

import asyncio
import io
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image

from dreamcanvas.canvas.model import Dab, Version
from dreamcanvas.painting.snapshots import (
    JPEGS_AT_ONCE,
    JPEGS_PER_SECOND,
    OTHERS_AT_ONCE,
    EncodedSnapshot,
    Snapshots,
)
from tests.painting.test_painter import GREEN, Studio

DAB = Dab(100, 100, 80, 0xFF0000)


class Watch:
    """A clock that stands."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def studio(tmp_path: Path) -> AsyncIterator[Studio]:
    studio = Studio(tmp_path, replay_operations=5)
    await studio.painter.recover()
    yield studio
    await studio.close()


async def spent(studio: Studio, snapshots: Snapshots, format_: str, count: int) -> EncodedSnapshot:
    """Asks for as many versions as there may be at once; gives the last."""
    for _ in range(count):
        await studio.paint(DAB)
        view = await snapshots.get(format_)
        assert view.version == studio.painter.version
    assert snapshots.encoded == count
    return view


async def test_however_many_ask_it_is_made_once(studio: Studio) -> None:
    snapshots = Snapshots(studio.painter, interval=2, now=Watch())
    await studio.paint(DAB)
    found = await asyncio.gather(*(snapshots.get("png") for _ in range(50)))
    assert snapshots.encoded == 1
    assert all(view is found[0] for view in found)
    assert await snapshots.get("png") is found[0]
    with Image.open(io.BytesIO(found[0].data)) as image:
        assert image.convert("RGB") == (await studio.painter.snapshot()).image
    assert (found[0].version, found[0].time) == (Version(0, 1), 1000)


@pytest.mark.parametrize(("format_", "count"), [("jpg", JPEGS_AT_ONCE), ("png", OTHERS_AT_ONCE)])
async def test_then_the_last_one_is_shown_until_another_may_be_made(
    studio: Studio, format_: str, count: int
) -> None:
    watch = Watch()
    snapshots = Snapshots(studio.painter, interval=2, now=watch)
    last = await spent(studio, snapshots, format_, count)
    await studio.paint(DAB)
    assert await snapshots.get(format_) is last
    watch.now += 1 / JPEGS_PER_SECOND if format_ == "jpg" else 2
    assert (await snapshots.get(format_)).version == studio.painter.version
    assert snapshots.encoded == count + 1


async def test_who_has_the_last_one_gets_the_next(studio: Studio) -> None:
    snapshots = Snapshots(studio.painter, interval=2, now=time.monotonic)
    last = await spent(studio, snapshots, "jpg", JPEGS_AT_ONCE)
    newest = await studio.paint(DAB)
    found = await asyncio.gather(*(snapshots.get("jpg", last.version.__eq__) for _ in range(20)))
    assert {view.version.seq for view in found} == {newest}
    assert snapshots.encoded == JPEGS_AT_ONCE + 1


async def test_it_does_not_wait_twice(studio: Studio) -> None:
    snapshots = Snapshots(studio.painter, interval=0.05, now=Watch())
    last = await spent(studio, snapshots, "png", OTHERS_AT_ONCE)
    await studio.paint(DAB)
    assert await snapshots.get("png", last.version.__eq__) is last


async def test_who_asks_while_an_older_one_is_made_gets_the_newest_where_it_may_be_made(
    studio: Studio,
) -> None:
    snapshots = Snapshots(studio.painter, interval=2, now=Watch())
    first = asyncio.create_task(snapshots.get("jpg"))
    await asyncio.sleep(0)
    await studio.paint(DAB)
    assert (await snapshots.get("jpg")).version == Version(0, 1)
    assert (await first).version <= Version(0, 1)


async def test_a_picture_is_made_where_the_operations_after_the_last_are_not_kept(studio: Studio) -> None:
    snapshots = Snapshots(studio.painter, interval=2, now=Watch())
    last = await spent(studio, snapshots, "jpg", JPEGS_AT_ONCE)
    await studio.paint(*[DAB] * 5)
    assert await snapshots.get("jpg") is last
    await studio.paint(DAB)
    assert (await snapshots.get("jpg")).version == studio.painter.version


async def test_a_reader_that_lost_track_gets_what_it_was_told_of(studio: Studio) -> None:
    snapshots = Snapshots(studio.painter, interval=2, now=Watch())
    await spent(studio, snapshots, "png", OTHERS_AT_ONCE)
    await studio.paint(DAB)
    told = studio.broadcast.resync_event()
    assert (await snapshots.get("png")).version.seq == told.seq


async def test_a_new_dream_is_shown(studio: Studio) -> None:
    snapshots = Snapshots(studio.painter, interval=2, now=Watch())
    await spent(studio, snapshots, "webp", OTHERS_AT_ONCE)
    await studio.painter.begin_dream()
    await studio.dream(GREEN)
    assert (await snapshots.get("webp")).version == studio.painter.version


async def test_there_is_no_other_format(studio: Studio) -> None:
    with pytest.raises(KeyError):
        await Snapshots(studio.painter, interval=2, now=Watch()).get("gif")
