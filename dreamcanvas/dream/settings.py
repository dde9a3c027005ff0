"""How a dream is dreamt, as data. No TensorFlow here."""

import math
from dataclasses import dataclass

from dreamcanvas.errors import DreamError

SMALLEST_SIDE = 32
"""Pixels: no octave is smaller, as the network would see nothing in it."""


@dataclass(frozen=True, slots=True)
class DreamSettings:
    """The dream of 2017: in `octaves` sizes, each `octave_scale` times the next, `iterations` steps of
    `step` levels.

    Raises DreamError where one is out of bounds: 1–16 octaves, 1 < octave_scale ≤ 4, 1–1000 iterations, 0 <
    step ≤ 255.
    """

    octaves: int = 6
    octave_scale: float = 1.31415
    iterations: int = 1
    step: float = 1.5

    def __post_init__(self) -> None:
        if not 1 <= self.octaves <= 16:
            raise DreamError(f"octaves is {self.octaves}; it must be 1–16")
        if not (math.isfinite(self.octave_scale) and 1 < self.octave_scale <= 4):
            raise DreamError(f"octave-scale is {self.octave_scale}; it must be more than 1 and at most 4")
        if not 1 <= self.iterations <= 1000:
            raise DreamError(f"iterations is {self.iterations}; it must be 1–1000")
        if not (math.isfinite(self.step) and 0 < self.step <= 255):
            raise DreamError(f"step is {self.step}; it must be more than 0 and at most 255")

    def sizes(self, height: int, width: int) -> tuple[tuple[int, int], ...]:
        """Give the octaves' (height, width) in pixels, the picture's own first.

        Octaves with a side below 32 pixels are left out, except the picture's own.
        """
        sizes = [
            (round(height / self.octave_scale**octave), round(width / self.octave_scale**octave))
            for octave in range(self.octaves)
        ]
        return tuple(size for octave, size in enumerate(sizes) if octave == 0 or min(size) >= SMALLEST_SIDE)
