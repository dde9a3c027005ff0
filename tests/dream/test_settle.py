"""What keeps a canvas alive that dreams its own dreams."""

import numpy as np
import pytest

from dreamcanvas.dream.network import Tensor
from dreamcanvas.dream.settle import (
    BOOST,
    MOST,
    awaken,
    cap,
    desaturate,
    drift,
    limit,
    pool,
    room,
    settle,
    smooth,
    variance,
)
from dreamcanvas.dream.tensors import tf


def flat(level: float) -> Tensor:
    return tf.fill([1, 32, 40, 3], level)


def noise(scale: float, seed: int = 0) -> Tensor:
    return tf.constant(np.random.default_rng(seed).normal(0, scale, (1, 32, 40, 3)), tf.float32)


def mean(picture: Tensor) -> float:
    return float(tf.reduce_mean(picture))


def test_no_change_leaves_a_flat_picture_as_it_is() -> None:
    for level in (0.0, 90.0, 255.0):
        np.testing.assert_allclose(settle(flat(level), flat(0.0)), flat(level), atol=1e-4)


@pytest.mark.parametrize("level", [110.0, 128.0, 145.0])
def test_a_change_that_darkens_all_is_no_change(level: float) -> None:
    np.testing.assert_allclose(settle(flat(level), flat(-3.0)), flat(level), atol=1e-3)


def wave(contrast: float) -> Tensor:
    """Stripes of 8 px with a standard deviation of `contrast` levels."""
    stripes = np.where(np.arange(40) // 8 % 2, contrast, -contrast)
    return tf.constant(np.broadcast_to(stripes[None, None, :, None], (1, 32, 40, 3)), tf.float32)


def test_a_flat_picture_is_given_the_forms_several_times_as_strong() -> None:
    for level in (0.0, 90.0, 255.0):
        extra = awaken(flat(level), wave(3.0))
        np.testing.assert_allclose(extra[0, :, 4], extra[0, 0, 4, 0], atol=1e-3)  # its stripes are there
        assert float(extra[0, 0, 12, 0]) == pytest.approx((BOOST - 1.0) * 3.0, rel=0.05)


def test_a_picture_with_contrast_is_given_next_to_nothing() -> None:
    strengths = [
        float(tf.reduce_max(awaken(flat(128.0) + wave(contrast), wave(3.0))))
        for contrast in (0.0, 10.0, 20.0, 40.0)
    ]
    assert strengths == sorted(strengths, reverse=True)
    assert strengths[-1] < 0.05 * strengths[0]


def test_the_finest_detail_of_a_change_is_given_no_extra_strength() -> None:
    board = np.indices((32, 40)).sum(axis=0) % 2 * 2.0 - 1.0
    change = tf.constant(np.repeat(board[None, ..., None], 3, axis=-1), tf.float32)
    np.testing.assert_allclose(awaken(flat(200.0), change), 0.0, atol=1e-4)


def test_paper_is_quiet_but_for_the_neighbourhood_of_a_stroke() -> None:
    paper = np.full((1, 200, 200, 3), 255.0, np.float32)
    paper[:, 96:104, :100] = 0.0
    extra = awaken(tf.constant(paper), tf.fill([1, 200, 200, 3], 3.0))[0, :, :, 0]
    on_stroke, off_stroke = float(extra[100, 40]), float(extra[20, 160])
    assert on_stroke < 0.05 * off_stroke


def test_variance_is_that_of_the_neighbourhood() -> None:
    np.testing.assert_allclose(variance(flat(255.0)), 0.0, atol=1e-2)
    np.testing.assert_allclose(variance(flat(128.0) + wave(20.0))[0, 1:-1, 1:-1], 400.0, rtol=0.3)
    assert variance(tf.zeros([1, 13, 5, 3])).shape == (1, 2, 1, 1)


def test_pooling_takes_means_and_an_odd_last_column_counts_twice() -> None:
    ramp = tf.reshape(tf.range(10.0), [1, 2, 5, 1])
    np.testing.assert_allclose(pool(ramp, 1)[0, :, :, 0], [[3.0, 5.0, 6.5]])
    np.testing.assert_allclose(pool(ramp, 2)[0, :, :, 0], [[4.0, 6.5]])


@pytest.mark.parametrize(("height", "width"), [(1, 1), (7, 33)])
def test_any_size_is_settled(height: int, width: int) -> None:
    picture, change = tf.fill([1, height, width, 3], 250.0), tf.ones([1, height, width, 3])
    assert settle(picture, change).shape == picture.shape


def test_drift_is_corrected_per_colour_channel() -> None:
    change = flat(0.0) + tf.constant([4.0, -2.0, 1.0])
    picture = noise(20.0) + 128.0
    corrected = change - drift(picture, change) * room(picture)
    np.testing.assert_allclose(tf.reduce_mean(corrected, [0, 1, 2]), 0.0, atol=1e-3)


def test_a_hundred_cycles_keep_the_mean() -> None:
    picture = noise(25.0) + 150.0
    before = mean(picture)
    for seed in range(100):
        picture = settle(picture, noise(3.0, seed) - 0.3)
    assert mean(picture) == pytest.approx(before, abs=1.0)


def test_paper_may_darken_and_night_may_brighten() -> None:
    assert mean(settle(flat(250.0), noise(5.0))) < 250.0
    assert mean(settle(flat(5.0), noise(5.0))) > 5.0


def test_no_pixel_changes_by_more_than_the_most_and_keeps_its_colour() -> None:
    huge = tf.constant([[[[-900.0, 300.0, 0.0]]]])
    capped = cap(huge)
    assert 0.95 * MOST < float(tf.sqrt(tf.reduce_mean(tf.square(capped)))) < MOST
    np.testing.assert_allclose(
        capped / huge[..., :1], huge / huge[..., :1] * float(capped[0, 0, 0, 0] / -900)
    )
    np.testing.assert_allclose(cap(flat(3.0)), flat(3.0), rtol=0.01)


def test_a_change_fades_out_towards_its_end_only() -> None:
    assert mean(limit(flat(255.0), flat(5.0))) == pytest.approx(0.0)
    assert mean(limit(flat(0.0), flat(-5.0))) == pytest.approx(0.0)
    assert mean(limit(flat(255.0), flat(-5.0))) == pytest.approx(-5.0, rel=1e-3)
    assert mean(limit(flat(128.0), flat(5.0))) == pytest.approx(5.0, rel=0.01)


def test_strong_changes_hardly_clip() -> None:
    picture = flat(128.0)
    for seed in range(60):
        picture = settle(picture, noise(12.0, seed))
    values = picture.numpy()
    assert np.mean((values <= 0) | (values >= 255)) < 0.01


def test_smoothing_takes_the_checkerboard_and_keeps_what_is_flat() -> None:
    board = np.indices((32, 40)).sum(axis=0) % 2 * 100.0
    smoothed = smooth(tf.constant(np.repeat(board[None, ..., None], 3, axis=-1), tf.float32))
    np.testing.assert_allclose(smoothed[:, 1:-1, 1:-1], 50.0, atol=1e-3)
    np.testing.assert_allclose(smooth(flat(77.0)), flat(77.0), atol=1e-4)


def test_the_finest_detail_stays_bounded() -> None:
    """Fresh noise in each cycle: its roughness reaches a level and stays there."""

    def roughness(cycles: int) -> float:
        picture = flat(128.0)
        for seed in range(cycles):
            picture = settle(picture, noise(3.0, seed))
        return float(tf.math.reduce_std(picture - smooth(picture)))

    assert roughness(80) < 1.15 * roughness(40)


def test_strong_colour_is_drawn_back_and_weak_hardly() -> None:
    strong, weak = tf.constant([[[[255.0, 0.0, 0.0]]]]), tf.constant([[[[140.0, 120.0, 120.0]]]])
    assert 0.9 < float(desaturate(strong)[0, 0, 0, 0] - desaturate(strong)[0, 0, 0, 1]) / 255.0 < 0.98
    assert float(desaturate(weak)[0, 0, 0, 0] - desaturate(weak)[0, 0, 0, 1]) == pytest.approx(20.0, abs=0.05)
    assert mean(desaturate(strong)) == pytest.approx(85.0, abs=1e-3)
