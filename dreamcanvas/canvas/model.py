"""The canvas: its picture and its version (pure: no I/O, no clock).

The picture is the newest dream and, on it in their order, the operations that came after that dream started.
"""

import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from PIL import Image

from dreamcanvas.canvas import brush

SIDE: Final = 1536
WHITE: Final = (255, 255, 255)
POSITION_BOUND: Final = 65535
"""Pixels: how far from the origin the middle of a dab, or a cursor, may be (PROTOCOL.md)."""

HOST: Final = 0  # the author of what an operator puts on the canvas


@dataclass(frozen=True, slots=True)
class Dab:
    """One touch of the brush: its middle in canvas pixels, its diameter in pixels, its colour 0xRRGGBB."""

    x: int
    y: int
    size: int
    color: int


@dataclass(frozen=True, slots=True)
class Patch:
    """A picture to be laid on the canvas: its top left corner in canvas pixels, and an RGBA PNG file.

    `took` are the numbers of the dabs that it takes back; only the one who makes the patch knows them.
    """

    x: int
    y: int
    image: bytes
    took: tuple[int, ...] = field(default=(), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Operation:
    """A mark on the canvas, with its number, time (ms since 1970), author, and the author's stroke."""

    seq: int
    time: int
    author: int
    stroke: int
    mark: Dab | Patch


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """The picture's version: the dream that it is based on, and the newest operation in it."""

    dream: int
    seq: int

    def __str__(self) -> str:
        return f"{self.dream}-{self.seq}"


class Region(NamedTuple):
    """A box of pixels. `right` and `bottom` are the first column and row outside of it."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Return how many columns it has."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Return how many rows it has."""
        return self.bottom - self.top

    @property
    def area(self) -> int:
        """Return how many pixels it has."""
        return self.width * self.height

    def touches(self, other: "Region") -> bool:
        """Say whether both have a pixel in common."""
        across = self.left < other.right and other.left < self.right
        return across and self.top < other.bottom and other.top < self.bottom

    def within(self, other: "Region") -> "Region":
        """Return the part that lies in another region, which has to touch this one."""
        return Region(
            max(self.left, other.left),
            max(self.top, other.top),
            min(self.right, other.right),
            min(self.bottom, other.bottom),
        )

    def shifted(self, x: int, y: int) -> "Region":
        """Return the region moved right by `x` px and down by `y` px."""
        return Region(self.left + x, self.top + y, self.right + x, self.bottom + y)

    def grown(self, margin: int) -> "Region":
        """Return the region with `margin` px more on each side."""
        return Region(self.left - margin, self.top - margin, self.right + margin, self.bottom + margin)


WHOLE: Final = Region(0, 0, SIDE, SIDE)
"""The whole canvas."""


class Canvas:
    """The canvas. `dream_seq` is the last operation that its dream contains."""

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
        """Return the picture's version."""
        return Version(self.dream, self.seq)

    def apply(self, operation: Operation) -> None:
        """Draw the next operation. Raises ValueError where it is not the next."""
        if operation.seq != self.seq + 1:
            raise ValueError(f"operation {operation.seq} does not follow {self.seq}")
        draw(self._image, operation.mark)
        self.seq = operation.seq

    def lay(self, base: "Canvas", later: Iterable[Operation]) -> None:
        """Make a dream the new base, and draw the operations after it.

        `later` are all operations that `base` does not hold yet, in order. Raises ValueError where the
        dream is not newer, or where operations are missing; then the picture stays as it was.
        """
        if base.dream <= self.dream:
            raise ValueError(f"dream {base.dream} is not newer than dream {self.dream}")
        for operation in later:
            base.apply(operation)
        if base.seq != self.seq:
            raise ValueError(f"the dream's picture ends with operation {base.seq}, not {self.seq}")
        self._image, self.dream, self.dream_seq = base._image, base.dream, base.dream_seq

    def snapshot(self) -> Image.Image:
        """Return a copy of the picture, RGB, 1536 × 1536."""
        return self._image.copy()

    def crop(self, region: Region) -> Image.Image:
        """Return a copy of a part of the picture."""
        return self._image.crop(region)


def bounds(mark: Dab | Patch) -> Region:
    """Return the box of a mark in canvas pixels; it may lie partly or wholly outside the canvas."""
    if isinstance(mark, Dab):
        left, top = mark.x - mark.size // 2, mark.y - mark.size // 2
        return Region(left, top, left + mark.size, top + mark.size)
    width, height = (int.from_bytes(mark.image[at : at + 4], "big") for at in (16, 20))  # of the PNG's IHDR
    return Region(mark.x, mark.y, mark.x + width, mark.y + height)


def draw(image: Image.Image, mark: Dab | Patch) -> None:
    """Draw a mark on an RGB picture."""
    if isinstance(mark, Dab):
        brush.draw(image, mark.x, mark.y, mark.size, mark.color)
    else:
        with Image.open(io.BytesIO(mark.image), formats=("PNG",)) as opened:
            patch = opened.convert("RGBA")
        image.paste(patch, (mark.x, mark.y), patch)
