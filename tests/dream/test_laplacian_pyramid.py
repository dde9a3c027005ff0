"""A pyramid of frequency bands that can be put together again, and be made even."""

import numpy as np
import pytest
from numpy.typing import NDArray

from dreamcanvas.dream.laplacian_pyramid import even_out, merge, split
from dreamcanvas.dream.network import Tensor
from dreamcanvas.dream.tensors import tf


def noise(height: int, width: int, dtype: str = "float64") -> Tensor:
    return tf.constant(np.random.default_rng(1).normal(size=(1, height, width, 3)), dtype)


def wave(period: float, amplitude: float, side: int = 128) -> NDArray[np.float64]:
    across = amplitude * np.sin(2 * np.pi * np.arange(side) / period)
    return np.broadcast_to(across[None, None, :, None], (1, side, side, 3)).copy()


@pytest.mark.parametrize("size", [(64, 48), (37, 61), (9, 8), (1, 1), (1, 40)])
@pytest.mark.parametrize("levels", [1, 4, 8])
def test_what_is_split_and_merged_is_the_same(size: tuple[int, int], levels: int) -> None:
    image = noise(*size)
    np.testing.assert_allclose(merge(split(image, levels)), image, atol=1e-14)
    image = noise(*size, "float32")
    np.testing.assert_allclose(merge(split(image, levels)), image, atol=2e-6)


def test_each_band_has_half_the_size_of_the_one_before() -> None:
    sizes = [tuple(band.shape[1:3]) for band in split(noise(64, 50), 3)]
    assert sizes == [(64, 50), (32, 25), (16, 13), (8, 7)]


def test_an_image_too_small_for_a_level_gets_fewer() -> None:
    assert len(split(noise(40, 33), 8)) == 4  # 33, 17, 9 px are split, 5 are not
    assert len(split(noise(7, 300), 8)) == 1


def test_fine_detail_is_in_the_first_band_and_large_forms_in_the_last() -> None:
    fine, *_, rest = split(tf.constant(wave(3.0, 1.0)), 3)
    assert np.std(fine) > 20 * np.std(rest)
    fine, *_, rest = split(tf.constant(wave(64.0, 1.0)), 3)
    assert np.std(rest) > 10 * np.std(fine)


def test_evened_out_every_band_has_the_same_strength() -> None:
    def share_of_the_large(image: NDArray[np.float64]) -> float:
        """The strength of the wave of 64 px over that of 3 px, in the middle row."""
        spectrum = np.abs(np.fft.rfft(image[0, 64, :96, 0]))
        return float(spectrum[1:3].max() / spectrum[32])

    image = wave(3.0, 1.0) + wave(64.0, 0.01)
    evened = even_out(tf.constant(image), 3).numpy()
    assert share_of_the_large(image) < 0.02
    assert share_of_the_large(evened) > 0.5


def test_a_gradients_size_does_not_matter() -> None:
    image = noise(64, 64, "float32")
    np.testing.assert_allclose(
        even_out(1e-22 * image, 4),
        even_out(image, 4),
        rtol=1e-3,
        atol=1e-4,
    )


def test_a_flat_gradient_stays_flat_and_no_nan() -> None:
    assert not np.any(even_out(tf.zeros([1, 32, 32, 3]), 4).numpy())
