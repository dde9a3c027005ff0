"""The convolution of a picture is TensorFlow's, and so is its gradient."""

import numpy as np
import pytest

from dreamcanvas.dream.network import Tensor
from dreamcanvas.dream.networks.convolution import convolve
from dreamcanvas.dream.tensors import tf


@pytest.mark.parametrize(
    ("kernel", "stride", "channels"), [(7, 2, 3), (5, 2, 1), (7, 3, 3), (3, 2, 3), (7, 2, 8)]
)
@pytest.mark.parametrize(("height", "width"), [(1, 1), (12, 12), (17, 10), (15, 31)])
def test_the_sum_and_its_gradient(kernel: int, stride: int, channels: int, height: int, width: int) -> None:
    x = tf.random.stateless_normal([1, height, width, channels], [1, 2])
    weights = tf.random.stateless_normal([kernel, kernel, channels, 6], [1, 3])

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def both(x: Tensor) -> list[Tensor]:
        found = []
        for sums in (convolve(x, weights, stride), tf.nn.conv2d(x, weights, stride, "SAME")):
            found += [sums, tf.gradients(tf.square(sums), x)[0]]
        return found

    ours, our_slope, theirs, their_slope = (found.numpy() for found in both(x))
    np.testing.assert_allclose(ours, theirs, atol=1e-3)
    np.testing.assert_allclose(our_slope, their_slope, rtol=1e-3, atol=5e-2)
