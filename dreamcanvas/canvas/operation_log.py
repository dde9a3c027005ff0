"""The newest operations in memory, for those who return and for what is made of the picture (pure).

A patch counts by its bytes, so that a few large ones do not take the memory that was meant for many dabs.
"""

from collections import deque
from collections.abc import Sequence
from itertools import islice
from typing import Final

from dreamcanvas.canvas.model import Operation, Patch

PATCH_BYTES: Final = 500  # that count as an operation: an operation with a dab takes some 300


def weight(operation: Operation) -> int:
    """Return as how many operations one counts."""
    return patch_weight(len(operation.mark.image)) if isinstance(operation.mark, Patch) else 1


def patch_weight(length: int) -> int:
    """Return as how many operations a patch of so many bytes counts."""
    return 1 + length // PATCH_BYTES


def weights(operations: Sequence[Operation]) -> int:
    """Return as how many operations some count together. Nearly all are dabs."""
    patches = (operation for operation in operations if isinstance(operation.mark, Patch))
    return len(operations) + sum(weight(patch) - 1 for patch in patches)


class OperationLog:
    """The newest operations whose weights add up to `limit` at most (0: all)."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._operations: deque[Operation] = deque()
        self._weight = 0

    def __len__(self) -> int:
        return len(self._operations)

    def append(self, operations: Sequence[Operation]) -> int:
        """Take the next operations in. Gives as how many they count."""
        self._operations.extend(operations)
        added = weights(operations)
        self._weight += added
        return added

    def newest(self, count: int, most: int | None = None) -> list[Operation]:
        """Return the last `count` of them, in order; of these at most the first so many."""
        start = len(self._operations) - count
        return list(islice(self._operations, start, None if most is None else start + most))

    def trim(self, pinned: int | None = None) -> None:
        """Forget the oldest that are too much, but none after the operation `pinned`."""
        if not self._limit:
            return
        while self._weight > self._limit and (pinned is None or self._operations[0].seq <= pinned):
            self._weight -= weight(self._operations.popleft())

    def clear(self) -> None:
        """Forget all."""
        self._operations.clear()
        self._weight = 0
