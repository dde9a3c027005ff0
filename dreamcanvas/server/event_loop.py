"""Which event loop the server runs on, and how it shares the interpreter with the server's threads."""

import asyncio
import sys
from collections.abc import Callable
from typing import Final

from dreamcanvas.errors import ConfigError

SWITCH_SECONDS: Final = 0.0005


def share_interpreter() -> None:
    """Set the interpreter's switch interval to half a millisecond, so that threads run beside a busy loop.

    A thread that writes a transaction releases the interpreter's lock (GIL) about twelve times, once for each
    of SQLite's steps, and then waits to have it again. It may demand it only when another thread has held it
    for a whole interval without a break; each time that the loop releases it, a new interval begins. With
    Python's 5 ms and a loop that was busy in shorter pieces, paints waited 0.4 s for a transaction of 2 ms.
    """
    sys.setswitchinterval(SWITCH_SECONDS)


def loop_factory(name: str) -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return what makes the event loop: uvloop's factory, or None for asyncio's own.

    `auto` is uvloop where it is installed. Raises ConfigError where `uvloop` is not installed.
    """
    if name == "asyncio":
        return None
    try:
        import uvloop  # noqa: PLC0415 - it is optional
    except ImportError:
        if name == "uvloop":
            raise ConfigError("loop is 'uvloop', but that is not installed: pip install uvloop") from None
        return None
    return uvloop.new_event_loop
