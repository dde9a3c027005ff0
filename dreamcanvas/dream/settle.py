"""Lay a dream's change on its picture so that a canvas can dream its own dreams for days (pure tensor
functions).

Adding the change and clipping, as in 2017, lets the canvas drift by 0.2 levels a cycle, drives it into black
and white, and piles up single-pixel detail. What is done instead, each by a constant below:

    awakening   where the picture is flat, bare paper or even paint, the change's forms are laid on several
                times as strong, so that the first dream is seen; as contrast grows this fades away. Around a
                stroke there is contrast: it stays readable
    cap         no pixel changes by much more than `MOST` levels in a cycle: on paper a few would by hundreds
    limiter     a change fades out as it nears black or white, so that both are approached and hardly ever hit
    drift       each colour channel keeps its mean. Not on paper: a canvas that is bright (or dark) may only
                darken (or brighten), so it is let go until there is room for contrast both ways
    roughness   a little of the picture's finest detail is smoothed away in each cycle: what every dream sees
                anew stays, what one dream left behind fades
    saturation  colour far from grey is drawn back, the more the farther
"""

from dreamcanvas.dream.network import Tensor
from dreamcanvas.dream.tensors import fused, fused_at_any_size, tf

WHITE = 255.0

BOOST = 6.0
"""How many times as strong a change's forms are where the picture is flat."""

QUIET = 20.0
"""Levels: with this standard deviation around it a pixel gets e⁻¹ of the extra strength."""

HALVINGS = 3
"""Contrast is taken in squares of 2³ px a side, and averaged over about five of them each way."""

BOOST_COLOUR = 0.6
"""The share of its colour that the extra strength keeps: on paper the gradient's colours are loud."""

MOST = 36.0
"""Levels, the root mean square of a pixel's channels: what a change of any size comes near to."""

LIMITER_ROOM = 24.0
"""Levels: at this distance from black or white a change towards it loses e⁻¹ of itself."""

DRIFT_FULL, DRIFT_NONE = 150.0, 215.0
"""Levels: the mean up to which drift is corrected in full, and from which not; mirrored for dark ones."""

SMOOTHING = 0.03
"""The share of the finest detail that a cycle smooths away."""

DESATURATION = 0.03
"""The share of colour that a cycle takes from a pixel whose channels are `FULL_COLOUR` from its grey."""

FULL_COLOUR = 96.0
"""Levels."""


def settle(picture: Tensor, change: Tensor) -> Tensor:
    """Give the picture with the change laid on it. All are float32 [1, height, width, 3] of 0–255."""
    change = _confine(picture, change + awaken(picture, change))
    return _finish(_surround(_add(picture, change, drift(picture, change))))


@fused
def _confine(picture: Tensor, change: Tensor) -> Tensor:
    return limit(picture, cap(change))


@fused
def _add(picture: Tensor, change: Tensor, drifted: Tensor) -> Tensor:
    return picture + change - drifted * room(picture)


@fused
def _finish(surrounded: Tensor) -> Tensor:
    settled = surrounded[:, 1:-1, 1:-1]
    settled += SMOOTHING * (_blur(surrounded) - settled)
    return tf.clip_by_value(desaturate(settled), 0.0, WHITE)


def awaken(picture: Tensor, change: Tensor) -> Tensor:
    """Give what a change gets on top where the picture is flat: its forms, without finest detail.

    At half the size and scaled up: the finest detail of one dream, several times as strong, would be noise.
    """
    forms = smooth(pool(change, 1))
    quiet = tf.exp(-variance(picture) / QUIET**2)
    strength = (BOOST - 1.0) * tf.image.resize(quiet, forms.shape[1:3])
    return tf.image.resize(_strengthen(forms, strength), change.shape[1:3])


@fused
def _strengthen(forms: Tensor, strength: Tensor) -> Tensor:
    grey = mean_over_channels(forms)
    return strength * (grey + BOOST_COLOUR * (forms - grey))


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
            picture = tf.concat([picture, _slice(picture, axis, -1, None)], axis)
        picture = 0.5 * (_slice(picture, axis, 0, None, 2) + _slice(picture, axis, 1, None, 2))
    return picture


def cap(change: Tensor) -> Tensor:
    """Keep each pixel's change below `MOST`, its colour as it is."""
    return change * tf.math.rsqrt(1.0 + mean_over_channels(tf.square(change)) / MOST**2)


def limit(picture: Tensor, change: Tensor) -> Tensor:
    """Fade a change out as the picture nears the end, black or white, that the change goes to."""
    left = tf.where(change > 0, WHITE - picture, picture)
    return change * (1.0 - tf.exp(-left / LIMITER_ROOM))


def room(picture: Tensor) -> Tensor:
    """Give how much room a pixel has both ways: 0 at black and white, ¼ in the middle."""
    share = picture / WHITE
    return share * (1.0 - share)


def drift(picture: Tensor, change: Tensor) -> Tensor:
    """Give what a change is to lose in each colour channel, times each pixel's `room`: [1, 1, 1, channels].

    That is its mean, mostly where the picture has room.
    """
    level = _mean(picture)
    mean_room = level / WHITE - _mean(tf.square(picture)) / WHITE**2
    brightness = tf.reduce_mean(level)
    distance = tf.maximum(brightness, WHITE - brightness)
    strength = tf.clip_by_value((DRIFT_NONE - distance) / (DRIFT_NONE - DRIFT_FULL), 0.0, 1.0)
    return strength * _mean(change) / tf.maximum(mean_room, 1e-3)


def _mean(picture: Tensor) -> Tensor:
    """The mean of each channel, [1, 1, 1, channels]: rows first is four times as fast as both at once."""
    return tf.reduce_mean(tf.reduce_mean(picture, 1, keepdims=True), 2, keepdims=True)


def mean_over_channels(picture: Tensor) -> Tensor:
    """The mean of the channels, [1, height, width, 1]: XLA takes three times as long for `tf.reduce_mean`."""
    channels = picture.shape[-1]
    return tf.add_n([picture[..., index : index + 1] for index in range(channels)]) / channels


def smooth(picture: Tensor) -> Tensor:
    """Blur by the binomial kernel [1 2 1]/4 both ways, the borders mirrored: a checkerboard vanishes."""
    return _smooth(_surround(picture))


def _surround(picture: Tensor) -> Tensor:
    """Mirror the border's pixels outwards. Outside of what is fused: XLA is slow at it."""
    return tf.pad(picture, [[0, 0], [1, 1], [1, 1], [0, 0]], "SYMMETRIC")


@fused_at_any_size
def _smooth(surrounded: Tensor) -> Tensor:
    return _blur(surrounded)


def _blur(surrounded: Tensor) -> Tensor:
    for axis in (1, 2):
        first, last = _slice(surrounded, axis, 0, -2), _slice(surrounded, axis, 2, None)
        surrounded = 0.25 * (first + last) + 0.5 * _slice(surrounded, axis, 1, -1)
    return surrounded


def desaturate(picture: Tensor) -> Tensor:
    """Draw colour back towards the pixel's grey, by the square of its distance."""
    grey = mean_over_channels(picture)
    colour = picture - grey
    distance = mean_over_channels(tf.abs(colour)) / FULL_COLOUR
    return grey + colour * (1.0 - DESATURATION * tf.square(distance))


def _slice(picture: Tensor, axis: int, start: int, stop: int | None, step: int = 1) -> Tensor:
    index = [slice(None)] * 4
    index[axis] = slice(start, stop, step)
    return picture[tuple(index)]
