"""An undo gives what it always gave, to the bit, in a time that does not double with every patch."""

import contextlib
import io
import random
import time
from collections.abc import Sequence

import pytest
from PIL import Image

from dreamcanvas.canvas import undo
from dreamcanvas.canvas.model import HOST, SIDE, Dab, Operation, Patch, Region, draw
from dreamcanvas.canvas.undo import Past, bounds, coverage, region_of
from dreamcanvas.canvas.work import OverdrawnError, StoppedError, Work
from tests.canvas.test_undo import World, played, same, script

FOREVER = 2**63

# How the picture was made at first, word for word: by itself for each patch, and so in 2 to the power of them


def _picture(past: Past, taken: dict[int, int], first: int, until: int, region: Region) -> Image.Image:
    """The canvas, right inside the region, as of `until`, from the newest dream before `first`.

    `taken` are dabs that are to be left out, each with the number of the patch that took it back.
    """
    start, picture = past.base(first)
    operations = past.operations(start, until, region)
    undone: dict[int, Sequence[int]] = {}  # undos, and their dabs where some of them are in the dream
    taken = dict(taken)
    strokes: dict[tuple[int, int], list[int]] = {}
    for operation in operations:
        key = (operation.author, operation.stroke)
        if isinstance(operation.mark, Dab):
            if operation.stroke:
                strokes.setdefault(key, []).append(operation.seq)
        elif operation.stroke and region.touches(bounds(operation.mark)):
            dabs = past.taken(operation) if start or operation.author == HOST else ()
            for seq in (*strokes.pop(key, ()), *dabs):
                taken.setdefault(seq, operation.seq)
            undone[operation.seq] = dabs if dabs and dabs[0] <= start else ()
    for operation in operations:
        mark = operation.mark
        if isinstance(mark, Dab):
            if operation.seq not in taken:
                draw(picture, mark)
        elif operation.seq not in undone:
            draw(picture, mark)
        elif dabs := undone[operation.seq]:
            again = None
            if _shows(operation.seq, taken):
                # where too little is kept for that, as it was made then is the best there is
                with contextlib.suppress(LookupError):
                    without = taken | dict.fromkeys(dabs, operation.seq)
                    again = _picture(past, without, dabs[0], operation.seq - 1, region)
            _lay(picture, mark, again)
    return picture


def _lay(picture: Image.Image, patch: Patch, other: Image.Image | None) -> None:
    """Lays a patch, or what another picture of the canvas has in its place."""
    if other is None:
        draw(picture, patch)
        return
    with Image.open(io.BytesIO(patch.image), formats=("PNG",)) as opened:
        alpha = opened.getchannel("A")
    picture.paste(other.crop(bounds(patch)), (patch.x, patch.y), alpha)


def _shows(seq: int, taken: dict[int, int]) -> bool:
    """Whether a patch of that number was made when some of the dabs were there that were taken back later."""
    return any(dab < seq < by for dab, by in taken.items())


def reference(world: World, author: int, stroke: int) -> undo.Retraction:
    dabs = world.stroke(author, stroke)
    marks = [dab.mark for dab in dabs if isinstance(dab.mark, Dab)]
    region, until = region_of(marks), len(world.log)
    taken = dict.fromkeys((dab.seq for dab in dabs), FOREVER)
    picture = _picture(world, taken, dabs[0].seq, until, region)
    return undo.Retraction(region, picture.crop(region), coverage(marks, region), until)


class Compared(World):
    """Each undo is made in both ways."""

    compared = 0

    def undo(self, author: int, stroke: int) -> Patch:
        expected = reference(self, author, stroke)
        made = undo.take_back(self, self.stroke(author, stroke), len(self.log))
        assert (made.region, made.seq) == (expected.region, expected.seq)
        assert made.image.tobytes() == expected.image.tobytes()
        assert made.patch() == expected.patch()
        self.compared += 1
        return super().undo(author, stroke)


def textured(rng: random.Random) -> Image.Image:
    """A dream in which no two pixels are alike."""
    corner = Image.frombytes("RGB", (200, 200), rng.randbytes(120_000))
    return corner.resize((SIDE, SIDE), Image.Resampling.NEAREST).transform(
        (SIDE, SIDE), Image.Transform.AFFINE, (0.13, 0, 0, 0, 0.13, 0)
    )


def perform(world: World, rng: random.Random, steps: int) -> None:
    for what, author, stroke, dabs in script(rng, dreams=True, steps=steps):
        if what == "draw":
            world.line(author, stroke, *dabs)
        elif what == "dream":
            world.dream(textured(rng))
        else:
            world.undo(author, stroke)


@pytest.mark.parametrize("seed", range(12))
def test_every_patch_is_that_of_the_first_way_to_the_bit(seed: int) -> None:
    world = Compared()
    perform(world, random.Random(seed), 45)
    assert world.compared > 3


@pytest.mark.parametrize("seed", range(4))
def test_where_frames_are_gone_too(seed: int) -> None:
    rng = random.Random(100 + seed)

    class Forgetful(Compared):
        lost = missed = 0

        def base(self, before: int) -> tuple[int, Image.Image]:
            start, picture = super().base(before)
            if start < self.lost:
                self.missed += 1
                raise LookupError("gone")
            return start, picture

    world = Forgetful()
    perform(world, rng, 15)
    for stroke in (11, 12, 13):
        world.dream(textured(rng))
        world.line(4, stroke, Dab(80, 80, 124, rng.randrange(2**24)), Dab(20, 90, 99, 0x777777))
    world.undo(4, 11)
    world.lost = (
        world.stroke(4, 12)[0].seq - 1
    )  # what stroke 11 lay on is gone, and its patch shows the others
    for stroke in (12, 13):
        world.undo(4, stroke)
    assert world.missed > 0
    assert world.compared >= 3


def overlapping(world: World, strokes: int) -> None:
    """Strokes of two dabs at one place, each begun in the time of another dream, ended in the next one's."""
    for number in range(1, strokes + 1):
        world.dream(Image.new("RGB", (SIDE, SIDE), (number, 2 * number, 99)))
        world.line(1, number, Dab(300, 300, 40, 1000 * number))
        if number > 1:
            world.line(1, number - 1, Dab(310, 300, 40, 1000 * number))
    world.dream(Image.new("RGB", (SIDE, SIDE), (0, 0, 99)))


def test_strokes_that_were_begun_in_the_times_of_many_dreams_are_undone_as_before() -> None:
    world = Compared()
    overlapping(world, 8)
    for number in range(1, 9):
        world.undo(1, number)


def test_the_time_grows_by_the_number_of_patches_not_by_its_power_of_two() -> None:
    class Quick(World):
        def base(self, before: int) -> tuple[int, Image.Image]:
            start, picture = next(dream for dream in reversed(self.dreams) if dream[0] < before)
            return start, picture.copy()

    world = Quick()
    overlapping(world, 30)
    began = time.monotonic()
    for number in range(1, 31):
        world.undo(1, number)
    assert time.monotonic() - began < 30  # the first way would take hours
    assert world.picture.getpixel((300, 300)) == (1, 2, 99)


# Its bounds


def busy(operations: int) -> tuple[World, Sequence[Operation]]:
    world = World()
    world.line(1, 1, Dab(300, 300, 40, 0))
    for number in range(operations):
        world.put(Dab(300 + number % 7, 300, 40, number), 2, 1)
    return world, world.stroke(1, 1)


@pytest.mark.parametrize(
    ("work", "why"),
    [
        (Work(50, 10**9, 10**9), "more than 50 operations"),
        (Work(10**9, 3_000_000, 10**9), "more than 3 million pixels"),
        (Work(10**9, 10**9, 100), "side by side"),
    ],
)
def test_what_is_too_much_is_told(work: Work, why: str) -> None:
    world, dabs = busy(200)
    with pytest.raises(OverdrawnError, match=why):
        undo.take_back(world, dabs, len(world.log), work=work)
    undo.take_back(world, dabs, len(world.log), work=Work(500, 10**8, 10**8))


def test_it_is_given_up_in_the_middle() -> None:
    world, dabs = busy(200)
    asked = iter([False] * 50)
    work = Work(10**9, 10**9, 10**9, lambda: next(asked, True))
    with pytest.raises(StoppedError):
        undo.take_back(world, dabs, len(world.log), work=work)


# Played like everything else: the helpers are those of the first tests


def test_the_reference_tells_a_difference() -> None:
    world = played(script(random.Random(3), dreams=True))
    author, stroke = next(
        (each.author, each.stroke) for each in reversed(world.log) if isinstance(each.mark, Dab)
    )
    one = reference(world, author, stroke)
    world.put(Dab(one.region[0] + 9, one.region[1] + 9, 20, 0x13579B), 3, 9)
    assert not same(one.image, reference(world, author, stroke).image)
