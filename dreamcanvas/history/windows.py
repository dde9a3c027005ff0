"""Which dream belongs to which window, and which window to which day. Pure: times are ms since 1970.

A window is `length` ms long and aligned to 1970 in UTC, whatever the time zone: a dream belongs to the window
of its time. Where that window is closed already, since the clock was set back, it belongs to the next one
that is not: a movie never changes, and no dream is left without one. A day is a calendar day of a time zone,
of 23 to 25 hours; the windows that begin in it are its own.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final

from dreamcanvas.store.dream_queries import Span

FPS: Final = 30
MOMENT: Final = "%Y-%m-%dT%H:%M:%SZ"
DAY_FRAMES: Final = 60 * FPS
THUMBNAILS: Final = 100


def window_of(time: int, length: int) -> int:
    """Return the start of the window of a time."""
    return time - time % length


def is_closed(start: int, now: int, length: int) -> bool:
    """Say whether no dream will come to a window any more.

    One that lies more than a window in the future has its dreams from a clock that has been set back.
    """
    return now >= start + length or start > now + length


def gather(found: Iterable[Span], taken: Collection[int]) -> list[Span]:
    """Move what is found in windows that are `taken` to the next that are not. In order of start."""
    gathered: dict[int, Span] = {}
    for span in sorted(found, key=lambda span: span.start):
        start = span.start
        while start in taken:
            start += span.length
        other = gathered.get(start)
        if other is not None:
            span = replace(  # noqa: PLW2901 - the same with what is there already
                span,
                sources=(*other.sources, *span.sources),
                first=min(span.first, other.first),
                last=max(span.last, other.last),
                frames=span.frames + other.frames,
            )
        gathered[start] = replace(span, start=start)
    return [gathered[start] for start in sorted(gathered)]


def moment(time: int) -> str:
    """Return a time as the history page's links have it: `2026-11-22T14:03:20Z`."""
    return _utc(time).strftime(MOMENT)


def day_of(time: int, zone: tzinfo) -> date:
    """Return the calendar day of a time."""
    return datetime.fromtimestamp(time / 1000, zone).date()


def day_span(day: date, zone: tzinfo) -> tuple[int, int]:
    """Return when a calendar day begins and ends."""
    return _midnight(day, zone), _midnight(day + timedelta(days=1), zone)


def thin(total: int, most: int) -> list[int]:
    """Return at most `most` of the numbers from 0 to `total` - 1, evenly spread, each once."""
    count = min(total, most)
    return [(2 * index + 1) * total // (2 * count) for index in range(count)]


def thumbnails(total: int) -> list[int]:
    """Return the numbers of the frames on a sprite sheet: always 100, also of fewer frames."""
    return [(2 * index + 1) * total // (2 * THUMBNAILS) for index in range(THUMBNAILS)]


def per_minute(counts: Iterable[tuple[int, int]], start: int, until: int) -> list[int]:
    """Return the count of each minute of a window, from pairs (minute, count).

    Pairs outside the window count for its nearest minute.
    """
    minutes = [0] * max(1, -((start - until) // 60_000))
    for minute, count in counts:
        minutes[min(max(minute, 0), len(minutes) - 1)] += count
    return minutes


def days_left(sizes: Sequence[tuple[int, int]], *, now: int, used: int, limit: int) -> float | None:
    """Return in how many days `limit` bytes are used, at the rate of the last seven days.

    `sizes` are the windows' ends and bytes. None where there is no limit or no rate.
    """
    if not limit or not sizes:
        return None
    since = max(now - 7 * 86_400_000, min(until for until, _ in sizes) - 1)
    recent = sum(length for until, length in sizes if until > since)
    if not recent or now <= since:
        return None
    return max(0, limit - used) / (recent / (now - since)) / 86_400_000


def _midnight(day: date, zone: tzinfo) -> int:
    """Return when a day begins: where a change of the clock leaves midnight out, when the clock jumps."""
    return round(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp() * 1000)


def _utc(time: int) -> datetime:
    return datetime.fromtimestamp(time / 1000, UTC)
