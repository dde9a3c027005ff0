"""Which events a caller names, in a call or in the address of its websocket (pure)."""

from collections.abc import Sequence
from urllib.parse import parse_qs

from dreamcanvas.broadcast.broadcast import EVENTS
from dreamcanvas.errors import InvalidParams


def stock_events(target: str) -> frozenset[str] | None:
    """Return the events that a websocket's address asks for, or None where it asks for none.

    The path `/` is a stock client's, which gets all. Raises InvalidParams for an unknown event.
    """
    path, _, text = target.partition("?")
    query = parse_qs(text, keep_blank_values=True)
    if "subscribe" in query:
        return event_names([name for names in query["subscribe"] for name in names.split(",") if name])
    return frozenset(EVENTS) if path == "/" else None


def event_names(names: Sequence[str]) -> frozenset[str]:
    """Return the named events, or all where none is named. Raises InvalidParams for an unknown one."""
    for index, name in enumerate(names):
        if name not in EVENTS:
            raise InvalidParams(f"events[{index}] is one of {', '.join(EVENTS)}", field=f"events[{index}]")
    return frozenset(names or EVENTS)
