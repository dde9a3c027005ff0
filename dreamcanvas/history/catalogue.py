"""Find what the history shows: windows, days, dreams, files. Reads only; times are ms since 1970."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from enum import Enum
from pathlib import Path
from typing import Final

from dreamcanvas.errors import MovieError, NotKept, NotNow
from dreamcanvas.history.encoder import Encoder
from dreamcanvas.history.recording import SIDES, describe
from dreamcanvas.history.windows import day_of, day_span, gather, is_closed
from dreamcanvas.store import layout
from dreamcanvas.store.dream_queries import DreamQueries, Found, Span
from dreamcanvas.store.file_state import FileState
from dreamcanvas.store.movies import (
    POSTER,
    SPRITE,
    Day,
    Movies,
    Total,
    Window,
    movie_path,
    name_of,
    start_of,
)

DEFAULT_LIMIT: Final = 24
MOST_WINDOWS: Final = 500
PICTURES_WAITING: Final = 16
PICTURE_SECONDS: Final = 5.0  # after a refusal, so long until a picture may be asked for again


class MovieState(Enum):
    """What there is of the movie of a window or a day."""

    RECORDING = "recording"
    WAITING = "waiting"
    ENCODED = "encoded"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Rendition:
    """A movie in one size: its width in px, the name of its file, its length in bytes."""

    width: int
    file: str
    bytes: int


@dataclass(frozen=True, slots=True)
class RecordedWindow:
    """A window, times in ms since 1970: how many dreams and dabs it has, its dabs by the minute, from when on
    which style was dreamt, and the names of its files; None where one is not there.
    """

    name: str
    start: int
    until: int
    state: MovieState
    frames: int
    dabs: int
    dabs_per_minute: tuple[int, ...]
    styles: tuple[tuple[int, str], ...]
    renditions: tuple[Rendition, ...]
    poster: str | None
    sprite: str | None


@dataclass(frozen=True, slots=True)
class RecordedDay:
    """A day, `2026-11-22`: its times in ms since 1970, how many windows, dreams and dabs it has, which dreams
    its movie shows, and the names of its files; None where one is not there.
    """

    name: str
    start: int
    until: int
    windows: int
    frames: int
    dabs: int
    state: MovieState
    dreams: tuple[int, ...]
    renditions: tuple[Rendition, ...]
    poster: str | None
    sprite: str | None


@dataclass(frozen=True, slots=True)
class Frame:
    """A dream: its time, last operation and style, how many were there; whether its picture is kept."""

    dream: int
    time: int
    seq: int
    style: str
    users: int
    kept: bool


class Catalogue:
    """The recorded past of a data directory.

    `length` is a window's, in ms, and `zone` the time zone of days; `clock` gives ms since 1970.
    """

    def __init__(
        self,
        data_dir: Path,
        queries: DreamQueries,
        movies: Movies,
        encoder: Encoder,
        *,
        length: int,
        zone: tzinfo,
        clock: Callable[[], int],
    ) -> None:
        self._directory = data_dir / layout.MOVIES
        self._queries = queries
        self._movies = movies
        self._encoder = encoder
        self._length = length
        self._zone = zone
        self._clock = clock
        self._open: tuple[list[Span], list[Window]] = ([], [])
        self._one_picture = asyncio.Lock()
        self._pictures = 0

    # Windows and days

    async def windows(self, *, before: int = 0, limit: int = DEFAULT_LIMIT) -> list[RecordedWindow]:
        """Return at most `limit` windows that start before a time (0: all) and hold dreams, newest first."""
        before = min(before or 2**62, 2**62)
        found = [window for window in await self._not_closed() if window.start < before]
        found += await self._movies.windows(before=before, limit=limit)
        newest = sorted(found, key=lambda window: window.start, reverse=True)[:limit]
        return [self._described(window) for window in newest]

    async def window(self, name: str) -> tuple[RecordedWindow, list[tuple[int, int]]] | None:
        """Return a window with its dreams and their times, or None where there is none of that name."""
        start = start_of(name)
        if start is None:
            return None
        span = next((span for span in await self._spans() if span.start == start), None)
        window = await self._movies.window(start)
        if window is None:
            window = next((window for window in await self._not_closed() if window.start == start), None)
        if window is None:
            return None
        shown = span if window.file == FileState.WAITING and span is not None else window
        numbers = await self._queries.numbers(shown)
        return self._described(window), numbers

    async def days(self) -> list[RecordedDay]:
        """Return all days that have windows, newest first, with their movies."""
        open_ = [
            Total(window.start, window.until, window.frames, window.dabs, 0, window.file)
            for window in await self._not_closed()
        ]
        totals = await self._movies.totals()
        made = {day.day: day for day in await self._movies.days()}
        return await asyncio.to_thread(self._days, totals + open_, made)

    async def day(self, name: str) -> tuple[RecordedDay, list[int]] | None:
        """Return a day and the times of the dreams that its movie shows, or None where there is none."""
        found = next((day for day in await self.days() if day.name == name), None)
        return None if found is None else (found, await self._queries.times(list(found.dreams)))

    async def _spans(self) -> list[Span]:
        return gather(await self._queries.spans(self._length), await self._movies.starts())

    async def _not_closed(self) -> list[Window]:
        """Return what is to become windows. It changes with each dream, and is read once for all who ask."""
        spans = await self._spans()
        if self._open[0] != spans:
            self._open = (spans, [await describe(self._queries, span) for span in spans])
        return self._open[1]

    def _described(self, window: Window) -> RecordedWindow:
        name, there = name_of(window.start), window.file == FileState.THERE
        return RecordedWindow(
            name=name,
            start=window.start,
            until=window.until,
            state=self._state(window),
            frames=window.frames,
            dabs=window.dabs,
            dabs_per_minute=window.minutes,
            styles=window.styles,
            renditions=_renditions(name, window.files) if there else (),
            poster=f"{name}{POSTER}" if POSTER in window.files else None,
            sprite=f"{name}{SPRITE}" if there and SPRITE in window.files else None,
        )

    def _state(self, window: Window) -> MovieState:
        states = {FileState.THERE: MovieState.ENCODED, FileState.WAITING: MovieState.WAITING}
        state = states.get(window.file, MovieState.EXPIRED)
        length = window.until - window.start
        if state is MovieState.WAITING and not is_closed(window.start, self._clock(), length):
            return MovieState.RECORDING
        return state

    def _days(self, totals: list[Total], made: dict[str, Day]) -> list[RecordedDay]:
        of_day: dict[str, list[Total]] = {}
        for total in totals:
            of_day.setdefault(day_of(total.start, self._zone).isoformat(), []).append(total)
        return [self._day(name, of_day[name], made.get(name)) for name in sorted(of_day, reverse=True)]

    def _day(self, name: str, totals: list[Total], made: Day | None) -> RecordedDay:
        start, until = day_span(day_of(totals[0].start, self._zone), self._zone)
        state = MovieState.RECORDING if self._clock() < until else MovieState.WAITING
        if made is not None:
            state = MovieState.ENCODED if made.file == FileState.THERE else MovieState.EXPIRED
        elif all(total.file not in (FileState.THERE, FileState.WAITING) for total in totals):
            state = MovieState.EXPIRED
        files = made.files if made is not None else {}
        there = state is MovieState.ENCODED
        return RecordedDay(
            name=name,
            start=start,
            until=until,
            windows=len(totals),
            frames=sum(total.frames for total in totals),
            dabs=sum(total.dabs for total in totals),
            state=state,
            dreams=made.dreams if made is not None else (),
            renditions=_renditions(name, files) if there else (),
            poster=f"{name}{POSTER}" if POSTER in files else None,
            sprite=f"{name}{SPRITE}" if there and SPRITE in files else None,
        )

    # Dreams

    async def frame(self, *, dream: int = 0, time: int = 0) -> Frame:
        """Return a dream by its number, or the newest at a time (0: now). Raises NotKept."""
        bounds = await self._queries.bounds()
        if bounds is None:
            raise NotKept("there is no dream yet", asked_by="dream")
        first, last, earliest = bounds
        if dream:
            found = await self._queries.find(dream=min(dream, 2**62))
            if found is None:
                raise NotKept(f"dream is {dream}, but has to be {first} to {last}", asked_by="dream")
        else:
            found = await self._queries.find(time=min(time, 2**62) if time else 2**62)
            if found is None:
                raise NotKept(f"time is {time}, but the first dream was at {earliest}", asked_by="time")
        at = found.dream
        return Frame(
            at.dream, at.time, at.seq, at.style, at.users, kept=bool(found.frame) or _in_movie(found)
        )

    async def picture(self, dream: int) -> bytes:
        """Return the JPEG of a dream whose frame file has gone, out of its movie.

        Raises MovieError where there is none, NotNow where too many wait for one, OSError.
        """
        found = await self._queries.find(dream=dream)
        if found is None or not found.window or not _in_movie(found):
            raise MovieError(f"the picture of dream {dream} is not kept")
        if self._pictures >= PICTURES_WAITING:
            raise NotNow("too many pictures of the past are asked for", wait=PICTURE_SECONDS)
        self._pictures += 1
        try:
            async with self._one_picture:
                path = movie_path(self._directory, name_of(found.window), f"-{SIDES[0]}.mp4")
                index = await self._queries.index(dream, found.window)
                task = {"kind": "picture", "path": str(path), "index": index}
                return (await self._encoder.carry_out(task, hurry=True)).payload
        finally:
            self._pictures -= 1

    async def file(self, name: str, ending: str) -> Path | None:
        """Return where a movie's file is; None where there is none, or not yet."""
        found: Window | Day | None
        if (start := start_of(name)) is not None:
            found = await self._movies.window(start)
        else:
            found = next((day for day in await self._movies.days() if day.day == name), None)
        if found is None or ending not in found.files or (found.file != FileState.THERE and ending != POSTER):
            return None
        return movie_path(self._directory, name, ending)


def _renditions(name: str, files: Mapping[str, int]) -> tuple[Rendition, ...]:
    endings = ((side, f"-{side}.mp4") for side in SIDES)
    return tuple(
        Rendition(side, f"{name}{ending}", files[ending]) for side, ending in endings if ending in files
    )


def _in_movie(found: Found) -> bool:
    return bool(found.window) and found.movie
