"""A Laplacian pyramid, and a gradient made even over it (pure tensor functions).

From DeepDream's notebook among TensorFlow's examples of 2016 ("Laplacian Pyramid Gradient Normalization";
the pyramid is Burt and Adelson's of 1983): a network's gradient is mostly fine detail; with each frequency
band divided by its standard deviation the large forms get as much of a step as the small.

Images are [1, height, width, 3] of float32 or float64. An image too small for a level gets fewer.
"""

from collections.abc import Sequence

import numpy as np

from dreamcanvas.dream.network import Tensor
from dreamcanvas.dream.tensors import tf

_BINOMIAL = np.array([1.0, 4.0, 6.0, 4.0, 1.0]) / 16.0
_KERNEL = np.outer(_BINOMIAL, _BINOMIAL)[:, :, None, None] * np.eye(3)
_SMALLEST_SIDE = 8
"""Pixels: a smaller image is not split again, as a band of a few pixels has no spread worth the name."""

_TINY = 1e-30
"""Against division by zero only, as in `ascent`."""


def split(image: Tensor, levels: int) -> list[Tensor]:
    """Split into at most `levels` bands, each in half the size of the one before, and what is left, last."""
    bands = []
    for _ in range(levels):
        if min(image.shape[1:3]) < _SMALLEST_SIDE:
            break
        low = tf.nn.conv2d(image, _kernel(image), 2, "SAME")
        bands.append(image - _enlarge(low, image))
        image = low
    return [*bands, image]


def merge(bands: Sequence[Tensor]) -> Tensor:
    """Put together what `split` gave: the image again within rounding."""
    *others, image = bands
    for band in reversed(others):
        image = _enlarge(image, band) + band
    return image


def even_out(image: Tensor, levels: int) -> Tensor:
    """Return each band of the image, and what is left, a root mean square of 1."""
    return merge([_over_spread(band) for band in split(image, levels)])


def _enlarge(image: Tensor, larger: Tensor) -> Tensor:
    """Scale to the double size, that of `larger`."""
    return tf.nn.conv2d_transpose(image, 4.0 * _kernel(image), larger.shape, 2, "SAME")


def _kernel(image: Tensor) -> Tensor:
    return tf.constant(_KERNEL, image.dtype)


def _over_spread(band: Tensor) -> Tensor:
    # Squares of a gradient of 1e-20 would be no float32.
    scaled = band / (tf.reduce_max(tf.abs(band)) + _TINY)
    return scaled / tf.sqrt(tf.reduce_mean(tf.square(scaled)) + _TINY)
