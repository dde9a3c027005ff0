"""Chooses dabs that bring one picture nearest to another, from coarse to fine (pure; needs numpy).

A dab of colour c makes v into v + a(c − v), a being the brush's opacity at the pixel. The squared error to
the target is a parabola in c, so that the best colour of each place, and what it gains, are correlations with
a and a², made for all places at once in the frequency domain. The dab that gains most is drawn by the real
brush, to the integer; then the places that it touches are looked at again.
"""

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from dreamcanvas.canvas import brush
from dreamcanvas.canvas.model import Dab

Pixels = npt.NDArray[np.float32]

# The brush's size as a share of the picture's longer side, and how far its colour may go beyond the target's,
# in levels: a soft dab has to, but a small one becomes a spot
LEVELS: Final = ((0.24, 200), (0.16, 140), (0.105, 100), (0.07, 70), (0.046, 45), (0.03, 25))
BATCH: Final = 40


def batches(target: Image.Image, dabs: int, look: Callable[[], Image.Image]) -> Iterator[list[Dab]]:
    """Some dabs at a time, in the target's pixels; `look` gives the canvas as it is before each time, RGB."""
    levels = [_Level(target, round(share * max(target.size)), beyond) for share, beyond in LEVELS]
    while dabs > 0:
        image = look()
        level = max(levels, key=lambda each: each.look(image))
        chosen = level.choose(image, min(BATCH, dabs))
        if not chosen:
            return
        dabs -= len(chosen)
        yield chosen


class _Level:
    """All places for dabs of one size: those whose middle is on the picture.

    For a large brush they are counted in blocks of `scale` × `scale` pixels. A place is the top left block of
    a dab in a picture padded by half a dab, and so the block of its middle in the picture.
    """

    def __init__(self, target: Image.Image, size: int, beyond: int) -> None:
        self._scale = max(1, size // 14)
        half = max(1, round(min(size, brush.MAX_SIZE) / 2 / self._scale))  # in blocks
        self._half, self._size = half, 2 * half
        self._brush = min(brush.MAX_SIZE, 2 * half * self._scale)
        alpha = np.asarray(brush.mask(self._brush).reduce(self._scale), np.float32) / 255
        self._size = alpha.shape[0]
        self._kernels = (alpha, alpha**2)
        self._target = self._padded(target)
        self._canvas = self._target
        inside = self._padded(Image.new("RGB", target.size, (1, 1, 1)))
        self._places = (self._target.shape[0] - self._size + 1, self._target.shape[1] - self._size + 1)
        self._weights = np.maximum(self._correlated((inside, 1)), 1e-3)
        mean = self._correlated((self._target, 1)) / self._weights
        self._least, self._most = np.maximum(mean - beyond, 0), np.minimum(mean + beyond, 255)
        self._gains = np.zeros(self._places, np.float32)
        self._colors = np.zeros((*self._places, 3), np.float32)

    def _padded(self, image: Image.Image) -> Pixels:
        """With room for a brush that hangs over; nothing there counts."""
        pad = (self._half, self._half)
        return np.pad(np.asarray(image.reduce(self._scale), np.float32), (pad, pad, (0, 0)))

    def look(self, image: Image.Image) -> float:
        """What the best dab would gain, in squared error, where `image` is the canvas below the target."""
        self._canvas = self._padded(image)
        self._look(0, 0, *self._places)
        return float(self._gains.max()) * self._scale**2

    def choose(self, image: Image.Image, count: int) -> list[Dab]:
        """The next dabs for the canvas that was looked at. Draws them on `image`."""
        dabs: list[Dab] = []
        reach = self._size - 1
        while len(dabs) < count:
            y, x = divmod(int(self._gains.argmax()), self._places[1])
            if self._gains[y, x] <= 0:
                break
            red, green, blue = (int(channel) for channel in self._colors[y, x])
            dab = Dab(x * self._scale, y * self._scale, self._brush, red << 16 | green << 8 | blue)
            dabs.append(dab)
            brush.draw(image, dab.x, dab.y, dab.size, dab.color)
            self._see(image, y, x)
            bottom, right = (min(most, at + reach + 1) for most, at in zip(self._places, (y, x), strict=True))
            self._look(max(0, y - reach), max(0, x - reach), bottom, right)
        return dabs

    def _see(self, image: Image.Image, y: int, x: int) -> None:
        """Takes over what a dab at a place has changed."""
        half, scale = self._half, self._scale
        left, top = max(0, x - half), max(0, y - half)
        right, bottom = (x + half + 1) * scale, (y + half + 1) * scale
        box = (left * scale, top * scale, min(image.width, right), min(image.height, bottom))
        drawn = np.asarray(image.crop(box).reduce(scale), np.float32)
        self._canvas[top + half : top + half + drawn.shape[0], left + half : left + half + drawn.shape[1]] = (
            drawn
        )

    def _look(self, top: int, left: int, bottom: int, right: int) -> None:
        """Computes anew what a dab gains in places; bottom and right are exclusive."""
        over = self._size - 1
        window = (slice(top, bottom + over), slice(left, right + over))
        places = (slice(top, bottom), slice(left, right))
        old = self._canvas[window]
        missing = self._target[window] - old
        pull = self._correlated((missing, 0), (old, 1))
        change = self._correlated((2 * old * missing, 0), (old * old, 1))
        weights = self._weights[places]
        colors = np.rint(np.clip(pull / weights, self._least[places], self._most[places]))
        self._colors[places] = colors
        self._gains[places] = (2 * colors * pull - colors**2 * weights - change).sum(axis=2)

    def _correlated(self, *terms: tuple[Pixels, int]) -> Pixels:
        """The sum of fields' correlations with the kernels of these numbers, wherever a dab lies within."""
        height, width = terms[0][0].shape[:2]
        shape = (-(-height // 16) * 16, -(-width // 16) * 16)
        spectrum = sum(
            np.fft.rfft2(field, shape, axes=(0, 1))
            * np.conj(np.fft.rfft2(self._kernels[kernel], shape))[..., None]
            for field, kernel in terms
        )
        found = np.fft.irfft2(spectrum, shape, axes=(0, 1))
        return np.asarray(found[: height - self._size + 1, : width - self._size + 1], np.float32)
