"""Two houses of fresh ink, of thin and of broad lines, and how readable they are after some dreams."""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from figures import luminance
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from dreamcanvas.canvas import brush
from dreamcanvas.canvas.ink import Ink
from dreamcanvas.canvas.model import SIDE, Dab, Operation
from dreamcanvas.dream.engine import Pixels

Point = tuple[float, float]

THIN, BROAD = 7, 38
"""Brush sizes, px."""

BLACK = 0x101018


def house(left: float, top: float, size: float) -> list[list[Point]]:
    """Give the strokes of a house: walls, roof, door and a window; `size` is its width in px."""

    def at(*points: Point) -> list[Point]:
        return [(left + size * x, top + size * y) for x, y in points]

    return [
        at((0, 1.2), (0, 0.5), (0.5, 0), (1, 0.5), (1, 1.2), (0, 1.2)),
        at((0, 0.5), (1, 0.5)),
        at((0.6, 1.2), (0.6, 0.8), (0.82, 0.8), (0.82, 1.2)),
        at((0.18, 0.7), (0.4, 0.7), (0.4, 0.92), (0.18, 0.92), (0.18, 0.7)),
    ]


def dabs(strokes: Sequence[Sequence[Point]], size: int, color: int) -> Iterator[Dab]:
    """Give the dabs of strokes, a fifth of their size apart, as the page lays them."""
    for points in strokes:
        for (x0, y0), (x1, y1) in pairwise(points):
            count = max(1, round(math.hypot(x1 - x0, y1 - y0) / (size * 0.2)))
            for number in range(count + 1):
                part = number / count
                yield Dab(round(x0 + (x1 - x0) * part), round(y0 + (y1 - y0) * part), size, color)


class House:
    """Where a house's lines are, and its surroundings, as masks [height, width]."""

    def __init__(self, marks: Sequence[Dab]) -> None:
        """Take its dabs."""
        paper = Image.new("L", (SIDE, SIDE))
        for dab in marks:
            half = dab.size * 0.36  # where the brush leaves more than half of the ink
            left, top, right, bottom = dab.x - half, dab.y - half, dab.x + half, dab.y + half
            paper.paste(255, (round(left), round(top), round(right), round(bottom)))
        gap = paper.filter(ImageFilter.MaxFilter(2 * (marks[0].size // 3) + 1))
        wide = gap.filter(ImageFilter.MaxFilter(2 * (marks[0].size // 2 + 3) + 1))
        self._lines: NDArray[np.bool_] = np.asarray(paper) > 0
        self._around: NDArray[np.bool_] = (np.asarray(wide) > 0) & (np.asarray(gap) == 0)

    def readable(self, pixels: Pixels) -> float:
        """Give by how many standard deviations the lines are darker than what is beside them.

        That is the sensitivity index d′ of signal detection: at 1 a line is found by somebody who looks for
        it, at 2 it is plain.
        """
        plane = luminance(pixels)
        on, off = plane[self._lines], plane[self._around]
        return float((off.mean() - on.mean()) / math.sqrt((on.var() + off.var()) / 2 + 1e-6))


class Houses:
    """A canvas on which both houses were just drawn, and their ink."""

    def __init__(self, pixels: Pixels) -> None:
        """Draw them on a canvas of 1536 px."""
        if pixels.shape != (SIDE, SIDE, 3):
            raise SystemExit(f"ink is drawn on a canvas of {SIDE} × {SIDE} px")
        thin = list(dabs(house(250, 330, 260), THIN, BLACK))
        broad = list(dabs(house(760, 560, 460), BROAD, BLACK))
        image = Image.fromarray(pixels)
        self._ink = Ink()
        operations = []
        for seq, dab in enumerate([*thin, *broad], start=1):
            brush.draw(image, dab.x, dab.y, dab.size, dab.color)
            operations.append(Operation(seq, 0, 1, 1, dab))
        self._ink.add(operations)
        self._seq = len(operations)
        self.thin, self.broad = House(thin), House(broad)
        self.pixels: Pixels = np.asarray(image)
        self.box = (150, 250, 1350, 1200)

    def mask(self) -> bytes | None:
        """Give the plane of shares for the next dream, and count that dream."""
        plane = self._ink.recent().plane()
        self._ink.dreamt(self._seq)
        return plane
