"""What puts back how it was: the picture without some dabs, as a patch (pure: it is told of the past).

Where dabs are taken back, the newest dream that holds none of them shows what was there before, with the
operations after it on it in their order, those dabs left out. So are dabs that were taken back since: the
patches that did so hold pixels, and among these could be the ones that are to go now.

A patch is opaque where its dabs had any coverage, and from there falls to nothing within `EDGE` px.
"""

import contextlib
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, Protocol

from PIL import Image, ImageChops

from dreamcanvas.brush import MAX_SIZE
from dreamcanvas.canvas import HOST, SIDE, Dab, Operation, Patch, Region, draw

EDGE: Final = 6  # px
RLE: Final = 3  # zlib's strategy: half the time of the usual one, and hardly larger for what is dreamt
_FOREVER: Final = 2**63


class Past(Protocol):
    """What is kept of the past. Each raises LookupError where that is not enough."""

    def base(self, before: int) -> tuple[int, Image.Image]:
        """The newest dream without the operation `before` and any after it: the last operation in it, and its
        picture, a copy. White after operation 0 where there was no dream yet.
        """

    def operations(self, after: int, until: int, region: Region) -> Sequence[Operation]:
        """The operations after a number up to another, in order; at least those that touch the region."""

    def taken(self, undo: Operation) -> Sequence[int]:
        """The numbers of the dabs that an undo took back, in order; none where they are not kept."""


def bounds(mark: Dab | Patch) -> Region:
    """Where a mark is: left, top, right, bottom in canvas pixels, right and bottom exclusive."""
    if isinstance(mark, Dab):
        left, top = mark.x - mark.size // 2, mark.y - mark.size // 2
        return left, top, left + mark.size, top + mark.size
    width, height = (int.from_bytes(mark.image[at : at + 4], "big") for at in (16, 20))  # a PNG's IHDR
    return mark.x, mark.y, mark.x + width, mark.y + height


def touch(one: Region, other: Region) -> bool:
    """Whether two regions have a pixel in common."""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


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
    """How a region is to look: `image` (RGB) as of operation `seq`, to be laid through `alpha` (8 bits)."""

    region: Region
    image: Image.Image
    alpha: Image.Image
    seq: int

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

    def patch(self) -> Patch:
        """The patch that makes it look so."""
        shown = self.alpha.point([0] + [255] * 255)
        image = Image.new("RGB", self.image.size)
        image.paste(self.image, (0, 0), shown)  # what is not seen is black, and takes no room
        image.putalpha(self.alpha)
        buffer = io.BytesIO()
        image.save(buffer, "PNG", compress_level=4, compress_type=RLE)
        return Patch(self.region[0], self.region[1], buffer.getvalue())


def take_back(past: Past, dabs: Sequence[Operation], until: int) -> Retraction:
    """What takes dabs back, as of the operation `until`. Raises LookupError where too little is kept."""
    marks = [operation.mark for operation in dabs if isinstance(operation.mark, Dab)]
    region = region_of(marks)
    taken = dict.fromkeys((operation.seq for operation in dabs), _FOREVER)
    picture = _picture(past, taken, dabs[0].seq, until, region)
    return Retraction(region, picture.crop(region), coverage(marks, region), until)


def _picture(past: Past, taken: dict[int, int], first: int, until: int, region: Region) -> Image.Image:
    """The canvas, right inside the region, as of `until`, from the newest dream before `first`.

    `taken` are dabs that are to be left out, each with the number of the patch that took it back.
    """
    start, picture = past.base(first)
    operations = past.operations(start, until, region)
    undone: dict[int, Sequence[int]] = {}  # undos, and their dabs where some of them are in the dream
    taken = dict(taken)
    strokes: dict[tuple[int, int], list[int]] = {}
    for operation in operations:
        key = (operation.author, operation.stroke)
        if isinstance(operation.mark, Dab):
            if operation.stroke:
                strokes.setdefault(key, []).append(operation.seq)
        elif operation.stroke and touch(region, bounds(operation.mark)):
            dabs = past.taken(operation) if start or operation.author == HOST else ()
            for seq in (*strokes.pop(key, ()), *dabs):
                taken.setdefault(seq, operation.seq)
            undone[operation.seq] = dabs if dabs and dabs[0] <= start else ()
    for operation in operations:
        mark = operation.mark
        if isinstance(mark, Dab):
            if operation.seq not in taken:
                draw(picture, mark)
        elif operation.seq not in undone:
            draw(picture, mark)
        elif dabs := undone[operation.seq]:
            again = None
            if _shows(operation.seq, taken):
                # where too little is kept for that, as it was made then is the best there is
                with contextlib.suppress(LookupError):
                    without = taken | dict.fromkeys(dabs, operation.seq)
                    again = _picture(past, without, dabs[0], operation.seq - 1, region)
            _lay(picture, mark, again)
    return picture


def _lay(picture: Image.Image, patch: Patch, other: Image.Image | None) -> None:
    """Lays a patch, or what another picture of the canvas has in its place."""
    if other is None:
        draw(picture, patch)
        return
    with Image.open(io.BytesIO(patch.image), formats=("PNG",)) as opened:
        alpha = opened.getchannel("A")
    picture.paste(other.crop(bounds(patch)), (patch.x, patch.y), alpha)


def _shows(seq: int, taken: dict[int, int]) -> bool:
    """Whether a patch of that number was made when some of the dabs were there that were taken back later."""
    return any(dab < seq < by for dab, by in taken.items())
