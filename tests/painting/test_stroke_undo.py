"""undo as a use case: on a real journal, with real frame files, while others draw."""

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from dreamcanvas.broadcast.broadcast import Subscription
from dreamcanvas.canvas.model import Dab, Operation, Patch
from dreamcanvas.errors import NotNow, UndoError, UnknownStroke
from dreamcanvas.painting.deferred_patch import DeferredPatches
from dreamcanvas.painting.stroke_undo import StrokeUndo
from dreamcanvas.store.dreams import decode
from dreamcanvas.store.journal import Author, Receipt
from tests.painting.test_painter import BLUE, GREEN, Reader, Studio, picture

RED, GREY, BLACK = Dab(100, 100, 80, 0xFF0000), Dab(130, 100, 60, 0x808080), Dab(120, 110, 40, 0)
SECONDS = 60


class Hand:
    """Somebody who draws and undoes in a studio."""

    def __init__(self, studio: Studio, session: bytes | None = None) -> None:
        self.studio = studio
        journal = studio.journal
        self.author: Author = journal.session(session, "here") if session else journal.anonymous("here")

    def paint(self, *dabs: Dab, stroke: int = 1, call: int = 0) -> asyncio.Future[Receipt]:
        return self.studio.painter.paint(self.author, dabs, stroke=stroke, call=call)

    def undo(self, stroke: int = 1, *, call: int = 0, seconds: int = SECONDS) -> asyncio.Future[Receipt]:
        studio = self.studio
        stroke_undo = StrokeUndo(
            DeferredPatches(studio.painter),
            database=studio.journal.path,
            frames=studio.journal.path.parent / "frames",
            seconds=seconds,
            clock=lambda: studio.now,
        )
        return stroke_undo.undo(self.author, stroke, call=call)


@pytest.fixture
async def studio(tmp_path: Path) -> AsyncIterator[Studio]:
    studio = Studio(tmp_path)
    await studio.painter.recover()
    yield studio
    await studio.close()


@pytest.fixture
def ann(studio: Studio) -> Hand:
    return Hand(studio)


@pytest.fixture
def bob(studio: Studio) -> Hand:
    return Hand(studio, b"b" * 16)


async def dream(studio: Studio, jpeg: bytes) -> None:
    await studio.painter.begin_dream()
    await studio.dream(jpeg)


async def now(studio: Studio) -> Image.Image:
    return (await studio.painter.snapshot()).image


async def test_a_stroke_is_taken_back_by_a_patch_that_is_an_operation_as_any(
    studio: Studio, ann: Hand, bob: Hand
) -> None:
    reader = Reader()
    await bob.paint(BLACK)
    await ann.paint(RED, GREY)
    studio.broadcast.subscribe(reader, Subscription())
    receipt = await ann.undo()
    assert await now(studio) == picture(None, [BLACK])
    (operation,) = receipt.operations
    assert (operation.seq, operation.author, operation.stroke) == (4, ann.author.number, 1)
    studio.broadcast.flush()
    assert [(name, event.seq, event.author) for name, event in reader.events] == [
        ("patch", 4, ann.author.number)
    ]


async def test_after_dreams_too_and_after_a_restart(studio: Studio, tmp_path: Path) -> None:
    await dream(studio, GREEN)
    session = b"s" * 16
    await Hand(studio, session).paint(RED)
    await dream(studio, BLUE)
    await studio.close()
    found = Studio(tmp_path)
    await found.painter.recover()
    await Hand(found, session).undo()
    assert (await now(found)).getpixel((100, 100)) == decode(GREEN).getpixel((100, 100))
    assert (await now(found)).getpixel((300, 300)) == decode(BLUE).getpixel((300, 300))
    await found.close()


async def test_where_a_frame_file_is_torn_the_one_before_serves(studio: Studio, ann: Hand) -> None:
    await dream(studio, GREEN)
    await dream(studio, BLUE)
    await ann.paint(RED)
    studio.dreams.frame(2).write_bytes(BLUE[:5000])
    await ann.undo()
    assert (await now(studio)).getpixel((100, 100)) == decode(GREEN).getpixel((100, 100))


async def test_where_no_frame_file_is_left_it_is_too_late(studio: Studio, ann: Hand) -> None:
    await dream(studio, GREEN)
    await ann.paint(RED)
    studio.dreams.frame(1).unlink()
    with pytest.raises(UndoError, match="not kept"):
        await ann.undo()


# Too late


async def test_a_stroke_of_somebody_else_or_of_nobody_is_too_late(
    studio: Studio, ann: Hand, bob: Hand
) -> None:
    await ann.paint(RED)
    for call in (bob.undo(), ann.undo(2)):
        with pytest.raises(UnknownStroke, match="there is no stroke"):
            await call
    assert studio.painter.version.seq == 1


async def test_what_has_been_taken_back_is_not_taken_back_again(studio: Studio, ann: Hand) -> None:
    await ann.paint(RED)
    first, second = ann.undo(), ann.undo()
    await first
    with pytest.raises(UnknownStroke):
        await second
    await ann.paint(GREY)
    await ann.undo()
    assert await now(studio) == picture(None, [])


async def test_the_seconds_count_from_the_last_dab(studio: Studio, ann: Hand) -> None:
    await ann.paint(RED)
    studio.now += 1000 * SECONDS
    await ann.paint(GREY)
    studio.now += 1000 * SECONDS
    await ann.undo()
    assert await now(studio) == picture(None, [])
    await ann.paint(RED)
    studio.now += 1000 * SECONDS + 1
    with pytest.raises(UnknownStroke, match="of the last 60 seconds"):
        await ann.undo()
    await ann.undo(seconds=0)
    assert await now(studio) == picture(None, [])


# Sent twice, or while others draw


async def test_a_call_that_is_repeated_is_not_applied_again(studio: Studio, bob: Hand) -> None:
    await bob.paint(RED, call=1)
    first, again = bob.undo(call=2), bob.undo(call=2)
    assert (await first).duplicate is False
    assert ((await again).duplicate, (await again).seq) == (True, 2)
    assert (await bob.undo(call=2)).duplicate
    assert studio.painter.version.seq == 2
    assert bob.author.last_call == 2


async def test_a_refused_undo_leaves_no_trace(bob: Hand) -> None:
    with pytest.raises(UnknownStroke):
        await bob.undo(call=5)
    assert bob.author.last_call == 0


async def test_calls_that_do_not_wait_for_each_other_are_done_in_their_order(
    studio: Studio, bob: Hand
) -> None:
    calls = [
        bob.paint(RED, call=1),
        bob.undo(call=2),
        bob.paint(GREY, call=3),
        bob.undo(call=4),
        bob.paint(BLACK, stroke=2, call=5),
    ]
    receipts = await asyncio.gather(*calls)
    assert [receipt.seq for receipt in receipts] == [1, 2, 3, 4, 5]
    assert not any(receipt.duplicate for receipt in receipts)
    assert await now(studio) == picture(None, [BLACK])


async def test_others_do_not_wait_and_what_they_draw_meanwhile_is_not_lost(
    studio: Studio, ann: Hand, bob: Hand
) -> None:
    await ann.paint(RED)
    undone = ann.undo()
    await bob.paint(GREY)
    assert not undone.done()
    ahead = bob.paint(BLACK)
    await undone
    await ahead
    marks = [operation.mark for operation in studio.painter.since(0) or []]
    assert any(isinstance(mark, Patch) for mark in marks)
    assert await now(studio) == picture(None, [GREY, BLACK])


async def test_strokes_that_are_undone_at_the_same_time_do_not_bring_each_other_back(
    studio: Studio, ann: Hand, bob: Hand
) -> None:
    await ann.paint(RED)
    await bob.paint(GREY)
    await ann.paint(BLACK, stroke=2)
    await asyncio.gather(ann.undo(), bob.undo(), ann.undo(2))
    assert await now(studio) == picture(None, [])


async def test_a_failing_disk_is_told_and_nothing_is_applied(
    studio: Studio, ann: Hand, tmp_path: Path
) -> None:
    await ann.paint(RED)
    (tmp_path / "test.db").rename(tmp_path / "elsewhere.db")
    with pytest.raises(NotNow, match="cannot be read"):
        await ann.undo()
    (tmp_path / "elsewhere.db").rename(tmp_path / "test.db")
    await ann.undo()
    assert await now(studio) == picture(None, [])


@pytest.mark.parametrize("seed", range(3))
async def test_many_at_once_end_in_the_picture_of_what_is_left(studio: Studio, seed: int) -> None:
    rng = random.Random(seed)
    hands = [Hand(studio) for _ in range(3)]

    async def scribble(hand: Hand) -> None:
        for stroke in range(1, 7):
            for _ in range(rng.randint(1, 3)):
                dabs = [
                    Dab(rng.randrange(150), rng.randrange(150), 60, rng.randrange(2**24)) for _ in range(3)
                ]
                await hand.paint(*dabs, stroke=stroke)
            if rng.random() < 0.6:
                undone = hand.undo(rng.randint(1, stroke))
                if rng.random() < 0.5:
                    await asyncio.wait([undone])
                undone.add_done_callback(lambda future: future.exception())

    await asyncio.gather(*map(scribble, hands))
    await asyncio.gather(*(studio.painter.introduce(hand.author) for hand in hands))
    assert ImageChops.difference(await now(studio), picture(None, left(studio))).getbbox() is None


def left(studio: Studio) -> list[Dab]:
    operations = list(studio.journal.operations(0))
    return [operation.mark for operation in operations if not _gone(operation, operations)]  # type: ignore[misc]


def _gone(operation: Operation, operations: list[Operation]) -> bool:
    return isinstance(operation.mark, Patch) or any(
        isinstance(later.mark, Patch)
        and (later.author, later.stroke) == (operation.author, operation.stroke)
        and later.seq > operation.seq
        for later in operations
    )
