"""The whole picture as files: encoded once per version and format, and with a limited rate.

Callers get the newest picture while the rate allows it. Beyond that they get the last file again, with its
version, where a client can go on from it: it is of the newest dream, the operations after it are kept, and no
reader was told to fetch a newer one. A caller that has this file already waits for the next.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from dreamcanvas.access.rate_limit import Bucket
from dreamcanvas.canvas.encoding import Format, encode
from dreamcanvas.canvas.model import Version
from dreamcanvas.painting.encoder_pool import EVERYBODY, EncoderPool
from dreamcanvas.painting.painter import Painter

JPEGS_PER_SECOND: Final = 4
JPEGS_AT_ONCE: Final = 2
OTHERS_AT_ONCE: Final = 8
EARLY: Final = 0.002  # seconds by which timers may fire too soon: they are rounded to milliseconds


@dataclass(frozen=True, slots=True)
class EncodedSnapshot:
    """The picture as a file. `time` is that of its newest operation or dream, in ms since 1970."""

    data: bytes
    version: Version
    time: int


def _nothing(_: Version) -> bool:
    return False


class Snapshots:
    """The last file of each format, and how soon the next one may be made.

    PNG and WebP take several times as long as JPEG: in the long run they are made once in `interval` seconds,
    the time from dream to dream. `now` is a monotonic clock in seconds.
    """

    def __init__(
        self,
        painter: Painter,
        *,
        interval: float,
        now: Callable[[], float],
        encoders: EncoderPool | None = None,
    ) -> None:
        self._painter = painter
        self.encoders = encoders or EncoderPool()
        self._now = now
        others = partial(Bucket, 1 / interval, OTHERS_AT_ONCE)
        self._allowance = {"jpg": Bucket(JPEGS_PER_SECOND, JPEGS_AT_ONCE), "png": others(), "webp": others()}
        self._kept: dict[Format, EncodedSnapshot] = {}
        self._making: dict[Format, asyncio.Task[EncodedSnapshot]] = {}
        self.encoded = 0

    async def get(self, format_: Format, held: Callable[[Version], bool] = _nothing) -> EncodedSnapshot:
        """Return the picture in a format. Raises KeyError where there is no such format.

        `held` returns whether the caller has a version already: then it waits until a newer one may be made.
        """
        allowance, wanted = self._allowance[format_], self._painter.version
        while True:
            kept = self._kept.get(format_)
            if kept is not None and kept.version >= wanted:
                return kept
            if format_ not in self._making:
                wait = allowance.wait(self._now(), 1)
                if kept is not None and wait and self._leads_on(kept.version):
                    if not held(kept.version):
                        return kept
                    await asyncio.sleep(wait + EARLY)
                    held = _nothing  # it waits once only: others may have used the rate up meanwhile
                    continue
                allowance.take(self._now(), 1)
                self._making[format_] = asyncio.create_task(self._make(format_))
            await asyncio.shield(self._making[format_])

    def _leads_on(self, version: Version) -> bool:
        """Return whether a client can go on from the picture of this version: see the module."""
        return (
            version.dream == self._painter.version.dream
            and version.seq >= self._painter.resync_seq
            and self._painter.keeps(version.seq)
        )

    async def _make(self, format_: Format) -> EncodedSnapshot:
        try:
            async with self.encoders.turn(EVERYBODY):
                snapshot = await self._painter.snapshot()
                data = await self.encoders.run(encode, snapshot.image, format_)
            self.encoded += 1
        finally:
            del self._making[format_]
        view = self._kept[format_] = EncodedSnapshot(data, snapshot.version, snapshot.time)
        return view
