"""A clock that stands still until it is moved, for a server in a process of its own."""

import mmap
from pathlib import Path

from tests.faults.shim import library

SOURCE = Path(__file__).with_name("clock.c")


class Clock:
    """The time of day, in ms since 1970, of every process that is started with `environment`."""

    def __init__(self, path: Path, now: int) -> None:
        path.write_bytes(bytes(8))
        with path.open("r+b") as file:
            self._page = mmap.mmap(file.fileno(), 8)
        self._path = path
        self.set(now)

    @property
    def environment(self) -> dict[str, str]:
        return {"LD_PRELOAD": str(library(SOURCE)), "CLOCK_FILE": str(self._path)}

    def set(self, now: int) -> None:
        self.now = now
        self._page[:] = (now * 1_000_000).to_bytes(8, "little")

    def advance(self, ms: int) -> None:
        self.set(self.now + ms)
