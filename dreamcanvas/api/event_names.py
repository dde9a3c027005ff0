"""Which events a caller names, in a call or in the address of its websocket (pure)."""

from collections.abc import Sequence
from urllib.parse import parse_qs

from dreamcanvas.broadcast.broadcast import EVENTS
from dreamcanvas.errors import InvalidParams


def stock_events(target: str) -> frozenset[str] | None:
    """What a websocket's address subscribes it to as it opens, or None. Raises InvalidParams."""
    path, _, text = target.partition("?")
    query = parse_qs(text, keep_blank_values=True)
    if "subscribe" in query:
        return event_names([name for names in query["subscribe"] for name in names.split(",") if name])
    return frozenset(EVENTS) if path == "/" else None


def event_names(names: Sequence[str]) -> frozenset[str]:
    """The events that are named, all where none is. Raises InvalidParams."""
    for index, name in enumerate(names):
        if name not in EVENTS:
            raise InvalidParams(f"events[{index}] is one of {', '.join(EVENTS)}", field=f"events[{index}]")
    return frozenset(names or EVENTS)
