"""The clock, and times in ms since 1970, which every time of this package is."""

import time
from datetime import UTC, datetime


def wall_clock() -> int:
    """Return the time, as the system's clock has it."""
    return time.time_ns() // 1_000_000


def monotonic_clock() -> int:
    """Return ms since some moment, which no setting of the clock changes."""
    return time.monotonic_ns() // 1_000_000


def from_iso(text: str) -> int:
    """Return a time such as `2026-11-22T14:00Z`; without a zone it is UTC. Raises ValueError."""
    found = datetime.fromisoformat(text)
    return round((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)
