"""Answer the requests that a worker gets: dream the picture in each."""

import time
from dataclasses import dataclass

import numpy as np
from PIL import Image

from dreamcanvas.dream.engine import MAX_SIDE, Engine, Mask, Pixels, Transition
from dreamcanvas.dream.jpeg import encode_jpeg
from dreamcanvas.dream.network import NetworkInfo, load_network, network_info
from dreamcanvas.dream.precision import resolve
from dreamcanvas.dream.settings import CANVAS
from dreamcanvas.dream.styles import Expression, parse_expression
from dreamcanvas.dream.tensors import limit_threads
from dreamcanvas.errors import DreamError
from dreamcanvas.process import Frame


class Responder:
    """A loaded network that answers requests."""

    def __init__(self, network: str, threads: int, precision: str) -> None:
        limit_threads(threads)
        self._info = network_info(network)
        self._engine = Engine(load_network(network, resolve(precision)), CANVAS)

    def answer(self, request: Frame) -> Frame:
        """Dream a request and give its answer; a request that is wrong gets `ok` false and the reason."""
        return answer(request, self._engine, self._info)


def answer(request: Frame, engine: Engine, info: NetworkInfo) -> Frame:
    """Dream a request by an engine and give its answer."""
    try:
        asked = _parse_request(request, info)
        started = time.monotonic()
        dreamt = engine.dream(
            asked.pixels, asked.expression, asked.seed, mask=asked.mask, passage=asked.passage
        )
        jpeg = encode_jpeg(Image.fromarray(dreamt))
        seconds = time.monotonic() - started
    except DreamError as error:
        return Frame({"ok": False, "error": str(error)})
    return Frame({"ok": True, "seconds": seconds}, jpeg)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request, parsed: what `Engine.dream` takes."""

    pixels: Pixels
    expression: Expression
    seed: int
    mask: Mask | None
    passage: Transition | None


def _parse_request(request: Frame, info: NetworkInfo) -> _Asked:
    header = request.header
    try:
        width, height, seed = int(header["width"]), int(header["height"]), int(header["seed"])
        expression = parse_expression(str(header["expression"]), info)
        passage = None
        if "before" in header:
            before = parse_expression(str(header["before"]), info)
            passage = Transition(before, float(header["progress"]), int(header["regions"]))
    except (KeyError, TypeError, ValueError) as error:
        raise DreamError(f"a request that cannot be read: {error!r}") from error
    if not (1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE):
        raise DreamError(f"a picture of {width} × {height} px; a side must be 1–{MAX_SIDE}")
    size, planes = width * height, 4 if header.get("mask") else 3
    if len(request.payload) != size * planes:
        found = len(request.payload)
        raise DreamError(f"{found} bytes of pixels for {width} × {height} px of {planes} bytes each")
    pixels = np.frombuffer(request.payload, np.uint8, 3 * size).reshape(height, width, 3)
    mask = None
    if planes == 4:
        mask = np.frombuffer(request.payload, np.uint8, size, offset=3 * size).reshape(height, width)
    return _Asked(pixels, expression, seed, mask, passage)
