"""Objectives are scalars of a picture; their gradients point uphill."""

import numpy as np
import pytest

from dreamcanvas.dream.engine import Pixels
from dreamcanvas.dream.network import Network, Tensor
from dreamcanvas.dream.objective import Objective, channel_mean, gradient, layer_square
from dreamcanvas.dream.tensors import tf


@pytest.fixture
def pictures(coffee: Pixels) -> Tensor:
    return tf.constant(coffee[None], tf.float32)


def test_channel_mean_is_the_mean_of_one_channel(network: Network, pictures: Tensor) -> None:
    activations = network.walk("b3_exp_pre")(pictures, None).numpy()
    value = channel_mean(network, "b3_exp_pre", tf.constant(17))(pictures)
    assert float(value) == pytest.approx(activations[..., 17].mean(), rel=1e-4)


def test_layer_square_is_the_mean_square_of_all(network: Network, pictures: Tensor) -> None:
    activations = network.walk("b3_exp_pre")(pictures, None).numpy()
    value = layer_square(network, "b3_exp_pre")(pictures)
    assert float(value) == pytest.approx(np.square(activations).mean(), rel=1e-4)


@pytest.mark.parametrize("name", ["channel", "square"])
def test_the_gradient_agrees_with_finite_differences(network: Network, pictures: Tensor, name: str) -> None:
    def build() -> Objective:
        if name == "channel":
            return channel_mean(network, "b2_exp_pre", tf.constant(3))
        return layer_square(network, "b2_exp_pre")

    slope = tf.function(lambda x: gradient(build(), x))(pictures)
    assert slope.shape == pictures.shape
    value = build()
    # Along the gradient itself the difference is far above float32's rounding.
    direction = slope / tf.norm(slope)
    width = 4.0
    rise = float(value(pictures + width * direction) - value(pictures - width * direction))
    assert rise / (2 * width) == pytest.approx(float(tf.norm(slope)), rel=0.05)
