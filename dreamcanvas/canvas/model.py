"""The picture and its version (pure: no I/O, no clock).

The picture is the newest dream and, on it, in order, the operations after the seq from which that dream
started.
"""

import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from PIL import Image

from dreamcanvas.canvas import brush

SIDE: Final = 1536
WHITE: Final = (255, 255, 255)
HOST: Final = 0  # the author of what the host of the canvas puts there


@dataclass(frozen=True, slots=True)
class Dab:
    """One touch of the brush: its middle in canvas pixels, its diameter in pixels, its colour 0xRRGGBB."""

    x: int
    y: int
    size: int
    color: int


@dataclass(frozen=True, slots=True)
class Patch:
    """Pixels put somewhere: the top left corner in canvas pixels, and an RGBA picture as a PNG file.

    `took` are the numbers of the dabs that it takes back, known to who makes it alone.
    """

    x: int
    y: int
    image: bytes
    took: tuple[int, ...] = field(default=(), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Operation:
    """What was done to the canvas: its number, when (ms since 1970), by whom, in which stroke of theirs."""

    seq: int
    time: int
    author: int
    stroke: int
    mark: Dab | Patch


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """(dream, seq): which dream the picture is based on, and the newest operation in it."""

    dream: int
    seq: int

    def __str__(self) -> str:
        return f"{self.dream}-{self.seq}"


Region: TypeAlias = tuple[int, int, int, int]


class Canvas:
    """The picture. `dream_seq` is the last operation that the dream contains."""

    def __init__(
        self,
        image: Image.Image | None = None,
        dream: int = 0,
        dream_seq: int = 0,
        *,
        seq: int | None = None,
    ) -> None:
        self._image = image if image is not None else Image.new("RGB", (SIDE, SIDE), WHITE)
        self.dream = dream
        self.dream_seq = dream_seq
        self.seq = dream_seq if seq is None else seq

    @property
    def version(self) -> Version:
        """The picture's version."""
        return Version(self.dream, self.seq)

    def apply(self, operation: Operation) -> None:
        """Does the next operation. Raises ValueError where it is not the next."""
        if operation.seq != self.seq + 1:
            raise ValueError(f"operation {operation.seq} does not follow {self.seq}")
        draw(self._image, operation.mark)
        self.seq = operation.seq

    def lay(self, base: "Canvas", later: Iterable[Operation]) -> None:
        """Makes a dream the base. `later` are all operations that `base` does not hold yet, in order.

        Raises ValueError where the dream is not newer, or where operations are missing; the picture stays as
        it was.
        """
        if base.dream <= self.dream:
            raise ValueError(f"dream {base.dream} is not newer than dream {self.dream}")
        for operation in later:
            base.apply(operation)
        if base.seq != self.seq:
            raise ValueError(f"the dream's picture ends with operation {base.seq}, not {self.seq}")
        self._image, self.dream, self.dream_seq = base._image, base.dream, base.dream_seq

    def snapshot(self) -> Image.Image:
        """A copy of the picture, RGB, 1536 × 1536."""
        return self._image.copy()

    def crop(self, region: Region) -> Image.Image:
        """A copy of a part of the picture: left, top, right, bottom in pixels, right and bottom exclusive."""
        return self._image.crop(region)


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


def common(one: Region, other: Region) -> Region:
    """What two regions have in common, if they touch."""
    return max(one[0], other[0]), max(one[1], other[1]), min(one[2], other[2]), min(one[3], other[3])


def draw(image: Image.Image, mark: Dab | Patch) -> None:
    """Draws a mark on an RGB picture."""
    if isinstance(mark, Dab):
        brush.draw(image, mark.x, mark.y, mark.size, mark.color)
    else:
        with Image.open(io.BytesIO(mark.image), formats=("PNG",)) as opened:
            patch = opened.convert("RGBA")
        image.paste(patch, (mark.x, mark.y), patch)
