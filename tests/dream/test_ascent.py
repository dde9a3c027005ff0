"""Octaves, jitter and normalised steps: the ascent of 2017 as tensor functions."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from dreamcanvas.dream import ascent
from dreamcanvas.dream.ascent import Part, Steps
from dreamcanvas.dream.network import Tensor
from dreamcanvas.dream.objective import Objective, gradient
from dreamcanvas.dream.tensors import tf

Floats = NDArray[np.float32]
SIZES = ((64, 48), (49, 37), (37, 28))


def picture(seed: int = 0) -> Tensor:
    return tf.constant(np.random.default_rng(seed).uniform(60, 190, (1, 64, 48, 3)), tf.float32)


def brightness(pictures: Tensor) -> Tensor:
    """An objective with the same gradient everywhere."""
    return tf.reduce_mean(pictures)


def contrast(pictures: Tensor) -> Tensor:
    """An objective whose gradient depends on the picture, but not on where it lies."""
    return tf.math.reduce_variance(pictures)


def redness(pictures: Tensor) -> Tensor:
    """An objective whose gradient is red."""
    return tf.reduce_mean(pictures[..., 0])


def slope_of(objective: Objective) -> ascent.Slope:
    slope: ascent.Slope = tf.function(lambda pictures: gradient(objective, pictures), autograph=False)
    return slope


def uphill(objective: Objective, step: int = 0, laplacian: int = 0) -> Floats:
    direction: Floats = ascent.uphill(
        picture(), slope_of(objective), seed=1, step=step, laplacian=laplacian
    ).numpy()
    return direction


def ascend(
    objective: Objective,
    *,
    seed: int = 1,
    mask: Tensor | None = None,
    sizes: Sequence[tuple[int, int]] = SIZES,
    iterations: int = 1,
    step: float = 1.5,
    tilt: float = 0.0,
    detail: float = 1.0,
    grain: float = 1.0,
) -> Floats:
    steps = Steps(sizes, iterations=iterations, step=step, tilt=tilt, detail=detail, grain=grain)
    change: Floats = ascent.ascend(
        picture(), [Part(slope_of(objective))], steps, seed=seed, mask=mask
    ).numpy()
    return change


def test_each_octave_and_iteration_adds_a_step() -> None:
    # The gradient of brightness over its mean absolute value is 1 everywhere.
    assert ascend(brightness) == pytest.approx(3 * 1.5, rel=1e-4)
    assert ascend(brightness, iterations=2, step=0.5) == pytest.approx(3 * 2 * 0.5, rel=1e-4)


def test_octaves_may_end_below_the_pictures_size() -> None:
    change = ascend(brightness, sizes=SIZES[1:])
    assert change.shape == (1, 64, 48, 3)
    np.testing.assert_allclose(change, 2 * 1.5, rtol=1e-4)


def test_a_tilt_gives_longer_steps_to_small_octaves() -> None:
    assert ascend(brightness, step=1.0, tilt=0.5) == pytest.approx(1 + 1.25 + 1.5, rel=1e-4)


def test_detail_gives_longer_steps_to_the_largest_octave() -> None:
    assert ascend(brightness, step=1.0, tilt=0.5, detail=3.0) == pytest.approx(3 + 1.25 + 1.5, rel=1e-4)


def test_the_grain_takes_colour_from_the_largest_octave_alone() -> None:
    coloured = ascend(redness, sizes=SIZES[:1], step=1.0)[0, 0, 0]
    np.testing.assert_allclose(coloured, [3, 0, 0], atol=1e-3)
    grey = ascend(redness, sizes=SIZES[:1], step=1.0, grain=0.0)[0, 0, 0]
    np.testing.assert_allclose(grey, [1, 1, 1], atol=1e-3)
    half = ascend(redness, sizes=SIZES[:2], step=1.0, grain=0.0)[0, 0, 0]
    np.testing.assert_allclose(half, [1 + 3, 1, 1], atol=1e-3)


def test_a_direction_has_a_mean_absolute_value_of_1() -> None:
    assert np.abs(uphill(contrast)).mean() == pytest.approx(1, rel=1e-4)


def test_a_direction_over_bands_is_as_long_and_has_more_of_the_large_forms() -> None:
    plain, even = uphill(contrast), uphill(contrast, laplacian=3)
    assert np.abs(even).mean() == pytest.approx(1, rel=1e-4)
    forms = [tf.nn.avg_pool2d(tf.constant(change), 8, 8, "VALID").numpy().std() for change in (plain, even)]
    assert forms[1] > 2 * forms[0]


def test_what_the_mask_hides_is_not_seen() -> None:
    # With a mask of 0 every step is taken at the untouched picture, with 1 at what was added so far.
    hidden = ascend(contrast, iterations=3, mask=tf.zeros([1, 64, 48, 1]))
    shown = ascend(contrast, iterations=3, mask=tf.ones([1, 64, 48, 1]))
    np.testing.assert_allclose(shown, ascend(contrast, iterations=3), rtol=1e-4, atol=1e-4)
    assert np.abs(hidden - shown).mean() > 0.01


def test_each_part_is_as_strong_whatever_its_gradients_size_and_has_its_places() -> None:
    left = tf.constant(np.arange(48)[None, None, :, None] < 24, tf.float32) * tf.ones([1, 64, 1, 1])
    darker, faint = slope_of(lambda p: -brightness(p)), slope_of(lambda p: 1e-6 * brightness(p))
    steps = Steps(SIZES[:1], iterations=1, step=2.0)
    parts = [Part(darker, left), Part(faint, 1.0 - left)]
    change = ascent.ascend(picture(), parts, steps, seed=1).numpy()
    np.testing.assert_allclose(change[:, :, :24], -2, rtol=1e-4)
    np.testing.assert_allclose(change[:, :, 24:], 2, rtol=1e-4)


def test_a_direction_does_not_depend_on_the_gradients_size() -> None:
    faint = uphill(lambda pictures: 1e-12 * contrast(pictures))
    np.testing.assert_allclose(faint, uphill(contrast), rtol=1e-3, atol=1e-4)


def test_a_flat_gradient_gives_no_step_and_no_nan() -> None:
    assert not np.any(uphill(lambda p: 0.0 * tf.reduce_sum(p)))


def test_where_the_grid_lies_changes_no_gradient_that_has_no_grid() -> None:
    # The variance of what is seen depends on how much of the mirror image is seen: a little.
    difference = np.abs(uphill(contrast, step=0) - uphill(contrast, step=1))
    assert difference.max() < 0.05


def test_the_objective_rises() -> None:
    change = ascend(contrast)
    assert float(contrast(picture() + change)) > float(contrast(picture()))


def test_the_pyramid_scales_each_level_from_the_one_before() -> None:
    levels = ascent.pyramid(picture(), SIZES)
    assert [tuple(level.shape[1:3]) for level in levels] == list(SIZES)
    np.testing.assert_allclose(levels[2].numpy(), ascent.resize(levels[1], SIZES[2]).numpy())


def test_without_a_change_no_detail_is_lost() -> None:
    """2017 kept the detail aside and added it again; carrying up the change alone is the same."""
    change = ascend(lambda p: 0.0 * tf.reduce_sum(p))
    assert not np.any(change)
