"""Gradient ascent over octaves (pure tensor functions).

The ascent is that of 2017 (Mordvintsev, Olah and Tyka, "DeepDream"): from the smallest octave to the
largest, a few steps along the gradient over its mean absolute value, each on the picture rolled by a random
offset so that neither the network's grid nor the borders settle anywhere; between octaves the picture is
scaled up bilinearly and the detail that the smaller size could not hold is added again.

One thing is ours: the gradient is smoothed by a 3 × 3 binomial kernel before it is divided. The network's
strided convolutions leave a checkerboard in it that nobody sees but that takes a third of a step's levels;
without it the same step gives larger forms and a third of the roughness. On request the gradient is made
even over a Laplacian pyramid (`laplacian`) before.
"""

from collections.abc import Callable, Sequence

from dreamcanvas.dream.laplacian import even_out
from dreamcanvas.dream.network import Tensor
from dreamcanvas.dream.settle import smooth
from dreamcanvas.dream.tensors import tf

Slope = Callable[[Tensor], Tensor]
"""Pictures, float32 [1, height, width, 3] of 0–255, to the gradient of what is raised, of their shape."""

_TINY = 1e-30
"""Against division by zero only: the gradient of a mean over a large picture is of the order of 1e-7."""


def pyramid(picture: Tensor, sizes: Sequence[tuple[int, int]]) -> list[Tensor]:
    """Scale a picture [1, height, width, channels] down to each (height, width), each from the one before."""
    levels: list[Tensor] = []
    for size in sizes:
        levels.append(resize(levels[-1] if levels else picture, size))
    return levels


def resize(picture: Tensor, size: tuple[int, int]) -> Tensor:
    """Scale bilinearly to (height, width)."""
    if tuple(picture.shape[1:3]) == size:
        return picture
    return tf.image.resize(picture, size, method="bilinear")


def roll(picture: Tensor, offset: Tensor) -> Tensor:
    """Roll by offset (int32 [2], down and right), around the borders."""
    return tf.roll(picture, offset, [1, 2])


def random_offset(seed: Tensor, size: tuple[int, int]) -> Tensor:
    """An offset (int32 [2]) below size, drawn by a stateless generator from the seed (int32 [2])."""
    return tf.cast(tf.random.stateless_uniform([2], seed) * tf.constant(size, tf.float32), tf.int32)


def step_along(picture: Tensor, slope: Slope, offset: Tensor, step: Tensor, laplacian: int = 0) -> Tensor:
    """One step along the gradient over its mean absolute value: `step` levels on average.

    `laplacian` is the number of bands that the gradient is made even over.
    """
    uphill = slope(roll(picture, offset))
    if laplacian:
        uphill = even_out(uphill, laplacian)
    uphill = smooth(uphill)
    return roll(uphill, -offset) * (step / (tf.reduce_mean(tf.abs(uphill)) + _TINY))


def ascend(
    picture: Tensor,
    slope: Slope,
    sizes: Sequence[tuple[int, int]],
    *,
    iterations: int,
    step: Tensor,
    seed: Tensor,
    laplacian: int = 0,
    mask: Tensor | None = None,
) -> Tensor:
    """What a dream adds to a picture: float32 of its shape [1, height, width, 3], in levels.

    `sizes` are the octaves' (height, width), the largest first; `seed` is int32. Both added make
    the 2017 dream, unclipped: scaling is linear, so carrying up the change alone keeps detail.

    A `mask`, [1, height, width, 1] of 0–1, is the share of the change that the network gets to see, so that
    forms do not lean on what will not be there; the change that is given is still the whole.
    """
    levels = pyramid(picture, sizes)
    shares = None if mask is None else pyramid(mask, sizes)
    change = tf.zeros_like(levels[-1])
    for octave in reversed(range(len(sizes))):
        size = sizes[octave]
        change = resize(change, size)
        for iteration in range(iterations):
            offset = random_offset(tf.stack([seed, octave * 1000 + iteration]), size)
            seen = levels[octave] + (change if shares is None else shares[octave] * change)
            change += step_along(seen, slope, offset, step, laplacian)
    return resize(change, tuple(picture.shape[1:3]))
