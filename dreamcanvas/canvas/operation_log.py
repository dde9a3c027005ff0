"""Keep the newest operations in memory, for clients that return and for drawing again (pure).

A patch counts by its bytes, so that a few large patches do not take the memory meant for many dabs.
"""

from collections import deque
from collections.abc import Sequence
from itertools import islice
from typing import Final

from dreamcanvas.canvas.model import Operation, Patch

PATCH_BYTES: Final = 500  # count as one operation; an operation with a dab takes some 300 bytes


def weight(operation: Operation) -> int:
    """Return as how many operations an operation counts: 1 for a dab."""
    return patch_weight(len(operation.mark.image)) if isinstance(operation.mark, Patch) else 1


def patch_weight(length: int) -> int:
    """Return as how many operations a patch of `length` bytes counts."""
    return 1 + length // PATCH_BYTES


def weights(operations: Sequence[Operation]) -> int:
    """Return as how many operations a sequence counts; nearly all of it are dabs."""
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
        """Append the next operations, and return as how many they count."""
        self._operations.extend(operations)
        added = weights(operations)
        self._weight += added
        return added

    def newest(self, count: int, most: int | None = None) -> list[Operation]:
        """Return the last `count` operations, in order; with `most`, only the first `most` of these."""
        start = len(self._operations) - count
        return list(islice(self._operations, start, None if most is None else start + most))

    def trim(self, pinned: int | None = None) -> None:
        """Forget the oldest operations beyond the limit, but none after the operation `pinned`."""
        if not self._limit:
            return
        while self._weight > self._limit and (pinned is None or self._operations[0].seq <= pinned):
            self._weight -= weight(self._operations.popleft())

    def clear(self) -> None:
        """Forget all operations."""
        self._operations.clear()
        self._weight = 0
