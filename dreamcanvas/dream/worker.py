"""The process that dreams: `python -m dreamcanvas.dream.worker --network NAME …`.

It talks with its parent in frames (`process`). First it says `{"ready": true}`; then to each request
`{"width", "height", "expression", "seed"}` with raw RGB pixels it answers `{"ok": true, "seconds"}` with a
JPEG, or `{"ok": false, "error"}`. A request may have `before`, `progress` and `regions`, for a passage from
another expression, and `"mask": true`, after whose pixels a byte a pixel follows (`DreamRequest`).

It runs at low priority, and ends with its parent, also in the middle of a dream.
"""

import argparse
import gc
import logging
import os
import sys
from collections.abc import Sequence

from dreamcanvas.dream.precision import PRECISIONS
from dreamcanvas.process import Frame, Parent

NICE = 10


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the worker until its parent ends."""
    options = _parse_arguments(arguments)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(name)s: %(message)s")
    os.nice(NICE)
    parent = Parent(options.parent)
    # TensorFlow's modules stay: to look through them again and again is a fifth of their import
    gc.disable()
    # Only now, when this process ends with its parent: TensorFlow takes seconds to import
    from dreamcanvas.dream.responder import Responder  # noqa: PLC0415

    responder = Responder(options.network, options.threads, options.precision)
    gc.freeze()
    gc.enable()
    parent.send(Frame({"ready": True, "network": options.network}))
    while True:
        parent.send(responder.answer(parent.receive()))


def _parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="dreamcanvas.dream.worker", description="The process that dreams.")
    parser.add_argument("--network", required=True)
    parser.add_argument("--threads", required=True, type=int, help="of an operation")
    parser.add_argument("--precision", required=True, choices=PRECISIONS)
    parser.add_argument("--parent", required=True, type=int, help="process id of the parent")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
