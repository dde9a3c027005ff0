"""The picture as files, for however many ask: one encode per version and format, and only so many of them.

Whoever asks gets the newest picture, while the format's allowance lasts. Then it is the last one that was
made again, which says its version, and from which a client can go on: it is of the newest dream, the
operations after it are kept, and no reader was told to fetch a newer one. Who has that one already waits.
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
    """The picture of a version as a file. `time`, ms since 1970, is that of its newest operation or dream."""

    data: bytes
    version: Version
    time: int


def _nothing(_: Version) -> bool:
    return False


class Snapshots:
    """The last file of each format.

    PNG and WebP, which take several times as long as JPEG, are made once in `interval` seconds in the long
    run, that of the dreams. `now` is a monotonic clock in seconds.
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
        """The picture in a format. Raises KeyError where there is no such format.

        `held` says whether the reader has a version already: then it waits for when another may be made.
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
                    held = _nothing  # others may have had what was free: not a second time
                    continue
                allowance.take(self._now(), 1)
                self._making[format_] = asyncio.create_task(self._make(format_))
            await asyncio.shield(self._making[format_])

    def _leads_on(self, version: Version) -> bool:
        """Whether a client that has this picture can go on from it."""
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
