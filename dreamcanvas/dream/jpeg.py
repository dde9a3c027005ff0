"""The JPEG that dreams, frame files and pictures out of movies are."""

import io
from typing import Final

from PIL import Image

QUALITY: Final = 95
SUBSAMPLING: Final = "4:4:4"


def encode_jpeg(image: Image.Image) -> bytes:
    """Encode an RGB picture as JPEG of quality 95, 4:4:4: nearly a fixed point under re-encoding."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=QUALITY, subsampling=SUBSAMPLING)
    return buffer.getvalue()
