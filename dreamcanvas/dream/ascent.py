"""Gradient ascent over octaves (pure tensor functions).

The ascent is that of 2017 (Mordvintsev, Olah and Tyka, "DeepDream"): from the smallest octave to the
largest, a few steps along the gradient over its mean absolute value, each on the picture rolled by a random
offset so that neither the network's grid nor the borders settle anywhere; between octaves the picture is
scaled up bilinearly and the detail that the smaller size could not hold is added again.

One thing is ours: the gradient is smoothed by a 3 × 3 binomial kernel before it is divided. The network's
strided convolutions leave a checkerboard in it that nobody sees but that takes a third of a step's levels;
without it the same step gives larger forms and a third of the roughness.
"""

from collections.abc import Sequence

from dreamcanvas.dream.network import Tensor
from dreamcanvas.dream.objective import Objective, gradient
from dreamcanvas.dream.settle import smooth
from dreamcanvas.dream.tensors import tf

_TINY = 1e-30
"""Against division by zero only: the gradient of a mean over a large picture is of the order of 1e-7."""


def pyramid(picture: Tensor, sizes: Sequence[tuple[int, int]]) -> list[Tensor]:
    """Scale a picture [1, height, width, 3] down to each (height, width), each from the one before."""
    levels = [picture]
    for size in sizes[1:]:
        levels.append(resize(levels[-1], size))
    return levels


def resize(picture: Tensor, size: tuple[int, int]) -> Tensor:
    """Scale bilinearly to (height, width)."""
    return tf.image.resize(picture, size, method="bilinear")


def roll(picture: Tensor, offset: Tensor) -> Tensor:
    """Roll by offset (int32 [2], down and right), around the borders."""
    return tf.roll(picture, offset, [1, 2])


def random_offset(seed: Tensor, size: tuple[int, int]) -> Tensor:
    """An offset (int32 [2]) below size, drawn by a stateless generator from the seed (int32 [2])."""
    return tf.cast(tf.random.stateless_uniform([2], seed) * tf.constant(size, tf.float32), tf.int32)


def step_along(picture: Tensor, objective: Objective, offset: Tensor, step: Tensor) -> Tensor:
    """One step along the gradient over its mean absolute value: `step` levels on average."""
    slope = smooth(gradient(objective, roll(picture, offset)))
    return roll(slope, -offset) * (step / (tf.reduce_mean(tf.abs(slope)) + _TINY))


def ascend(
    picture: Tensor,
    objective: Objective,
    sizes: Sequence[tuple[int, int]],
    *,
    iterations: int,
    step: Tensor,
    seed: Tensor,
) -> Tensor:
    """What a dream adds to a picture: float32 of its shape [1, height, width, 3], in levels.

    `sizes` are the octaves' (height, width), the picture's own first; `seed` is int32. Both added make
    the 2017 dream, unclipped: scaling is linear, so carrying up the change alone keeps detail.
    """
    levels = pyramid(picture, sizes)
    change = tf.zeros_like(levels[-1])
    for octave in reversed(range(len(sizes))):
        size = sizes[octave]
        if octave < len(sizes) - 1:
            change = resize(change, size)
        for iteration in range(iterations):
            offset = random_offset(tf.stack([seed, octave * 1000 + iteration]), size)
            change += step_along(levels[octave] + change, objective, offset, step)
    return change
