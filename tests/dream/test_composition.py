"""Fields are the lowest frequencies of a picture, wherever its forms lie."""

import numpy as np
import pytest
from numpy.typing import NDArray

from dreamcanvas.dream.composition import FIELDS, coarse, spread_out
from dreamcanvas.dream.tensors import tf

SIDE = 768
ROWS = np.arange(SIDE)


def lowest(profile: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the lowest frequencies of a picture with this profile by rows, the same in each column."""
    picture = tf.constant(np.broadcast_to(profile[None, :, None, None], (1, SIDE, SIDE, 1)), tf.float32)
    found = np.asarray(spread_out(coarse(picture), SIDE, SIDE), np.float64)[0, :, :, 0]
    np.testing.assert_allclose(found, np.broadcast_to(found[:, :1], found.shape), atol=1e-3)
    return found[:, 0]


@pytest.mark.parametrize(
    ("size", "fields"),
    [((1536, 768), (128, 64)), ((40, 640), (8, 128)), ((8, 12), (8, 12)), ((1, 900), (1, 128))],
)
def test_fields_are_square_in_any_picture(size: tuple[int, int], fields: tuple[int, int]) -> None:
    picture = tf.fill([1, *size, 3], 7.0)
    assert tuple(coarse(picture).shape[1:3]) == fields
    np.testing.assert_allclose(spread_out(coarse(picture), *size), picture, rtol=1e-5)


def test_the_mean_stays() -> None:
    picture = np.random.default_rng(0).uniform(0, 255, (1, 256, 256, 3)).astype(np.float32)
    fields = coarse(tf.constant(picture))
    np.testing.assert_allclose(np.mean(fields, axis=(0, 1, 2)), picture.mean(axis=(0, 1, 2)), rtol=1e-4)


@pytest.mark.parametrize(
    ("periods", "low", "high"), [(2, 0.98, 1.0), (4, 0.95, 1.0), (32, 0.05, 0.25), (96, 0, 0.01)]
)
def test_large_waves_are_the_composition_and_small_ones_are_not(
    periods: int, low: float, high: float
) -> None:
    wave = np.cos(2 * np.pi * periods * (ROWS + 0.5) / SIDE)
    share = lowest(wave) @ wave / (wave @ wave)
    assert low <= share <= high


def test_it_is_the_same_wherever_a_form_lies() -> None:
    """Means of squares, scaled up, are not: a dream would show the squares' borders."""
    field = SIDE // FIELDS
    bars = [lowest(np.where(np.abs(ROWS - first) < 10, 100.0, 0.0)) for first in range(300, 300 + 8 * field)]
    heights = [bar.max() for bar in bars]
    assert max(heights) < 1.06 * min(heights)
    moved = [np.abs(np.roll(bar, -step) - bars[0]).max() for step, bar in enumerate(bars)]
    assert max(moved) < 0.1 * max(heights)
