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
from dreamcanvas.canvas.model import WHOLE, Dab, Operation, Patch, Region, bounds, draw
from dreamcanvas.canvas.reconstruction import EDGE, Past, as_it_is, picture_without
from dreamcanvas.canvas.work import FOREVER, OverdrawnError, StoppedError, Work, unlimited

__all__ = [
    "EDGE",
    "FOREVER",
    "OverdrawnError",
    "Past",
    "Retraction",
    "StoppedError",
    "Work",
    "bounds",
    "take_back",
]


def region_of(dabs: Iterable[Dab]) -> Region:
    """Return the part of the canvas that dabs and their edge lie in; one pixel where they are all off it."""
    boxes = [box.grown(EDGE) for box in map(bounds, dabs) if box.touches(WHOLE)]
    if not boxes:
        return Region(0, 0, 1, 1)  # a patch has to have a pixel
    around = Region(
        min(box.left for box in boxes),
        min(box.top for box in boxes),
        max(box.right for box in boxes),
        max(box.bottom for box in boxes),
    )
    return around.within(WHOLE)


@lru_cache(maxsize=MAX_SIZE)
def _stamp(size: int) -> Image.Image:
    """Return the alpha of a dab's place, with `EDGE` px on each side: opaque inside its circle."""
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
    """Return where dabs covered a region, as the alpha of a patch there: 8 bits."""
    alpha = Image.new("L", (region.width, region.height))
    canvas = Region(0, 0, region.width, region.height)
    # Each place once, whatever was its colour: strokes go over themselves
    for x, y, size in dict.fromkeys((dab.x, dab.y, dab.size) for dab in dabs):
        box = bounds(Dab(x, y, size, 0)).grown(EDGE).shifted(-region.left, -region.top)
        if box.touches(canvas):
            alpha.paste(ImageChops.lighter(alpha.crop(box), _stamp(size)), (box.left, box.top))
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
        """Say whether an operation has a pixel in common with what is laid."""
        box = bounds(operation.mark)
        if not self.region.touches(box):
            return False
        seen = box.within(self.region).shifted(-self.region.left, -self.region.top)
        return self.alpha.crop(seen).getbbox() is not None

    def with_later(self, operations: Sequence[Operation]) -> "Retraction":
        """Return the same with the next operations on it."""
        image = self.image.copy()
        for operation in operations:
            mark = operation.mark
            draw(image, replace(mark, x=mark.x - self.region.left, y=mark.y - self.region.top))
        return replace(self, image=image, seq=operations[-1].seq if operations else self.seq)

    def within(self, region: Region) -> "Retraction":
        """Return the part of it that lies in a region, which has to touch it, with no dab taken back."""
        part = self.region.within(region)
        box = part.shifted(-self.region.left, -self.region.top)
        return Retraction(part, self.image.crop(box), self.alpha.crop(box), self.seq)

    def look(self, top: int, bottom: int) -> Image.Image:
        """Return some of its rows as they are in the patch, RGBA."""
        box = (0, top, self.image.width, bottom)
        alpha = self.alpha.crop(box)
        shown = alpha.point([0] + [255] * 255)
        image = Image.new("RGB", alpha.size)
        image.paste(self.image.crop(box), (0, 0), shown)  # what is not seen is black, and takes no room
        image.putalpha(alpha)
        return image

    def spans(self, operations: Sequence[Operation]) -> list[tuple[int, int]]:
        """Return the rows in which operations are, from one up to another."""
        boxes = (bounds(operation.mark) for operation in operations)
        return [(box.top - self.region.top, box.bottom - self.region.top) for box in boxes]

    def png(self) -> BandedPng:
        """Return the patch's picture."""
        return BandedPng.of(self.image.width, self.image.height, self.look)

    def patch(self, png: BandedPng | None = None) -> Patch:
        """Return the patch that makes it look so; `png` is its picture, where that is made already."""
        return Patch(self.region.left, self.region.top, (png or self.png()).file(), self.took)


def take_back(
    past: Past,
    dabs: Sequence[Operation],
    until: int,
    *,
    work: Work | None = None,
    whole: Callable[[Operation], Operation] = as_it_is,
) -> Retraction:
    """Return what takes dabs back, as of the operation `until`.

    `whole` completes an operation whose patch came without its pixels. Raises LookupError where too little is
    kept, OverdrawnError where it is more than `work` allows, StoppedError.
    """
    marks = [operation.mark for operation in dabs if isinstance(operation.mark, Dab)]
    region = region_of(marks)
    seqs = tuple(operation.seq for operation in dabs)
    picture = picture_without(past, region, seqs, until, work or unlimited(), whole=whole)
    return Retraction(region, picture, coverage(marks, region), until, seqs)
