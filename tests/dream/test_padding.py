"""A picture is continued by its mirror image, and what was added is cut off again."""

import numpy as np
import pytest

from dreamcanvas.dream.padding import CONTEXT, JITTER, TOTAL, Offset, cut, draw_offset, extend
from dreamcanvas.dream.tensors import tf


@pytest.mark.parametrize("size", [(80, 130), (64, 64), (63, 200), (5, 40), (1, 1)])
def test_what_is_extended_is_cut_again_and_mirrored_around_it(size: tuple[int, int]) -> None:
    picture = np.random.default_rng(0).uniform(0, 255, (1, *size, 3)).astype(np.float32)
    offset = Offset(30, 25)
    extended = extend(tf.constant(picture), offset)
    assert extended.shape == (1, size[0] + TOTAL, size[1] + TOTAL, 3)
    np.testing.assert_array_equal(cut(extended, offset), picture)
    around = np.pad(picture, ((0, 0), (30, TOTAL - 30), (25, TOTAL - 25), (0, 0)), "symmetric")
    np.testing.assert_array_equal(extended, around)


def test_offsets_leave_context_on_every_side_and_are_spread_evenly() -> None:
    offsets = np.array([draw_offset(7, step) for step in range(500)])
    assert offsets.min() == CONTEXT
    assert offsets.max() == CONTEXT + JITTER == TOTAL - CONTEXT
    assert np.abs(offsets.mean(axis=0) - TOTAL / 2).max() < 1


def test_the_seed_and_the_step_decide_the_offset() -> None:
    def offsets(seed: int) -> list[Offset]:
        return [draw_offset(seed, step) for step in range(20)]

    assert offsets(1) == offsets(1)
    assert offsets(1) != offsets(2)
    assert len(set(offsets(1))) > 15
