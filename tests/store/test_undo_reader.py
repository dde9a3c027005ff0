"""The past as the store holds it: the same as if all of it were in memory."""

import random
from pathlib import Path

import pytest
from PIL import ImageChops

from dreamcanvas.canvas import model
from dreamcanvas.canvas.model import WHOLE, Dab, Patch, Region
from dreamcanvas.store import undo_reader as module
from dreamcanvas.store.dreams import decode, frame_path
from dreamcanvas.store.undo_reader import Bases, UndoReader
from tests.canvas.test_undo import World, script
from tests.painting.test_painter import Studio, jpeg
from tests.painting.test_stroke_undo import Hand

DAB = Dab(100, 100, 30, 0)


async def studio(directory: Path) -> Studio:
    studio = Studio(directory)
    await studio.painter.recover()
    return studio


@pytest.mark.parametrize("seed", range(4))
async def test_undos_give_the_same_picture(tmp_path: Path, seed: int) -> None:
    """Strokes, dreams and undos by a seed, in a studio on a disk and in a world in memory."""
    real, world = await studio(tmp_path), World()
    hands = {author: Hand(real) for author in (1, 2, 3)}
    for what, author, stroke, dabs in script(random.Random(seed), dreams=True, steps=25):
        if what == "dream":
            data = jpeg((author >> 16, author >> 8 & 255, author & 255))
            await real.painter.begin_dream()
            await real.dream(data)
            world.dream(decode(data))
        elif what == "draw":
            await hands[author].paint(*dabs, stroke=stroke)
            world.line(author, stroke, *dabs)
        else:
            await hands[author].undo(stroke)
            world.undo(author, stroke)
        seen = (await real.painter.snapshot()).image
        assert ImageChops.difference(seen, world.picture).getbbox() is None, what
    await real.close()


@pytest.mark.parametrize("slice_", [2, module.SLICE])
async def test_a_stroke_is_what_was_drawn_since_it_was_undone_last(
    tmp_path: Path, slice_: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SLICE", slice_)  # operations; with 2 it lies across several
    real = await studio(tmp_path)
    ann, bob = Hand(real), Hand(real)
    await ann.paint(DAB)
    await ann.undo()
    await ann.paint(DAB, DAB)
    await bob.paint(DAB)
    await ann.paint(DAB)
    with UndoReader.open(real.journal.path, tmp_path / "frames") as past:
        assert [dab.seq for dab in past.stroke(ann.author.number, 1, until=past.newest())] == [3, 4, 6]
        assert [dab.seq for dab in past.stroke(ann.author.number, 1, until=5)] == [3, 4]
        assert past.stroke(ann.author.number, 2, until=6) == []
        undo = past.operations(1, 2, WHOLE)[0]
        assert isinstance(undo.mark, Patch)
        assert past.taken(undo) == [1]
        assert [dab.seq for dab in past.dabs([bob.author.number, ann.author.number], 2, 5)] == [3, 4, 5]
    await real.close()


async def test_only_what_is_near_the_region_is_read_and_all_patches(tmp_path: Path) -> None:
    real = await studio(tmp_path)
    ann = Hand(real)
    await ann.paint(DAB, Dab(1000, 1000, 124, 0))
    await ann.undo()
    with UndoReader.open(real.journal.path, tmp_path / "frames") as past:
        found = past.operations(0, 3, Region(90, 90, 110, 110))
        assert [each.seq for each in found] == [1, 3]
    await real.close()


async def test_what_is_not_kept_is_an_error(tmp_path: Path) -> None:
    real = await studio(tmp_path)
    ann = Hand(real)
    await ann.paint(*[DAB] * 4)
    real.now += 10**6
    await real.journal.archive.move(until=4, before=10**7, overdue=10**7)
    await ann.paint(DAB)
    with UndoReader.open(real.journal.path, tmp_path / "frames") as past:
        assert [each.seq for each in past.operations(2, 5, Region(0, 0, 200, 200))] == [3, 4, 5]
        (tmp_path / "archive" / "000000000001.jsonl.gz").unlink()
        with pytest.raises(LookupError, match="not kept"):
            past.operations(2, 5, Region(0, 0, 200, 200))
        assert past.operations(4, 5, Region(0, 0, 200, 200))
        with pytest.raises(LookupError, match="no dream 3"):
            past.dream_seq(3)
        assert past.picture(0).getcolors() == [(model.SIDE**2, model.WHITE)]
    await real.close()


async def test_a_base_is_read_once_for_undos_of_one_time(tmp_path: Path) -> None:
    real = await studio(tmp_path)
    for colour in ((9, 9, 9), (200, 0, 0)):
        await real.painter.begin_dream()
        await real.dream(jpeg(colour))
    bases = Bases()
    with UndoReader.open(real.journal.path, tmp_path / "frames", bases=bases) as past:
        first = past.picture(2)
        first.paste((0, 0, 0), (0, 0, 99, 99))  # whoever has a copy may draw on it
    frame_path(tmp_path / "frames", 2).unlink()
    with UndoReader.open(real.journal.path, tmp_path / "frames", bases=bases) as past:
        assert past.picture(2).tobytes() == decode(jpeg((200, 0, 0))).tobytes()
        assert past.picture(1).tobytes() == decode(jpeg((9, 9, 9))).tobytes()
        with pytest.raises(FileNotFoundError):  # one is kept, not two
            past.picture(2)
        assert past.picture(1).tobytes() == decode(jpeg((9, 9, 9))).tobytes()
    await real.close()
