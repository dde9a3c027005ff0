"""Pass from one style to the next, region after region (no TensorFlow).

The canvas is a landscape of thresholds, and the tide of a passage rises over it: where it stands above the
threshold the new style is dreamt, below it the old one, and along the shore a mixture of both.
"""

import numpy as np
from numpy.typing import NDArray

Shares = NDArray[np.float32]
"""[height, width], of 0–1."""

HILLS = 5
"""Along the longer side of a canvas: so regions change that are a fifth of it large."""

SHORE = 0.5
"""The width of the shore, as a share of the whole tide: half of a passage in each place."""

_SIDE = 192
"""Pixels: the landscape is made in this size, as nothing in it is fine."""


def new_share(progress: float, seed: int) -> Shares:
    """Return the share of the new style in each place: a square landscape to be scaled to the picture.

    `progress` is that of the passage, 0–1: at 0 there is nothing new, at 1 nothing old, and it never falls
    anywhere meanwhile. The seed decides which region comes first.
    """
    tide = progress * (1 + SHORE) - _thresholds(seed)
    share = np.clip(tide / SHORE, 0, 1)
    smooth: Shares = (share * share * (3 - 2 * share)).astype(np.float32)
    return smooth


def _thresholds(seed: int) -> Shares:
    """Return each place's threshold. All are equally frequent, so that the tide takes the canvas evenly."""
    hills = np.random.default_rng(seed).uniform(size=(HILLS + 2, HILLS + 2))
    at = np.linspace(0.5, HILLS + 0.5, _SIDE)
    low = np.floor(at).astype(int)
    part = at - low
    part = part * part * (3 - 2 * part)
    rows = hills[low] * (1 - part[:, None]) + hills[low + 1] * part[:, None]
    heights = rows[:, low] * (1 - part) + rows[:, low + 1] * part
    rank = heights.ravel().argsort().argsort()
    evened: Shares = (rank.reshape(heights.shape) / (heights.size - 1)).astype(np.float32)
    return evened
