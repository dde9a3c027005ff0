"""Hold a picture's composition: its lowest frequencies, which say what it is of (pure tensor functions).

Left to itself a canvas that dreams its own dreams forgets its drawing within some forty dreams: each place
takes on the mean of what is dreamt everywhere, and one texture covers all. So what a dream changes in the
lowest frequencies is taken back but for a few percent: within hours a canvas still becomes another. What is
lost at a rate all the same (near black and white there is no room to give it back) is made good by a little
more contrast.

The lowest frequencies are the means of 128 × 128 fields, blurred. Means of 32 × 32 squares, scaled up
smoothly, are about the same, but change with where the squares lie: a dream on white paper then stands out
along their borders.
"""

from dreamcanvas.dream.network import Tensor
from dreamcanvas.dream.smoothing import smooth
from dreamcanvas.dream.tensors import tf

FIELDS = 128
"""Along the longer side. A field of the canvas is 12 px wide."""

BLURS = 3
"""Times that the fields are blurred: with a standard deviation of 15 px of the canvas. Forms smaller than the
sun of a drawing are left to the dream, larger ones are held."""


def coarse(picture: Tensor) -> Tensor:
    """Return the blurred means of the fields: [1, at most 128, at most 128, channels]."""
    _, height, width, _ = picture.shape
    longer = max(height, width)
    fields = [max(1, min(side, round(FIELDS * side / longer))) for side in (height, width)]
    means = tf.image.resize(picture, fields, method="area")
    for _ in range(BLURS):
        means = smooth(means)
    return means


def spread_out(fields: Tensor, height: int, width: int) -> Tensor:
    """Scale fields up to a picture's size."""
    return tf.image.resize(fields, (height, width))
