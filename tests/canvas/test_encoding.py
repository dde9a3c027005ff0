"""Pictures as files."""

import io

import pytest
from PIL import Image

from dreamcanvas.canvas.encoding import MEDIA_TYPES, encode, encode_delivery


def picture(side: int = 64) -> Image.Image:
    return Image.radial_gradient("L").resize((side, side)).convert("RGB")


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


@pytest.mark.parametrize(("format_", "name"), [("jpg", "JPEG"), ("png", "PNG"), ("webp", "WEBP")])
def test_a_picture_in_each_format(format_: str, name: str) -> None:
    image = opened(encode(picture(), format_))
    assert (image.format, image.size, image.mode) == (name, (64, 64), "RGB")
    assert MEDIA_TYPES[format_] == f"image/{name.lower()}"


def test_png_is_exact() -> None:
    assert opened(encode(picture(), "png")).tobytes() == picture().tobytes()


def test_a_jpeg_keeps_the_colour_of_every_pixel() -> None:
    image = opened(encode(picture(), "jpg"))
    assert [layer[1:3] for layer in image.layer] == [(1, 1)] * 3  # type: ignore[attr-defined]


@pytest.mark.parametrize("side", [64, 32])
def test_a_dream_in_delivery_quality_is_a_jpeg_with_halved_colour(side: int) -> None:
    image = opened(encode_delivery(picture(), side))
    assert (image.format, image.size) == ("JPEG", (side, side))
    assert "progressive" not in image.info
    assert [layer[1:3] for layer in image.layer] == [(2, 2), (1, 1), (1, 1)]  # type: ignore[attr-defined]
