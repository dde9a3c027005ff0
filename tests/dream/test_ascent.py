"""Octaves, jitter and normalised steps: the ascent of 2017 as tensor functions."""

import numpy as np
import pytest
from numpy.typing import NDArray

from dreamcanvas.dream import ascent
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
    """An objective whose gradient depends on the picture, but not on how it is rolled."""
    return tf.math.reduce_variance(pictures)


def slope_of(objective: Objective) -> ascent.Slope:
    return lambda pictures: gradient(objective, pictures)


def step_along(objective: Objective, offset: tuple[int, int], laplacian: int = 0) -> Floats:
    def run(x: Tensor) -> Tensor:
        return ascent.step_along(x, slope_of(objective), tf.constant(offset), tf.constant(1.5), laplacian)

    change: Floats = tf.function(run, autograph=False)(picture()).numpy()
    return change


def ascend(
    objective: Objective, seed: int = 1, iterations: int = 1, step: float = 1.5, mask: Tensor | None = None
) -> Floats:
    def run(x: Tensor) -> Tensor:
        return ascent.ascend(
            x,
            slope_of(objective),
            SIZES,
            iterations=iterations,
            step=tf.constant(step),
            seed=tf.constant(seed),
            mask=mask,
        )

    change: Floats = tf.function(run, autograph=False)(picture()).numpy()
    return change


def test_each_octave_and_iteration_adds_a_step() -> None:
    # The gradient of brightness over its mean absolute value is 1 everywhere.
    assert ascend(brightness) == pytest.approx(3 * 1.5, rel=1e-4)
    assert ascend(brightness, iterations=2, step=0.5) == pytest.approx(3 * 2 * 0.5, rel=1e-4)


def test_octaves_may_end_below_the_pictures_size() -> None:
    change = ascent.ascend(
        picture(),
        tf.ones_like,
        SIZES[1:],
        iterations=1,
        step=tf.constant(1.5),
        seed=tf.constant(1),
    )
    assert change.shape == (1, 64, 48, 3)
    np.testing.assert_allclose(change, 2 * 1.5, rtol=1e-4)


def test_a_step_is_so_many_levels_on_average() -> None:
    assert np.abs(step_along(contrast, (5, 9))).mean() == pytest.approx(1.5, rel=1e-4)


def test_a_step_over_bands_is_as_large_and_has_more_of_the_large_forms() -> None:
    plain, even = step_along(contrast, (5, 9)), step_along(contrast, (5, 9), laplacian=3)
    assert np.abs(even).mean() == pytest.approx(1.5, rel=1e-4)
    forms = [tf.nn.avg_pool2d(tf.constant(change), 8, 8, "VALID").numpy().std() for change in (plain, even)]
    assert forms[1] > 2 * forms[0]


def test_what_the_mask_hides_is_not_seen() -> None:
    # With a mask of 0 every step is taken at the untouched picture, with 1 at what was added so far.
    hidden = ascend(contrast, iterations=3, mask=tf.zeros([1, 64, 48, 1]))
    shown = ascend(contrast, iterations=3, mask=tf.ones([1, 64, 48, 1]))
    np.testing.assert_allclose(shown, ascend(contrast, iterations=3), rtol=1e-4, atol=1e-4)
    assert np.abs(hidden - shown).mean() > 0.01


def test_a_step_does_not_depend_on_the_gradients_size() -> None:
    faint = step_along(lambda pictures: 1e-12 * contrast(pictures), (5, 9))
    np.testing.assert_allclose(faint, step_along(contrast, (5, 9)), rtol=1e-3, atol=1e-4)


def test_a_flat_gradient_gives_no_step_and_no_nan() -> None:
    assert not np.any(step_along(lambda p: 0.0 * tf.reduce_sum(p), (0, 0)))


def test_what_is_rolled_is_rolled_back() -> None:
    difference = np.abs(step_along(contrast, (0, 0)) - step_along(contrast, (13, 21)))
    assert np.median(difference) < 0.01  # the smoothing sees other borders


def test_the_objective_rises() -> None:
    change = ascend(contrast)
    assert float(contrast(picture() + change)) > float(contrast(picture()))


def test_the_seed_decides_the_jitter() -> None:
    def offsets(seed: int) -> set[tuple[int, int]]:
        return {
            tuple(ascent.random_offset(tf.constant([seed, octave]), (640, 480)).numpy().tolist())
            for octave in range(20)
        }

    assert offsets(1) == offsets(1)
    assert offsets(1) != offsets(2)
    assert len(offsets(1)) > 15


def test_an_offset_stays_within_the_size() -> None:
    offsets = np.array([ascent.random_offset(tf.constant([7, n]), (3, 50)).numpy() for n in range(60)])
    assert set(offsets[:, 0]) == {0, 1, 2}
    assert offsets[:, 1].min() >= 0
    assert 40 < offsets[:, 1].max() < 50


def test_the_pyramid_scales_each_level_from_the_one_before() -> None:
    levels = ascent.pyramid(picture(), SIZES)
    assert [tuple(level.shape[1:3]) for level in levels] == list(SIZES)
    np.testing.assert_allclose(levels[2].numpy(), ascent.resize(levels[1], SIZES[2]).numpy())


def test_without_a_change_no_detail_is_lost() -> None:
    """2017 kept the detail aside and added it again; carrying up the change alone is the same."""
    change = ascend(lambda p: 0.0 * tf.reduce_sum(p))
    assert not np.any(change)
