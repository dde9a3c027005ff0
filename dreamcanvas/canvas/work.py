"""Limit the work of an undo (pure)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from dreamcanvas.text.plural import counted

FOREVER: Final = 2**63
DAB_PIXELS: Final = 2_000  # an operation costs as much as so many pixels, beside its own: 10 to 20 µs
LEARNT: Final = 10  # so many operations in memory take the time of reading one


class OverdrawnError(Exception):
    """An undo would take more work than is allowed; the text says of which kind."""


class StoppedError(Exception):
    """An undo was given up, as the server ends."""


@dataclass(slots=True)
class Work:
    """The work that one undo may still do.

    That is `operations` to look through, `pixels` to draw, and `live` pixels to hold at the same time.
    `stopped` says whether to give up. Each method raises OverdrawnError or StoppedError.
    """

    operations: int
    pixels: int
    live: int
    stopped: Callable[[], bool] = bool
    _looked: int = field(default=0, init=False)
    _drawn: int = field(default=0, init=False)

    def look(self, operations: int) -> None:
        """Count operations that are read."""
        self._looked += operations
        if self._looked > self.operations:
            raise OverdrawnError(
                f"more than {counted(self.operations, 'operation')} would have to be looked through"
            )
        self._go_on()

    def learn(self, operations: int) -> None:
        """Count operations that are in memory already, and are only passed through."""
        self.look(operations // LEARNT)

    def draw(self, pixels: int) -> None:
        """Count the pixels of one mark."""
        self._drawn += pixels + DAB_PIXELS
        if self._drawn > self.pixels:
            millions = self.pixels // 1_000_000
            raise OverdrawnError(f"more than {millions} million pixels would have to be drawn again")
        self._go_on()

    def hold(self, pixels: int) -> None:
        """Check that no more pixels than `live` are held at the same time."""
        if pixels > self.live:
            raise OverdrawnError("too many dreams would have to be laid out side by side")

    def _go_on(self) -> None:
        if self.stopped():
            raise StoppedError


def unlimited() -> Work:
    """Return work without a bound."""
    return Work(FOREVER, FOREVER, FOREVER)
