"""Objectives: what a dream makes larger, as scalar functions of a picture (pure tensor functions)."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from dreamcanvas.dream.network import Network, Tensor, Walk
from dreamcanvas.dream.tensors import tf

Objective = Callable[[Tensor], Tensor]
"""Pictures, float32 [1, height, width, 3] of 0–255, to a float32 scalar."""

GUIDE_SIDE = 384
"""Pixels: the longer side of a reduced guide. Networks trained at 224 px still see its parts."""

GUIDE_VECTORS = 1024
"""About so many positions of a guide are kept: each position of the picture is compared with all of them."""

PLACE = 5
"""Positions of a layer: the side of the square that counts as one place (`most_seen`)."""

_LEAST_COSINE = 0.1
"""Lower cosines count as this one. With negative ones, what points away from the guide would be raised."""

_TINY = 1e-12
"""Against division by zero only: a position without any activation, as ReLUs leave."""


@dataclass(frozen=True, slots=True)
class Aim:
    """What is made larger in a layer: one of four.

    The mean of a `channel` (an int32 scalar tensor, so that another channel needs no new graph); or the match
    with a guide's `vectors` ([number, channels], from `guide_vectors`); or, with `places`, what is seen most
    at each place (`most_seen`); or, with none of these, the mean square: more of whatever the layer sees.
    """

    layer: str
    channel: Tensor | None = None
    vectors: Tensor | None = None
    places: bool = False


def channel_mean(network: Network, layer: str, channel: Tensor) -> Objective:
    """Return the objective: the mean of one channel of a layer."""
    return _single(network, Aim(layer, channel=channel))


def layer_square(network: Network, layer: str) -> Objective:
    """Return the objective: the mean square of a layer."""
    return _single(network, Aim(layer))


def places_mean(network: Network, layer: str) -> Objective:
    """Return the objective: what a layer sees most at each place, averaged (`most_seen`)."""
    return _single(network, Aim(layer, places=True))


def guide_match(network: Network, layer: str, vectors: Tensor) -> Objective:
    """Return the objective: the mean match of a layer with a guide (`match`)."""
    return _single(network, Aim(layer, vectors=vectors))


def weighted_sum(network: Network, aims: Sequence[Aim], weights: Tensor) -> Objective:
    """Return the objective: the sum of aims, each times its weight. Weights are float32 [number of aims].

    Aims at the same layer share one walk through the network, and its gradient.
    """
    at_layer: Mapping[str, list[int]] = {aim.layer: [] for aim in aims}
    for index, aim in enumerate(aims):
        at_layer[aim.layer].append(index)
    walks = {layer: network.walk(layer) for layer in at_layer}

    def objective(pictures: Tensor) -> Tensor:
        parts = []
        for layer, indices in at_layer.items():
            values = _values(walks[layer], [aims[index] for index in indices], pictures)
            parts += [weights[index] * value for index, value in zip(indices, values, strict=True)]
        return tf.add_n(parts)

    return objective


def match(activations: Tensor, vectors: Tensor) -> Tensor:
    """Return how strongly a guide's vectors are seen, as the mean over the positions.

    Activations are [1, height, width, channels]. Each position counts with the guide's vector whose direction
    is most similar: by the dot product, as in the guided dreams of 2015, times the cosine, as in Lucid's
    `direction_cossim` with a power. The dot product alone is raised most by what the layer likes anyway, so
    that all guides dream the same eyes; the cosine alone copies textures.

    The choice of the vector has no gradient. It is made row by row: the comparisons of all rows at once would
    take gigabytes.
    """

    def best(row: Tensor) -> Tensor:
        return tf.argmax(tf.matmul(row, vectors, transpose_b=True), axis=-1, output_type=tf.int32)

    positions = activations[0]
    rows = tf.stop_gradient(positions)
    chosen = tf.map_fn(best, rows, fn_output_signature=tf.int32, parallel_iterations=1)
    along = tf.reduce_sum(positions * tf.gather(vectors, chosen), axis=-1)
    cosine = along / tf.sqrt(tf.reduce_sum(tf.square(positions), axis=-1) + _TINY)
    return tf.reduce_mean(along * tf.maximum(cosine, _LEAST_COSINE))


def most_seen(activations: Tensor) -> Tensor:
    """Return the mean of activations [1, height, width, channels], weighted by what is seen at each place.

    A channel is seen at a place by its mean over 5 × 5 positions, values below 0 counted as 0. Its weight is
    that divided by the mean of all channels there, and has no gradient. So each place becomes more of what it
    is most like: sky, sea and sun dream different things, where a channel or the mean square dreams only one.
    """
    seen = tf.nn.avg_pool2d(tf.nn.relu(activations), PLACE, 1, "SAME")
    weights = seen / (tf.reduce_mean(seen, axis=-1, keepdims=True) + _TINY)
    return tf.reduce_mean(tf.stop_gradient(weights) * activations)


def guide_vectors(activations: Tensor) -> Tensor:
    """Return a guide's activations [1, height, width, channels] as about 1024 vectors of length 1, or fewer.

    They are taken at evenly spaced positions. The result is [number, channels].
    """
    _, height, width, channels = activations.shape
    spacing = math.ceil(math.sqrt(height * width / GUIDE_VECTORS))
    kept = activations[0, ::spacing, ::spacing]
    return tf.math.l2_normalize(tf.reshape(kept, [-1, channels]), axis=-1)


def guide_size(height: int, width: int) -> tuple[int, int]:
    """Return the (height, width) to which a guide is reduced."""
    scale = min(1.0, GUIDE_SIDE / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def gradient(objective: Objective, pictures: Tensor) -> Tensor:
    """Return an objective's gradient by the pictures, of their shape; only inside a traced function."""
    return tf.gradients(objective(pictures), pictures)[0]


def _single(network: Network, aim: Aim) -> Objective:
    walk = network.walk(aim.layer)
    return lambda pictures: _values(walk, [aim], pictures)[0]


def _values(walk: Walk, aims: Sequence[Aim], pictures: Tensor) -> list[Tensor]:
    """Return the value of each aim; all of them are at the walk's layer."""
    if len(aims) == 1 and aims[0].channel is not None:
        # One channel alone is cheaper to compute than the layer it is in.
        return [tf.reduce_mean(walk(pictures, aims[0].channel))]
    activations = walk(pictures, None)
    return [_value(aim, activations) for aim in aims]


def _value(aim: Aim, activations: Tensor) -> Tensor:
    if aim.channel is not None:
        return tf.reduce_mean(activations, [0, 1, 2])[aim.channel]
    if aim.vectors is not None:
        return match(activations, aim.vectors)
    if aim.places:
        return most_seen(activations)
    return tf.reduce_mean(tf.square(activations))
