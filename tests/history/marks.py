"""Pictures that carry a number in their pixels: 24 squares at the top, black for a set bit.

They survive JPEG, H.264 and halving. The white canvas carries 0.
"""

import colorsys

from PIL import Image, ImageDraw

from dreamcanvas.canvas.model import SIDE

BITS = 24
SQUARE = SIDE // BITS


def mark(number: int) -> Image.Image:
    """A picture with a number, coloured by it."""
    red, green, blue = (round(255 * part) for part in colorsys.hsv_to_rgb(number * 0.077 % 1, 0.5, 0.9))
    image = Image.new("RGB", (SIDE, SIDE), (red, green, blue))
    draw = ImageDraw.Draw(image)
    for bit in range(BITS):
        colour = "black" if number >> bit & 1 else "white"
        draw.rectangle((bit * SQUARE, 0, (bit + 1) * SQUARE - 1, SQUARE - 1), colour)
    draw.ellipse((number * 37 % 1200, 400, number * 37 % 1200 + 300, 700), (blue, red, green))
    return image


def read(image: Image.Image) -> int:
    """The number in a picture of any size."""
    square = image.width / BITS
    row = image.convert("L").crop((0, int(square / 2), image.width, int(square / 2) + 1)).tobytes()
    return sum((row[int((bit + 0.5) * square)] < 128) << bit for bit in range(BITS))
