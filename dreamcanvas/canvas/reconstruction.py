"""How a part of the canvas would look without some dabs (pure: it is told of the past).

The newest picture without any of the dabs is the base. The operations after it are laid on it again, without
these dabs, and without all that was taken back since. Where a dab that was taken back is in the base, leaving
it out does not help; then the patch that took it back is laid, too. But a patch may have been made while
another dab was there that is gone by now: the patch shows it. What it should show in its place is again a
picture without some dabs, with a base of its own: the newest one without the dabs that the patch took back.

Each base has a *lane*: a picture of the region that begins with that base. All lanes go through the
operations side by side, once, in the order of the numbers. Where a patch may not be laid as it is on one
lane, its shape is cut out of another lane, its *source*, which is at that moment at the operation before the
patch. So the work is that of the operations times the lanes, however many patches need the same source. (A
picture made for each patch alone, with those for the patches in it, would double with every patch.)

An example:

    1  Ann's dab, stroke 1
       dream 1 is made of operation 1
    2  Ben's dab, stroke 1
    3  Ann's patch: she takes operation 1 back; where her dab was it shows white, with Ben's dab on it

Now Ben takes operation 2 back. His patch shows the canvas without dab 2, as of operation 3:

- The newest base without dab 2 is dream 1: the first lane, which starts at 1 and goes until 3.
- Of the operations after 1, dab 2 is left out. Patch 3 took back dab 1, which is in dream 1, so it has to be
  laid. But it shows dab 2, which goes now. So it gets a source: the newest base without dab 1, which is white
  paper: a second lane, which starts at 0 and goes until 2.
- For that lane the operations after 0 are read. The pass: dab 1 was taken back (by 3), and dab 2 is taken
  back now: neither is drawn on any lane. At patch 3 the second lane is white; the patch's shape is cut out of
  it and pasted on the first lane.
- The first lane is the result: dream 1, and white where Ann's dab was.
"""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from PIL import Image

from dreamcanvas.canvas.model import HOST, SIDE, Dab, Operation, Patch, Region, bounds, draw
from dreamcanvas.canvas.undone import Undone, UndoPatch, find_undone
from dreamcanvas.canvas.work import Work

EDGE: Final = 6  # px around a patch's dabs in which it falls to nothing


class Past(Protocol):
    """What is kept of the past. Each method raises LookupError where that is not enough."""

    def base(self, before: int) -> tuple[int, Image.Image]:
        """Return the newest picture that is kept without the operation `before` and any after it: the last
        operation in it, and a copy of it. White after operation 0 where there was no dream yet.
        """

    def operations(self, after: int, until: int, region: Region) -> Sequence[Operation]:
        """Return the operations after a number up to another, in order; at least those near the region."""

    def taken(self, undo: Operation) -> Sequence[int]:
        """Return the numbers of the dabs that an undo took back, in order; none where they are not kept."""


def as_it_is(operation: Operation) -> Operation:
    """Return the operation: for a past whose patches come with their pixels."""
    return operation


@dataclass(slots=True, eq=False)
class _Lane:
    """A picture of the region that begins with a base.

    `start` is the last operation in the base. The base is known to be the newest one before any number in
    (start, before]. `until` is the last operation that somebody needs on it.
    """

    start: int
    before: int
    until: int
    image: Image.Image

    def takes(self, seq: int) -> bool:
        """Say whether an operation is laid on it."""
        return self.start < seq <= self.until


@dataclass(frozen=True, slots=True)
class _Plan:
    """What the pass needs: the operations near the region, what of them was taken back, the lanes, and for
    each patch that may not be laid as it is the lane to cut it out of; None where too little is kept for one.
    """

    operations: Sequence[Operation]
    undone: Undone
    lanes: Sequence[_Lane]
    sources: dict[int, _Lane | None]


def picture_without(
    past: Past,
    region: Region,
    dabs: Sequence[int],
    until: int,
    work: Work,
    *,
    whole: Callable[[Operation], Operation] = as_it_is,
) -> Image.Image:
    """Draw a region as of the operation `until` without some dabs, numbers in order.

    `whole` completes an operation whose patch came without its pixels. Raises LookupError where too little is
    kept, OverdrawnError, StoppedError.
    """
    planner = _Planner(past, region, work, dabs, until)
    plan = planner.plan()
    _Pass(plan, region, work, whole).run()
    return planner.top.image


class _Planner:
    """Finds the lanes that are needed, and reads the operations for them.

    A lane makes further ones necessary; one that begins earlier needs earlier operations, and among these may
    be further patches. So both are repeated until nothing is added.
    """

    def __init__(self, past: Past, region: Region, work: Work, dabs: Sequence[int], until: int) -> None:
        self._past = past
        self._region = region
        self._near = region.grown(EDGE)
        self._work = work
        self._dabs = dabs
        self._lanes: list[_Lane] = []
        self._sources: dict[int, _Lane | None] = {}
        self._operations: list[Operation] = []
        self._low = until  # the operations after it have been read
        self._told: dict[int, Sequence[int]] = {}  # what the past said of a patch: asked once
        self.top = self._lane(dabs[0], until)

    def plan(self) -> _Plan:
        """Return what the pass needs. Raises LookupError, OverdrawnError, StoppedError."""
        undone = self._learn()
        low = self._low
        self._find_lanes(undone)
        while self._low < low:  # there are earlier operations now, and maybe patches among them
            low = self._low
            undone = self._learn()
            self._find_lanes(undone)
        return _Plan(self._operations, undone, self._lanes, self._sources)

    def _learn(self) -> Undone:
        self._work.learn(len(self._operations))
        return find_undone(self._operations, self._dabs, self._known)

    def _known(self, undo: Operation) -> Sequence[int]:
        """Return the dabs that a patch took back, as the past tells.

        On white paper (start 0) all dabs of authors are among the operations: only of the host's patches,
        whose dabs have other authors, the past knows more.
        """
        if not self.top.start and undo.author != HOST:
            return ()
        if undo.seq not in self._told:
            self._told[undo.seq] = self._past.taken(undo)
            self._work.look(1 + len(self._told[undo.seq]))
        return self._told[undo.seq]

    def _find_lanes(self, undone: Undone) -> None:
        """Add the lanes that the lanes need, until there is nothing to add and none has to go further."""
        before = -1
        while before != (before := self._extent()):
            for lane in list(self._lanes):
                for seq, patch in undone.patches.items():
                    if (
                        lane.takes(seq)
                        and patch.took_out_of(lane.start)  # else leaving its dabs out is enough
                        and undone.shows_what_went(seq)  # else it is laid as it is
                    ):
                        self._find_source(patch)
            self._work.learn(len(self._lanes) * len(undone.patches))

    def _extent(self) -> int:
        """Return a number that grows with each lane that is added or has to go further."""
        return sum(lane.until for lane in self._lanes) + len(self._lanes)

    def _find_source(self, patch: UndoPatch) -> None:
        seq = patch.operation.seq
        if seq in self._sources and self._sources[seq] is None:
            return
        try:
            self._sources[seq] = self._lane(patch.dabs[0], seq - 1)
        except LookupError:
            # Where too little is kept, the patch as it was made then is the best there is
            self._sources[seq] = None

    def _lane(self, before: int, until: int) -> _Lane:
        """Return the lane of the newest base before an operation, which goes until another at least.

        Raises LookupError.
        """
        for lane in self._lanes:
            if lane.start < before <= lane.before:
                lane.until = max(lane.until, until)
                return lane
        self._work.draw(SIDE * SIDE)  # whatever the region: a base is decoded whole
        start, picture = self._past.base(before)
        for lane in self._lanes:
            if lane.start == start:  # the same base is the newest before this number, too
                lane.before, lane.until = max(lane.before, before), max(lane.until, until)
                return lane
        self._read(start)
        lane = _Lane(start, before, until, picture.crop(self._region))
        self._lanes.append(lane)
        self._work.hold(len(self._lanes) * self._region.area)
        return lane

    def _read(self, start: int) -> None:
        """Read the operations after a number that have not been read."""
        if start >= self._low:
            return
        earlier = self._past.operations(start, self._low, self._region)
        self._work.look(len(earlier))
        near = [each for each in earlier if self._near.touches(bounds(each.mark))]
        self._operations = near + self._operations
        self._low = start


class _Pass:
    """Lays the operations on all lanes, in the order of their numbers."""

    def __init__(
        self, plan: _Plan, region: Region, work: Work, whole: Callable[[Operation], Operation]
    ) -> None:
        self._plan = plan
        self._region = region
        self._work = work
        self._whole = whole

    def run(self) -> None:
        """Draw. Raises OverdrawnError, StoppedError."""
        undone = self._plan.undone
        for operation in self._plan.operations:
            lanes = [lane for lane in self._plan.lanes if lane.takes(operation.seq)]
            if isinstance(operation.mark, Dab):
                if operation.seq not in undone.taken:
                    self._draw(operation, lanes)
                continue
            patch = undone.patches.get(operation.seq)
            if patch is None or not (patch.dabs or patch.seen):
                self._draw(operation, lanes)  # no undo of what is known: the picture that somebody put there
            else:
                self._lay(patch, [lane for lane in lanes if patch.took_out_of(lane.start)])

    def _draw(self, operation: Operation, lanes: Sequence[_Lane]) -> None:
        """Draw an operation as it is."""
        if not lanes:
            return
        mark = self._whole(operation).mark
        moved = replace(mark, x=mark.x - self._region.left, y=mark.y - self._region.top)
        for lane in lanes:
            self._work.draw(bounds(mark).area)
            draw(lane.image, moved)

    def _lay(self, patch: UndoPatch, lanes: Sequence[_Lane]) -> None:
        """Lay an undo's patch, or what its source shows in its shape."""
        operation = patch.operation
        if not lanes or not self._region.touches(bounds(operation.mark)):
            return
        shows = self._plan.undone.shows_what_went(operation.seq)
        source = self._plan.sources.get(operation.seq) if shows else None
        if source is None:
            self._draw(operation, lanes)
            return
        mark = self._whole(operation).mark
        assert isinstance(mark, Patch), "dabs are not undone"
        box = bounds(mark).within(self._region)
        with Image.open(io.BytesIO(mark.image), formats=("PNG",)) as opened:
            alpha = opened.getchannel("A").crop(box.shifted(-mark.x, -mark.y))
        inside = box.shifted(-self._region.left, -self._region.top)
        other = source.image.crop(inside)
        for lane in lanes:
            self._work.draw(box.area)
            lane.image.paste(other, (inside.left, inside.top), alpha)
