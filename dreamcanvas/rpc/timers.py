"""Timers by name, of which there is one of each name at a time."""

import asyncio
from collections.abc import Callable


class Timers:
    """What is to be done later, unless it is cancelled before. Delays are in seconds."""

    def __init__(self) -> None:
        self._handles: dict[str, asyncio.TimerHandle] = {}

    def start(self, name: str, delay: float, action: Callable[[], None]) -> None:
        """Calls `action` after the delay, in place of what was to be done under that name."""
        self.cancel(name)
        self._handles[name] = asyncio.get_running_loop().call_later(delay, action)

    def started(self, name: str) -> bool:
        """Whether a timer was started, and not cancelled since."""
        return name in self._handles

    def cancel(self, *names: str) -> None:
        """Does not do what was to be done; without names nothing of it all."""
        for name in names or tuple(self._handles):
            handle = self._handles.pop(name, None)
            if handle is not None:
                handle.cancel()
