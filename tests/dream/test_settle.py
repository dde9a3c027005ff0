"""What keeps a canvas alive that dreams its own dreams."""

import numpy as np
import pytest
from numpy.typing import NDArray

from dreamcanvas.dream.composition import coarse
from dreamcanvas.dream.network import Tensor
from dreamcanvas.dream.settle import (
    BOOST,
    CONTRAST,
    FLAT_DETAIL,
    HOLD,
    HOLD_COLOUR,
    HOLD_MEAN,
    MARGIN,
    MOST,
    awaken,
    cap,
    contrast,
    desaturate,
    held,
    limit,
    pool,
    settle,
    variance,
)
from dreamcanvas.dream.smoothing import smooth
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
def test_a_change_that_darkens_all_is_next_to_no_change(level: float) -> None:
    np.testing.assert_allclose(settle(flat(level), flat(-3.0)), flat(level), atol=0.3)


def wave(contrast: float) -> Tensor:
    """Stripes of 8 px with a standard deviation of `contrast` levels."""
    stripes = np.where(np.arange(40) // 8 % 2, contrast, -contrast)
    return tf.constant(np.broadcast_to(stripes[None, None, :, None], (1, 32, 40, 3)), tf.float32)


def test_a_flat_picture_is_given_the_larger_forms_several_times_as_strong() -> None:
    for level in (0.0, 90.0, 255.0):
        quiet, extra = awaken(flat(level), wave(3.0))
        np.testing.assert_allclose(quiet, 1.0, atol=1e-3)
        np.testing.assert_allclose(extra[0, :, 4], extra[0, 0, 4, 0], atol=1e-3)  # its stripes are there
        assert 0.4 * BOOST * 3.0 < float(extra[0, 0, 12, 0]) <= (BOOST - FLAT_DETAIL) * 3.0


def test_a_picture_with_contrast_is_given_next_to_nothing() -> None:
    strengths = [
        float(tf.reduce_max(awaken(flat(128.0) + wave(contrast), wave(3.0))[1]))
        for contrast in (0.0, 10.0, 20.0, 40.0)
    ]
    assert strengths == sorted(strengths, reverse=True)
    assert strengths[-1] < 0.05 * strengths[0]


def test_the_finest_detail_of_a_change_is_given_no_extra_strength() -> None:
    board = np.indices((32, 40)).sum(axis=0) % 2 * 2.0 - 1.0
    change = tf.constant(np.repeat(board[None, ..., None], 3, axis=-1), tf.float32)
    np.testing.assert_allclose(awaken(flat(200.0), change)[1], 0.0, atol=1e-4)


def test_paper_is_quiet_but_for_the_neighbourhood_of_a_stroke() -> None:
    paper = np.full((1, 200, 200, 3), 255.0, np.float32)
    paper[:, 96:104, :100] = 0.0
    extra = awaken(tf.constant(paper), tf.fill([1, 200, 200, 3], 3.0))[1][0, :, :, 0]
    on_stroke, off_stroke = float(extra[100, 40]), float(extra[20, 160])
    assert on_stroke < 0.05 * off_stroke


def landscape(contrast: float) -> Tensor:
    """Large waves of all colours, around grey, 256 px a side."""
    x = np.linspace(0, 2 * np.pi, 256)
    waves = np.stack([np.sin(x)[:, None] * np.cos(x + shift) for shift in (0.0, 0.4, 0.8)], axis=-1)
    return tf.constant(128 + contrast * waves[None], tf.float32)


def fields_of(picture: Tensor) -> NDArray[np.float32]:
    fields: NDArray[np.float32] = coarse(picture).numpy()
    return fields


def test_the_composition_is_a_fixed_point_but_for_a_few_percent() -> None:
    """A change of the lowest frequencies is taken back; one that has none of them is not."""
    picture, low = landscape(60.0), 0.2 * (landscape(60.0)[:, ::-1] - 128.0)
    moved = fields_of(settle(picture, low)) - fields_of(settle(picture, tf.zeros_like(picture)))
    assert np.abs(moved).mean() < 0.12 * np.abs(fields_of(low)).mean()
    board = np.indices((256, 256)).sum(axis=0) // 4 % 2 * 12.0 - 6.0
    fine = tf.constant(np.repeat(board[None, ..., None], 3, axis=-1), tf.float32)
    changed = settle(picture, fine) - settle(picture, tf.zeros_like(picture))
    assert float(tf.reduce_mean(tf.abs(changed))) > 0.5 * float(tf.reduce_mean(tf.abs(fine)))


def test_the_composition_holds_for_hundreds_of_cycles_and_gains_what_it_loses() -> None:
    start = landscape(70.0)
    picture = start
    for seed in range(300):
        picture = settle(picture, strong_noise(seed))
    before, after = fields_of(start).mean(axis=-1), fields_of(picture).mean(axis=-1)
    assert np.corrcoef(before.ravel(), after.ravel())[0, 1] > 0.9
    assert 0.6 < after.std() / before.std() < 1.4
    assert np.abs(after.mean() - before.mean()) < 10


def strong_noise(seed: int) -> Tensor:
    """A change of forms of 8 and of 64 px, as a dream's."""
    random = np.random.default_rng(seed)
    forms = [tf.constant(random.normal(0, 8, (1, side, side, 3)), tf.float32) for side in (32, 4)]
    return tf.add_n([tf.image.resize(form, (256, 256), method="bicubic") for form in forms])


def test_what_has_little_contrast_gains_some_and_what_has_much_loses_some() -> None:
    faint, strong = (tf.constant([[[[128.0 - d] * 3, [128.0 + d] * 3]]]) for d in (10.0, 60.0))
    assert float(contrast(faint)[0, 0, 1, 0]) == pytest.approx(10 * CONTRAST, rel=0.1)
    assert float(contrast(strong)[0, 0, 1, 0]) < 0
    np.testing.assert_allclose(contrast(coarse(flat(128.0))), 0.0, atol=1e-4)


def test_what_is_taken_back_is_more_than_all_of_the_mean_and_nearly_all_of_a_field() -> None:
    back = held(coarse(flat(0.0) + tf.constant([9.0, 0.0, 0.0])))[0, 0, 0].numpy()
    np.testing.assert_allclose(back, 3 * HOLD_MEAN + HOLD_COLOUR * np.array([6, -3, -3]), atol=1e-3)
    two_fields = tf.constant([[[[10.0] * 3, [-4.0] * 3]]])
    np.testing.assert_allclose(
        held(two_fields)[0, 0, :, 0], [3 * HOLD_MEAN + HOLD * 7, 3 * HOLD_MEAN - HOLD * 7], atol=1e-4
    )


def test_white_paper_is_let_go_and_held_where_it_has_room() -> None:
    moved = [
        mean(settle(tf.fill([1, 256, 256, 3], level), strong_noise(1))) - level for level in (255.0, 225.0)
    ]
    assert moved[0] < -1.2
    assert abs(moved[1]) < 1


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


def test_a_hundred_cycles_keep_the_mean() -> None:
    picture = noise(25.0) + 150.0
    before = mean(picture)
    for seed in range(100):
        picture = settle(picture, noise(3.0, seed) - 0.3)
    assert mean(picture) == pytest.approx(before, abs=6.0)


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
    assert 243.0 < mean(flat(240.0) + limit(flat(240.0), flat(90.0))) <= 255.0 - MARGIN


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
