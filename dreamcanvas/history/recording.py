"""From frames to movies: closes windows, has their movies made, then those of the days.

Every step can be broken off at any moment and is done again: a window's dreams are fixed by one transaction;
its movie is made in `movies/partial` and moved to its place, and then a second transaction says that it is
there. Only after that the frame files go (`store.budget`).
"""

import asyncio
import logging
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from pathlib import Path
from typing import Any, Final

from dreamcanvas.errors import MovieError, StoreError
from dreamcanvas.history.encoder import Encoder
from dreamcanvas.history.windows import (
    DAY_FRAMES,
    day_of,
    day_span,
    gather,
    is_closed,
    moment,
    per_minute,
    thin,
)
from dreamcanvas.store import layout
from dreamcanvas.store.diagnosis import explain
from dreamcanvas.store.dream_queries import DreamQueries, Span
from dreamcanvas.store.dreams import frame_path
from dreamcanvas.store.file_state import FileState
from dreamcanvas.store.files import digest, make_directory, move_durably
from dreamcanvas.store.movies import POSTER, SPRITE, Day, Movies, Window, movie_path, name_of

log = logging.getLogger(__name__)

SIDES: Final = (1536, 768)
BEHIND: Final = 2  # when more windows wait, the encoder takes more of the processor
RESERVE_BYTES: Final = 256 * 10**6
RETRY_MS: Final = 300_000
RETRY_MOST_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class Shape:
    """How movies are: ms of the recording in each, the time zone of days, and x264's settings."""

    length: int
    zone: tzinfo
    crf: float
    preset: str
    threads: int


def _free(directory: Path) -> int:
    return shutil.disk_usage(directory).free


class Recording:
    """Makes the movies that are due. `failing` says why one was not made, in words, `waiting` how many
    windows wait, `made` how many movies were made since the start.

    `clock` gives ms since 1970, `free` the bytes that are left on the disk of a directory.
    """

    def __init__(
        self,
        data_dir: Path,
        queries: DreamQueries,
        movies: Movies,
        encoder: Encoder,
        shape: Shape,
        *,
        clock: Callable[[], int],
        free: Callable[[Path], int] = _free,
    ) -> None:
        self._data_dir = data_dir
        self._queries = queries
        self._movies = movies
        self._encoder = encoder
        self._shape = shape
        self._clock = clock
        self._free = free
        self._partial = data_dir / layout.PARTIAL_MOVIES
        self._failed: dict[str, tuple[int, int]] = {}
        self.failing: str | None = None
        self.waiting = 0
        self.made = 0
        self.progress = (0, 0)

    async def catch_up(self) -> int:
        """Close what is over, make the movies that are due, the oldest first, and return how many.

        What fails is logged, and tried again with a later call. Raises sqlite3.Error.
        """
        before = self.made
        await self._close_windows()
        try:
            for window in await self._movies.waiting():
                self.waiting = len(await self._movies.waiting())
                await self._try(name_of(window.start), lambda window=window: self._make_window(window))  # type: ignore[misc]
            self.waiting = len(await self._movies.waiting())
            await self._make_days()
        except OSError as error:
            why = explain(self._data_dir, error)
            if why != self.failing:
                log.error("movies wait", extra={"why": why})
            self.failing = why
        return self.made - before

    # Windows

    async def _close_windows(self) -> None:
        now, length = self._clock(), self._shape.length
        found = await self._queries.spans(length)
        for span in gather(found, await self._movies.starts()):
            if is_closed(span.start, now, length):
                window = await describe(self._queries, span)
                await self._movies.close_window(window, span)
                log.info("window closed", extra={"window": name_of(span.start), "dreams": span.frames})

    async def _make_window(self, window: Window) -> None:
        """Make a window's movie. Raises MovieError, OSError, sqlite3.Error."""
        found = await self._queries.frames(window)
        name = name_of(window.start)
        answer: Mapping[str, Any] = {"frames": 0, "unusable": [dream for dream, _ in found]}
        if found:
            paths = [
                (dream, str(frame_path(self._data_dir / layout.FRAMES, dream)), length)
                for dream, length in found
            ]
            answer = await self._encode(
                {"kind": "window", "frames": paths},
                window,
                title=name,
                size=sum(length for _, length in found),
                hurry=self.waiting > BEHIND,
            )
        unusable = set(answer["unusable"])
        shown = [dream for dream, _ in found if dream not in unusable]
        if answer["frames"] != len(shown):
            raise MovieError(f"the movie has {answer['frames']} frames, not {len(shown)}")
        lost = {dream for dream, _ in await self._queries.numbers(window)} - set(shown)
        if lost:
            log.error("dreams without a frame", extra={"window": name, "dreams": sorted(lost)[:100]})
        files, digests = await asyncio.to_thread(self._publish, name) if shown else ({}, {})
        made = replace(
            window, frames=len(shown), files=files, file=FileState.THERE if shown else FileState.GONE
        )
        await self._movies.window_made(made, lost, digests)
        self._say(name, len(shown), files)

    # Days

    async def _make_days(self) -> None:
        zone, now = self._shape.zone, self._clock()
        have = {day.day for day in await self._movies.days()}
        open_ = [span.start for span in await self._queries.spans(self._shape.length)]
        open_ += [window.start for window in await self._movies.waiting()]
        started = {day_of(total.start, zone) for total in await self._movies.totals()}
        for day in sorted(started):
            start, until = day_span(day, zone)
            over = until <= now and not any(start <= beginning < until for beginning in open_)
            if over and day.isoformat() not in have:
                windows = await self._movies.between(start, until)
                if any(window.file == FileState.THERE for window in windows):
                    await self._try(
                        day.isoformat(),
                        lambda windows=windows, span=(start, until), day=day: self._make_day(  # type: ignore[misc]
                            day.isoformat(), span, windows
                        ),
                    )

    async def _make_day(self, name: str, span: tuple[int, int], windows: Sequence[Window]) -> None:
        """Make a day's movie of its windows' movies. Raises MovieError, OSError, sqlite3.Error."""
        there = [window for window in windows if window.file == FileState.THERE]
        wanted = thin(sum(window.frames for window in there), DAY_FRAMES)
        picks, dreams, before = [], [], 0
        for window in there:
            indexes = [index - before for index in wanted if before <= index < before + window.frames]
            numbers = await self._queries.numbers(window)
            dreams += [numbers[index][0] for index in indexes]
            path = movie_path(self._data_dir / layout.MOVIES, name_of(window.start), f"-{SIDES[0]}.mp4")
            picks.append((str(path), indexes))
            before += window.frames
        day = Day(
            name,
            *span,
            windows=len(windows),
            frames=sum(window.frames for window in windows),
            dabs=sum(window.dabs for window in windows),
            dreams=tuple(dreams),
            files={},
        )
        size = sum(sum(window.files.values()) for window in there)
        answer = await self._encode({"kind": "day", "picks": picks}, day, title=name, size=size)
        if answer["frames"] != len(dreams):
            raise MovieError(f"the movie has {answer['frames']} frames, not {len(dreams)}")
        files, digests = await asyncio.to_thread(self._publish, name)
        await self._movies.day_made(replace(day, files=files), digests)
        self._say(name, len(dreams), files)

    # Either

    async def _try(self, name: str, make: Callable[[], Any]) -> None:
        """Make a movie, unless it failed lately. Raises OSError, sqlite3.Error."""
        failures, again = self._failed.get(name, (0, 0))
        if self._clock() < again:
            return
        try:
            await make()
        except MovieError as error:
            pause = min(min(RETRY_MS, self._shape.length) * 2**failures, RETRY_MOST_MS)
            self._failed[name] = (failures + 1, self._clock() + pause)
            self.failing = f"{name}: {error}"
            log.error("no movie", extra={"movie": name, "error": str(error), "again_seconds": pause // 1000})
        else:
            self._failed.pop(name, None)

    async def _encode(
        self, task: dict[str, Any], of: Window | Day, *, title: str, size: int, hurry: bool = False
    ) -> Mapping[str, Any]:
        """Have a movie written to `partial`, and return the answer. Raises MovieError, OSError."""
        await asyncio.to_thread(self._clear)
        # A movie that fills the disk would keep people from painting
        free, needed = self._free(self._partial), size // 16 + min(RESERVE_BYTES, size)
        if free < needed:
            raise OSError(28, f"{free} bytes are free, and {needed} are needed")
        self.progress = (0, 0)
        shape = self._shape
        answer = await self._encoder.carry_out(
            {
                **task,
                "directory": str(self._partial),
                "sides": SIDES,
                "crf": shape.crf,
                "preset": shape.preset,
                "threads": shape.threads,
                "metadata": {
                    "title": f"Dreamcanvas {title}",
                    "creation_time": moment(of.start),
                    "comment": f"{moment(of.start)}/{moment(of.until)}",
                },
            },
            hurry=hurry,
            progress=self._progress,
        )
        return answer.header

    def _progress(self, number: int, of: int) -> None:
        self.progress = (number, of)

    def _clear(self) -> None:
        """Make an empty `partial`, whatever was left there."""
        shutil.rmtree(self._partial, ignore_errors=True)
        make_directory(self._partial)

    def _publish(self, name: str) -> tuple[dict[str, int], dict[str, bytes]]:
        """Move the files to their place, and return their lengths by the ends of their names, and their
        checksums by their places.
        """
        sources = {f"-{side}.mp4": f"{side}.mp4" for side in SIDES}
        sources |= {SPRITE: "sprite.jpg", POSTER: "poster.jpg"}
        files, digests = {}, {}
        for ending, source in sources.items():
            place = movie_path(Path(layout.MOVIES), name, ending)
            digests[place.as_posix()] = digest(self._partial / source)
            files[ending] = move_durably(self._partial / source, self._data_dir / place)
        return files, digests

    def _say(self, name: str, count: int, files: dict[str, int]) -> None:
        self.made += 1
        if self.failing is not None:
            log.warning("movies are made again", extra={"after": self.failing})
            self.failing = None
        log.info("movie made", extra={"movie": name, "frames": count, "bytes": sum(files.values())})


async def describe(queries: DreamQueries, span: Span) -> Window:
    """Return the window that dreams are to become, as far as it is known. Raises sqlite3.Error."""
    until = span.start + span.length
    try:
        dabs = await queries.dabs(span, span.start)
    except StoreError as error:
        log.error("dabs not counted", extra={"window": name_of(span.start), "error": str(error)})
        dabs = []
    return Window(
        span.start,
        until,
        span.first,
        span.last,
        span.frames,
        tuple(per_minute(dabs, span.start, until)),
        tuple(await queries.styles(span)),
        {},
    )
