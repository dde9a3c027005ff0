"""How a part of the canvas would look without some dabs (pure: it is told of the past).

The newest picture without any of the dabs is the base; the operations after it are laid on it, the dabs left
out, and so are dabs that were taken back since. A patch that took back dabs which are in the base is laid,
too; but where it was made while dabs were there that have gone since, it shows them. Then what it should show
is again such a picture, with a base of its own: the newest without the patch's dabs.

Each base has a *lane*: a picture of the region. All lanes go through the operations side by side, once, in
the order of the numbers. However many patches refer to a lane, it is there when their turn comes: what is
laid on one lane is cut out of another, as that is then. So the work is that of the operations times the
lanes. (A picture made for each patch alone, with those for the patches in it, would double with every patch.)
"""

import io
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from PIL import Image

from dreamcanvas.canvas.model import HOST, SIDE, Dab, Operation, Patch, Region, bounds, common, draw, touch
from dreamcanvas.text.plural import counted

EDGE: Final = 6  # px around a patch's dabs in which it falls to nothing
FOREVER: Final = 2**63
DAB_PIXELS: Final = 2_000  # what an operation costs beside its pixels: 10 to 20 µs
LEARNT: Final = 10  # operations gone through in memory, in the time of reading one


class Past(Protocol):
    """What is kept of the past. Each raises LookupError where that is not enough."""

    def base(self, before: int) -> tuple[int, Image.Image]:
        """The newest picture that is kept without the operation `before` and any after it: the last operation
        in it, and a copy of it. White after operation 0 where there was no dream yet.
        """

    def operations(self, after: int, until: int, region: Region) -> Sequence[Operation]:
        """The operations after a number up to another, in order; at least those that touch the region."""

    def taken(self, undo: Operation) -> Sequence[int]:
        """The numbers of the dabs that an undo took back, in order; none where they are not kept."""


class OverdrawnError(Exception):
    """It would take more work than is allowed; the text says which."""


class StoppedError(Exception):
    """It was given up, since the server ends."""


@dataclass(slots=True)
class Work:
    """What may be spent on one undo: `operations` that are looked through, `pixels` that are drawn, and
    `live` pixels that are held at a time.

    `stopped` says whether to give up. Raises OverdrawnError, StoppedError.
    """

    operations: int
    pixels: int
    live: int
    stopped: Callable[[], bool] = bool
    _spent: list[int] = field(default_factory=lambda: [0, 0])

    def look(self, operations: int) -> None:
        """Spends operations."""
        self._spent[0] += operations
        if self._spent[0] > self.operations:
            raise OverdrawnError(
                f"more than {counted(self.operations, 'operation')} would have to be looked through"
            )
        self._go_on()

    def draw(self, pixels: int) -> None:
        """Spends pixels of one mark."""
        self._spent[1] += pixels + DAB_PIXELS
        if self._spent[1] > self.pixels:
            millions = self.pixels // 1_000_000
            raise OverdrawnError(f"more than {millions} million pixels would have to be drawn again")
        self._go_on()

    def hold(self, pixels: int) -> None:
        """Has so many pixels held at a time."""
        if pixels > self.live:
            raise OverdrawnError("too many dreams would have to be laid out side by side")

    def _go_on(self) -> None:
        if self.stopped():
            raise StoppedError


def unlimited() -> Work:
    """Work without a bound."""
    return Work(FOREVER, FOREVER, FOREVER)


def as_it_is(operation: Operation) -> Operation:
    """The operation: for a past whose patches come whole."""
    return operation


@dataclass(slots=True, eq=False)
class _Lane:
    """A base, known to be the newest before any number in (start, before], with what is on it up to `until`,
    the last operation that somebody asks for. `image` is the region of it.
    """

    start: int
    before: int
    until: int
    image: Image.Image


@dataclass(slots=True, eq=False)
class _Undone:
    """An undo's patch: the dabs that it took back as the past tells, and whether some of them were seen among
    the operations.
    """

    operation: Operation
    dabs: Sequence[int]
    seen: bool


class Reconstruction:
    """Makes such a picture of a region.

    `whole` completes an operation whose patch came without its pixels.
    """

    def __init__(
        self,
        past: Past,
        region: Region,
        work: Work,
        *,
        whole: Callable[[Operation], Operation] = as_it_is,
    ) -> None:
        self._past = past
        self._region = region
        left, top, right, bottom = region
        self._near = left - EDGE, top - EDGE, right + EDGE, bottom + EDGE
        self._work = work
        self._whole = whole
        self._pixels = (region[2] - region[0]) * (region[3] - region[1])
        self._lanes: list[_Lane] = []
        self._sources: dict[int, _Lane | None] = {}  # by the patch
        self._operations: list[Operation] = []
        self._low = 0  # the operations after it are there
        self._dabs_of: dict[int, Sequence[int]] = {}
        self._undone: dict[int, _Undone] = {}
        self._taken: dict[int, int] = {}
        self._seqs: list[int] = []
        self._latest: list[int] = []

    def without(self, dabs: Sequence[int], until: int) -> Image.Image:
        """The region as of operation `until` without some dabs. Raises LookupError where too little is kept,
        OverdrawnError, StoppedError.
        """
        self._low = until
        top = self._lane(dabs[0], until)
        self._learn(dabs, top)
        while self._ask():
            self._learn(dabs, top)
        self._run()
        return top.image

    # What is needed

    def _lane(self, before: int, until: int) -> _Lane:
        """The lane for the newest base before an operation. Raises LookupError."""
        for lane in self._lanes:
            if lane.start < before <= lane.before:
                lane.until = max(lane.until, until)
                return lane
        self._work.draw(SIDE * SIDE)
        start, picture = self._past.base(before)
        for lane in self._lanes:
            if lane.start == start:
                lane.before, lane.until = max(lane.before, before), max(lane.until, until)
                return lane
        if start < self._low:
            earlier = self._past.operations(start, self._low, self._region)
            self._work.look(len(earlier))
            near = [each for each in earlier if touch(self._near, bounds(each.mark))]
            self._operations = near + self._operations
            self._low = start
        lane = _Lane(start, before, until, picture.crop(self._region))
        self._lanes.append(lane)
        self._work.hold(len(self._lanes) * self._pixels)
        return lane

    def _learn(self, dabs: Sequence[int], top: _Lane) -> None:
        """Finds out which patches are undos, what they took back, and which number took a dab back."""
        self._work.look(len(self._operations) // LEARNT)
        taken = dict.fromkeys(dabs, FOREVER)
        strokes: dict[tuple[int, int], list[int]] = {}
        for operation in self._operations:
            key = (operation.author, operation.stroke)
            if isinstance(operation.mark, Dab):
                if operation.stroke:
                    strokes.setdefault(key, []).append(operation.seq)
            elif operation.stroke:
                seen = strokes.pop(key, ())
                gone = self._gone(operation) if top.start or operation.author == HOST else ()
                for seq in (*seen, *gone):
                    taken.setdefault(seq, operation.seq)
                self._undone[operation.seq] = _Undone(operation, gone, bool(seen))
        self._taken = taken
        # whether a patch shows something that went later: a dab before it, taken back after it
        self._seqs = sorted(taken)
        self._latest, latest = [], 0
        for seq in self._seqs:
            latest = max(latest, taken[seq])
            self._latest.append(latest)

    def _gone(self, undo: Operation) -> Sequence[int]:
        if undo.seq not in self._dabs_of:
            self._dabs_of[undo.seq] = self._past.taken(undo)
            self._work.look(1 + len(self._dabs_of[undo.seq]))
        return self._dabs_of[undo.seq]

    def _ask(self) -> bool:
        """Finds the lanes that other lanes need; whether operations from earlier on are there now."""
        low = self._low
        known = -1
        while known != (known := sum(lane.until for lane in self._lanes) + len(self._lanes)):
            for lane in list(self._lanes):
                for seq, undone in self._undone.items():
                    if lane.start < seq <= lane.until and self._is_in(undone, lane) and self._shows(seq):
                        self._source(seq, undone)
            self._work.look(len(self._lanes) * len(self._undone) // LEARNT)
        return self._low < low

    def _source(self, seq: int, undone: _Undone) -> None:
        if self._sources.get(seq, ...) is None:
            return
        try:
            self._sources[seq] = self._lane(undone.dabs[0], seq - 1)
        except LookupError:
            # where too little is kept, the patch as it was made then is the best there is
            self._sources[seq] = None

    @staticmethod
    def _is_in(undone: _Undone, lane: _Lane) -> bool:
        """Whether a lane's base has dabs in it which a patch takes back."""
        return bool(undone.dabs) and undone.dabs[0] <= lane.start

    def _shows(self, seq: int) -> bool:
        """Whether a patch was made when dabs were there that were taken back later."""
        before = bisect_left(self._seqs, seq)
        return before > 0 and self._latest[before - 1] > seq

    # The work

    def _run(self) -> None:
        """Lays the operations on all lanes."""
        for operation in self._operations:
            lanes = [lane for lane in self._lanes if lane.start < operation.seq <= lane.until]
            undone = self._undone.get(operation.seq)
            if isinstance(operation.mark, Dab):
                if operation.seq not in self._taken:
                    self._draw(operation, lanes)
            elif undone is None or not (undone.dabs or undone.seen):
                self._draw(operation, lanes)
            else:
                self._lay(undone, [lane for lane in lanes if self._is_in(undone, lane)])

    def _draw(self, operation: Operation, lanes: list[_Lane]) -> None:
        if not lanes:
            return
        mark = self._whole(operation).mark
        left, top, right, bottom = bounds(mark)
        moved = replace(mark, x=mark.x - self._region[0], y=mark.y - self._region[1])
        for lane in lanes:
            self._work.draw((right - left) * (bottom - top))
            draw(lane.image, moved)

    def _lay(self, undone: _Undone, lanes: list[_Lane]) -> None:
        """Lays an undo's patch, or what its source has in its place."""
        if not lanes or not touch(self._region, bounds(undone.operation.mark)):
            return
        seq = undone.operation.seq
        source = self._sources.get(seq) if self._shows(seq) else None
        if source is None:
            self._draw(undone.operation, lanes)
            return
        patch = self._whole(undone.operation).mark
        assert isinstance(patch, Patch), "dabs are not undone"
        with Image.open(io.BytesIO(patch.image), formats=("PNG",)) as opened:
            alpha = opened.getchannel("A")
        left, top, right, bottom = common(self._region, bounds(patch))
        alpha = alpha.crop((left - patch.x, top - patch.y, right - patch.x, bottom - patch.y))
        left, top = left - self._region[0], top - self._region[1]
        other = source.image.crop((left, top, left + alpha.width, top + alpha.height))
        for lane in lanes:
            self._work.draw(alpha.width * alpha.height)
            lane.image.paste(other, (left, top), alpha)
