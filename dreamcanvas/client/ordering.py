"""Puts operations in the order of their numbers, each once, in whatever order they come (pure)."""

from dreamcanvas.canvas.model import Operation


class Ordering:
    """Holds operations that came too early, until the missing ones before them have come.

    `seq` is the number of the last operation that was returned; None before `start`, when none is
    wanted.
    """

    def __init__(self) -> None:
        self.seq: int | None = None
        self._waiting: dict[int, Operation] = {}

    def start(self, seq: int) -> None:
        """Want operations from `seq` + 1 on, and forget those that are held."""
        self.seq = seq
        self._waiting.clear()

    def stop(self) -> None:
        """Want no operations any more, and forget those that are held."""
        self.seq = None
        self._waiting.clear()

    def push(self, operation: Operation) -> list[Operation]:
        """Take in an operation. Return those that are next in order, none where one before is missing.

        An operation that was returned before is ignored, and so is every one before `start`.
        """
        if self.seq is None or operation.seq <= self.seq:
            return []
        self._waiting[operation.seq] = operation
        ready = []
        while (following := self._waiting.pop(self.seq + 1, None)) is not None:
            ready.append(following)
            self.seq += 1
        return ready

    @property
    def gap(self) -> bool:
        """Whether operations are held because one before them is missing."""
        return bool(self._waiting)
