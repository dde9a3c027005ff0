"""Checkpoints: how far a start and an undo have to go back, and that they change nothing else."""

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image

from dreamcanvas.canvas.model import Dab, Patch, Version
from dreamcanvas.store.budget import Budget
from dreamcanvas.store.checkpoints import KEEP, KEEP_AT_MOST, Checkpoints
from dreamcanvas.store.maintenance import Keeping, Maintenance
from dreamcanvas.store.undo_reader import UndoReader
from tests.painting.test_painter import BLUE, GREEN, Studio, picture
from tests.painting.test_stroke_undo import Hand, left

EVERY = 20


class Keeper(Studio):
    """A studio that keeps the picture after every twenty operations."""

    def __init__(self, directory: Path, *, every: int = EVERY, keep_ms: int = 10**9) -> None:
        super().__init__(directory)
        self.checkpoints = Checkpoints(directory / "checkpoints", self.journal, keep_ms=keep_ms)
        self.painter._checkpoints = self.checkpoints
        self.painter._checkpoint_operations = every

    async def kept(self) -> list[int]:
        """The checkpoints, once none is being made."""
        while self.painter._keeping is not None:
            await asyncio.wait([self.painter._keeping])
        rows = await self.journal.run(
            lambda connection: connection.execute("SELECT seq FROM checkpoints ORDER BY seq").fetchall()
        )
        return [seq for (seq,) in rows]

    async def scribble(self, rng: random.Random, count: int) -> None:
        for _ in range(count):
            await self.paint(
                Dab(rng.randrange(300), rng.randrange(300), rng.randint(1, 124), rng.randrange(2**24))
            )


@pytest.fixture
async def keeper(tmp_path: Path) -> AsyncIterator[Keeper]:
    keeper = Keeper(tmp_path)
    await keeper.painter.recover()
    yield keeper
    await keeper.close()


async def again(keeper: Keeper, directory: Path) -> Keeper:
    await keeper.close()
    found = Keeper(directory)
    await found.painter.recover()
    return found


async def test_a_start_lays_only_what_came_after_the_newest(
    keeper: Keeper, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await keeper.scribble(random.Random(1), 47)
    kept = await keeper.kept()
    assert kept
    before = await keeper.painter.snapshot()
    with caplog.at_level("INFO"):
        found = await again(keeper, tmp_path)
    [record] = [record for record in caplog.records if record.message == "recovered"]
    assert vars(record)["replayed"] == 47 - kept[-1] < 2 * EVERY
    assert await found.painter.snapshot() == before
    assert found.painter.dream_seq == 0
    assert [operation.seq for operation in found.painter.since(0) or ()] == list(range(1, 48))
    await found.close()


async def test_a_dream_takes_their_place_and_one_of_an_older_dream_is_none_for_a_start(
    keeper: Keeper, tmp_path: Path
) -> None:
    rng = random.Random(2)
    await keeper.painter.begin_dream()
    await keeper.scribble(rng, 30)
    await keeper.kept()
    await keeper.dream(GREEN)  # of what was there before
    assert len(await keeper.kept()) >= 1
    before = await keeper.painter.snapshot()
    assert before.version.dream == 1
    found = await again(keeper, tmp_path)
    assert await found.painter.snapshot() == before
    await found.scribble(rng, 30)
    assert await found.kept()
    before = await found.painter.snapshot()
    last = await again(found, tmp_path)
    after = await last.painter.snapshot()
    assert (after.version, after.time) == (before.version, before.time)
    assert after.image.tobytes() == before.image.tobytes()
    assert (last.painter.version.dream, last.painter.dream_seq) == (1, 0)
    await last.close()


@pytest.mark.parametrize("dreams", [False, True])
@pytest.mark.parametrize("seed", range(3))
async def test_an_undo_gives_the_same_from_a_checkpoint(tmp_path: Path, seed: int, dreams: bool) -> None:
    """The same is drawn on a canvas that keeps none."""
    pictures, operations = [], []
    for every in (0, 7):
        rng = random.Random(seed)
        directory = tmp_path / str(every)
        directory.mkdir()
        keeper = Keeper(directory, every=every)
        await keeper.painter.recover()
        hands = [Hand(keeper) for _ in range(3)]
        for stroke in range(1, 11):
            for hand in hands:
                dabs = [
                    Dab(rng.randrange(200), rng.randrange(200), rng.randint(9, 90), rng.randrange(2**24))
                    for _ in range(3)
                ]
                await hand.paint(*dabs, stroke=stroke)
            await keeper.kept()
            if dreams and stroke in (3, 6):
                await keeper.painter.begin_dream()
                await keeper.dream(rng.choice((GREEN, BLUE)))
            if rng.random() < 0.7:
                await rng.choice(hands).undo(stroke)
        for hand in hands:
            await asyncio.wait([hand.undo(5)])
        assert bool(await keeper.kept()) == bool(every)
        pictures.append((await keeper.painter.snapshot()).image)
        operations.append([each.mark for each in keeper.journal.operations(0)])
        if not dreams:
            assert pictures[-1] == picture(None, left(keeper))
        await keeper.close()
    assert pictures[0] == pictures[1]
    assert sum(isinstance(mark, Patch) for mark in operations[0]) > 3


async def test_a_damaged_one_is_told_and_the_one_before_serves(
    keeper: Keeper, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        await keeper.scribble(random.Random(3), EVERY)
        kept = await keeper.kept()
    before = await keeper.painter.snapshot()
    path = tmp_path / f"checkpoints/{kept[-1]:012d}.png"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    found = await again(keeper, tmp_path)
    assert "checkpoint unusable" in caplog.text
    assert await found.painter.snapshot() == before
    await found.close()


async def test_few_are_kept_and_files_without_a_row_go(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path, keep_ms=50)
    white = Image.new("RGB", (1536, 1536), "white")
    for seq in range(1, 8):
        await keeper.checkpoints.record(white, Version(0, seq), time=seq, now=100 * seq)
    (tmp_path / "checkpoints/000000000099.partial").write_bytes(b"of a crash")
    await keeper.checkpoints.prune(720)
    assert await keeper.kept() == list(range(8 - KEEP, 8))
    assert len(list((tmp_path / "checkpoints").iterdir())) == KEEP
    for seq in range(8, 30):
        await keeper.checkpoints.record(white, Version(0, seq), time=seq, now=720)
    await keeper.checkpoints.prune(721)
    assert len(await keeper.kept()) == KEEP_AT_MOST
    await keeper.close()


async def test_with_a_dreamer_that_fails_operations_are_archived_all_the_same(
    keeper: Keeper, tmp_path: Path
) -> None:
    for _ in range(5):
        await keeper.scribble(random.Random(4), EVERY)
        kept = await keeper.kept()
    before = await keeper.painter.snapshot()
    maintenance = Maintenance(
        keeper.journal,
        Budget(tmp_path, keeper.journal, limit=0),
        Keeping(1, 0, file_operations=10),
        clock=lambda: 10**12,
        checkpoints=keeper.checkpoints,
    )
    await maintenance.once()
    assert keeper.journal.archive.last > 0
    assert keeper.journal.archive.last <= kept[-KEEP]
    found = await again(keeper, tmp_path)
    assert await found.painter.snapshot() == before
    with UndoReader.open(found.journal.path, tmp_path / "frames") as past:
        start, image = past.base(kept[-1] + 1)
    assert start == kept[-1]
    assert image == picture(None, [each.mark for each in found.journal.operations(0)][:start])
    await found.close()
