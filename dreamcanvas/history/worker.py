"""The process that makes movies: `python -m dreamcanvas.history.worker --parent PID`.

It reads one line of JSON from stdin, the task, and answers on stdout in lines of JSON: `{"progress": n}` now
and then, at last `{"ok": true, …}` or `{"ok": false, "error", "errno"}`. The task's `kind` is

- `window`: a movie of `frames`, `[[dream, path, bytes], …]`; those that are torn or missing are left out and
  named in the answer's `unusable`;
- `day`: a movie of `picks`, `[[path, [index, …]], …]`: frames of other movies;
- `picture`: frame `index` of the movie `path`, answered as base64 of a JPEG in `jpeg`.

Movies go to `directory`. Like the dreamer it cannot outlive or disturb its parent: the end of stdin ends it,
and the kernel does when the parent dies. It runs when nobody else wants the processor or the disk.
"""

import argparse
import base64
import ctypes
import json
import logging
import os
import platform
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from dreamcanvas.errors import MovieError
from dreamcanvas.process import die_with_parent

log = logging.getLogger("dreamcanvas.history.worker")

PROGRESS_FRAMES: Final = 30
_IOPRIO_SET: Final = {"x86_64": 251, "aarch64": 30}  # the number of the system call
_IOPRIO_WHO_PROCESS: Final = 1
_IOPRIO_CLASS_IDLE: Final = 3 << 13


def main(arguments: Sequence[str] | None = None) -> None:
    """Carry out the task on stdin."""
    parser = argparse.ArgumentParser(prog="dreamcanvas.history.worker", description="Makes movies.")
    parser.add_argument("--parent", required=True, type=int, help="process id of the parent")
    parser.add_argument("--hurry", action="store_true", help="take the lowest share of a busy processor")
    options = parser.parse_args(arguments)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(name)s: %(message)s")
    die_with_parent(options.parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    be_idle(hurry=options.hurry)
    task = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_stdin, name="stdin", daemon=True).start()
    try:
        _say({"ok": True, **carry_out(task)})
    except OSError as error:
        _say({"ok": False, "error": str(error), "errno": error.errno})
    except MovieError as error:
        _say({"ok": False, "error": str(error), "errno": None})
    except MemoryError:
        _say({"ok": False, "error": "there is not enough memory", "errno": None})


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


def carry_out(task: dict[str, Any]) -> dict[str, Any]:
    """Does a task, and gives what the answer tells. Raises OSError, MovieError."""
    # Only now, when this process ends with its parent and is out of the way
    from av.error import FFmpegError  # noqa: PLC0415

    from dreamcanvas.history import movie  # noqa: PLC0415

    try:
        return _carry_out(movie, task)
    except FFmpegError as error:
        if isinstance(error, OSError):
            raise
        raise MovieError(str(error)) from error


def _carry_out(movie: ModuleType, task: dict[str, Any]) -> dict[str, Any]:
    if task["kind"] == "picture":
        image = movie.picture(Path(task["path"]), task["index"])
        return {"jpeg": base64.b64encode(movie.jpeg(image)).decode()}
    unusable: list[int] = []
    if task["kind"] == "window":
        frames = movie.still_frames(task["frames"], unusable)
        total = len(task["frames"])
    else:
        frames = movie.picked_frames(task["picks"])
        total = sum(len(indexes) for _, indexes in task["picks"])
    directory = Path(task["directory"])
    made = movie.encode(
        _telling(frames, total),
        total,
        directory,
        sides=task["sides"],
        quality=movie.Quality(task["crf"], task["preset"], task["threads"]),
        metadata=task["metadata"],
    )
    return {"frames": made, "unusable": unusable}


def _telling(frames: Iterator[Any], total: int) -> Iterator[Any]:
    for number, frame in enumerate(frames, start=1):
        yield frame
        if number % PROGRESS_FRAMES == 0:
            _say({"progress": number, "of": total})


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def _end_with_stdin() -> None:
    """The end of stdin says that the parent has ended, or has no use for the movie any more."""
    while os.read(0, 4096):  # not through sys.stdin, whose lock would be held when the interpreter ends
        pass
    os._exit(0)


if __name__ == "__main__":
    main()
