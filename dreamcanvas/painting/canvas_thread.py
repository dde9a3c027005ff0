"""The canvas's pixels, drawn in a thread of their own, in the order of the operations' numbers.

The event loop hands operations over and goes on. The picture is read in the same thread, after all that was
handed over before. So drawing may lag behind, but no reader ever gets an old picture.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, TypeVar

from dreamcanvas.canvas.model import Canvas, Operation, Version

log = logging.getLogger(__name__)
T = TypeVar("T")
BACKLOG: Final = 1024  # operations: a tenth of a second of the largest dabs


class CanvasThread:
    """A canvas that is drawn in its own thread.

    `version` and `dream_seq` count all that was handed over, also what is not drawn yet. `backlog` is how
    many operations may be waiting before `room` waits.
    """

    def __init__(self, canvas: Canvas, *, backlog: int = BACKLOG) -> None:
        self._canvas = canvas
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="canvas")
        self._backlog = backlog
        self._given = 0
        self._blended = 0
        self._error: BaseException | None = None
        self.version = canvas.version
        self.dream_seq = canvas.dream_seq

    def apply(self, operations: Sequence[Operation]) -> None:
        """Hand the next operations over to be drawn."""
        if operations:
            self.version = Version(self.version.dream, operations[-1].seq)
            self._given += len(operations)
            self._submit(lambda: self._apply(operations))

    def lay(self, base: Canvas, later: Sequence[Operation]) -> None:
        """Make a dream the base, with all `later` operations on it; see `Canvas.lay`."""
        self.version = Version(base.dream, self.version.seq)
        self.dream_seq = base.dream_seq
        self._submit(lambda: self._canvas.lay(base, later))

    async def read(self, look: Callable[[Canvas], T]) -> T:
        """Return what `look` returns for the picture of the present `version`; it runs in the thread.

        Raises RuntimeError where something could not be drawn: the picture is wrong from then on.
        """
        result = await asyncio.get_running_loop().run_in_executor(self._executor, look, self._canvas)
        if self._error is not None:
            raise RuntimeError("the picture is not what the operations make of it") from self._error
        return result

    async def room(self) -> None:
        """Wait until all is drawn, where more than `backlog` operations are not."""
        if self._given - self._blended > self._backlog:
            await asyncio.get_running_loop().run_in_executor(self._executor, lambda: None)

    def _submit(self, work: Callable[[], None]) -> None:
        self._executor.submit(work).add_done_callback(self._done)

    def _done(self, work: "Future[None]") -> None:
        error = work.exception()
        if error is not None:  # a bug; nothing is lost: a restart draws the durable operations again
            log.error("not drawn", exc_info=error)
            self._error = self._error or error

    def _apply(self, operations: Sequence[Operation]) -> None:
        for operation in operations:
            self._canvas.apply(operation)
        self._blended += len(operations)
