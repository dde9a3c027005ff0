"""Objectives are scalars of a picture; their gradients point uphill."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from dreamcanvas.dream.engine import Pixels
from dreamcanvas.dream.network import Network, Tensor
from dreamcanvas.dream.objective import (
    GUIDE_VECTORS,
    Aim,
    Objective,
    channel_mean,
    gradient,
    guide_match,
    guide_size,
    guide_vectors,
    layer_square,
    match,
    weighted_sum,
)
from dreamcanvas.dream.tensors import tf
from tests.dream.tiny_network import TinyNetwork

Floats = NDArray[np.float64]
TINY = TinyNetwork()


def noise(seed: int, *shape: int) -> Floats:
    return np.random.default_rng(seed).uniform(0, 255, shape)


PICTURE = noise(1, 1, 7, 6, 3)
GUIDE = noise(2, 1, 9, 8, 3)


def vectors(layer: str) -> Tensor:
    return guide_vectors(TINY.walk(layer)(GUIDE, None))


def total(aims: Sequence[Aim], *weights: float) -> Objective:
    return weighted_sum(TINY, aims, tf.constant(weights, tf.float64))


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


def test_a_match_is_the_dot_product_with_the_guides_nearest_vector_times_its_cosine() -> None:
    activations = tf.constant([[[[3.0, 4.0], [-2.0, 0.0]]]])
    guide = tf.constant([[1.0, 0.0], [0.0, 1.0], [-0.6, -0.8]])
    expected = (4.0 * 0.8 + 1.2 * 0.6) / 2
    assert float(match(activations, guide)) == pytest.approx(expected)


def test_what_points_away_from_the_guide_is_no_match() -> None:
    assert float(match(tf.constant([[[[-5.0, 0.0]]]]), tf.constant([[1.0, 0.0]]))) < 0


def test_guide_match_is_the_match_of_a_layer() -> None:
    activations = TINY.walk("second")(PICTURE, None).numpy().reshape(-1, 6)
    along = (activations @ vectors("second").numpy().T).max(axis=1)
    expected = (along * np.maximum(along / np.linalg.norm(activations, axis=1), 0.1)).mean()
    assert float(guide_match(TINY, "second", vectors("second"))(PICTURE)) == pytest.approx(expected)


def test_positions_without_activation_have_no_gradient_and_no_nan() -> None:
    slope = tf.function(lambda x: tf.gradients(match(x, tf.eye(3)), x)[0], autograph=False)
    found = slope(tf.constant([[[[0.0, 0.0, 0.0], [1.0, 0.5, 0.0]]]])).numpy()
    assert np.all(np.isfinite(found))
    assert found[0, 0, 1, 0] > 0


OBJECTIVES: dict[str, Callable[[], Objective]] = {
    "channel": lambda: channel_mean(TINY, "second", tf.constant(4)),
    "square": lambda: layer_square(TINY, "second"),
    "guide": lambda: guide_match(TINY, "second", vectors("second")),
    "sum": lambda: total([Aim("first", tf.constant(1)), Aim("second")], 1.5, -0.5),
    "sum at one layer": lambda: total(
        [Aim("second", tf.constant(1)), Aim("second"), Aim("second", vectors=vectors("second"))],
        1.0, 0.25, 2.0,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", OBJECTIVES)
def test_the_gradient_agrees_with_finite_differences(name: str) -> None:
    objective = OBJECTIVES[name]()
    found = tf.function(lambda x: gradient(OBJECTIVES[name](), x), autograph=False)(PICTURE).numpy()
    value = tf.function(objective, autograph=False)
    width = 1e-3
    expected = np.empty_like(found)
    for index in np.ndindex(found.shape):
        nudge = np.zeros_like(found)
        nudge[index] = width
        expected[index] = (value(PICTURE + nudge) - value(PICTURE - nudge)) / (2 * width)
    assert np.abs(expected).max() > 1e-6
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-11)


def test_a_sum_is_the_weighted_sum_of_its_aims() -> None:
    parts = [
        float(objective(PICTURE))
        for objective in (
            channel_mean(TINY, "second", tf.constant(1)),
            channel_mean(TINY, "first", tf.constant(2)),
            layer_square(TINY, "second"),
            guide_match(TINY, "second", vectors("second")),
        )
    ]
    aims = [
        Aim("second", tf.constant(1)),
        Aim("first", tf.constant(2)),
        Aim("second"),
        Aim("second", vectors=vectors("second")),
    ]
    expected = np.dot(parts, [2.0, -3.0, 0.5, 7.0])
    assert float(total(aims, 2.0, -3.0, 0.5, 7.0)(PICTURE)) == pytest.approx(expected)


def test_aims_at_a_layer_share_a_walk() -> None:
    network = TinyNetwork()
    aims = [Aim("second", tf.constant(1)), Aim("first"), Aim("second")]
    objective = weighted_sum(network, aims, tf.ones([3], tf.float64))
    objective(PICTURE)
    assert network.walks == network.passes == ["second", "first"]


def test_a_guides_vectors_have_length_1_and_a_bounded_number() -> None:
    for height, width in ((3, 5), (48, 48), (191, 192)):
        found = guide_vectors(tf.constant(noise(3, 1, height, width, 6))).numpy()
        assert len(found) == min(height * width, len(found)) <= GUIDE_VECTORS
        np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1.0)
    assert len(guide_vectors(tf.constant(noise(3, 1, 3, 5, 6)))) == 15


def test_a_guide_is_reduced_and_never_enlarged() -> None:
    assert guide_size(300, 200) == (300, 200)
    assert guide_size(768, 1536) == (192, 384)
    assert guide_size(1, 8000) == (1, 384)


def test_a_guide_without_any_activation_pulls_nowhere() -> None:
    nothing = guide_vectors(tf.zeros([1, 4, 4, 6], tf.float64))
    slope = tf.function(lambda x: gradient(guide_match(TINY, "second", nothing), x), autograph=False)(PICTURE)
    assert not np.any(slope.numpy())
