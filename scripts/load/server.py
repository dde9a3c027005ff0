"""The server under test, as its /metrics tell of it."""

import asyncio
import contextlib
import time
from dataclasses import dataclass

from dreamcanvas.client import route

INTERVAL = 0.5


@dataclass(frozen=True, slots=True)
class Sample:
    """A moment: monotonic time, processor seconds so far, bytes of memory, websockets, slow ones, dreams."""

    at: float
    cpu: float
    memory: float
    connections: float
    slow: float
    dreams: float


def sample(url: str) -> Sample:
    """How it is now."""
    with route.opener(route.parse(url)).open(f"{url}/metrics", timeout=30) as answer:
        lines = answer.read().decode().splitlines()
    values = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return Sample(
        time.monotonic(),
        float(values["process_cpu_seconds_total"]),
        float(values["process_resident_memory_bytes"]),
        float(values["dreamcanvas_connections"]),
        float(values["dreamcanvas_slow_readers"]),
        float(values["dreamcanvas_dreams"]),
    )


class Observer:
    """Looks every half second."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.samples: list[Sample] = []

    async def look(self) -> Sample:
        """Looks once."""
        self.samples.append(await asyncio.to_thread(sample, self._url))
        return self.samples[-1]

    async def watch(self) -> None:
        """Looks until cancelled; a server that is too busy to answer is looked at again."""
        while True:
            with contextlib.suppress(OSError):
                await self.look()
            await asyncio.sleep(INTERVAL)

    def processor(self) -> list[tuple[float, float]]:
        """Time and percent of a processor, from each look to the next."""
        pairs = zip(self.samples, self.samples[1:], strict=False)
        return [(b.at, 100 * (b.cpu - a.cpu) / (b.at - a.at)) for a, b in pairs if b.at > a.at]
