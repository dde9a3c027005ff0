"""Draws every style of a network on one drawing: `.venv/bin/python scripts/contact_sheet.py`.

Writes OUTPUT/styles.jpg, a sheet with the names under the pictures, and OUTPUT/styles/NAME.jpg, a thumbnail
for each style. The drawing has strokes on white paper and painted ground, as visitors' pictures do.
"""

import argparse
import math
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from dreamcanvas.canvas import brush
from dreamcanvas.canvas.model import SIDE
from dreamcanvas.dream.engine import Engine, Pixels
from dreamcanvas.dream.network import DEFAULT_NETWORK, NETWORKS, load_network, network_info
from dreamcanvas.dream.picture_file import read_picture
from dreamcanvas.dream.precision import resolve
from dreamcanvas.dream.settings import CANVAS
from dreamcanvas.dream.styles import load_styles, parse_expression
from dreamcanvas.dream.tensors import limit_threads

INK, PAPER = (34, 34, 40), (250, 250, 250)
CAPTION_SIZE = 15
MARGIN = 14
QUALITY = 82

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Moment:
    """A picture of a contact sheet and what stands under it."""

    image: Image.Image
    caption: str


def strokes() -> Iterator[tuple[int, int, list[Point]]]:
    """A hill by the sea under a sun, on paper of 1536 px: colour, brush size, points."""
    for i in range(9):
        level = 1010 + 66 * i
        yield (
            0x3C6CEB,
            124,
            [(float(x), level + 26 * math.sin(x / 110 + i * 1.7)) for x in range(-64, 1664, 64)],
        )
    for i in range(9):
        top = 1180 - 52 * i
        reach = 760 - 70 * i
        yield (
            0x1A9E8A,
            118,
            [(float(x), top - (1060 - top) * 0.2 * math.cos(x / reach * 1.5)) for x in range(-60, reach, 44)],
        )
    for radius in (24, 66, 108, 150):
        yield (
            0xFFB32C,
            100,
            [(1090 + radius * math.cos(t / 5), 400 + radius * math.sin(t / 5)) for t in range(34)],
        )
    for i in range(9):
        angle = math.tau * i / 9
        yield (
            0xF2545B,
            44,
            [(1090 + r * math.cos(angle), 400 + r * math.sin(angle)) for r in (230, 270, 310, 340)],
        )
    for x, y in ((330, 250), (560, 170), (700, 330)):
        yield 0x8E4FD0, 40, [(x - 90, y), (x - 45, y - 50), (x, y), (x + 45, y - 50), (x + 90, y)]
    yield 0x000000, 30, [(420, 780), (425, 640), (330, 520), (425, 640), (530, 500)]


def ink(image: Image.Image, color: int, size: int, points: Sequence[Point]) -> None:
    """Draw a stroke with the canvas' brush; points and size are those on a canvas of 1536 px."""
    scale = image.width / SIDE
    size = max(2, min(brush.MAX_SIZE, round(size * scale)))
    for (x0, y0), (x1, y1) in pairwise(points):
        dabs = max(1, round(math.hypot(x1 - x0, y1 - y0) * scale / (size * 0.2)))
        for dab in range(dabs):
            x, y = (start + (end - start) * dab / dabs for start, end in ((x0, x1), (y0, y1)))
            brush.draw(image, round(x * scale), round(y * scale), size, color)


def drawing(side: int) -> Pixels:
    """Give the drawing, side × side px."""
    image = Image.new("RGB", (side, side), "white")
    for color, size, points in strokes():
        ink(image, color, size, points)
    return np.asarray(image)


def sheet(moments: Sequence[Moment], columns: int, width: int) -> Image.Image:
    """Lay pictures of one shape out in rows, each `width` px wide with its caption under it."""
    height = round(width * moments[0].image.height / moments[0].image.width)
    font = ImageFont.load_default(CAPTION_SIZE)
    step_x, step_y = width + MARGIN, height + MARGIN + CAPTION_SIZE + 8
    rows = math.ceil(len(moments) / columns)
    page = Image.new("RGB", (MARGIN + columns * step_x, MARGIN + rows * step_y), PAPER)
    draw = ImageDraw.Draw(page)
    for number, moment in enumerate(moments):
        x, y = MARGIN + number % columns * step_x, MARGIN + number // columns * step_y
        page.paste(moment.image.resize((width, height), Image.Resampling.LANCZOS), (x, y))
        draw.text((x + 1, y + height + 4), moment.caption, INK, font)
    return page


def file_name(style: str) -> str:
    """Give a style's file name: small letters and hyphens."""
    return re.sub(r"[^a-z0-9_^]+", "-", style.lower()).strip("-") + ".jpg"


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--output", type=Path, default=Path("docs/dreams"))
    parser.add_argument("--network", choices=sorted(NETWORKS), default=DEFAULT_NETWORK)
    parser.add_argument("--styles", nargs="*", metavar="NAME", help="only these")
    parser.add_argument(
        "--input", type=Path, metavar="FILE", help="a picture to dream instead of the drawing"
    )
    parser.add_argument("--side", type=int, default=1536, help="pixels of the drawing's side")
    parser.add_argument("--dreams", type=int, default=12, help="dreams of each style")
    parser.add_argument("--columns", type=int, default=6)
    parser.add_argument("--width", type=int, default=300, help="pixels of a picture on the sheet")
    parser.add_argument("--thumbnail", type=int, default=240, help="pixels of a thumbnail; 0 writes none")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads; 0 is one per processor")
    return parser.parse_args()


def main() -> None:
    arguments = options()
    if arguments.threads:
        limit_threads(arguments.threads)
    info = network_info(arguments.network)
    pixels = read_picture(arguments.input) if arguments.input else drawing(arguments.side)
    engine = Engine(load_network(arguments.network, resolve("auto")), CANVAS)
    output: Path = arguments.output
    thumbnails = output / "styles"
    (thumbnails if arguments.thumbnail else output).mkdir(parents=True, exist_ok=True)
    moments = []
    print(f"{'style':24} {'expression':36} {'s/dream':>8}")
    for style in load_styles(arguments.network):
        if arguments.styles and style.name not in arguments.styles:
            continue
        expression = parse_expression(style.expression, info)
        dreamt, seconds = pixels, math.inf
        for dream in range(arguments.dreams):
            started = time.perf_counter()
            dreamt = engine.dream(dreamt, expression, dream)
            seconds = min(seconds, time.perf_counter() - started)
        image = Image.fromarray(dreamt)
        small = image.copy()
        small.thumbnail((2 * arguments.width, 2 * arguments.width))  # all of them whole would be memory
        moments.append(Moment(small, style.name))
        if side := arguments.thumbnail:
            small = image.resize((side, round(side * image.height / image.width)), Image.Resampling.LANCZOS)
            small.save(thumbnails / file_name(style.name), quality=QUALITY, optimize=True)
        print(f"{style.name:24} {style.expression:36} {seconds:8.2f}", flush=True)
    page = sheet(moments, arguments.columns, arguments.width)
    page.save(output / "styles.jpg", quality=QUALITY, optimize=True)
    print(f"{output / 'styles.jpg'}: {len(moments)} styles after {arguments.dreams} dreams")


if __name__ == "__main__":
    main()
