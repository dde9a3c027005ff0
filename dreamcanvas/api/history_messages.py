"""Messages about the past, for callers and the history page. `root` is the path before all addresses."""

from typing import Any, Final

from dreamcanvas.history.catalogue import Frame, MovieState, RecordedDay, RecordedWindow, Rendition
from dreamcanvas.history.windows import FPS
from dreamcanvas.proto import dreamcanvas_pb2 as pb
from dreamcanvas.rpc import jsonmap

_STATES: Final = {
    MovieState.RECORDING: pb.Window.RECORDING,
    MovieState.WAITING: pb.Window.WAITING,
    MovieState.ENCODED: pb.Window.ENCODED,
    MovieState.EXPIRED: pb.Window.EXPIRED,
}


def movie_url(file: str | None, root: str) -> str:
    """Return the address of a movie's file, empty where there is none."""
    return f"{root}/movies/{file}" if file is not None else ""


def window(recorded: RecordedWindow, root: str) -> pb.Window:
    """Return the message of a window."""
    return pb.Window(
        start=recorded.start,
        end=recorded.until,
        state=_STATES[recorded.state],
        frames=recorded.frames,
        seconds=recorded.frames / FPS,
        renditions=[_rendition(rendition, root) for rendition in recorded.renditions],
        poster=movie_url(recorded.poster, root),
        sprite=movie_url(recorded.sprite, root),
        styles=[pb.StyleSpan(start=start, style=style) for start, style in recorded.styles],
        dabs=recorded.dabs,
    )


def day(recorded: RecordedDay, root: str) -> dict[str, Any]:
    """Return a day in JSON, named as protobuf would."""
    count = len(recorded.dreams)
    return {
        "day": recorded.name,
        "start": recorded.start,
        "end": recorded.until,
        "windows": recorded.windows,
        "frames": recorded.frames,
        "dabs": recorded.dabs,
        "state": recorded.state.name,
        "movieFrames": count,
        "seconds": count / FPS,
        "renditions": [jsonmap.to_json(_rendition(each, root)) for each in recorded.renditions],
        "poster": movie_url(recorded.poster, root),
        "sprite": movie_url(recorded.sprite, root),
    }


def window_details(recorded: RecordedWindow, dreams: list[tuple[int, int]], root: str) -> dict[str, Any]:
    """Return a window in JSON with its dreams, their times, and its dabs by the minute."""
    return {
        "window": jsonmap.to_json(window(recorded, root)),
        "dreams": [dream for dream, _ in dreams],
        "times": [time for _, time in dreams],
        "dabsPerMinute": list(recorded.dabs_per_minute),
    }


def day_details(recorded: RecordedDay, times: list[int], root: str) -> dict[str, Any]:
    """Return a day in JSON, with the dreams that its movie shows and their times."""
    return {"day": day(recorded, root), "dreams": list(recorded.dreams), "times": times}


def frame(found: Frame, root: str) -> pb.FrameResponse:
    """Return the message of a dream of the past."""
    return pb.FrameResponse(
        dream=found.dream,
        time=found.time,
        seq=found.seq,
        style=found.style,
        url=f"{root}/dreams/{found.dream}.jpg" if found.kept else "",
        users=found.users,
    )


def _rendition(rendition: Rendition, root: str) -> pb.Rendition:
    return pb.Rendition(width=rendition.width, url=movie_url(rendition.file, root), bytes=rendition.bytes)
