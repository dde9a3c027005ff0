"""A picture in figures, by which to see whether a canvas that dreams its own dreams is alive (pure)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dreamcanvas.history.movie import colourfulness

Pixels = NDArray[np.uint8]
"""[height, width, 3], RGB."""

Plane = NDArray[np.float32]
"""[height, width], in levels of 0–255."""

GRID = 32
"""Pixels: the stride of the deepest layers, so that the grid of any other layer repeats in it too."""

BLOCKS = 32
"""Along a side: a block of the canvas is 48 px wide."""

NEARLY_WHITE = 250
"""Levels: where the darkest channel is less, a drawing is not white."""

_LUMA = (0.2126, 0.7152, 0.0722)
"""ITU-R BT.709."""


@dataclass(frozen=True, slots=True)
class Figures:
    """One picture in figures.

    clipped       share of values that are 0 or 255
    mean, spread  luminance: its mean and standard deviation, levels
    colour        colourfulness: 0 is grey, 33 moderate, 59 quite, 109 extremely colourful
    detail        high-frequency energy: root mean square of what `smooth` takes from the luminance, levels
    grid          share of the detail that repeats every 32 px both ways: 1 is nothing but a grid
    """

    clipped: float
    mean: float
    spread: float
    colour: float
    detail: float
    grid: float


def measure(pixels: Pixels) -> Figures:
    """Give the figures of a picture, at least 3 px a side."""
    plane = luminance(pixels)
    fine = plane - smooth(plane)
    return Figures(
        clipped=float(np.mean((pixels == 0) | (pixels == 255))),
        mean=float(plane.mean()),
        spread=float(plane.std()),
        colour=colourfulness(pixels),
        detail=float(np.sqrt(np.mean(np.square(fine)))),
        grid=grid_share(fine),
    )


@dataclass(frozen=True, slots=True)
class Likeness:
    """A picture beside the drawing that it was dreamt from, in figures; both by the means of blocks.

    spread       standard deviation of the means, as a share of the drawing's
    correlation  of the means with the drawing's
    brightness   mean luminance less the drawing's, levels
    clipped      share of values that are 0 or 255 where the drawing is not white
    """

    spread: float
    correlation: float
    brightness: float
    clipped: float


def compare(pixels: Pixels, drawing: Pixels, blocks: int = BLOCKS) -> Likeness:
    """Compare a picture with the drawing that it was dreamt from: square, of one size, at least 32 px."""
    means, drawn = (block_means(luminance(each), blocks).ravel() for each in (pixels, drawing))
    inked = pixels[drawing.min(axis=-1) < NEARLY_WHITE]
    return Likeness(
        spread=float(means.std() / max(drawn.std(), 1e-6)),
        correlation=float(np.corrcoef(means, drawn)[0, 1]) if drawn.std() and means.std() else 0.0,
        brightness=float(means.mean() - drawn.mean()),
        clipped=float(np.mean((inked == 0) | (inked == 255))) if inked.size else 0.0,
    )


def block_means(plane: Plane, blocks: int = BLOCKS) -> Plane:
    """Give the means of blocks × blocks squares of a plane, without what is left over right and below."""
    side = min(plane.shape) // blocks
    cut = plane[: blocks * side, : blocks * side].reshape(blocks, side, blocks, side)
    means: Plane = cut.mean(axis=(1, 3))
    return means


def luminance(pixels: Pixels) -> Plane:
    """Give the luminance (of the values as they are, gamma and all)."""
    plane: Plane = pixels.astype(np.float32) @ np.asarray(_LUMA, np.float32)
    return plane


def smooth(plane: Plane) -> Plane:
    """Blur by the binomial kernel [1 2 1]/4 both ways, the borders mirrored."""
    padded: Plane = np.pad(plane, 1, mode="symmetric")
    rows: Plane = 0.25 * (padded[:-2] + padded[2:]) + 0.5 * padded[1:-1]
    blurred: Plane = 0.25 * (rows[:, :-2] + rows[:, 2:]) + 0.5 * rows[:, 1:-1]
    return blurred


def grid_share(plane: Plane, period: int = GRID) -> float:
    """Give the standard deviation of a plane's mean tile of period × period px over the plane's own.

    Of n tiles of noise it is about 1/√n.
    """
    rows, columns = (side // period for side in plane.shape)
    if not rows or not columns:
        return 0.0
    tiles = plane[: rows * period, : columns * period].reshape(rows, period, columns, period)
    return float(tiles.mean(axis=(0, 2)).std() / max(float(tiles.std()), 1e-6))


def change(before: Pixels, after: Pixels) -> float:
    """Give the mean absolute difference of two pictures of one size, levels."""
    return float(np.mean(np.abs(after.astype(np.int16) - before.astype(np.int16))))
