"""Times in ms since 1970."""

import time

import pytest

from dreamcanvas.clock import from_iso, monotonic_clock, wall_clock


def test_the_clocks_count_milliseconds() -> None:
    before, since = time.time(), time.monotonic()
    now, moment = wall_clock(), monotonic_clock()
    assert int(before * 1000) <= now <= int(time.time() * 1000) + 1
    assert int(since * 1000) <= moment <= int(time.monotonic() * 1000) + 1


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("1970-01-01", 0),
        ("1970-01-01T00:00:01.5", 1500),
        ("1970-01-01T01:00+01:00", 0),
        ("2026-11-22T14:00Z", 1795356000000),
    ],
)
def test_a_time_without_a_zone_is_utc(text: str, ms: int) -> None:
    assert from_iso(text) == ms


@pytest.mark.parametrize("text", ["", "noon", "2026-13-01"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_iso(text)
