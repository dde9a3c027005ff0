"""Encode pictures as files, in each format and for browsers (pure)."""

import io
from typing import Final, TypeAlias

from PIL import Image

Format: TypeAlias = str

MEDIA_TYPES: Final[dict[Format, str]] = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp"}
DELIVERY_SIDES: Final = (1536, 768)


def encode(image: Image.Image, format_: Format) -> bytes:
    """Encode an RGB picture as a file.

    The formats are `jpg` (quality 90, no chroma subsampling), `png` and `webp` (quality 90).
    """
    buffer = io.BytesIO()
    if format_ == "jpg":
        image.save(buffer, "JPEG", quality=90, subsampling=0)
    elif format_ == "png":
        image.save(buffer, "PNG", compress_level=3)
    else:
        image.save(buffer, "WEBP", quality=90, method=2)
    return buffer.getvalue()


def encode_delivery(image: Image.Image, side: int) -> bytes:
    """Return a dream as browsers get it: a JPEG of `side` × `side` pixels, quality 78, 4:2:0.

    It is not progressive: that would take four times as long, and no other thread runs meanwhile.
    """
    if image.width != side:
        image = image.reduce(image.width // side)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=78, subsampling=2)
    return buffer.getvalue()
