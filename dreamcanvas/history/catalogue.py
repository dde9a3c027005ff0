"""What there is to see of the past: windows, days, dreams, files. Reads only; times are ms since 1970."""

import asyncio
from collections.abc import Callable
from datetime import tzinfo
from pathlib import Path
from typing import Any, Final

from dreamcanvas.errors import InvalidParams, MovieError, Unavailable
from dreamcanvas.history.encoder import Encoder
from dreamcanvas.history.recording import SIDES, describe
from dreamcanvas.history.windows import FPS, day_of, day_span, gather, is_closed
from dreamcanvas.proto import dreamcanvas_pb2 as pb
from dreamcanvas.rpc import jsonmap
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
RETRY_AFTER_MS: Final = 5000


class Catalogue:
    """Answers questions about the past of a data directory.

    `length` is a window's, in ms, and `zone` the time zone of days; `root` is the path below which the
    addresses are that it gives.
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
        root: str = "",
    ) -> None:
        self._directory = data_dir / layout.MOVIES
        self._root = root
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

    async def windows(self, *, before: int = 0, limit: int = DEFAULT_LIMIT) -> list[pb.Window]:
        """Return the windows that start before a time (0: all), newest first; only those that hold dreams.

        Raises InvalidParams.
        """
        if not 1 <= limit <= MOST_WINDOWS:
            raise InvalidParams(f"limit is {limit}, but has to be 1 to {MOST_WINDOWS}", field="limit")
        before = min(before or 2**62, 2**62)
        found = [window for window in await self._not_closed() if window.start < before]
        found += await self._movies.windows(before=before, limit=limit)
        newest = sorted(found, key=lambda window: window.start, reverse=True)[:limit]
        return [self._message(window) for window in newest]

    async def window(self, name: str) -> dict[str, Any] | None:
        """Return a window with its dreams, their times, and its dabs by the minute; None for none."""
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
        return {
            "window": jsonmap.to_json(self._message(window)),
            "dreams": [dream for dream, _ in numbers],
            "times": [time for _, time in numbers],
            "dabsPerMinute": list(window.minutes),
        }

    async def days(self) -> list[dict[str, Any]]:
        """Return all days that have windows, newest first, with their movies."""
        open_ = [
            Total(window.start, window.until, window.frames, window.dabs, 0, window.file)
            for window in await self._not_closed()
        ]
        totals = await self._movies.totals()
        made = {day.day: day for day in await self._movies.days()}
        return await asyncio.to_thread(self._days, totals + open_, made)

    async def day(self, name: str) -> dict[str, Any] | None:
        """Return a day, and which dreams its movie shows; None where there is none."""
        made = {day.day: day for day in await self._movies.days()}
        found = next((day for day in await self.days() if day["day"] == name), None)
        if found is None:
            return None
        dreams = list(made[name].dreams) if name in made else []
        return {"day": found, "dreams": dreams, "times": await self._queries.times(dreams)}

    async def _spans(self) -> list[Span]:
        return gather(await self._queries.spans(self._length), await self._movies.starts())

    async def _not_closed(self) -> list[Window]:
        """Return what is to become windows. It changes with each dream, and is read once for all who ask."""
        spans = await self._spans()
        if self._open[0] != spans:
            self._open = (spans, [await describe(self._queries, span) for span in spans])
        return self._open[1]

    def _message(self, window: Window) -> pb.Window:
        name = name_of(window.start)
        there = window.file == FileState.THERE
        states = {FileState.THERE: pb.Window.ENCODED, FileState.WAITING: pb.Window.WAITING}
        state = states.get(window.file, pb.Window.EXPIRED)
        if state == pb.Window.WAITING and not is_closed(
            window.start, self._clock(), window.until - window.start
        ):
            state = pb.Window.RECORDING
        return pb.Window(
            start=window.start,
            end=window.until,
            state=state,
            frames=window.frames,
            seconds=window.frames / FPS,
            renditions=self._renditions(name, window.files) if there else (),
            poster=self._url(name, POSTER) if POSTER in window.files else "",
            sprite=self._url(name, SPRITE) if there and SPRITE in window.files else "",
            styles=[pb.StyleSpan(start=start, style=style) for start, style in window.styles],
            dabs=window.dabs,
        )

    def _days(self, totals: list[Total], made: dict[str, Day]) -> list[dict[str, Any]]:
        of_day: dict[str, list[Total]] = {}
        for total in totals:
            of_day.setdefault(day_of(total.start, self._zone).isoformat(), []).append(total)
        return [self._day(name, of_day[name], made.get(name)) for name in sorted(of_day, reverse=True)]

    def _day(self, name: str, totals: list[Total], made: Day | None) -> dict[str, Any]:
        start, until = day_span(day_of(totals[0].start, self._zone), self._zone)
        state = "RECORDING" if self._clock() < until else "WAITING"
        if made is not None:
            state = "ENCODED" if made.file == FileState.THERE else "EXPIRED"
        elif all(total.file not in (FileState.THERE, FileState.WAITING) for total in totals):
            state = "EXPIRED"
        files = made.files if made is not None else {}
        there = state == "ENCODED"
        count = len(made.dreams) if made is not None else 0
        return {
            "day": name,
            "start": start,
            "end": until,
            "windows": len(totals),
            "frames": sum(total.frames for total in totals),
            "dabs": sum(total.dabs for total in totals),
            "state": state,
            "movieFrames": count,
            "seconds": count / FPS,
            "renditions": [
                jsonmap.to_json(rendition) for rendition in (self._renditions(name, files) if there else ())
            ],
            "poster": self._url(name, POSTER) if POSTER in files else "",
            "sprite": self._url(name, SPRITE) if there and SPRITE in files else "",
        }

    # Dreams

    async def frame(self, *, dream: int = 0, time: int = 0) -> pb.FrameResponse:
        """Return a dream by its number, or the newest at a time (0: now). Raises InvalidParams."""
        bounds = await self._queries.bounds()
        if bounds is None:
            raise InvalidParams("there is no dream yet", field="dream")
        first, last, earliest = bounds
        if dream:
            found = await self._queries.find(dream=min(dream, 2**62))
            if found is None:
                raise InvalidParams(f"dream is {dream}, but has to be {first} to {last}", field="dream")
        else:
            found = await self._queries.find(time=min(time, 2**62) if time else 2**62)
            if found is None:
                raise InvalidParams(f"time is {time}, but the first dream was at {earliest}", field="time")
        at = found.dream
        url = f"{self._root}/dreams/{at.dream}.jpg" if found.frame or _in_movie(found) else ""
        return pb.FrameResponse(
            dream=at.dream, time=at.time, seq=at.seq, style=at.style, url=url, users=at.users
        )

    async def picture(self, dream: int) -> bytes:
        """Return the JPEG of a dream whose frame file has gone, out of its movie.

        Raises MovieError where there is none, Unavailable where too many wait for one, OSError.
        """
        found = await self._queries.find(dream=dream)
        if found is None or not found.window or not _in_movie(found):
            raise MovieError(f"the picture of dream {dream} is not kept")
        if self._pictures >= PICTURES_WAITING:
            raise Unavailable("too many pictures of the past are asked for", retry_after_ms=RETRY_AFTER_MS)
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

    def _url(self, name: str, ending: str) -> str:
        return f"{self._root}/movies/{name}{ending}"

    def _renditions(self, name: str, files: dict[str, int]) -> list[pb.Rendition]:
        return [
            pb.Rendition(width=side, url=self._url(name, f"-{side}.mp4"), bytes=files[f"-{side}.mp4"])
            for side in SIDES
            if f"-{side}.mp4" in files
        ]


def _in_movie(found: Found) -> bool:
    return bool(found.window) and found.movie
