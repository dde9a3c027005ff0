"""Find which dabs were taken back, by which patch, and which patches still show them (pure).

For example, of these operations, where dream 1 was started at operation 1:

    1  Ann's dab, stroke 1
    2  Ben's dab, stroke 1
    3  Ann's patch, stroke 1: she takes operation 1 back
    4  Ben's patch, stroke 1: he takes operation 2 back

`taken` is {1: 3, 2: 4}. Patch 3 was made when dab 2 was still there, so it shows a piece of that dab, which
was taken back later by patch 4. So `shows_what_went(3)` is true: patch 3 may not be laid as it is any more.
Patch 4 shows nothing that was taken back after it: `shows_what_went(4)` is false.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from dreamcanvas.canvas.model import Dab, Operation
from dreamcanvas.canvas.work import FOREVER


@dataclass(frozen=True, slots=True)
class UndoPatch:
    """A patch that took dabs back.

    `dabs` are their numbers as the past gives them, in order; empty where the past was not asked or does not
    know. `seen` says whether some of the dabs are among the operations that were looked at.
    """

    operation: Operation
    dabs: Sequence[int]
    seen: bool

    def took_out_of(self, base: int) -> bool:
        """Say whether it took back a dab that is in a picture of the operations up to `base`."""
        return bool(self.dabs) and self.dabs[0] <= base


@dataclass(frozen=True, slots=True)
class Undone:
    """The dabs that were taken back among some operations.

    `patches` are the undos by their numbers. `taken` gives for each dab that is gone the number of the
    undo that took it back; FOREVER stands for the undo that is being made.
    """

    patches: Mapping[int, UndoPatch]
    taken: Mapping[int, int]
    _seqs: Sequence[int]  # numbers of the dabs that are gone, in order
    _latest: Sequence[int]  # at each place: the highest undo of any dab up to this one

    def shows_what_went(self, seq: int) -> bool:
        """Say whether a patch shows a dab that was taken back later.

        It does where a dab with a lower number than the patch was taken back by a higher number.
        """
        earlier = bisect_left(self._seqs, seq)
        return earlier > 0 and self._latest[earlier - 1] > seq


def find_undone(
    operations: Iterable[Operation], dabs: Iterable[int], known: Callable[[Operation], Sequence[int]]
) -> Undone:
    """Return what was taken back among operations, which are in order.

    `dabs` are those that the new undo is to take back. `known` returns the dabs that a patch took back, as
    far as that is kept.
    """
    taken = dict.fromkeys(dabs, FOREVER)
    patches: dict[int, UndoPatch] = {}
    strokes: dict[tuple[int, int], list[int]] = {}
    for operation in operations:
        if not operation.stroke:  # without a stroke it can neither be taken back nor take back
            continue
        key = (operation.author, operation.stroke)
        if isinstance(operation.mark, Dab):
            strokes.setdefault(key, []).append(operation.seq)
            continue
        # Removed: if the author uses the number of the stroke again, that is another stroke
        seen = strokes.pop(key, [])
        gone = known(operation)
        for seq in (*seen, *gone):
            taken.setdefault(seq, operation.seq)
        patches[operation.seq] = UndoPatch(operation, gone, bool(seen))
    seqs = sorted(taken)
    return Undone(patches, taken, seqs, list(accumulate((taken[seq] for seq in seqs), max)))
