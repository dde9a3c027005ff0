"""Operations in the order of their numbers, each once, however they come (pure)."""

from dreamcanvas.canvas.model import Operation


class Ordering:
    """`seq` is the last operation that was given out; None before `start`."""

    def __init__(self) -> None:
        self.seq: int | None = None
        self._waiting: dict[int, Operation] = {}

    def start(self, seq: int) -> None:
        """Operations from `seq` + 1 on are wanted; what is held is forgotten."""
        self.seq = seq
        self._waiting.clear()

    def stop(self) -> None:
        """Nothing is wanted any more."""
        self.seq = None
        self._waiting.clear()

    def push(self, operation: Operation) -> list[Operation]:
        """Takes an operation in, and gives those that are next. One that is known is passed over."""
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
        """Whether operations wait for one that is missing."""
        return bool(self._waiting)
