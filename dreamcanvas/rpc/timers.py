"""Timers by name: at most one of each name at a time."""

import asyncio
from collections.abc import Callable


class Timers:
    """Actions to be called later, unless they are cancelled before. Delays are in seconds."""

    def __init__(self) -> None:
        self._handles: dict[str, asyncio.TimerHandle] = {}

    def start(self, name: str, delay: float, action: Callable[[], None]) -> None:
        """Call `action` after the delay. A timer of the same name is cancelled."""
        self.cancel(name)
        self._handles[name] = asyncio.get_running_loop().call_later(delay, action)

    def started(self, name: str) -> bool:
        """Return whether a timer was started, and not cancelled since; it may have run already."""
        return name in self._handles

    def cancel(self, *names: str) -> None:
        """Cancel the timers of these names, or all of them where no name is given."""
        for name in names or tuple(self._handles):
            handle = self._handles.pop(name, None)
            if handle is not None:
                handle.cancel()
