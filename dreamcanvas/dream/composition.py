"""Hold a picture's composition: its lowest frequencies, which say what it is of (pure tensor functions).

Left to itself a canvas that dreams its own dreams forgets its drawing within some forty dreams: each place
takes on the mean of what is dreamt everywhere, and one texture covers all. So what a dream changes in the
lowest frequencies, the means of 32 × 32 fields, is taken back but for a few percent: within hours a canvas
still becomes another. What is lost at a rate all the same (near black and white there is no room to give it
back) is made good by a little more contrast between the fields.
"""

from dreamcanvas.dream.network import Tensor
from dreamcanvas.dream.tensors import tf

FIELDS = 32
"""Along the longer side. A field of the canvas is 48 px wide: smaller than the sun of a drawing, larger than
the forms that a dream is made of."""


def coarse(picture: Tensor) -> Tensor:
    """Give the means of the fields: [1, at most 32, at most 32, channels]."""
    _, height, width, _ = picture.shape
    longer = max(height, width)
    fields = [max(1, min(side, round(FIELDS * side / longer))) for side in (height, width)]
    return tf.image.resize(picture, fields, method="area")


def spread_out(fields: Tensor, height: int, width: int) -> Tensor:
    """Scale fields up to a picture's size, smoothly: no field has an edge."""
    middle = [min(side, 6 * count) for side, count in zip((height, width), fields.shape[1:3], strict=True)]
    return tf.image.resize(tf.image.resize(fields, middle, method="bicubic"), (height, width))
