"""Which event loop the server runs on, and how it shares the interpreter with the server's threads."""

import asyncio
import sys
from collections.abc import Callable
from typing import Final

from dreamcanvas.errors import ConfigError

SWITCH_SECONDS: Final = 0.0005


def share_interpreter() -> None:
    """Has a busy loop let waiting threads run at least each half millisecond.

    A thread that writes a transaction gives the interpreter up a dozen times, for each of SQLite's steps, and
    waits to have it again. It may demand it only when the loop has had it for a whole interval without a
    pause; each pause of the loop, for a callback's end, begins another. With Python's 5 ms a loop that is
    busy in pieces of less kept paints waiting 0.4 s for a transaction of 2 ms.
    """
    sys.setswitchinterval(SWITCH_SECONDS)


def loop_factory(name: str) -> Callable[[], asyncio.AbstractEventLoop] | None:
    """What makes the loop: uvloop, or None for asyncio's own; `auto` is uvloop where it is installed.

    Raises ConfigError where it is asked for and not installed.
    """
    if name == "asyncio":
        return None
    try:
        import uvloop  # noqa: PLC0415 - not everywhere
    except ImportError:
        if name == "uvloop":
            raise ConfigError("loop is 'uvloop', but that is not installed: pip install uvloop") from None
        return None
    return uvloop.new_event_loop
