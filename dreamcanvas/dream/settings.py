"""How a dream is dreamt, as data. No TensorFlow here."""

import math
from dataclasses import dataclass

from dreamcanvas.errors import DreamError

SMALLEST_SIDE = 32
"""Pixels: no octave is smaller, as the network would see nothing in it."""

MAX_TILT, MAX_GRAIN = 10.0, 2.0

MAX_LAPLACIAN = 8
"""Levels: the lowest band of 8 has waves of 512 px and more."""


@dataclass(frozen=True, slots=True)
class DreamSettings:
    """How a picture is dreamt; by default as the shared canvas is. `CLASSIC` is the dream of 2017.

    In `octaves` sizes, each `octave_scale` times the next, `iterations` steps of `step` levels. Raises
    DreamError where one is out of bounds: 1–16 octaves, 1 < octave_scale ≤ 4, 1–1000 iterations, 0 < step ≤
    255, 0.1 ≤ finest ≤ 1, 0–8 levels of `laplacian`, 0 ≤ tilt ≤ 10, 0.1 ≤ detail ≤ 10, 0 ≤ grain ≤ 2.

    Some are not of 2017. `finest` is the largest size as a share of the picture's: below 1 the picture keeps
    its detail and dreams none as fine, which is most of the work. `laplacian` is into how many bands, beside
    the rest, a gradient is split to give all frequencies the same share (0: it is taken as it is). `tilt`,
    `detail` and `grain` weigh large forms against small, and colour in the small ones (`ascent.Steps`).
    `settled` lays the dream on the picture as `settle` does, so that it can be dreamt again and again; else
    it is added and clipped.
    """

    octaves: int = 7
    octave_scale: float = 1.4
    iterations: int = 1
    step: float = 1.65
    finest: float = 0.54
    laplacian: int = 0
    tilt: float = 3.0
    detail: float = 2.8
    grain: float = 0.6
    settled: bool = True

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
        if not 0 <= self.tilt <= MAX_TILT:
            raise DreamError(f"tilt is {self.tilt}; it must be 0–{MAX_TILT}")
        if not 0.1 <= self.detail <= MAX_TILT:
            raise DreamError(f"detail is {self.detail}; it must be 0.1–{MAX_TILT}")
        if not 0 <= self.grain <= MAX_GRAIN:
            raise DreamError(f"grain is {self.grain}; it must be 0–{MAX_GRAIN}")

    def sizes(self, height: int, width: int) -> tuple[tuple[int, int], ...]:
        """Return the octaves' (height, width) in pixels, the largest first.

        Octaves with a side below 32 pixels are left out, except the largest.
        """
        scales = [self.finest / self.octave_scale**octave for octave in range(self.octaves)]
        sizes = [(max(1, round(height * scale)), max(1, round(width * scale))) for scale in scales]
        return tuple(size for octave, size in enumerate(sizes) if octave == 0 or min(size) >= SMALLEST_SIDE)


CANVAS = DreamSettings()
"""How the shared canvas dreams. The smallest of its octaves gives forms of a third of its side. From 0.54 of
its size on: with `detail` that is as sharp at 100% as from 0.66 without, in less time. Seven octaves at 1.4
reach as far down as eight at 2017's 1.31415, for six sevenths of their pixels."""

CLASSIC = DreamSettings(
    octaves=6, octave_scale=1.31415, step=1.5, finest=1.0, tilt=0.0, detail=1.0, grain=1.0, settled=False
)
"""How the experiment of 2017 dreamt."""
