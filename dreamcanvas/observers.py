"""A list of listeners: how a part tells others of what happens without knowing who they are."""

from collections.abc import Callable
from typing import Generic, ParamSpec

P = ParamSpec("P")


class Signal(Generic[P]):
    """Calls every listener, in the order in which they came, each time that it is called itself.

    A part takes a plain callable in its constructor; a Signal is what the composition root passes where the
    listeners are built later than the part. What a listener raises comes out, and later ones are not called.
    """

    def __init__(self) -> None:
        self._listeners: list[Callable[P, object]] = []

    def listen(self, listener: Callable[P, object]) -> None:
        """Add a listener."""
        self._listeners.append(listener)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Call the listeners."""
        for listener in self._listeners:
            listener(*args, **kwargs)
