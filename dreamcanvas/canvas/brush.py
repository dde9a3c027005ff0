"""Draw with the soft round brush, exact to the integer (pure): PROTOCOL.md, "The brush, exactly".

A dab of size n has an n × n mask m = ⌊102·(½ + ½·cos πr) + ½⌋ inside the circle r < 1, and blends each
channel by v ← DIV255(v·(255 − m) + c·m). That is what Pillow's `Image.paste(colour, box, mask)` computes.
"""

import math
from functools import lru_cache
from typing import Final

from PIL import Image

OPACITY: Final = 102  # 40% of 255
MAX_SIZE: Final = 124


@lru_cache(maxsize=MAX_SIZE)
def mask(size: int) -> Image.Image:
    """Return the mask of a brush of `size` pixels (1–124): an 8-bit picture of size × size."""
    return Image.frombytes("L", (size, size), bytes(_alphas(size)))


def _alphas(size: int) -> list[int]:
    radius = size / 2
    alphas = []
    for j in range(size):
        for i in range(size):
            r = math.hypot(i + 0.5 - radius, j + 0.5 - radius) / radius
            alphas.append(math.floor(OPACITY * (0.5 + 0.5 * math.cos(math.pi * r)) + 0.5) if r < 1 else 0)
    return alphas


def draw(image: Image.Image, x: int, y: int, size: int, color: int) -> None:
    """Blend a dab with its middle at (x, y) into an RGB picture. It may lie outside it."""
    left, top = x - size // 2, y - size // 2
    if left >= image.width or top >= image.height or left + size <= 0 or top + size <= 0:
        return
    rgb = (color >> 16, color >> 8 & 255, color & 255)
    image.paste(rgb, (left, top, left + size, top + size), mask(size))
