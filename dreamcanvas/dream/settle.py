"""Lay a dream's change on its picture so that a canvas can dream its own dreams for days (pure tensor
functions).

Adding the change and clipping, as in 2017, lets the canvas drift by 0.2 levels a cycle, drives it into black
and white, forgets what was drawn, and piles up single-pixel detail. What is done instead, each by a constant
below:

    awakening    where the picture is flat, bare paper or even paint, the change's larger forms are laid on
                 several times as strong and its finest detail less, so that the first dream is seen and is
                 no noise; as contrast grows this fades away. Around a stroke there is contrast: it stays
                 readable
    cap          no pixel changes by much more than `MOST` levels in a cycle: on paper a few would by hundreds
    limiter      a change comes near to black or white the slower, the nearer it is, and hardly ever hits them
    composition  the lowest frequencies are held (`composition`). Not on paper, which may only darken: it is
                 let go until there is some room for contrast both ways
    roughness    a little of the picture's finest detail is smoothed away in each cycle: what every dream sees
                 anew stays, what one dream left behind fades
    saturation   colour far from grey is drawn back, the more the farther; the composition's is held
"""

from dreamcanvas.dream.composition import coarse, spread_out
from dreamcanvas.dream.network import Tensor
from dreamcanvas.dream.smoothing import blur, slice_of, smooth, surround
from dreamcanvas.dream.tensors import fused, tf

WHITE = 255.0

BOOST = 10.0
"""How many times as strong a change's larger forms are where the picture is flat."""

BOOST_HALVINGS = 2
"""Larger are forms of 2² px and more. Of all forms but the finest detail, strengthened so much, there would
be specks on the paper."""

BOOST_COLOUR = 0.6
"""The share of its colour that the extra strength keeps: on paper the gradient's colours are loud."""

FLAT_DETAIL = 0.5
"""The share of the change that a flat place takes as it is, without the extra strength."""

QUIET = 20.0
"""Levels: with this standard deviation around it a pixel gets e⁻¹ of the extra strength."""

HALVINGS = 3
"""Contrast is taken in squares of 2³ px a side, and averaged over about five of them each way."""

MOST = 36.0
"""Levels, the root mean square of a pixel's channels: what a change of any size comes near to."""

MARGIN = 8.0
"""Levels: nothing is changed to come nearer to black or white than this. JPEG goes beyond by a few."""

HOLD, HOLD_COLOUR = 0.98, 0.98
"""The share of a change of the fields' grey, and of their colour, that is taken back."""

HOLD_MEAN = 1.04
"""The same of the picture's mean grey: more than all, as some is cut off again near black and white."""

LEAST_ROOM = 0.28
"""A field is held in full where its pixels have so much room (`room`) on average; white paper has none, and
is let go until it has."""

CONTRAST = 0.01
"""The share of the fields' distance from the picture's mean that is added to it in a cycle, as long as they
are far from `FULL_CONTRAST`. It makes good what the composition loses: up to half a percent in a cycle."""

FULL_CONTRAST = 42.0
"""Levels: with this standard deviation the fields gain no more contrast, and with more they lose some."""

SMOOTHING = 0.03
"""The share of the finest detail that a cycle smooths away."""

DESATURATION = 0.03
"""The share of colour that a cycle takes from a pixel whose channels are `FULL_COLOUR` from its grey."""

FULL_COLOUR = 96.0
"""Levels."""


def settle(picture: Tensor, change: Tensor) -> Tensor:
    """Give the picture with the change laid on it. All are float32 [1, height, width, 3] of 0–255."""
    change = _confine(change, *awaken(picture, change))
    change = _limit(picture, change, spread_out(held(coarse(change)), *change.shape[1:3]))
    return _finish(surround(_add(picture, change, hold(picture, change))))


@fused
def _confine(change: Tensor, quiet: Tensor, extra: Tensor) -> Tensor:
    return cap(change * (1.0 - (1.0 - FLAT_DETAIL) * quiet) + extra)


@fused
def _limit(picture: Tensor, change: Tensor, back: Tensor) -> Tensor:
    # Desaturated before the composition is held: else its colours would fade within some hundred cycles
    return desaturate(picture + limit(picture, change - back)) - picture


@fused
def _add(picture: Tensor, change: Tensor, correction: Tensor) -> Tensor:
    # Cut off and not limited: so little is, that the composition is held as it was meant to be
    lowest, highest = tf.minimum(picture, MARGIN), tf.maximum(picture, WHITE - MARGIN)
    return tf.clip_by_value(picture + change + room(picture) * correction, lowest, highest)


@fused
def _finish(surrounded: Tensor) -> Tensor:
    settled = surrounded[:, 1:-1, 1:-1]
    settled += SMOOTHING * (blur(surrounded) - settled)
    return tf.clip_by_value(settled, 0.0, WHITE)


def hold(picture: Tensor, change: Tensor) -> Tensor:
    """Give what, times each pixel's room, holds the composition: float32 of the picture's shape.

    That takes back what a change does to the fields even after it was limited, and keeps up their contrast.
    """
    wanted = contrast(coarse(picture)) - held(coarse(change))
    fields = wanted / tf.maximum(coarse(_room(picture)), LEAST_ROOM)
    return spread_out(fields, *picture.shape[1:3])


def held(fields: Tensor) -> Tensor:
    """Give what of a change of fields [1, rows, columns, channels] is to be taken back.

    The mean brightness is, and a little more: bright places have less room to become brighter, and even 2% of
    what that does in each cycle would darken the picture by 40 levels in 500.
    """
    grey = tf.reduce_mean(fields, axis=-1, keepdims=True)
    mean = tf.reduce_mean(grey, axis=[1, 2], keepdims=True)
    return HOLD_MEAN * mean + HOLD * (grey - mean) + HOLD_COLOUR * (fields - grey)


def contrast(fields: Tensor) -> Tensor:
    """Give what fields gain in a cycle, away from their mean, or lose where they have much contrast."""
    away = fields - tf.reduce_mean(fields, axis=[1, 2], keepdims=True)
    variance_of_grey = tf.reduce_mean(tf.square(tf.reduce_mean(away, axis=-1)))
    return CONTRAST * tf.maximum(1.0 - variance_of_grey / FULL_CONTRAST**2, -1.0) * away


def awaken(picture: Tensor, change: Tensor) -> tuple[Tensor, Tensor]:
    """Give how flat each pixel's surroundings are, 0–1, and what a change gets on top: its larger forms."""
    forms = smooth(pool(change, BOOST_HALVINGS))
    quiet = tf.image.resize(tf.exp(-variance(picture) / QUIET**2), forms.shape[1:3])
    size = change.shape[1:3]
    return tf.image.resize(quiet, size), tf.image.resize(_strengthen(forms, quiet), size)


@fused
def _strengthen(forms: Tensor, quiet: Tensor) -> Tensor:
    grey = mean_over_channels(forms)
    return (BOOST - FLAT_DETAIL) * quiet * (grey + BOOST_COLOUR * (forms - grey))


def variance(picture: Tensor) -> Tensor:
    """Give the variance around each square of 8 × 8 pixels, the mean of the channels'.

    float32 [1, ⌈height / 8⌉, ⌈width / 8⌉, 1].
    """
    moments = tf.concat([pool(picture, HALVINGS), pool(tf.square(picture), HALVINGS)], axis=-1)
    for _ in range(3):
        moments = smooth(moments)
    means, squares = tf.split(moments, 2, axis=-1)
    return tf.maximum(tf.reduce_mean(squares - tf.square(means), axis=-1, keepdims=True), 0.0)


@fused
def pool(picture: Tensor, halvings: int) -> Tensor:
    """Halve the picture so many times, by the mean of 2 × 2 pixels; an odd last row or column counts twice.

    By slices: of TensorFlow's own pooling XLA folds constants for minutes where a whole cycle is compiled.
    """
    for axis in (1, 2) * halvings:
        size = picture.shape[axis]
        if size % 2:
            picture = tf.concat([picture, slice_of(picture, axis, -1, None)], axis)
        picture = 0.5 * (slice_of(picture, axis, 0, None, 2) + slice_of(picture, axis, 1, None, 2))
    return picture


def cap(change: Tensor) -> Tensor:
    """Keep each pixel's change below `MOST`, its colour as it is."""
    return change * tf.math.rsqrt(1.0 + mean_over_channels(tf.square(change)) / MOST**2)


def limit(picture: Tensor, change: Tensor) -> Tensor:
    """Shorten a change so that it stays `MARGIN` levels away from the end, black or white, that it goes to.

    A small one keeps its size; none is larger than the distance that is left.
    """
    left = tf.maximum(tf.where(change > 0, WHITE - picture, picture) - MARGIN, 0.0)
    return left * tf.tanh(change / (left + 1e-3))


def room(picture: Tensor) -> Tensor:
    """Give how much room a pixel has both ways: 0 at black and white, 1 in the middle."""
    share = picture / WHITE
    return 4.0 * share * (1.0 - share)


_room = fused(room)


def mean_over_channels(picture: Tensor) -> Tensor:
    """The mean of the channels, [1, height, width, 1]: XLA takes three times as long for `tf.reduce_mean`."""
    channels = picture.shape[-1]
    return tf.add_n([picture[..., index : index + 1] for index in range(channels)]) / channels


def desaturate(picture: Tensor) -> Tensor:
    """Draw colour back towards the pixel's grey, by the square of its distance."""
    grey = mean_over_channels(picture)
    colour = picture - grey
    distance = mean_over_channels(tf.abs(colour)) / FULL_COLOUR
    return grey + colour * (1.0 - DESATURATION * tf.square(distance))
