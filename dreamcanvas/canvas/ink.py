"""Spare recent ink: how much of a dream each place takes (pure: no I/O, no clock).

A dream would paint over a line that was drawn a second ago. So ink takes only a share of each dream, which
grows with its age. Age is counted in dreams and not in seconds: while nothing is dreamt, nothing ages.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from PIL import Image, ImageDraw, ImageFilter

from dreamcanvas.canvas.model import HOST, SIDE, Dab, Operation, Region, bounds

FULL: Final = 255
"""In a plane: the place takes the whole dream, as places without recent ink do."""

MOST_SPOTS: Final = 20_000
"""So many dabs are remembered; drawing them all takes 40 ms."""

THIN: Final = 12
"""Pixels: a narrower line is spared with its surroundings, as the forms around would close over it."""

SCALE: Final = 2
"""The plane is drawn at 1/SCALE of the canvas' size, as its edges are soft."""


@dataclass(frozen=True, slots=True)
class Curve:
    """How the share of a dream grows with the ink's age: from `start` to the whole after `dreams` dreams.

    It grows with the power `bend` of the age; with `bend` above 1, slowly at first. A line thinner than
    THIN px is spared `margin` px more on each side.
    """

    start: float = 0.25
    dreams: int = 60
    bend: float = 1.5
    margin: int = 4

    def share(self, age: int) -> float:
        """Return the share of the next dream (0–1) that ink takes which is `age` dreams old."""
        if age >= self.dreams:
            return 1.0
        return float(self.start + (1 - self.start) * (max(age, 0) / self.dreams) ** self.bend)


CURVE: Final = Curve()


class Spot(NamedTuple):
    """A place that was drawn on: the operation's number, author and stroke, and the box of its mark.

    A mark other than a dab (`dab` False) clears the ink under it.
    """

    seq: int
    author: int
    stroke: int
    box: Region
    dab: bool


@dataclass(frozen=True, slots=True)
class Recent:
    """The recent ink as of one moment, the newest last.

    `dreams` are the newest operations of the last dreams, in the order of the dreams.
    """

    spots: tuple[Spot, ...] = ()
    dreams: tuple[int, ...] = ()
    curve: Curve = CURVE

    def age(self, seq: int) -> int:
        """Return the age of an operation: how many dreams started from a picture that held it."""
        return len(self.dreams) - bisect_left(self.dreams, seq)

    def plane(self, side: int = SIDE) -> bytes | None:
        """Return the shares for a canvas of `side` px, or None where every pixel takes the whole dream.

        A byte for each pixel, row by row, FULL where there is no ink. Later ink replaces earlier ink.
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
    """The newest `most` operations until they take whole dreams, and the dreams since."""

    def __init__(self, curve: Curve = CURVE, most: int = MOST_SPOTS) -> None:
        self._spots: deque[Spot] = deque(maxlen=most)
        self._dreams: deque[int] = deque(maxlen=curve.dreams)
        self._curve = curve
        self._most = most
        self.forgotten = 0

    @property
    def spots(self) -> int:
        """Return how many operations are remembered."""
        return len(self._spots)

    @property
    def dreams_kept(self) -> int:
        """Return after how many dreams ink takes the whole dream."""
        return self._dreams.maxlen or 0

    def needed_after(self, seq: int) -> int:
        """Return after which operation `add` has to begin, up to `seq`, to restore the ink after a start."""
        oldest = self._dreams[0] if len(self._dreams) == self.dreams_kept and self._dreams else 0
        return max(oldest, seq - self._most, 0)

    def add(self, operations: Iterable[Operation]) -> None:
        """Remember operations; beyond `most` the oldest are forgotten, and then take whole dreams."""
        for operation in operations:
            if len(self._spots) == self._most:
                self.forgotten += 1
            box, dab = bounds(operation.mark), isinstance(operation.mark, Dab)
            self._spots.append(Spot(operation.seq, operation.author, operation.stroke, box, dab))

    def dreamt(self, seq: int) -> None:
        """Count a dream whose picture held the operations up to `seq`."""
        self._dreams.append(seq)
        if len(self._dreams) == self.dreams_kept:
            given_over = self._dreams[0] if self._dreams else seq
            while self._spots and self._spots[0].seq <= given_over:
                self._spots.popleft()

    def bare(self, seq: int) -> bool:
        """Say whether nothing up to `seq` is left: there was none, or all is known and was taken back."""
        if len(self._spots) != seq or (self._spots and self._spots[-1].dab):  # then not all is taken back
            return False
        return not _standing(self._spots)

    def recent(self) -> Recent:
        """Return what is remembered now; any thread may draw it."""
        return Recent(tuple(self._spots), tuple(self._dreams), self._curve)


def _standing(spots: Sequence[Spot]) -> list[Spot]:
    """Return the spots without those that were taken back; the ink below them counts again.

    The spots are gone through from the newest to the oldest: once an author's patch has come, all earlier
    dabs of that stroke are gone. An operator's patch is a picture of its own, and stays as a spot that
    clears.
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
    """Return a box in the plane's pixels, for Pillow, which draws the last row and column, too."""
    wide = box.grown(margin)
    left, top = wide.left / SCALE, wide.top / SCALE
    right, bottom = wide.right / SCALE - 1, wide.bottom / SCALE - 1
    return left, top, max(left, right), max(top, bottom)
