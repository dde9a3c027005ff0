"""Patches in bands of rows: the picture to the level, whatever changes in it."""

import io
import random

import pytest
from PIL import Image

from dreamcanvas.canvas.banded_png import ROWS, BandedPng


def read(png: BandedPng) -> Image.Image:
    with Image.open(io.BytesIO(png.file()), formats=("PNG",)) as image:
        image.load()
        assert image.mode == "RGBA"
        return image.copy()


def noise(rng: random.Random, width: int, height: int) -> Image.Image:
    smooth = Image.frombytes("RGBA", (9, 9), rng.randbytes(324))
    return smooth.resize((width, height), Image.Resampling.BICUBIC)


@pytest.mark.parametrize("size", [(1, 1), (5, ROWS), (77, ROWS + 1), (3, 5 * ROWS - 1), (300, 200)])
def test_it_holds_the_picture(size: tuple[int, int]) -> None:
    image = noise(random.Random(1), *size)
    made = BandedPng.of(*size, lambda top, bottom: image.crop((0, top, size[0], bottom)))
    assert read(made).tobytes() == image.tobytes()


@pytest.mark.parametrize("seed", range(8))
def test_what_changes_is_made_again_and_the_rows_that_refer_to_it(seed: int) -> None:
    rng = random.Random(seed)
    width, height = rng.randint(1, 200), rng.randint(1, 300)
    image = noise(rng, width, height)
    made = BandedPng.of(width, height, lambda top, bottom: image.crop((0, top, width, bottom)))
    for _ in range(10):
        spans = []
        for _ in range(rng.randint(1, 3)):
            top = rng.randint(-20, height - 1)
            bottom = top + rng.randint(1, 60)
            spans.append((top, bottom))
            image.paste(rng.randrange(2**32), (0, top, width, bottom))
        assert made.rows(spans) <= height + ROWS
        made = made.changed(spans, lambda top, bottom: image.crop((0, top, width, bottom)))
        assert read(made).tobytes() == image.tobytes()
