"""Take dabs back by a patch that shows the picture without them (pure: the past is handed in).

What was there before is drawn again: the newest dream that holds none of the dabs, and on it the operations
after that dream in their order, without the dabs. `reconstruction` does that.

A patch is opaque wherever one of its dabs covered the canvas. Outside of that it fades to nothing within
`EDGE` px: a dream may have changed the surroundings since, and a hard edge would show.
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
    """Return the box around dabs and their edges, cut to the canvas; one pixel where all lie outside it."""
    boxes = [box.grown(EDGE) for box in map(bounds, dabs) if box.touches(WHOLE)]
    if not boxes:
        return Region(0, 0, 1, 1)  # there is no PNG without pixels
    around = Region(
        min(box.left for box in boxes),
        min(box.top for box in boxes),
        max(box.right for box in boxes),
        max(box.bottom for box in boxes),
    )
    return around.within(WHOLE)


@lru_cache(maxsize=MAX_SIZE)
def _stamp(size: int) -> Image.Image:
    """Return the alpha of one dab, `EDGE` px larger on each side: opaque in its circle, then fading."""
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
    """Return the alpha of a patch over a region: 8 bits, opaque where a dab covered it."""
    alpha = Image.new("L", (region.width, region.height))
    canvas = Region(0, 0, region.width, region.height)
    # Each place once, whatever its colour was: a stroke often passes over itself
    for x, y, size in dict.fromkeys((dab.x, dab.y, dab.size) for dab in dabs):
        box = bounds(Dab(x, y, size, 0)).grown(EDGE).shifted(-region.left, -region.top)
        if box.touches(canvas):
            alpha.paste(ImageChops.lighter(alpha.crop(box), _stamp(size)), (box.left, box.top))
    return alpha


@dataclass(frozen=True, slots=True)
class Retraction:
    """A patch in the making: a region's new look, `image` (RGB), and how far it covers, `alpha` (8 bits).

    `image` is the look as of operation `seq`. `took` are the numbers of the dabs that are taken back.
    """

    region: Region
    image: Image.Image
    alpha: Image.Image
    seq: int
    took: tuple[int, ...] = ()

    def touches(self, operation: Operation) -> bool:
        """Say whether an operation lies on a pixel that the patch changes."""
        box = bounds(operation.mark)
        if not self.region.touches(box):
            return False
        seen = box.within(self.region).shifted(-self.region.left, -self.region.top)
        return self.alpha.crop(seen).getbbox() is not None

    def with_later(self, operations: Sequence[Operation]) -> "Retraction":
        """Return a copy with the next operations drawn on it, in order.

        Others go on painting while a patch is made: what they drew meanwhile has to be on it.
        """
        image = self.image.copy()
        for operation in operations:
            mark = operation.mark
            draw(image, replace(mark, x=mark.x - self.region.left, y=mark.y - self.region.top))
        return replace(self, image=image, seq=operations[-1].seq if operations else self.seq)

    def within(self, region: Region) -> "Retraction":
        """Return the part in another region, which has to touch this one; that part takes no dabs back."""
        part = self.region.within(region)
        box = part.shifted(-self.region.left, -self.region.top)
        return Retraction(part, self.image.crop(box), self.alpha.crop(box), self.seq)

    def look(self, top: int, bottom: int) -> Image.Image:
        """Return the rows from `top` up to `bottom` as the patch has them, RGBA."""
        box = (0, top, self.image.width, bottom)
        alpha = self.alpha.crop(box)
        shown = alpha.point([0] + [255] * 255)
        image = Image.new("RGB", alpha.size)
        image.paste(self.image.crop(box), (0, 0), shown)  # black where nothing is seen: that compresses best
        image.putalpha(alpha)
        return image

    def spans(self, operations: Sequence[Operation]) -> list[tuple[int, int]]:
        """Return the rows of the patch that operations changed, as (first, first after them)."""
        boxes = (bounds(operation.mark) for operation in operations)
        return [(box.top - self.region.top, box.bottom - self.region.top) for box in boxes]

    def png(self) -> BandedPng:
        """Return the patch's picture as a PNG."""
        return BandedPng.of(self.image.width, self.image.height, self.look)

    def patch(self, png: BandedPng | None = None) -> Patch:
        """Return the patch; `png` is its picture, if that has been made already."""
        return Patch(self.region.left, self.region.top, (png or self.png()).file(), self.took)


def take_back(
    past: Past,
    dabs: Sequence[Operation],
    until: int,
    *,
    work: Work | None = None,
    whole: Callable[[Operation], Operation] = as_it_is,
) -> Retraction:
    """Return the patch in the making that takes dabs back, as of the operation `until`.

    `whole` completes an operation whose patch came without its pixels. Raises LookupError where too little of
    the past is kept, OverdrawnError where it is more than `work` allows, StoppedError where the server ends.
    """
    marks = [operation.mark for operation in dabs if isinstance(operation.mark, Dab)]
    region = region_of(marks)
    seqs = tuple(operation.seq for operation in dabs)
    picture = picture_without(past, region, seqs, until, work or unlimited(), whole=whole)
    return Retraction(region, picture, coverage(marks, region), until, seqs)
