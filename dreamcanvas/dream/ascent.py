"""Gradient ascent over octaves (pure tensor functions).

The ascent is that of 2017 (Mordvintsev, Olah and Tyka, "DeepDream"): from the smallest octave to the
largest, a few steps along the gradient over its mean absolute value; between octaves the picture is scaled up
bilinearly and the detail that the smaller size could not hold is added again.

Some things are ours. The picture is not rolled around its borders but continued beyond them (`padding`). The
gradient is smoothed by a 3 × 3 binomial kernel before it is divided: the network's strided convolutions leave
a checkerboard in it that nobody sees but that takes a third of a step's levels; without it the same step
gives larger forms and a third of the roughness. Of several gradients each can have its places (`Part`). On
request the gradient is made even over a Laplacian pyramid (`laplacian_pyramid`) before.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dreamcanvas.dream.laplacian_pyramid import even_out
from dreamcanvas.dream.network import Tensor
from dreamcanvas.dream.padding import cut, draw_offset, extend
from dreamcanvas.dream.settle import mean_over_channels
from dreamcanvas.dream.smoothing import smooth
from dreamcanvas.dream.tensors import fused_at_any_size, tf

Slope = Callable[[Tensor], Tensor]
"""Pictures, float32 [1, height, width, 3] of 0–255, to the gradient of what is raised."""

_TINY = 1e-30
"""Against division by zero only: the gradient of a mean over a large picture is of the order of 1e-7."""


@dataclass(frozen=True, slots=True)
class Part:
    """A gradient, and the share that it has at each pixel, [1, height, width, 1] of 0–1; None: all of it."""

    slope: Slope
    share: Tensor | None = None


@dataclass(frozen=True, slots=True)
class Steps:
    """How to ascend: the octaves' (height, width), the largest first, and the steps in each.

    `step` is the mean change of a step in the largest octave, in levels. In the smallest it is (1 + `tilt`)
    times as much, and between them in between: a tilt gives large forms the upper hand. In the largest it is
    `detail` times as much again, so that a picture is no less sharp for that. `grain` is the share
    of its colour that a step in the largest octave keeps (in the smallest it keeps all): below 1 there is
    less of the rainbow's grain that networks like. `laplacian` is the number of bands that the gradient is
    made even over.
    """

    sizes: Sequence[tuple[int, int]]
    iterations: int
    step: float
    tilt: float = 0.0
    detail: float = 1.0
    grain: float = 1.0
    laplacian: int = 0

    def at(self, octave: int) -> tuple[float, float]:
        """Return the levels of a step in an octave, and the share of its colour that it keeps."""
        depth = octave / max(1, len(self.sizes) - 1)
        length = self.step * (1 + self.tilt * depth) * (1 if octave else self.detail)
        return length, self.grain + (1 - self.grain) * depth


def pyramid(picture: Tensor, sizes: Sequence[tuple[int, int]]) -> list[Tensor]:
    """Scale a picture [1, height, width, channels] down to each (height, width), each from the one before."""
    levels: list[Tensor] = []
    for size in sizes:
        levels.append(resize(levels[-1] if levels else picture, size))
    return levels


def resize(picture: Tensor, size: tuple[int, int], method: str = "bilinear") -> Tensor:
    """Scale bilinearly, or by another of TensorFlow's methods, to (height, width)."""
    if tuple(picture.shape[1:3]) == size:
        return picture
    return tf.image.resize(picture, size, method=method)


def uphill(picture: Tensor, slope: Slope, *, seed: int, step: int, laplacian: int = 0) -> Tensor:
    """Return the direction of a step: the gradient, smoothed, with a mean absolute value of 1.

    The seed and the step's number decide where the network's grid lies.
    """
    offset = draw_offset(seed, step)
    direction = cut(slope(extend(picture, offset)), offset)
    if laplacian:
        direction = even_out(direction, laplacian)
    direction = smooth(direction)
    return direction / (tf.reduce_mean(tf.abs(direction)) + _TINY)


def ascend(
    picture: Tensor, parts: Sequence[Part], steps: Steps, *, seed: int, mask: Tensor | None = None
) -> Tensor:
    """Return what a dream adds to a picture: float32 of its shape [1, height, width, 3], in levels.

    Both added make the 2017 dream, unclipped: scaling is linear, so carrying up the change alone keeps
    detail. `parts` are one gradient or several, each with its places.

    A `mask`, [1, height, width, 1] of 0–1, is the share of the change that the network gets to see, so that
    forms do not lean on what will not be there; the change that is given is still the whole.
    """
    sizes = steps.sizes
    levels = pyramid(picture, sizes)
    hidden = None if mask is None else pyramid(mask, sizes)
    shares = [None if part.share is None else pyramid(part.share, sizes) for part in parts]
    change = tf.zeros_like(levels[-1])
    for octave in reversed(range(len(sizes))):
        change = resize(change, sizes[octave])
        length, colour = steps.at(octave)
        for iteration in range(steps.iterations):
            seen = levels[octave] + (change if hidden is None else hidden[octave] * change)
            for part, share in zip(parts, shares, strict=True):
                number = octave * 1000 + iteration
                step = uphill(seen, part.slope, seed=seed, step=number, laplacian=steps.laplacian)
                step = _coloured(step, tf.constant(length), tf.constant(colour))
                change += step if share is None else share[octave] * step
    return resize(change, tuple(picture.shape[1:3]), "bicubic")  # sharper than bilinear, to the picture alone


@fused_at_any_size
def _coloured(step: Tensor, length: Tensor, colour: Tensor) -> Tensor:
    grey = mean_over_channels(step)
    return length * (grey + colour * (step - grey))
