"""A worker without a network: its dream of picture n is picture n + 1 (see `marks`)."""

import io
import sys

from PIL import Image

from dreamcanvas.process import Frame, read_frame, write_frame
from tests.history.marks import mark, read

write_frame(sys.stdout.buffer, Frame({"ready": True}))
while (request := read_frame(sys.stdin.buffer)) is not None:
    size = (request.header["width"], request.header["height"])
    pixels = request.payload[: 3 * size[0] * size[1]]  # a mask may follow
    number = read(Image.frombytes("RGB", size, pixels)) + 1
    buffer = io.BytesIO()
    mark(number).save(buffer, "JPEG", quality=95, subsampling=0)
    answer = {"ok": True, "seconds": 0.01, "before": 1.0, "after": 2.0}
    write_frame(sys.stdout.buffer, Frame(answer, buffer.getvalue()))
