"""Draw a part of the canvas as it would look without some dabs (pure: the past is handed in).

The *base* is the newest picture that holds none of the dabs. The operations after it are laid on it again,
without these dabs and without all dabs that were taken back since. If a dab that was taken back is already in
the base, it cannot be left out; then the patch that took it back is laid, too. But that patch may have been
made when another dab was still there that is gone now, and the patch shows that dab. What the patch should
show instead is, once more, a picture without some dabs. That picture has a base of its own: the newest one
without the dabs that the patch took back.

Each base has a *lane*: a picture of the region that begins with that base. All lanes go through the
operations side by side, once, in the order of the numbers. Where a patch may not be laid as it is on one
lane, its shape is cut out of another lane, its *source*, which is at that moment at the operation before the
patch. So the work is the number of operations times the number of lanes, however many patches share a source.
(If each patch had a picture made for it alone, the work would double with every patch.)

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

EDGE: Final = 6  # px around its dabs within which a patch fades to nothing


class Past(Protocol):
    """The past, as far as it is kept. Each method raises LookupError where too little is kept."""

    def base(self, before: int) -> tuple[int, Image.Image]:
        """Return the newest kept picture that ends before the operation `before`.

        It is given as the last operation in it and a copy of the picture. Where there was no dream yet it is
        white paper, and the operation 0.
        """

    def operations(self, after: int, until: int, region: Region) -> Sequence[Operation]:
        """Return the operations after `after` up to `until`, in order; at least those near the region."""

    def taken(self, undo: Operation) -> Sequence[int]:
        """Return the numbers of the dabs that an undo took back, in order; none where they are not kept."""


def as_it_is(operation: Operation) -> Operation:
    """Return the operation unchanged: for a past whose patches come with their pixels."""
    return operation


@dataclass(slots=True, eq=False)
class _Lane:
    """A picture of the region that begins as a base, and takes the operations after it.

    `start` is the last operation in the base. For each number in (start, before] this base is known to be the
    newest one before that number. `until` is the last operation that this lane has to take.
    """

    start: int
    before: int
    until: int
    image: Image.Image

    def takes(self, seq: int) -> bool:
        """Say whether the lane takes an operation."""
        return self.start < seq <= self.until


@dataclass(frozen=True, slots=True)
class _Plan:
    """All that the pass needs: the operations near the region, which were taken back, and the lanes.

    `sources` holds, for each patch that may not be laid as it is, the lane to cut it out of; None where too
    little is kept to make that lane.
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
    """Return a region as of the operation `until`, without the dabs of these numbers (in order).

    `whole` completes an operation whose patch came without its pixels. Raises LookupError where too little is
    kept, OverdrawnError where it is more than `work` allows, StoppedError where the server ends.
    """
    planner = _Planner(past, region, work, dabs, until)
    plan = planner.plan()
    _Pass(plan, region, work, whole).run()
    return planner.top.image


class _Planner:
    """Finds the lanes that are needed, and reads the operations for them.

    A lane can make further lanes necessary. A lane that begins earlier needs earlier operations, and among
    these may be further patches. So both steps are repeated until neither adds anything. That ends, since
    each lane has a base of its own, and a source ends before its patch.
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
        """Find what the pass needs, and return it. Raises LookupError, OverdrawnError, StoppedError."""
        undone = self._learn()
        low = self._low
        self._find_lanes(undone)
        while self._low < low:  # earlier operations were read, and there may be patches among them
            low = self._low
            undone = self._learn()
            self._find_lanes(undone)
        return _Plan(self._operations, undone, self._lanes, self._sources)

    def _learn(self) -> Undone:
        self._work.learn(len(self._operations))
        return find_undone(self._operations, self._dabs, self._known)

    def _known(self, undo: Operation) -> Sequence[int]:
        """Return the dabs that a patch took back, as far as the past has to be asked.

        Where the first lane starts on white paper (start 0), all dabs are among the operations, and an
        author's own are found there. Only an operator's patch takes back dabs of other authors: for those the
        past is asked.
        """
        if not self.top.start and undo.author != HOST:
            return ()
        if undo.seq not in self._told:
            self._told[undo.seq] = self._past.taken(undo)
            self._work.look(1 + len(self._told[undo.seq]))
        return self._told[undo.seq]

    def _find_lanes(self, undone: Undone) -> None:
        """Add the sources that the lanes need, until no lane is added and none has to go further."""
        before = -1
        while before != (before := self._extent()):
            for lane in list(self._lanes):
                for seq, patch in undone.patches.items():
                    if (
                        lane.takes(seq)
                        and patch.took_out_of(lane.start)  # if not, its dabs are simply not drawn
                        and undone.shows_what_went(seq)  # if not, the patch can be laid as it is
                    ):
                        self._find_source(patch)
            self._work.learn(len(self._lanes) * len(undone.patches))

    def _extent(self) -> int:
        """Return a number that grows whenever a lane is added or has to go further."""
        return sum(lane.until for lane in self._lanes) + len(self._lanes)

    def _find_source(self, patch: UndoPatch) -> None:
        seq = patch.operation.seq
        if seq in self._sources and self._sources[seq] is None:
            return
        try:
            # As of the operation before the patch: that is what the patch should have shown
            self._sources[seq] = self._lane(patch.dabs[0], seq - 1)
        except LookupError:
            # Too little is kept. The patch as it was made then is the best there is
            self._sources[seq] = None

    def _lane(self, before: int, until: int) -> _Lane:
        """Return the lane of the newest base before the operation `before`, going at least up to `until`.

        A lane that is there is used again. Raises LookupError where no such base is kept.
        """
        for lane in self._lanes:
            if lane.start < before <= lane.before:
                lane.until = max(lane.until, until)
                return lane
        self._work.draw(SIDE * SIDE)  # a base is decoded whole, however small the region is
        start, picture = self._past.base(before)
        for lane in self._lanes:
            if lane.start == start:  # the same base is the newest before this number, too: no second lane
                lane.before, lane.until = max(lane.before, before), max(lane.until, until)
                return lane
        self._read(start)
        lane = _Lane(start, before, until, picture.crop(self._region))
        self._lanes.append(lane)
        self._work.hold(len(self._lanes) * self._region.area)
        return lane

    def _read(self, start: int) -> None:
        """Read the operations after `start` that have not been read yet, and keep those near the region."""
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
        """Draw the lanes. Raises OverdrawnError, StoppedError."""
        # In the order of numbers: at a patch each source stands at the operation before it
        undone = self._plan.undone
        for operation in self._plan.operations:
            lanes = [lane for lane in self._plan.lanes if lane.takes(operation.seq)]
            if isinstance(operation.mark, Dab):
                if operation.seq not in undone.taken:
                    self._draw(operation, lanes)
                continue
            patch = undone.patches.get(operation.seq)
            if patch is None or not (patch.dabs or patch.seen):
                self._draw(operation, lanes)  # it took back nothing that is known: an operator's picture
            else:
                self._lay(patch, [lane for lane in lanes if patch.took_out_of(lane.start)])

    def _draw(self, operation: Operation, lanes: Sequence[_Lane]) -> None:
        """Draw an operation as it is on some lanes."""
        if not lanes:
            return
        mark = self._whole(operation).mark
        moved = replace(mark, x=mark.x - self._region.left, y=mark.y - self._region.top)
        for lane in lanes:
            self._work.draw(bounds(mark).area)
            draw(lane.image, moved)

    def _lay(self, patch: UndoPatch, lanes: Sequence[_Lane]) -> None:
        """Lay an undo's patch on some lanes, or in its shape what its source shows."""
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
