"""Which dabs were taken back, and which patches show one that went later."""

import io

from PIL import Image

from dreamcanvas.canvas.model import Dab, Operation, Patch
from dreamcanvas.canvas.undone import Undone, find_undone
from dreamcanvas.canvas.work import FOREVER
from tests.canvas.test_undo import BLUE, RED, World, opaque, plain, same

ANN, BEN = 1, 2


def png() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGBA", (9, 9)).save(buffer, "PNG")
    return buffer.getvalue()


DAB, PATCH = Dab(5, 5, 9, 0), Patch(0, 0, png())


def found(*marks: tuple[int, int, Dab | Patch], dabs: tuple[int, ...] = ()) -> Undone:
    """What was taken back among operations from 1 on: author, stroke, mark. The past knows nothing more."""
    operations = [Operation(seq, 0, *of) for seq, of in enumerate(marks, start=1)]
    return find_undone(operations, dabs, lambda _: ())


def test_the_example_of_the_module() -> None:
    undone = found((ANN, 1, DAB), (BEN, 1, DAB), (ANN, 1, PATCH), (BEN, 1, PATCH))
    assert undone.taken == {1: 3, 2: 4}
    assert [undone.shows_what_went(seq) for seq in (3, 4)] == [True, False]


def test_what_the_new_undo_takes_back_is_in_every_earlier_patch() -> None:
    undone = found((ANN, 1, DAB), (BEN, 1, DAB), (ANN, 1, PATCH), dabs=(2,))
    assert undone.taken == {1: 3, 2: FOREVER}
    assert undone.shows_what_went(3)


def test_a_number_that_is_used_again_is_another_stroke_and_0_is_none() -> None:
    undone = found((ANN, 1, DAB), (ANN, 1, PATCH), (ANN, 1, DAB), (BEN, 0, DAB), (BEN, 0, PATCH))
    assert undone.taken == {1: 2}
    assert set(undone.patches) == {2}


def test_what_the_past_tells_counts_also_without_the_dabs() -> None:
    patch = Operation(9, 0, ANN, 1, PATCH)
    undone = find_undone([patch], (), lambda _: [3, 4])
    assert undone.taken == {3: 9, 4: 9}
    assert [undone.patches[9].took_out_of(base) for base in (2, 3)] == [False, True]
    assert not undone.patches[9].seen


def test_the_example_of_reconstruction() -> None:
    world = World()
    world.line(ANN, 1, RED)
    world.dream(plain(0x990000))
    world.line(BEN, 1, BLUE)
    patch = world.undo(ANN, 1)  # it shows Ben's dab on white
    ben = world.undo(BEN, 1)
    both = Image.composite(opaque(patch), Image.new("L", opaque(ben).size), opaque(ben))
    assert both.getbbox() is not None
    assert same(world.picture, plain(0xFFFFFF), both)
