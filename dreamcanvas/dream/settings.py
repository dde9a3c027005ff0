"""How a dream is dreamt, as data. No TensorFlow here."""

import math
from dataclasses import dataclass

from dreamcanvas.errors import DreamError

SMALLEST_SIDE = 32
"""Pixels: no octave is smaller, as the network would see nothing in it."""

MAX_LAPLACIAN = 8
"""Levels: the lowest band of 8 has waves of 512 px and more."""


@dataclass(frozen=True, slots=True)
class DreamSettings:
    """The dream of 2017: in `octaves` sizes, each `octave_scale` times the next, `iterations` steps of
    `step` levels.

    Raises DreamError where one is out of bounds: 1–16 octaves, 1 < octave_scale ≤ 4, 1–1000 iterations, 0 <
    step ≤ 255, 0.1 ≤ finest ≤ 1, 0–8 levels of `laplacian`.

    Two are not of 2017. `finest` is the largest size as a share of the picture's: below 1 the picture keeps
    its detail and dreams none as fine, which is most of the work. `laplacian` is into how many bands, beside
    the rest, a gradient is split to give all frequencies the same share (0: it is taken as it is).
    """

    octaves: int = 6
    octave_scale: float = 1.31415
    iterations: int = 1
    step: float = 1.5
    finest: float = 1.0
    laplacian: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.octaves <= 16:
            raise DreamError(f"octaves is {self.octaves}; it must be 1–16")
        if not (math.isfinite(self.octave_scale) and 1 < self.octave_scale <= 4):
            raise DreamError(f"octave-scale is {self.octave_scale}; it must be more than 1 and at most 4")
        if not 1 <= self.iterations <= 1000:
            raise DreamError(f"iterations is {self.iterations}; it must be 1–1000")
        if not (math.isfinite(self.step) and 0 < self.step <= 255):
            raise DreamError(f"step is {self.step}; it must be more than 0 and at most 255")
        if not 0.1 <= self.finest <= 1:
            raise DreamError(f"finest is {self.finest}; it must be 0.1–1")
        if not 0 <= self.laplacian <= MAX_LAPLACIAN:
            raise DreamError(f"laplacian is {self.laplacian}; it must be 0–{MAX_LAPLACIAN}")

    def sizes(self, height: int, width: int) -> tuple[tuple[int, int], ...]:
        """Give the octaves' (height, width) in pixels, the largest first.

        Octaves with a side below 32 pixels are left out, except the largest.
        """
        scales = [self.finest / self.octave_scale**octave for octave in range(self.octaves)]
        sizes = [(max(1, round(height * scale)), max(1, round(width * scale))) for scale in scales]
        return tuple(size for octave, size in enumerate(sizes) if octave == 0 or min(size) >= SMALLEST_SIDE)


CANVAS = DreamSettings(octaves=5, finest=0.66)
"""How the shared canvas dreams: from two thirds of its size on, in 0.4 of the time that 2017's octaves take;
its forms are large enough to be seen on a telephone."""
