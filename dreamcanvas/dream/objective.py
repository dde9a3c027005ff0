"""Objectives: what a dream makes larger, as scalar functions of a picture (pure tensor functions)."""

from collections.abc import Callable, Sequence

from dreamcanvas.dream.network import Network, Tensor
from dreamcanvas.dream.tensors import tf

Objective = Callable[[Tensor], Tensor]
"""Pictures, float32 [1, height, width, 3] of 0–255, to a float32 scalar."""


def channel_mean(network: Network, layer: str, channel: Tensor) -> Objective:
    """The mean of one channel of a layer; channel is a scalar int32 tensor: another one is no other graph."""
    walk = network.walk(layer)
    return lambda pictures: tf.reduce_mean(walk(pictures, channel))


def layer_square(network: Network, layer: str) -> Objective:
    """The mean square of a layer: whatever it sees already, it sees more of."""
    walk = network.walk(layer)
    return lambda pictures: tf.reduce_mean(tf.square(walk(pictures, None)))


def weighted_sum(objectives: Sequence[Objective], weights: Tensor) -> Objective:
    """The sum of objectives, each times its weight; weights are float32 of their number."""

    def objective(pictures: Tensor) -> Tensor:
        values = tf.stack([objective(pictures) for objective in objectives])
        return tf.reduce_sum(weights * values)

    return objective


def gradient(objective: Objective, pictures: Tensor) -> Tensor:
    """The objective's gradient by the pictures, of their shape. Only inside a traced function."""
    return tf.gradients(objective(pictures), pictures)[0]
