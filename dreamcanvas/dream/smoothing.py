"""Blur by the smallest binomial kernel, [1 2 1]/4 both ways, the borders mirrored (pure tensor functions)."""

from dreamcanvas.dream.network import Tensor
from dreamcanvas.dream.tensors import fused_at_any_size, tf


def smooth(picture: Tensor) -> Tensor:
    """Blur [1, height, width, channels]: a checkerboard vanishes, means stay."""
    return _smooth(surround(picture))


def surround(picture: Tensor) -> Tensor:
    """Mirror the border's pixels outwards: not within what is fused, as XLA is slow at it; so is `tf.pad`."""
    for axis in (1, 2):
        first, last = slice_of(picture, axis, 0, 1), slice_of(picture, axis, -1, None)
        picture = tf.concat([first, picture, last], axis)
    return picture


def blur(surrounded: Tensor) -> Tensor:
    """Blur what `surround` gave; the result has the size that the picture had."""
    for axis in (1, 2):
        first, last = slice_of(surrounded, axis, 0, -2), slice_of(surrounded, axis, 2, None)
        surrounded = 0.25 * (first + last) + 0.5 * slice_of(surrounded, axis, 1, -1)
    return surrounded


_smooth = fused_at_any_size(blur)


def slice_of(picture: Tensor, axis: int, start: int, stop: int | None, step: int = 1) -> Tensor:
    """Return the part of a picture between two places of an axis."""
    index = [slice(None)] * 4
    index[axis] = slice(start, stop, step)
    return picture[tuple(index)]
