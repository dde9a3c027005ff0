"""Lay a dream's change on its picture so that a canvas can dream its own dreams for days (pure tensor
functions).

Adding the change and clipping, as in 2017, lets the canvas drift by 0.2 levels a cycle, drives it into black
and white, and piles up single-pixel detail. What is done instead, each by a constant below:

    limiter     a change fades out as it nears black or white, so that both are approached and hardly ever hit
    drift       each colour channel keeps its mean. Not on paper: a canvas that is nearly white (or black)
    may only
                darken (or brighten), so it is let go until its mean is some way from the end
    roughness   a little of the picture's finest detail is smoothed away in each cycle: what every dream sees
    anew stays,
                what one dream left behind fades
    saturation  colour far from grey is drawn back, the more the farther
"""

from dreamcanvas.dream.network import Tensor
from dreamcanvas.dream.tensors import fused, tf

WHITE = 255.0

LIMITER_ROOM = 24.0
"""Levels: at this distance from black or white a change towards it loses e⁻¹ of itself."""

DRIFT_FULL, DRIFT_NONE = 176.0, 232.0
"""Levels: the mean up to which drift is corrected in full, and from which not; mirrored for dark ones."""

SMOOTHING = 0.03
"""The share of the finest detail that a cycle smooths away."""

DESATURATION = 0.03
"""The share of colour that a cycle takes from a pixel whose channels are `FULL_COLOUR` from its grey."""

FULL_COLOUR = 96.0
"""Levels."""


@fused
def settle(picture: Tensor, change: Tensor) -> Tensor:
    """Give the picture with the change laid on it. All are float32 [1, height, width, 3] of 0–255."""
    settled = picture + correct_drift(picture, limit(picture, change))
    settled += SMOOTHING * (smooth(settled) - settled)
    return tf.clip_by_value(desaturate(settled), 0.0, WHITE)


def limit(picture: Tensor, change: Tensor) -> Tensor:
    """Fade a change out as the picture nears the end, black or white, that the change goes to."""
    room = tf.where(change > 0, WHITE - picture, picture)
    return change * (1.0 - tf.exp(-room / LIMITER_ROOM))


def correct_drift(picture: Tensor, change: Tensor) -> Tensor:
    """Take the change's mean out per colour channel, mostly where the picture has room both ways."""
    share = picture / WHITE
    weight = share * (1.0 - share)
    mean_weight = tf.reduce_mean(weight, [1, 2], keepdims=True)
    drift = tf.reduce_mean(change, [1, 2], keepdims=True)
    brightness = tf.reduce_mean(picture)
    distance = tf.maximum(brightness, WHITE - brightness)
    strength = tf.clip_by_value((DRIFT_NONE - distance) / (DRIFT_NONE - DRIFT_FULL), 0.0, 1.0)
    return change - strength * drift * weight / tf.maximum(mean_weight, 1e-3)


@fused
def smooth(picture: Tensor) -> Tensor:
    """Blur by the binomial kernel [1 2 1]/4 both ways, the borders mirrored: a checkerboard vanishes."""
    for axis in (1, 2):
        before = [[0, 0]] * 4
        before[axis] = [1, 1]
        padded = tf.pad(picture, before, "SYMMETRIC")
        size = picture.shape[axis]
        first, middle, last = (_slice(padded, axis, start, size) for start in (0, 1, 2))
        picture = 0.25 * (first + last) + 0.5 * middle
    return picture


def desaturate(picture: Tensor) -> Tensor:
    """Draw colour back towards the pixel's grey, by the square of its distance."""
    grey = tf.reduce_mean(picture, axis=-1, keepdims=True)
    colour = picture - grey
    distance = tf.reduce_mean(tf.abs(colour), axis=-1, keepdims=True) / FULL_COLOUR
    return grey + colour * (1.0 - DESATURATION * tf.square(distance))


def _slice(picture: Tensor, axis: int, start: int, size: int) -> Tensor:
    index = [slice(None)] * 4
    index[axis] = slice(start, start + size)
    return picture[tuple(index)]
