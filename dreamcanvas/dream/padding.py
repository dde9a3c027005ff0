"""Mirrored surroundings of a picture, so that a network sees no edge (pure tensor functions).

A convolutional network pads with zeros, which are grey here: around white paper that is a hard edge, and what
a dream makes of it is a bar along the border. So the picture is continued beyond its borders by its own
mirror image, and the gradient there is cut off again. How far it is continued
is drawn anew for each step and side: the network's strides make a grid, which then lies elsewhere each time.
"""

from typing import NamedTuple

import numpy as np

from dreamcanvas.dream.network import Tensor
from dreamcanvas.dream.tensors import tf

CONTEXT = 24
"""Pixels: what each side is continued by at least. With 48 the borders of white paper looked no different."""

JITTER = 16
"""Pixels: what each side is continued by at most on top, with its opposite side this much together.

The stride of the layers that most styles ask for. With 32, that of the deepest, no grid was seen less."""


class Offset(NamedTuple):
    """What is added above and left of a picture, in pixels; below and right it is `TOTAL` less that."""

    top: int
    left: int


TOTAL = 2 * CONTEXT + JITTER
"""Pixels: what a side's two ends are continued by together. Always the same, so that sizes are."""


def draw_offset(seed: int, step: int) -> Offset:
    """Draw the offset of a dream's step: the same for the same seed and step."""
    top, left = np.random.default_rng((seed, step)).integers(0, JITTER, 2, endpoint=True).tolist()
    return Offset(CONTEXT + top, CONTEXT + left)


def extend(picture: Tensor, offset: Offset) -> Tensor:
    """Continue a picture [1, height, width, channels] beyond its borders: `TOTAL` px higher and wider."""
    top, left = offset
    _, height, width, _ = picture.shape
    if min(height, width) >= TOTAL:
        pads = [[0, 0], [top, TOTAL - top], [left, TOTAL - left], [0, 0]]
        return tf.pad(picture, pads, "SYMMETRIC")
    picture = tf.gather(picture, _mirrored(height, top), axis=1)
    return tf.gather(picture, _mirrored(width, left), axis=2)


def cut(extended: Tensor, offset: Offset) -> Tensor:
    """Return the picture's own part of an extended picture."""
    top, left = offset
    _, height, width, _ = extended.shape
    return extended[:, top : top + height - TOTAL, left : left + width - TOTAL]


def _mirrored(size: int, before: int) -> Tensor:
    """Return the indices of a side that is mirrored back and forth, however small it is."""
    index = np.arange(-before, size + TOTAL - before) % (2 * size)
    return tf.constant(np.where(index < size, index, 2 * size - 1 - index))
