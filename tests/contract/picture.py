"""The picture as the contract's formulas give it: white, or a dream, and dabs on it."""

import io
import math
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.contract.client import Client, Dab

Pixels = NDArray[np.uint8]  # height × width × 3, RGB


@cache
def mask(n: int) -> Pixels:
    """n × n values 0…102."""
    values = np.zeros((n, n), np.uint8)
    for j in range(n):
        for i in range(n):
            r = math.hypot(i + 0.5 - n / 2, j + 0.5 - n / 2) / (n / 2)
            if r < 1:
                values[j, i] = math.floor(102 * (0.5 + 0.5 * math.cos(math.pi * r)) + 0.5)
    return values


def white(width: int, height: int) -> Pixels:
    return np.full((height, width, 3), 255, np.uint8)


def paint(pixels: Pixels, dabs: Iterable[Dab]) -> Pixels:
    """A copy with the dabs on it, in their order."""
    pixels = pixels.copy()
    height, width = pixels.shape[:2]
    for dab in dabs:
        left, top = dab.x - dab.size // 2, dab.y - dab.size // 2
        x0, y0 = max(left, 0), max(top, 0)
        x1, y1 = min(left + dab.size, width), min(top + dab.size, height)
        if x0 >= x1 or y0 >= y1:
            continue
        m = mask(dab.size)[y0 - top : y1 - top, x0 - left : x1 - left, None].astype(np.int64)
        c = np.array([dab.color >> 16, dab.color >> 8 & 255, dab.color & 255], np.int64)
        v = pixels[y0:y1, x0:x1].astype(np.int64)
        t = v * (255 - m) + c * m + 128
        pixels[y0:y1, x0:x1] = (t + (t >> 8)) >> 8
    return pixels


def decode(data: bytes) -> Pixels:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))


@dataclass(frozen=True, slots=True)
class Fetched:
    """A picture over HTTP and its version."""

    pixels: Pixels
    dream: int
    seq: int


def fetch(url: str) -> Fetched:
    """`/canvas.png` of a server."""
    with urllib.request.urlopen(url + "/canvas.png", timeout=30) as response:
        headers = response.headers
        return Fetched(decode(response.read()), int(headers["X-Canvas-Dream"]), int(headers["X-Canvas-Seq"]))


def operations(client: Client, since: int, until: int) -> list[Dab]:
    """The dabs since < seq ≤ until, as a subscription with `since` replays them: each seq once, in order."""
    reply = client.call("subscribe", events=["paint"], since=since)
    assert not reply.resync
    dabs = []
    for seq in range(since + 1, until + 1):
        event = client.event("paint").message
        assert event.seq == seq
        dabs.append(Dab.of(event))
    return dabs
