"""What puts back how it was: the picture without some dabs, as a patch (pure: it is told of the past).

Where dabs are taken back, the newest dream that holds none of them shows what was there before, with the
operations after it on it in their order, those dabs left out: see `reconstruction`.

A patch is opaque where its dabs had any coverage, and from there falls to nothing within `EDGE` px.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from PIL import Image, ImageChops

from dreamcanvas.canvas.banded_png import BandedPng
from dreamcanvas.canvas.brush import MAX_SIZE
from dreamcanvas.canvas.model import SIDE, Dab, Operation, Patch, Region, bounds, common, draw, touch
from dreamcanvas.canvas.reconstruction import (
    EDGE,
    FOREVER,
    OverdrawnError,
    Past,
    Reconstruction,
    StoppedError,
    Work,
    as_it_is,
    unlimited,
)

__all__ = [
    "EDGE",
    "FOREVER",
    "OverdrawnError",
    "Past",
    "Retraction",
    "StoppedError",
    "Work",
    "bounds",
    "common",
    "take_back",
    "touch",
]


def region_of(dabs: Iterable[Dab]) -> Region:
    """The part of the canvas that dabs and their edge lie in; (0, 0, 1, 1) where they are all off it."""
    left, top, right, bottom = SIDE, SIDE, 0, 0
    for dab in dabs:
        box = bounds(dab)
        if touch(box, (0, 0, SIDE, SIDE)):
            left, top = min(left, box[0] - EDGE), min(top, box[1] - EDGE)
            right, bottom = max(right, box[2] + EDGE), max(bottom, box[3] + EDGE)
    if right <= left:
        return 0, 0, 1, 1
    return max(0, left), max(0, top), min(SIDE, right), min(SIDE, bottom)


@lru_cache(maxsize=MAX_SIZE)
def _stamp(size: int) -> Image.Image:
    """The alpha of a dab's place, with `EDGE` px on each side: opaque inside its circle."""
    side, radius = size + 2 * EDGE, size / 2
    alphas = bytearray()
    for j in range(side):
        for i in range(side):
            beyond = (math.hypot(i + 0.5 - side / 2, j + 0.5 - side / 2) - radius) / EDGE
            alphas.append(
                255 if beyond < 0 else round(255 * (0.5 + 0.5 * math.cos(math.pi * min(1, beyond))))
            )
    return Image.frombytes("L", (side, side), bytes(alphas))


def coverage(dabs: Iterable[Dab], region: Region) -> Image.Image:
    """Where dabs covered a region, as the alpha of a patch there: 8 bits."""
    alpha = Image.new("L", (region[2] - region[0], region[3] - region[1]))
    for dab in dict.fromkeys((dab.x, dab.y, dab.size) for dab in dabs):
        x, y, size = dab
        left, top = x - size // 2 - EDGE - region[0], y - size // 2 - EDGE - region[1]
        box = (left, top, left + size + 2 * EDGE, top + size + 2 * EDGE)
        if touch(box, (0, 0, *alpha.size)):
            alpha.paste(ImageChops.lighter(alpha.crop(box), _stamp(size)), box[:2])
    return alpha


@dataclass(frozen=True, slots=True)
class Retraction:
    """How a region is to look: `image` (RGB) as of operation `seq`, to be laid through `alpha` (8 bits).

    `took` are the numbers of the dabs that it takes back.
    """

    region: Region
    image: Image.Image
    alpha: Image.Image
    seq: int
    took: tuple[int, ...] = ()

    def touches(self, operation: Operation) -> bool:
        """Whether an operation has a pixel in common with what is laid."""
        box, region = bounds(operation.mark), self.region
        if not touch(region, box):
            return False
        left, top = region[:2]
        seen = (
            max(0, box[0] - left),
            max(0, box[1] - top),
            min(region[2], box[2]) - left,
            min(region[3], box[3]) - top,
        )
        return self.alpha.crop(seen).getbbox() is not None

    def with_later(self, operations: Sequence[Operation]) -> "Retraction":
        """The same with the next operations on it."""
        image = self.image.copy()
        for operation in operations:
            mark = operation.mark
            draw(image, replace(mark, x=mark.x - self.region[0], y=mark.y - self.region[1]))
        return replace(self, image=image, seq=operations[-1].seq if operations else self.seq)

    def look(self, top: int, bottom: int) -> Image.Image:
        """Some of its rows as they are in the patch, RGBA."""
        box = (0, top, self.image.width, bottom)
        alpha = self.alpha.crop(box)
        shown = alpha.point([0] + [255] * 255)
        image = Image.new("RGB", alpha.size)
        image.paste(self.image.crop(box), (0, 0), shown)  # what is not seen is black, and takes no room
        image.putalpha(alpha)
        return image

    def spans(self, operations: Sequence[Operation]) -> list[tuple[int, int]]:
        """The rows in which operations are, from one up to another."""
        boxes = (bounds(operation.mark) for operation in operations)
        return [(top - self.region[1], bottom - self.region[1]) for _, top, _, bottom in boxes]

    def png(self) -> BandedPng:
        """The patch's picture."""
        return BandedPng.of(self.image.width, self.image.height, self.look)

    def patch(self, png: BandedPng | None = None) -> Patch:
        """The patch that makes it look so; `png` is its picture, where that is made already."""
        return Patch(self.region[0], self.region[1], (png or self.png()).file(), self.took)


def take_back(
    past: Past,
    dabs: Sequence[Operation],
    until: int,
    *,
    work: Work | None = None,
    whole: Callable[[Operation], Operation] = as_it_is,
) -> Retraction:
    """What takes dabs back, as of the operation `until`; `whole` completes an operation whose patch came
    without its pixels.

    Raises LookupError where too little is kept, OverdrawnError where it is more than `work` allows,
    StoppedError.
    """
    marks = [operation.mark for operation in dabs if isinstance(operation.mark, Dab)]
    region = region_of(marks)
    reconstruction = Reconstruction(past, region, work or unlimited(), whole=whole)
    seqs = tuple(operation.seq for operation in dabs)
    picture = reconstruction.without(seqs, until)
    return Retraction(region, picture, coverage(marks, region), until, seqs)
