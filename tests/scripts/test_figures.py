"""A picture in figures."""

import numpy as np
import pytest
from figures import (
    Pixels,
    block_means,
    change,
    compare,
    grid_share,
    luminance,
    measure,
    smooth,
)


def picture(*color: int) -> Pixels:
    return np.broadcast_to(np.asarray(color, np.uint8), (64, 96, 3)).copy()


def noise(seed: int = 0) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (256, 256, 3), np.uint8)


def test_a_grey_picture_has_no_spread_colour_or_detail() -> None:
    figures = measure(picture(80, 80, 80))
    assert figures.mean == pytest.approx(80.0, abs=0.01)
    assert (figures.clipped, figures.spread, figures.colour, figures.detail) == pytest.approx(
        (0.0, 0.0, 0.0, 0.0), abs=1e-3
    )


def test_black_and_white_are_clipped() -> None:
    pixels = picture(80, 80, 80)
    pixels[:32] = 255
    pixels[:16, :, 0] = 0
    assert measure(pixels).clipped == 0.5


def test_detail_is_what_smoothing_takes() -> None:
    board = np.indices((64, 96)).sum(axis=0) % 2 * 100
    pixels = np.repeat(board[..., None], 3, axis=-1).astype(np.uint8)
    assert measure(pixels).detail == pytest.approx(50.0, rel=0.05)
    assert np.ptp(smooth(np.full((5, 7), 9.0, np.float32))) == 0


def test_a_grid_repeats_and_noise_does_not() -> None:
    tile = np.random.default_rng(1).normal(0, 10, (16, 16)).astype(np.float32)
    assert grid_share(np.tile(tile, (8, 8))) == pytest.approx(1.0, rel=1e-3)
    assert measure(noise()).grid < 0.2
    assert grid_share(np.zeros((10, 10), np.float32)) == 0.0


def test_change_is_symmetric_and_does_not_wrap() -> None:
    dark, bright = picture(0, 10, 0), picture(255, 10, 0)
    assert change(dark, bright) == change(bright, dark) == 85.0
    assert change(dark, dark) == 0.0


def halves(dark: int, bright: int) -> Pixels:
    """A drawing: dark on the left, bright on the right."""
    pixels = np.full((96, 96, 3), bright, np.uint8)
    pixels[:, :48] = dark
    return pixels


def test_a_picture_is_like_itself() -> None:
    likeness = compare(halves(50, 200), halves(50, 200))
    assert (likeness.spread, likeness.correlation) == pytest.approx((1, 1))
    assert (likeness.brightness, likeness.clipped) == (0, 0)


def test_half_the_contrast_is_half_the_spread_and_a_negative_correlates_to_minus_1() -> None:
    assert compare(halves(88, 163), halves(50, 200)).spread == pytest.approx(0.5)
    negative = compare(halves(220, 50), halves(50, 200))
    assert negative.correlation == pytest.approx(-1)
    assert negative.brightness == pytest.approx(10, abs=0.1)


def test_what_is_clipped_counts_only_where_the_drawing_is_not_white() -> None:
    assert compare(halves(0, 255), halves(50, 255)).clipped == 1
    assert compare(halves(7, 255), halves(50, 255)).clipped == 0


def test_blocks_are_means_and_noise_within_them_is_none() -> None:
    plane = luminance(noise())
    means = block_means(plane, 8)
    assert means.shape == (8, 8)
    assert means[0, 0] == pytest.approx(plane[:32, :32].mean(), rel=1e-5)
    assert means.std() < 0.1 * plane.std()
