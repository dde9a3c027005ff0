"""Recent ink, and how much of a dream it takes (pure: no I/O, no clock).

A dream would paint over a line that was drawn a second ago. So ink takes a share of each dream by its age,
which is counted in dreams and not in seconds: while nothing is dreamt, nothing ages.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from PIL import Image, ImageDraw, ImageFilter

from dreamcanvas.canvas.model import HOST, SIDE, Dab, Operation, Region, bounds

FULL: Final = 255
"""In a plane: takes the whole dream, as the rest of the canvas does."""

MOST_SPOTS: Final = 20_000
"""Dabs of the last minutes: 40 ms to draw them all."""

THIN: Final = 12
"""Pixels: a narrower line is spared with its surroundings, else the forms around it close over it."""

SCALE: Final = 2
"""The plane is drawn at half the canvas' size, as its edges are soft."""


@dataclass(frozen=True, slots=True)
class Curve:
    """How ink is given over to the dream: a share of `start` at first, the whole after `dreams` dreams.

    The share grows by the power `bend` of the age: above 1 slowly at first. A line thinner than THIN px is
    spared `margin` px more on each side.
    """

    start: float = 0.25
    dreams: int = 60
    bend: float = 1.5
    margin: int = 4

    def share(self, age: int) -> float:
        """Return the share of the dream that ink takes which was dreamt `age` times before, 0 to 1."""
        if age >= self.dreams:
            return 1.0
        return float(self.start + (1 - self.start) * (max(age, 0) / self.dreams) ** self.bend)


CURVE: Final = Curve()


class Spot(NamedTuple):
    """A place that was drawn on: the operation's number, its author and stroke, the box of the mark.

    What is no dab clears what lies under it (`dab` False).
    """

    seq: int
    author: int
    stroke: int
    box: Region
    dab: bool


@dataclass(frozen=True, slots=True)
class Recent:
    """The ink that is not given over yet, the newest last, as it was at one moment.

    `dreams` are the last dreams' newest operations, in the order of the dreams.
    """

    spots: tuple[Spot, ...] = ()
    dreams: tuple[int, ...] = ()
    curve: Curve = CURVE

    def age(self, seq: int) -> int:
        """Return how many dreams had an operation in the picture that they started from."""
        return len(self.dreams) - bisect_left(self.dreams, seq)

    def plane(self, side: int = SIDE) -> bytes | None:
        """Draw the shares for a canvas of `side` px: a byte a pixel, row by row, FULL where there is no ink.

        Later ink replaces earlier. None where all of the canvas takes the whole dream.
        """
        small = Image.new("L", (side // SCALE, side // SCALE), FULL)
        draw = ImageDraw.Draw(small)
        values = [round(FULL * self.curve.share(age)) for age in range(len(self.dreams) + 1)]
        for seq, _, _, box, dab in _standing(self.spots):
            if dab:
                thin = box.width < THIN
                draw.ellipse(_within(box, self.curve.margin if thin else 0), fill=values[self.age(seq)])
            else:
                draw.rectangle(_within(box, 0), fill=FULL)
        if small.getextrema() == (FULL, FULL):
            return None
        soft = small.filter(ImageFilter.BoxBlur(1))
        return soft.resize((side, side), Image.Resampling.BILINEAR).tobytes()


class Ink:
    """Remembers the newest `most` operations until they are given over, and what was dreamt since."""

    def __init__(self, curve: Curve = CURVE, most: int = MOST_SPOTS) -> None:
        self._spots: deque[Spot] = deque(maxlen=most)
        self._dreams: deque[int] = deque(maxlen=curve.dreams)
        self._curve = curve
        self._most = most
        self.forgotten = 0

    @property
    def spots(self) -> int:
        """How many operations are remembered."""
        return len(self._spots)

    @property
    def dreams_kept(self) -> int:
        """How many dreams it takes until ink is given over."""
        return self._dreams.maxlen or 0

    def needed_after(self, seq: int) -> int:
        """Return the number after which operations up to `seq` have to be added to know the ink again."""
        oldest = self._dreams[0] if len(self._dreams) == self.dreams_kept and self._dreams else 0
        return max(oldest, seq - self._most, 0)

    def add(self, operations: Iterable[Operation]) -> None:
        """Remember what was drawn; beyond `most` the oldest is forgotten, as if it was given over."""
        for operation in operations:
            if len(self._spots) == self._most:
                self.forgotten += 1
            box, dab = bounds(operation.mark), isinstance(operation.mark, Dab)
            self._spots.append(Spot(operation.seq, operation.author, operation.stroke, box, dab))

    def dreamt(self, seq: int) -> None:
        """Count a dream that started from the picture with the operations up to `seq`."""
        self._dreams.append(seq)
        if len(self._dreams) == self.dreams_kept:
            given_over = self._dreams[0] if self._dreams else seq
            while self._spots and self._spots[0].seq <= given_over:
                self._spots.popleft()

    def bare(self, seq: int) -> bool:
        """Say whether all operations up to `seq` are known, and all of them taken back, or there was none."""
        if len(self._spots) != seq or (self._spots and self._spots[-1].dab):  # nothing can have undone it
            return False
        return not _standing(self._spots)

    def recent(self) -> Recent:
        """Return what is remembered now, to be drawn in whatever thread."""
        return Recent(tuple(self._spots), tuple(self._dreams), self._curve)


def _standing(spots: Sequence[Spot]) -> list[Spot]:
    """Return the spots without those that were taken back; the ink below them shows again.

    Going back in time, an author's patch says that all earlier dabs of that stroke are gone. What the host
    puts there is a picture of its own, and stays as a spot that clears.
    """
    undone: set[tuple[int, int]] = set()
    standing: list[Spot] = []
    for spot in reversed(spots):
        if not spot.dab and spot.author != HOST:
            undone.add((spot.author, spot.stroke))
        elif not (spot.dab and (spot.author, spot.stroke) in undone):
            standing.append(spot)
    standing.reverse()
    return standing


def _within(box: Region, margin: int) -> tuple[float, float, float, float]:
    """Return a box in the plane as Pillow draws it: its last row and column are part of it."""
    wide = box.grown(margin)
    left, top = wide.left / SCALE, wide.top / SCALE
    right, bottom = wide.right / SCALE - 1, wide.bottom / SCALE - 1
    return left, top, max(left, right), max(top, bottom)
