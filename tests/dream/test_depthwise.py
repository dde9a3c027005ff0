"""The depthwise convolution that reduces a picture is TensorFlow's, and so is its gradient."""

import numpy as np
import pytest

from dreamcanvas.dream.network import Tensor
from dreamcanvas.dream.networks.depthwise import convolve_depthwise
from dreamcanvas.dream.tensors import tf


@pytest.mark.parametrize("size", [(16, 20), (15, 21)])
@pytest.mark.parametrize("side", [3, 5])
def test_it_gives_what_tensorflow_gives(size: tuple[int, int], side: int) -> None:
    random = np.random.default_rng(0)
    x = tf.constant(random.normal(size=(1, *size, 8)), tf.float32)
    kernel = tf.constant(random.normal(size=(side, side, 8, 1)), tf.float32)

    def run(x: Tensor, own: bool) -> tuple[Tensor, Tensor]:
        y = (
            convolve_depthwise(x, kernel, 2)
            if own
            else tf.nn.depthwise_conv2d(x, kernel, [1, 2, 2, 1], "SAME")
        )
        return y, tf.gradients(tf.reduce_sum(tf.square(y)), x)[0]

    ours, theirs = (tf.function(run, autograph=False)(x, own) for own in (True, False))
    for our, their in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(our, their, rtol=1e-4, atol=1e-4)


def test_in_bfloat16_the_gradient_is_as_near_as_bfloat16_can_be() -> None:
    random = np.random.default_rng(1)
    x = random.normal(size=(1, 16, 16, 8))
    kernel = random.normal(size=(3, 3, 8, 1))

    def gradient(dtype: Tensor) -> Tensor:
        def run(x: Tensor) -> Tensor:
            y = convolve_depthwise(x, tf.constant(kernel, dtype), 2)
            return tf.gradients(tf.reduce_sum(y), x)[0]

        found = tf.function(run, autograph=False)(tf.constant(x, dtype))
        assert found.dtype == dtype
        return tf.cast(found, tf.float32)

    np.testing.assert_allclose(gradient(tf.bfloat16), gradient(tf.float32), rtol=0.03, atol=0.03)
