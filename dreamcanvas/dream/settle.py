"""Lay a dream's change on its picture so that a canvas can dream its own dreams for days (pure tensor
functions).

Adding the change and clipping, as in 2017, lets the canvas drift by 0.2 levels a cycle, drives it into black
and white, forgets what was drawn, and piles up single-pixel detail. What is done instead, each by a constant
below:

    awakening    Where the picture is flat (bare paper, or even paint), the change's larger forms are made
                 several times as strong, and its finest detail weaker. So the first dream can be seen and
                 is no noise. This fades as contrast grows. A stroke has contrast, so it stays readable.
    cap          No pixel changes by much more than `MOST` levels in a cycle. On paper a few pixels would
                 change by hundreds.
    limiter      The nearer a pixel is to black or white, the less it moves towards it; it hardly ever
                 reaches it.
    composition  The lowest frequencies are held (`composition`). Paper is not held at first, since it can
                 only become darker: it is free until there is room for contrast both ways.
    roughness    Each cycle smooths a little of the picture's finest detail away. What every dream sees anew
                 stays; what a single dream left behind fades.
    saturation   Colour far from grey is drawn back, more so the farther it is. The composition's colour is
                 held.
"""

from dreamcanvas.dream.composition import coarse, spread_out
from dreamcanvas.dream.network import Tensor
from dreamcanvas.dream.smoothing import blur, slice_of, smooth, surround
from dreamcanvas.dream.tensors import fused, tf

WHITE = 255.0

BOOST = 10.0
"""How many times as strong a change's larger forms are where the picture is flat."""

BOOST_HALVINGS = 2
"""Larger forms are those of 2² px and more. If smaller ones were strengthened too, there would be specks on
the paper."""

BOOST_COLOUR = 0.6
"""The share of its colour that the extra strength keeps: on paper the gradient's colours are loud."""

FLAT_DETAIL = 0.5
"""The share of the unstrengthened change that is laid on a flat place."""

QUIET = 20.0
"""Levels: where the standard deviation around a pixel is this, the extra strength is e⁻¹ of the whole."""

HALVINGS = 3
"""Contrast is taken in squares of 2³ px a side, and averaged over about five of them each way."""

MOST = 36.0
"""Levels (root mean square of a pixel's channels): the bound of a change, however large it was."""

MARGIN = 8.0
"""Levels: no change brings a pixel nearer to black or white than this. (JPEG does, by a few levels.)"""

HOLD, HOLD_COLOUR = 0.98, 0.98
"""The shares that are taken back of a change of the fields' grey, and of their colour."""

HOLD_MEAN = 1.04
"""The same for the picture's mean grey. It is above 1, as some is cut off again near black and white."""

LEAST_ROOM = 0.28
"""A field is held in full from this mean `room` of its pixels on. White paper has no room, and is free until
it has."""

CONTRAST = 0.01
"""The share of a field's distance from the picture's mean by which it grows in each cycle, as long as
contrast is far below `FULL_CONTRAST`. Without it the composition loses up to half a percent in a cycle."""

FULL_CONTRAST = 42.0
"""Levels: at this standard deviation the fields gain no contrast; above it they lose some."""

SMOOTHING = 0.03
"""The share of the finest detail that a cycle smooths away."""

DESATURATION = 0.03
"""The share of its colour that a pixel loses in a cycle when its channels are `FULL_COLOUR` from its grey."""

FULL_COLOUR = 96.0
"""Levels: mean distance of a pixel's channels from its grey; see `DESATURATION`."""


def settle(picture: Tensor, change: Tensor) -> Tensor:
    """Return the picture with the change laid on it. All are float32 [1, height, width, 3], in levels."""
    # Held twice: at first what the change would do to the fields, which may be much; at last what still went
    # wrong after the limiter, which is little
    change = _confine(change, *awaken(picture, change))
    change = _limit(picture, change, spread_out(held(coarse(change)), *change.shape[1:3]))
    return _finish(surround(_add(picture, change, hold(picture, change))))


@fused
def _confine(change: Tensor, quiet: Tensor, extra: Tensor) -> Tensor:
    return cap(change * (1.0 - (1.0 - FLAT_DETAIL) * quiet) + extra)


@fused
def _limit(picture: Tensor, change: Tensor, back: Tensor) -> Tensor:
    # Desaturated before `hold`: otherwise the composition's colours would fade within some hundred cycles
    return desaturate(picture + limit(picture, change - back)) - picture


@fused
def _add(picture: Tensor, change: Tensor, correction: Tensor) -> Tensor:
    # Clipped, not limited: few pixels are, and the others get the whole correction
    lowest, highest = tf.minimum(picture, MARGIN), tf.maximum(picture, WHITE - MARGIN)
    return tf.clip_by_value(picture + change + room(picture) * correction, lowest, highest)


@fused
def _finish(surrounded: Tensor) -> Tensor:
    settled = surrounded[:, 1:-1, 1:-1]
    settled += SMOOTHING * (blur(surrounded) - settled)
    return tf.clip_by_value(settled, 0.0, WHITE)


def hold(picture: Tensor, change: Tensor) -> Tensor:
    """Return the correction that holds the composition, to be multiplied by each pixel's room.

    It is float32 of the picture's shape. It takes back what a change does to the fields even after it was
    limited, and keeps their contrast up.
    """
    # Divided by the fields' room, so that the product with the pixels' room has the wanted mean
    wanted = contrast(coarse(picture)) - held(coarse(change))
    fields = wanted / tf.maximum(coarse(_room(picture)), LEAST_ROOM)
    return spread_out(fields, *picture.shape[1:3])


def held(fields: Tensor) -> Tensor:
    """Return the part of a change of fields, [1, rows, columns, channels], that is to be taken back.

    Of the mean brightness that is a little more than all. Bright places have less room to become brighter, so
    a dream darkens the picture: even 2% of that in each cycle would be 40 levels in 500 cycles.
    """
    grey = tf.reduce_mean(fields, axis=-1, keepdims=True)
    mean = tf.reduce_mean(grey, axis=[1, 2], keepdims=True)
    return HOLD_MEAN * mean + HOLD * (grey - mean) + HOLD_COLOUR * (fields - grey)


def contrast(fields: Tensor) -> Tensor:
    """Return what fields gain in a cycle, away from their mean; they lose it where contrast is high."""
    away = fields - tf.reduce_mean(fields, axis=[1, 2], keepdims=True)
    variance_of_grey = tf.reduce_mean(tf.square(tf.reduce_mean(away, axis=-1)))
    return CONTRAST * tf.maximum(1.0 - variance_of_grey / FULL_CONTRAST**2, -1.0) * away


def awaken(picture: Tensor, change: Tensor) -> tuple[Tensor, Tensor]:
    """Return how flat each pixel's surroundings are (0–1), and what is added to a change: larger forms."""
    forms = smooth(pool(change, BOOST_HALVINGS))
    quiet = tf.image.resize(tf.exp(-variance(picture) / QUIET**2), forms.shape[1:3])
    size = change.shape[1:3]
    return tf.image.resize(quiet, size), tf.image.resize(_strengthen(forms, quiet), size)


@fused
def _strengthen(forms: Tensor, quiet: Tensor) -> Tensor:
    grey = mean_over_channels(forms)
    return (BOOST - FLAT_DETAIL) * quiet * (grey + BOOST_COLOUR * (forms - grey))


def variance(picture: Tensor) -> Tensor:
    """Return the variance around each square of 8 × 8 pixels, as the mean over the channels.

    The result is float32 [1, ⌈height / 8⌉, ⌈width / 8⌉, 1].
    """
    moments = tf.concat([pool(picture, HALVINGS), pool(tf.square(picture), HALVINGS)], axis=-1)
    for _ in range(3):
        moments = smooth(moments)
    means, squares = tf.split(moments, 2, axis=-1)
    return tf.maximum(tf.reduce_mean(squares - tf.square(means), axis=-1, keepdims=True), 0.0)


@fused
def pool(picture: Tensor, halvings: int) -> Tensor:
    """Halve the picture `halvings` times, by means of 2 × 2 pixels; an odd last row or column counts twice.

    It uses slices: with TensorFlow's own pooling, XLA folds constants for minutes when it compiles a cycle.
    """
    for axis in (1, 2) * halvings:
        size = picture.shape[axis]
        if size % 2:
            picture = tf.concat([picture, slice_of(picture, axis, -1, None)], axis)
        picture = 0.5 * (slice_of(picture, axis, 0, None, 2) + slice_of(picture, axis, 1, None, 2))
    return picture


def cap(change: Tensor) -> Tensor:
    """Shorten each pixel's change so that it stays below `MOST`; its hue stays."""
    return change * tf.math.rsqrt(1.0 + mean_over_channels(tf.square(change)) / MOST**2)


def limit(picture: Tensor, change: Tensor) -> Tensor:
    """Shorten a change so that the pixel stays `MARGIN` levels away from black and white.

    A small change keeps its size; no change is larger than the distance that is left.
    """
    left = tf.maximum(tf.where(change > 0, WHITE - picture, picture) - MARGIN, 0.0)
    return left * tf.tanh(change / (left + 1e-3))


def room(picture: Tensor) -> Tensor:
    """Return how much room a pixel has both ways: 0 at black and white, 1 in the middle."""
    share = picture / WHITE
    return 4.0 * share * (1.0 - share)


_room = fused(room)


def mean_over_channels(picture: Tensor) -> Tensor:
    """Return the mean of the channels, [1, height, width, 1]; XLA is three times as slow at `reduce_mean`."""
    channels = picture.shape[-1]
    return tf.add_n([picture[..., index : index + 1] for index in range(channels)]) / channels


def desaturate(picture: Tensor) -> Tensor:
    """Draw colour back towards the pixel's grey, more so by the square of its distance from it."""
    grey = mean_over_channels(picture)
    colour = picture - grey
    distance = mean_over_channels(tf.abs(colour)) / FULL_COLOUR
    return grey + colour * (1.0 - DESATURATION * tf.square(distance))
