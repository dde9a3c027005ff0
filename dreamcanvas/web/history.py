"""HTTP of the past: what there is in JSON, the feed, and the movies' files."""

import hashlib
import json
import re
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from dreamcanvas.api import history_messages
from dreamcanvas.api.validation import within
from dreamcanvas.errors import InvalidParams
from dreamcanvas.history.atom import Entry, atom
from dreamcanvas.history.catalogue import MOST_WINDOWS, Catalogue, MovieState, RecordedDay, RecordedWindow
from dreamcanvas.history.windows import FPS, THUMBNAILS, moment
from dreamcanvas.rpc import jsonmap
from dreamcanvas.text.plural import counted
from dreamcanvas.web.caching import IMMUTABLE, REVALIDATED, not_modified

FEED_ENTRIES: Final = 30
JSON_WINDOWS: Final = 100
_FILE: Final = re.compile(r"(\d{8}T\d{6}Z|\d{4}-\d{2}-\d{2})((?:-\d{3,4}\.mp4)|(?:-sprite)?\.jpg)", re.ASCII)
_NUMBER: Final = re.compile(r"\d{1,18}", re.ASCII)


class WebHistory:
    """The handlers of the paths. `window_seconds` and `timezone` are told to the page; `root` is the path
    below which the addresses are that it tells.
    """

    def __init__(self, catalogue: Catalogue, *, window_seconds: int, timezone: str, root: str = "") -> None:
        self._catalogue = catalogue
        self._root = root
        self._facts = {
            "timezone": timezone,
            "windowSeconds": window_seconds,
            "fps": FPS,
            "thumbnails": THUMBNAILS,
        }

    def routes(self) -> list[Route]:
        """Return the routes for the application."""
        return [
            Route("/history.json", self.history),
            Route("/history.atom", self.feed),
            Route("/history/{name}.json", self.details),
            Route("/movies/{name}", self.movie),
        ]

    async def history(self, request: Request) -> Response:
        """List all days, and at most `limit` windows `before` a time; 400 where one of these is no number."""
        try:
            before = _number(request, "before", 0)
            limit = within("limit", _number(request, "limit", JSON_WINDOWS), 1, MOST_WINDOWS)
        except InvalidParams as error:
            return PlainTextResponse(f"{error.sentence}.\n", 400)
        windows = await self._catalogue.windows(before=before, limit=limit)
        body = {
            **self._facts,
            "days": [history_messages.day(day, self._root) for day in await self._catalogue.days()],
            "windows": [jsonmap.to_json(history_messages.window(window, self._root)) for window in windows],
        }
        return _json(request, body)

    async def details(self, request: Request) -> Response:
        """Tell of a window, `20261122T140000Z`, or a day, `2026-11-22`; 404 where there is none."""
        name = request.path_params["name"]
        window = await self._catalogue.window(name)
        if window is not None:
            return _json(request, history_messages.window_details(*window, self._root))
        day = await self._catalogue.day(name)
        if day is not None:
            return _json(request, history_messages.day_details(*day, self._root))
        return PlainTextResponse("Not found: there is no window or day of that name.\n", 404)

    async def movie(self, request: Request) -> Response:
        """Answer with a file of a movie, or a range of it; 404 where there is none."""
        matched = _FILE.fullmatch(request.path_params["name"])
        path = await self._catalogue.file(*matched.groups()) if matched is not None else None
        if path is None or not path.is_file():
            return PlainTextResponse("Not found: there is no such movie.\n", 404)
        length = path.stat().st_size
        headers = {"Cache-Control": IMMUTABLE, "ETag": f'"{path.name}-{length}"'}
        media_type = "video/mp4" if path.suffix == ".mp4" else "image/jpeg"
        return not_modified(request, headers) or FileResponse(path, headers=headers, media_type=media_type)

    async def feed(self, request: Request) -> Response:
        """Answer with the Atom feed of the newest movies."""
        windows = await self._catalogue.windows(limit=2 * FEED_ENTRIES)
        entries = [
            window_entry(each, root=self._root) for each in windows if each.state is MovieState.ENCODED
        ]
        days = await self._catalogue.days()
        entries += [_day_entry(day, root=self._root) for day in days if day.state is MovieState.ENCODED]
        newest = sorted(entries, key=lambda entry: entry.time, reverse=True)[:FEED_ENTRIES]
        return _body(request, atom(str(request.base_url), newest), "application/atom+xml")


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not _NUMBER.fullmatch(text):
        raise InvalidParams(f"{name} is {jsonmap.shown(text)}, but has to be a whole number", field=name)
    return int(text)


def _json(request: Request, value: Any) -> Response:
    return _body(request, json.dumps(value, separators=(",", ":")).encode(), "application/json")


def _body(request: Request, body: bytes, media_type: str) -> Response:
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"Cache-Control": REVALIDATED, "ETag": etag}
    return not_modified(request, headers) or Response(body, headers=headers, media_type=media_type)


def window_entry(window: RecordedWindow, *, root: str) -> Entry:
    """Return a window as the feed tells of it."""
    count = f"{counted(window.frames, 'dream')}, {counted(window.dabs, 'dab')}"
    styles = ", ".join(dict.fromkeys(style for _, style in window.styles))
    title = f"{moment(window.start)} to {moment(window.until)}"
    return _entry(window, root, title=title, fragment=moment(window.start), summary=f"{count}; {styles}")


def _day_entry(day: RecordedDay, *, root: str) -> Entry:
    count = f"{counted(day.frames, 'dream')}, {counted(day.dabs, 'dab')}"
    return _entry(day, root, title=f"The day {day.name}", fragment=day.name, summary=count)


def _entry(
    recorded: RecordedWindow | RecordedDay, root: str, *, title: str, fragment: str, summary: str
) -> Entry:
    movie = recorded.renditions[0]
    return Entry(
        title=title,
        fragment=fragment,
        time=recorded.until,
        movie=history_messages.movie_url(movie.file, root),
        poster=history_messages.movie_url(recorded.poster, root),
        bytes=movie.bytes,
        summary=summary,
    )
