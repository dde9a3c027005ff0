"""Putting back how it was, over dreams, frame files that are gone, and archives."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image

from dreamcanvas.access.moderation import Moderation
from dreamcanvas.access.tokens import Access
from dreamcanvas.canvas import brush
from dreamcanvas.canvas.model import WHOLE, Dab, Region
from dreamcanvas.errors import MovieError, NotKept
from dreamcanvas.painting.deferred_patch import DeferredPatches
from dreamcanvas.painting.restore import Restored, Restorer, Wanted
from dreamcanvas.store.dreams import decode
from dreamcanvas.store.moderation_log import ModerationLog
from tests.painting.test_painter import BLUE, GREEN, Studio, jpeg
from tests.painting.test_stroke_undo import Hand

GREY = jpeg((90, 90, 90))
PLACE, FAR = (100, 100), (1000, 1000)
INK = Dab(*PLACE, 80, 0xFF0000)


class Desk:
    """A studio with the host in it, and the pictures that movies would give."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.movies: dict[int, bytes] = {}
        directory = studio.journal.path.parent
        self.moderation = Moderation(
            ModerationLog(studio.journal),
            Access("admin.x"),
            keep_addresses_hours=72,
            clock=lambda: studio.now,
        )
        self.restorer = Restorer(
            DeferredPatches(studio.painter),
            self.moderation,
            database=studio.journal.path,
            frames=directory / "frames",
            lost=self.lost,
        )

    async def lost(self, dream: int) -> bytes:
        if dream not in self.movies:
            raise MovieError(f"the picture of dream {dream} is not kept")
        return self.movies[dream]

    async def dream(self, data: bytes) -> None:
        self.studio.now += 1000
        await self.studio.painter.begin_dream()
        await self.studio.dream(data)
        self.studio.now += 1000

    async def restore(self, **wanted: object) -> Restored:
        region = wanted.pop("region", WHOLE)
        return await self.restorer.restore(Wanted(region=region, **wanted), {})  # type: ignore[arg-type]

    async def pixel(self, place: tuple[int, int]) -> object:
        return (await self.studio.painter.snapshot()).image.getpixel(place)

    def gone(self, dream: int) -> None:
        self.studio.dreams.frame(dream).unlink()


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    studio = Studio(tmp_path)
    await studio.painter.recover()
    desk = Desk(studio)
    await desk.moderation.load()
    yield desk
    await studio.close()


@pytest.fixture
def vandal(desk: Desk) -> Hand:
    return Hand(desk.studio)


def colour(data: bytes) -> object:
    return decode(data).getpixel(PLACE)


async def test_a_vandal_of_many_dreams_is_undone_and_the_rest_goes_on_dreaming(
    desk: Desk, vandal: Hand
) -> None:
    await desk.dream(GREEN)
    await vandal.paint(INK)
    await desk.dream(BLUE)
    await vandal.paint(INK, stroke=2)
    await desk.dream(GREY)
    restored = await desk.restore(authors=(vandal.author.number,))
    assert restored.dabs == 2
    assert await desk.pixel(PLACE) == colour(GREEN)
    assert await desk.pixel(FAR) == colour(GREY)


async def test_where_the_frame_file_is_gone_its_movie_serves(desk: Desk, vandal: Hand) -> None:
    await desk.dream(GREEN)
    await vandal.paint(INK)
    await desk.dream(BLUE)
    desk.gone(1)
    with pytest.raises(NotKept, match="too little is kept"):
        await desk.restore(authors=(vandal.author.number,))
    desk.movies[1] = GREEN
    await desk.restore(authors=(vandal.author.number,))
    assert await desk.pixel(PLACE) == colour(GREEN)


async def test_a_dream_or_a_time_comes_back(desk: Desk, vandal: Hand) -> None:
    await desk.dream(GREEN)
    time = desk.studio.now
    await desk.dream(BLUE)
    await vandal.paint(INK)
    region = Region(50, 50, 150, 150)
    assert (await desk.restore(dream=1, region=region)).region == region
    assert (await desk.pixel(PLACE), await desk.pixel(FAR)) == (colour(GREEN), colour(BLUE))
    await desk.restore(time=time)
    assert await desk.pixel(FAR) == colour(GREEN)
    await desk.restore(time=0)
    assert await desk.pixel(FAR) == (255, 255, 255)
    with pytest.raises(NotKept, match="no dream 9"):
        await desk.restore(dream=9)


async def test_at_a_time_the_strokes_on_the_dream_are_there(desk: Desk, vandal: Hand) -> None:
    await desk.dream(GREEN)
    await vandal.paint(INK)
    time, before = desk.studio.now, (await desk.studio.painter.snapshot()).image
    desk.studio.now += 10
    await vandal.paint(INK, stroke=2)
    await desk.dream(BLUE)
    await desk.restore(time=time)
    assert (await desk.studio.painter.snapshot()).image == before


async def test_what_was_archived_is_found(desk: Desk, vandal: Hand) -> None:
    await vandal.paint(INK)
    other = Hand(desk.studio)
    await other.paint(Dab(110, 100, 60, 0x0000FF))
    desk.studio.now += 10**6
    moved = await desk.studio.journal.archive.move(until=2, before=10**7, overdue=10**7)
    assert moved == 2
    await other.paint(Dab(90, 100, 60, 0x00FF00))
    expected = Image.new("RGB", (1536, 1536), "white")
    brush.draw(expected, 110, 100, 60, 0x0000FF)
    brush.draw(expected, 90, 100, 60, 0x00FF00)
    (first, *_) = await desk.restorer.who(Region(100, 100, 101, 101), since=0, time=10**7)
    assert first.author == other.author.number
    await desk.restore(authors=(vandal.author.number,))
    assert (await desk.studio.painter.snapshot()).image == expected


async def test_an_undo_after_it_shows_nothing_that_was_taken_back(desk: Desk, vandal: Hand) -> None:
    """The host's patch shows ann's stroke; hers does not bring the vandal's back, nor his hers."""
    ann = Hand(desk.studio)
    await desk.dream(GREEN)
    await vandal.paint(INK)
    await desk.dream(BLUE)
    await ann.paint(Dab(*PLACE, 40, 0x00FFFF))
    await desk.restore(authors=(vandal.author.number,))
    await ann.undo()
    assert await desk.pixel(PLACE) == colour(GREEN)


async def test_what_others_draw_meanwhile_stays(desk: Desk, vandal: Hand) -> None:
    ann = Hand(desk.studio)
    await vandal.paint(INK)
    restorer = asyncio.create_task(desk.restore(authors=(vandal.author.number,)))
    for x in range(20):
        await ann.paint(Dab(90 + x, 100, 10, 0x0000FF))
    await restorer
    await asyncio.gather(*(ann.paint(Dab(90 + x, 110, 10, 0x0000FF)) for x in range(3)))
    expected = Image.new("RGB", (1536, 1536), "white")
    for x, y in [*((90 + x, 100) for x in range(20)), *((90 + x, 110) for x in range(3))]:
        brush.draw(expected, x, y, 10, 0x0000FF)
    assert (await desk.studio.painter.snapshot()).image == expected
