"""The process that dreams: `python -m dreamcanvas.dream.worker --network NAME …`.

It reads frames (`process`) from stdin and answers on stdout. First it says `{"ready": true}`; then to each
request `{"width", "height", "expression", "seed"}` with raw RGB pixels it answers `{"ok": true, "seconds"}`
with a JPEG, or `{"ok": false, "error"}`. A request may have `before`, `progress` and `regions`, for a passage
from another expression, and `"mask": true`, after whose pixels a byte a pixel follows (`DreamRequest`).

It cannot outlive or disturb its parent: the end of stdin ends it in the middle of a dream; on Linux the
kernel kills it when the parent dies; it runs at low priority and leaves Ctrl-C, which a terminal sends to
the whole group, to the parent.
"""

import argparse
import gc
import logging
import os
import queue
import signal
import sys
import threading
from collections.abc import Sequence
from typing import BinaryIO

from dreamcanvas.dream.precision import PRECISIONS
from dreamcanvas.errors import DreamError
from dreamcanvas.process import Frame, die_with_parent, read_frame, write_frame

NICE = 10

log = logging.getLogger("dreamcanvas.dream.worker")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the worker until stdin ends."""
    options = _parse_arguments(arguments)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(name)s: %(message)s")
    die_with_parent(options.parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(NICE)
    requests = _read_in_thread(sys.stdin.buffer)
    answers = _take_stdout()
    # TensorFlow's modules stay: to look through them again and again is a fifth of their import
    gc.disable()
    # Only now, when this process ends with its parent: TensorFlow takes seconds to import
    from dreamcanvas.dream.responder import Responder  # noqa: PLC0415

    responder = Responder(options.network, options.threads, options.precision)
    gc.freeze()
    gc.enable()
    write_frame(answers, Frame({"ready": True, "network": options.network}))
    while True:
        write_frame(answers, responder.answer(requests.get()))


def _parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="dreamcanvas.dream.worker", description="The process that dreams.")
    parser.add_argument("--network", required=True)
    parser.add_argument("--threads", required=True, type=int, help="of an operation")
    parser.add_argument("--precision", required=True, choices=PRECISIONS)
    parser.add_argument("--parent", required=True, type=int, help="process id of the parent")
    return parser.parse_args(arguments)


def _read_in_thread(stream: BinaryIO) -> "queue.Queue[Frame]":
    """Read requests in a thread, which ends the process, whatever it is doing, when the stream ends."""
    requests: queue.Queue[Frame] = queue.Queue()

    def read() -> None:
        try:
            while (frame := read_frame(stream)) is not None:
                requests.put(frame)
        except (OSError, DreamError) as error:
            log.error("stdin: %s", error)
            os._exit(1)
        os._exit(0)

    threading.Thread(target=read, name="stdin", daemon=True).start()
    return requests


def _take_stdout() -> BinaryIO:
    """Keep stdout for answers: whatever a library prints goes to stderr from now on."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return answers


if __name__ == "__main__":
    main()
