"""Which event loop the server runs on."""

import asyncio
from collections.abc import Callable

from dreamcanvas.errors import ConfigError


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
