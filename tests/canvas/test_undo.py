"""What an undo puts back: the picture as it would be without the stroke, and nothing else."""

import io
import random
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from PIL import Image, ImageChops

from dreamcanvas.canvas import undo
from dreamcanvas.canvas.model import SIDE, Canvas, Dab, Operation, Patch, Region, draw
from dreamcanvas.canvas.undo import EDGE

WHITE = Image.new("RGB", (SIDE, SIDE), (255, 255, 255))


def plain(colour: int) -> Image.Image:
    """A dream of one colour, 0xRRGGBB."""
    return Image.new("RGB", (SIDE, SIDE), (colour >> 16, colour >> 8 & 255, colour & 255))


class World:
    """A canvas with all of its past, in memory."""

    def __init__(self) -> None:
        self.canvas = Canvas()
        self.log: list[Operation] = []
        self.dreams: list[tuple[int, Image.Image]] = []
        self.kept = True

    def put(self, mark: Dab | Patch, author: int = 1, stroke: int = 1) -> None:
        operation = Operation(len(self.log) + 1, 0, author, stroke, mark)
        self.log.append(operation)
        self.canvas.apply(operation)

    def line(self, author: int, stroke: int, *dabs: Dab) -> None:
        for dab in dabs:
            self.put(dab, author, stroke)

    def dream(self, image: Image.Image) -> None:
        """It is dreamt at once."""
        self.dreams.append((len(self.log), image))
        self.canvas.lay(Canvas(image.copy(), len(self.dreams), len(self.log)), ())

    def stroke(self, author: int, stroke: int, until: int | None = None) -> list[Operation]:
        """The dabs of a stroke that have not been taken back."""
        found: list[Operation] = []
        for operation in self.log[:until]:
            if (operation.author, operation.stroke) == (author, stroke):
                found = [*found, operation] if isinstance(operation.mark, Dab) else []
        return found

    def undo(self, author: int, stroke: int) -> Patch:
        patch = undo.take_back(self, self.stroke(author, stroke), len(self.log)).patch()
        self.put(patch, author, stroke)
        return patch

    @property
    def picture(self) -> Image.Image:
        return self.canvas.snapshot()

    # What `undo` is told of the past

    def base(self, before: int) -> tuple[int, Image.Image]:
        if not self.kept:
            raise LookupError("gone")
        fitting = [(seq, image.copy()) for seq, image in self.dreams if seq < before]
        return fitting[-1] if fitting else (0, WHITE.copy())

    def operations(self, after: int, until: int, region: Region) -> Sequence[Operation]:
        return self.log[after:until]

    def taken(self, operation: Operation) -> Sequence[int]:
        return [dab.seq for dab in self.stroke(operation.author, operation.stroke, operation.seq - 1)]


def same(one: Image.Image, other: Image.Image, within: Image.Image | None = None) -> bool:
    """Whether two pictures are equal, to the level; where `within` is opaque, if it is given."""
    difference = ImageChops.difference(one, other)
    if within is not None:
        difference = Image.composite(difference, Image.new("RGB", difference.size), within)
    return difference.getbbox() is None


def opaque(patch: Patch) -> Image.Image:
    """Where on the canvas a patch is opaque: 255 there, else 0."""
    whole = Image.new("L", (SIDE, SIDE))
    whole.paste(alpha_of(patch).point(lambda value: 255 * (value == 255)), (patch.x, patch.y))
    return whole


def alpha_of(patch: Patch) -> Image.Image:
    with Image.open(io.BytesIO(patch.image)) as image:
        assert image.mode == "RGBA"
        return image.getchannel("A")


def drawn(base: Image.Image, *dabs: Dab) -> Image.Image:
    picture = base.copy()
    for dab in dabs:
        draw(picture, dab)
    return picture


RED, BLUE, GREEN = Dab(300, 300, 80, 0xFF0000), Dab(330, 300, 60, 0x0000FF), Dab(310, 330, 50, 0x00FF00)


# One stroke


def test_without_a_dream_the_picture_is_as_if_the_stroke_had_never_been() -> None:
    world = World()
    world.line(1, 1, BLUE)
    world.line(2, 1, RED, replace(RED, x=340))
    world.line(3, 1, GREEN)
    world.undo(2, 1)
    assert same(world.picture, drawn(WHITE, BLUE, GREEN))


def test_after_dreams_the_newest_dream_without_the_stroke_comes_back_with_others_later_ink_on_it() -> None:
    world = World()
    world.dream(plain(0x102030))
    world.dream(plain(0x203040))
    world.line(1, 1, RED)
    world.dream(plain(0x990000))
    world.line(2, 1, BLUE)
    world.dream(plain(0x880000))
    world.line(3, 1, GREEN)
    before = world.picture
    patch = world.undo(1, 1)
    assert same(world.picture, drawn(plain(0x203040), BLUE, GREEN), opaque(patch))
    nothing = Image.new("L", (SIDE, SIDE), 255)
    nothing.paste(alpha_of(patch).point(lambda value: 255 * (value == 0)), (patch.x, patch.y))
    assert same(world.picture, before, nothing)


def test_a_dream_with_a_part_of_the_stroke_is_not_what_was_there_before() -> None:
    world = World()
    world.dream(plain(0x203040))
    world.line(1, 1, RED)
    world.dream(plain(0x990000))
    world.line(1, 1, replace(RED, x=400))
    patch = world.undo(1, 1)
    assert same(world.picture, plain(0x203040), opaque(patch))


def test_the_patch_is_opaque_wherever_the_brush_left_something_and_falls_off_softly() -> None:
    world = World()
    world.line(1, 1, RED)
    covered = ImageChops.difference(world.picture, WHITE).convert("L").point(lambda value: 255 * (value > 0))
    patch = world.undo(1, 1)
    assert same(opaque(patch).convert("RGB"), Image.new("RGB", (SIDE, SIDE), "white"), covered)
    row = [alpha_of(patch).getpixel((x, 40 + EDGE)) for x in range(EDGE + 2)]
    assert row == sorted(row)  # type: ignore[type-var]
    assert row[0] != 255
    assert len(set(row)) > EDGE - 2
    assert row[-1] == 255


def test_a_patch_is_no_larger_than_the_stroke_and_its_edge() -> None:
    world = World()
    world.line(1, 1, Dab(300, 400, 80, 0), Dab(350, 400, 20, 0))
    patch = world.undo(1, 1)
    assert undo.bounds(patch) == (260 - EDGE, 360 - EDGE, 360 + EDGE, 440 + EDGE)


@pytest.mark.parametrize(
    ("dab", "box"),
    [
        (Dab(0, 0, 20, 0), (0, 0, 10 + EDGE, 10 + EDGE)),
        (Dab(SIDE, SIDE, 20, 0), (SIDE - 10 - EDGE, SIDE - 10 - EDGE, SIDE, SIDE)),
        (Dab(-500, 70, 20, 0), (0, 0, 1, 1)),
    ],
)
def test_what_lies_off_the_canvas_is_not_in_the_patch(dab: Dab, box: Region) -> None:
    world = World()
    world.line(1, 1, dab)
    assert undo.bounds(world.undo(1, 1)) == box
    assert same(world.picture, WHITE)


def test_too_little_kept_is_told() -> None:
    world = World()
    world.line(1, 1, RED)
    world.kept = False
    with pytest.raises(LookupError):
        world.undo(1, 1)


# Several strokes, several undos


def test_own_later_strokes_stay() -> None:
    world = World()
    world.line(1, 1, RED)
    world.line(1, 2, BLUE)
    world.undo(1, 1)
    assert same(world.picture, drawn(WHITE, BLUE))


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 2, 1), (2, 1, 3), (2, 3, 1)])
def test_in_whatever_order_strokes_are_undone_the_start_comes_back(order: tuple[int, ...]) -> None:
    world = World()
    world.line(9, 1, GREEN)
    for stroke, dab in enumerate((RED, BLUE, replace(GREEN, color=0)), start=1):
        world.line(1, stroke, dab)
    for stroke in order:
        world.undo(1, stroke)
    assert same(world.picture, drawn(WHITE, GREEN))


def test_an_undo_does_not_bring_back_what_was_undone_before_though_a_patch_shows_it() -> None:
    world = World()
    world.dream(plain(0x203040))
    world.line(1, 1, BLUE)  # is in the next dream
    world.dream(plain(0x304050))
    world.line(2, 1, RED)
    world.undo(1, 1)  # this patch shows RED
    patch = world.undo(2, 1)
    shared = ImageChops.darker(opaque(patch), opaque_of(BLUE))
    assert same(world.picture, plain(0x203040), shared)


def opaque_of(dab: Dab) -> Image.Image:
    world = World()
    world.line(1, 1, dab)
    return opaque(world.undo(1, 1))


def test_a_number_that_is_used_again_is_another_stroke() -> None:
    world = World()
    world.line(1, 1, RED)
    world.undo(1, 1)
    world.line(1, 1, BLUE)
    assert same(world.picture, drawn(WHITE, BLUE))
    world.line(2, 1, GREEN)
    world.undo(1, 1)
    assert same(world.picture, drawn(WHITE, GREEN))


def test_a_patch_of_a_moderator_is_laid_as_it_is() -> None:
    world = World()
    world.line(1, 1, RED)
    world.put(Patch(250, 250, png(plain(0xABCDEF).crop((0, 0, 60, 60)).convert("RGBA"))), 0, 0)
    world.line(2, 1, BLUE)
    world.undo(2, 1)
    expected = drawn(WHITE, RED)
    expected.paste(plain(0xABCDEF).crop((0, 0, 60, 60)), (250, 250))
    assert same(world.picture, expected)


def png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


# Later operations, before the patch is numbered


def test_what_came_meanwhile_is_laid_on_it() -> None:
    world = World()
    world.line(1, 1, RED)
    retraction = undo.take_back(world, world.stroke(1, 1), 1)
    world.line(2, 1, BLUE, Dab(1000, 1000, 20, 0))
    later = [operation for operation in world.log[1:] if retraction.touches(operation)]
    assert [operation.mark for operation in later] == [BLUE]
    world.put(retraction.with_later(later).patch(), 1, 1)
    assert same(world.picture, drawn(WHITE, BLUE, Dab(1000, 1000, 20, 0)))


# Properties: three authors, dreams between, undos of all in any order


def script(
    rng: random.Random, *, dreams: bool, steps: int = 30
) -> list[tuple[str, int, int, tuple[Dab, ...]]]:
    """What is done: ("draw", author, stroke, dabs), ("undo", author, stroke, ()), ("dream", colour, 0, ())"""
    done: list[tuple[str, int, int, tuple[Dab, ...]]] = []
    open_: list[tuple[int, int]] = []
    for _ in range(steps):
        act = rng.random()
        if act < 0.3 and open_:
            done.append(("undo", *open_.pop(rng.randrange(len(open_))), ()))
        elif act < 0.4 and dreams:
            done.append(("dream", rng.randrange(2**24), 0, ()))
        else:
            key = (
                rng.choice(open_) if open_ and rng.random() < 0.3 else (rng.randint(1, 3), rng.randint(1, 5))
            )
            if key not in open_:
                open_.append(key)
            dabs = tuple(
                Dab(rng.randint(-20, 160), rng.randint(-20, 160), rng.randint(1, 124), rng.randrange(2**24))
                for _ in range(rng.randint(1, 4))
            )
            done.append(("draw", *key, dabs))
    return done


def played(
    steps: list[tuple[str, int, int, tuple[Dab, ...]]], look: Callable[[World], None] = lambda _: None
) -> World:
    world = World()
    for what, author, stroke, dabs in steps:
        if what == "draw":
            world.line(author, stroke, *dabs)
        elif what == "dream":
            world.dream(plain(author))
        else:
            world.undo(author, stroke)
        look(world)
    return world


def left(world: World) -> list[Dab]:
    """The dabs that were not taken back, in their order."""
    gone: set[int] = set()
    strokes: dict[tuple[int, int], list[int]] = {}
    for operation in world.log:
        key = (operation.author, operation.stroke)
        if isinstance(operation.mark, Dab):
            strokes.setdefault(key, []).append(operation.seq)
        else:
            gone.update(strokes.pop(key))
    return [each.mark for each in world.log if isinstance(each.mark, Dab) and each.seq not in gone]


@pytest.mark.parametrize("seed", range(6))
def test_without_dreams_the_picture_is_always_that_of_the_dabs_that_are_left(seed: int) -> None:
    def look(world: World) -> None:
        assert same(world.picture, drawn(WHITE, *left(world)))

    assert any(
        isinstance(each.mark, Patch) for each in played(script(random.Random(seed), dreams=False), look).log
    )


@pytest.mark.parametrize("seed", range(15))
def test_with_dreams_the_picture_does_not_depend_on_the_colour_of_what_was_undone(seed: int) -> None:
    rng = random.Random(seed)
    steps = script(rng, dreams=True)
    undone: set[tuple[int, int]] = set()
    other = []
    for step in reversed(steps):
        what, author, stroke, dabs = step
        if what == "undo":
            undone.add((author, stroke))
        if what == "draw" and (author, stroke) in undone:
            step = (what, author, stroke, tuple(replace(dab, color=rng.randrange(2**24)) for dab in dabs))  # noqa: PLW2901
        other.append(step)
    assert same(played(steps).picture, played(other[::-1]).picture)
