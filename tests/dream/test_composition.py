"""Fields are means, and scaled up they are what they were."""

import numpy as np
import pytest

from dreamcanvas.dream.composition import FIELDS, coarse, spread_out
from dreamcanvas.dream.tensors import tf


def test_fields_are_the_means_of_squares() -> None:
    picture = np.random.default_rng(0).uniform(0, 255, (1, 96, 96, 3)).astype(np.float32)
    means = picture.reshape(1, FIELDS, 3, FIELDS, 3, 3).mean(axis=(2, 4))
    np.testing.assert_allclose(coarse(tf.constant(picture)), means, rtol=1e-4)


@pytest.mark.parametrize(
    ("size", "fields"),
    [((1536, 768), (32, 16)), ((40, 640), (2, 32)), ((8, 12), (8, 12)), ((1, 900), (1, 32))],
)
def test_fields_are_square_in_any_picture(size: tuple[int, int], fields: tuple[int, int]) -> None:
    picture = tf.fill([1, *size, 3], 7.0)
    assert tuple(coarse(picture).shape[1:3]) == fields
    np.testing.assert_allclose(spread_out(coarse(picture), *size), picture, rtol=1e-5)


def test_scaled_up_there_are_no_steps_and_the_means_are_about_the_same() -> None:
    fields = tf.constant(np.random.default_rng(0).normal(0, 20, (1, FIELDS, FIELDS, 1)), tf.float32)
    large = spread_out(fields, 768, 768)
    assert np.abs(np.diff(large, axis=1)).max() < 8  # a field is 24 px wide; the steps were up to 100
    assert np.corrcoef(np.ravel(coarse(large)), np.ravel(fields))[0, 1] > 0.95
