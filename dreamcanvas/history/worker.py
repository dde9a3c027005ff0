"""The process that makes movies: `python -m dreamcanvas.history.worker --parent PID`.

It talks with its parent in frames (`process`). It is sent one, the task, and answers `{"progress": n, "of"}`
now and then, at last `{"ok": true, …}` or `{"ok": false, "error", "errno"}`. The task's `kind` is

- `window`: a movie of `frames`, `[[dream, path, bytes], …]`; those that are torn or missing are left out and
  named in the answer's `unusable`;
- `day`: a movie of `picks`, `[[path, [index, …]], …]`: frames of other movies;
- `picture`: frame `index` of the movie `path`; a JPEG follows the answer.

Movies go to `directory`. It runs when nobody else wants the processor or the disk, and ends with its parent.
"""

import argparse
import ctypes
import logging
import os
import platform
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from dreamcanvas.dream.jpeg import encode_jpeg
from dreamcanvas.errors import MovieError
from dreamcanvas.process import Frame, Parent

PROGRESS_FRAMES: Final = 30
_IOPRIO_SET: Final = {"x86_64": 251, "aarch64": 30}  # the number of the system call
_IOPRIO_WHO_PROCESS: Final = 1
_IOPRIO_CLASS_IDLE: Final = 3 << 13


def main(arguments: Sequence[str] | None = None) -> None:
    """Carry out the task that the parent sends."""
    parser = argparse.ArgumentParser(prog="dreamcanvas.history.worker", description="Makes movies.")
    parser.add_argument("--parent", required=True, type=int, help="process id of the parent")
    parser.add_argument("--hurry", action="store_true", help="take the lowest share of a busy processor")
    options = parser.parse_args(arguments)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(name)s: %(message)s")
    be_idle(hurry=options.hurry)
    parent = Parent(options.parent)
    task = parent.receive().header
    try:
        answer = carry_out(task, lambda number, of: parent.send(Frame({"progress": number, "of": of})))
    except OSError as error:
        answer = _refusal(str(error), error.errno)
    except MovieError as error:
        answer = _refusal(str(error))
    except MemoryError:
        answer = _refusal("there is not enough memory")
    parent.send(answer)


def _refusal(sentence: str, errno: int | None = None) -> Frame:
    return Frame({"ok": False, "error": sentence, "errno": errno})


def be_idle(*, hurry: bool) -> None:
    """Run when the processor and the disk are idle; in a hurry at the lowest ordinary priority.

    A process of the idle class gets next to nothing of a processor that is never idle.
    """
    os.nice(19)
    if sys.platform == "linux":
        if not hurry:
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        number = _IOPRIO_SET.get(platform.machine())
        if number is not None:
            libc = ctypes.CDLL(None, use_errno=True)
            libc.syscall(number, _IOPRIO_WHO_PROCESS, 0, _IOPRIO_CLASS_IDLE)


def carry_out(task: Mapping[str, Any], progress: Callable[[int, int], None]) -> Frame:
    """Do a task, and return the answer. Raises OSError, MovieError."""
    # Only now, when this process ends with its parent and is out of the way
    from av.error import FFmpegError  # noqa: PLC0415

    from dreamcanvas.history import movie  # noqa: PLC0415

    try:
        return _carry_out(movie, task, progress)
    except FFmpegError as error:
        if isinstance(error, OSError):
            raise
        raise MovieError(str(error)) from error


def _carry_out(movie: ModuleType, task: Mapping[str, Any], progress: Callable[[int, int], None]) -> Frame:
    if task["kind"] == "picture":
        image = movie.picture(Path(task["path"]), task["index"])
        return Frame({"ok": True}, encode_jpeg(image))
    unusable: list[int] = []
    if task["kind"] == "window":
        frames = movie.still_frames(task["frames"], unusable)
        total = len(task["frames"])
    else:
        frames = movie.picked_frames(task["picks"])
        total = sum(len(indexes) for _, indexes in task["picks"])
    made = movie.encode(
        _counted(frames, total, progress),
        total,
        Path(task["directory"]),
        sides=task["sides"],
        quality=movie.Quality(task["crf"], task["preset"], task["threads"]),
        metadata=task["metadata"],
    )
    return Frame({"ok": True, "frames": made, "unusable": unusable})


def _counted(frames: Iterator[Any], total: int, progress: Callable[[int, int], None]) -> Iterator[Any]:
    """Pass frames on, and tell now and then how many there were."""
    for number, frame in enumerate(frames, start=1):
        yield frame
        if number % PROGRESS_FRAMES == 0:
            progress(number, total)


if __name__ == "__main__":
    main()
