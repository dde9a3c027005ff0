"""Which dream belongs to which window, and which window to which day."""

from datetime import UTC, date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamcanvas.history import windows
from dreamcanvas.store.dream_queries import Span
from dreamcanvas.store.movies import name_of, start_of

HOUR = 3_600_000
LENGTH = 2 * HOUR
BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def span(text: str, first: int, frames: int = 1) -> Span:
    start = at(text)
    return Span(start, LENGTH, (start,), first, first + frames - 1, frames)


def test_windows_are_two_hours_aligned_to_utc() -> None:
    assert windows.window_of(at("2026-11-22T14:03:20+00:00"), LENGTH) == at("2026-11-22T14:00:00+00:00")
    assert windows.window_of(at("2026-11-22T15:59:59.999+00:00"), LENGTH) == at("2026-11-22T14:00:00+00:00")
    assert windows.window_of(at("2026-11-22T16:00:00+00:00"), LENGTH) == at("2026-11-22T16:00:00+00:00")
    assert windows.window_of(at("2026-11-22T00:30:00+01:00"), LENGTH) == at("2026-11-21T22:00:00+00:00")


def test_a_window_is_closed_from_its_end_on() -> None:
    start = at("2026-11-22T14:00:00+00:00")
    assert not windows.is_closed(start, start + LENGTH - 1, LENGTH)
    assert windows.is_closed(start, start + LENGTH, LENGTH)


def test_one_in_the_future_is_of_a_clock_that_was_wrong_but_the_next_one_waits() -> None:
    now = at("2026-11-22T13:58:00+00:00")
    assert not windows.is_closed(at("2026-11-22T14:00:00+00:00"), now, LENGTH)
    assert windows.is_closed(at("2027-11-22T14:00:00+00:00"), now, LENGTH)


def test_what_is_late_comes_into_the_next_window_that_is_open() -> None:
    late = span("2026-11-22T12:00:00+00:00", 4000, 7)
    now = span("2026-11-22T16:00:00+00:00", 4007, 3)
    taken = {at("2026-11-22T12:00:00+00:00"), at("2026-11-22T14:00:00+00:00")}
    [found] = windows.gather([late, now], taken)
    assert (found.start, found.first, found.last, found.frames) == (now.start, 4000, 4009, 10)
    assert found.sources == (late.start, now.start)


def test_two_missed_days_are_the_windows_that_hold_dreams() -> None:
    """Before and after an outage; nothing in between."""
    spans = [span("2026-11-20T10:00:00+00:00", 1, 50), span("2026-11-22T18:00:00+00:00", 51, 5)]
    found = windows.gather(spans, set())
    assert [one.start for one in found] == [one.start for one in spans]
    now = at("2026-11-22T18:30:00+00:00")
    assert [windows.is_closed(one.start, now, LENGTH) for one in found] == [True, False]


@given(
    starts=st.lists(st.integers(0, 30), unique=True, max_size=20),
    taken=st.sets(st.integers(0, 30), max_size=20),
)
def test_no_dream_is_lost_or_doubled_and_no_window_is_closed_twice(
    starts: list[int], taken: set[int]
) -> None:
    spans = [Span(n * LENGTH, LENGTH, (n * LENGTH,), n * 10, n * 10 + 4, 5) for n in starts]
    closed = {n * LENGTH for n in taken}
    found = windows.gather(spans, closed)
    assert sorted(source for one in found for source in one.sources) == sorted(n * LENGTH for n in starts)
    assert sum(one.frames for one in found) == 5 * len(starts)
    assert not {one.start for one in found} & closed
    assert all(one.start >= max(one.sources) for one in found)


@pytest.mark.parametrize(
    ("day", "hours", "count"),
    [("2026-03-28", 24, 12), ("2026-03-29", 23, 11), ("2026-10-25", 25, 13), ("2026-10-26", 24, 12)],
)
def test_a_day_across_a_change_of_the_clock(day: str, hours: int, count: int) -> None:
    start, until = windows.day_span(date.fromisoformat(day), BERLIN)
    assert until - start == hours * HOUR
    begin = range(at("2026-03-01T00:00+00:00"), at("2026-11-01T00:00+00:00"), LENGTH)
    own = [time for time in begin if windows.day_of(time, BERLIN).isoformat() == day]
    assert len(own) == count
    assert own == [time for time in begin if start <= time < until]


def test_every_window_has_one_day_across_both_changes_of_the_clock() -> None:
    begin = range(at("2026-03-01T00:00+00:00"), at("2026-11-30T00:00+00:00"), LENGTH)
    for time in begin:
        start, until = windows.day_span(windows.day_of(time, BERLIN), BERLIN)
        assert start <= time < until


def test_days_follow_each_other_where_midnight_is_left_out() -> None:
    """In Santiago the clocks go from 23:59:59 to 01:00."""
    santiago = ZoneInfo("America/Santiago")
    _, end = windows.day_span(date(2026, 9, 5), santiago)
    start, until = windows.day_span(date(2026, 9, 6), santiago)
    assert end == start
    assert until - start == 23 * HOUR


def test_names() -> None:
    start = at("2026-11-22T14:00:00+00:00")
    assert name_of(start) == "20261122T140000Z"
    assert start_of("20261122T140000Z") == start
    assert windows.moment(start + 200_000) == "2026-11-22T14:03:20Z"
    for wrong in ("2026-11-22", "20261122T140000", "20261322T140000Z", "", "20261122T14000Z"):
        assert start_of(wrong) is None


@given(total=st.integers(0, 50_000), most=st.integers(1, 2000))
def test_thinning_is_even_and_takes_none_twice(total: int, most: int) -> None:
    found = windows.thin(total, most)
    assert len(found) == min(total, most)
    assert all(0 <= index < total for index in found)
    gaps = {after - before for before, after in pairwise(found)}
    assert all(gap > 0 for gap in gaps)
    assert not gaps or max(gaps) - min(gaps) <= 1


def test_a_sprite_has_a_hundred_thumbnails_of_few_frames_too() -> None:
    assert windows.thumbnails(3600)[:3] == [18, 54, 90]
    assert sorted(set(windows.thumbnails(3))) == [0, 1, 2]
    assert len(windows.thumbnails(3)) == 100


def test_dabs_by_the_minute() -> None:
    assert windows.per_minute([(0, 2), (1, 3), (1, 4)], 0, LENGTH) == [2, 7, *[0] * 118]
    assert windows.per_minute([(-5, 1), (7, 2)], 0, 90_000) == [1, 2]
    assert windows.per_minute([], 0, 4000) == [0]


def test_how_many_days_are_left() -> None:
    day = 24 * HOUR
    sizes = [(n * day, 100) for n in range(1, 31)]
    assert windows.days_left(sizes, now=30 * day, used=3000, limit=3700) == pytest.approx(7)
    assert windows.days_left(sizes, now=30 * day, used=3000, limit=0) is None
    assert windows.days_left([], now=30 * day, used=0, limit=1) is None
    assert windows.days_left(sizes, now=90 * day, used=3000, limit=3700) is None


def test_the_first_day_of_all_has_a_rate_too() -> None:
    assert windows.days_left([(LENGTH, 100)], now=LENGTH, used=100, limit=10**6) is not None


def test_the_time_zone_of_a_window_does_not_matter() -> None:
    assert windows.day_of(at("2026-11-22T23:00:00+00:00"), UTC) == date(2026, 11, 22)
    assert windows.day_of(at("2026-11-22T23:00:00+00:00"), BERLIN) == date(2026, 11, 23)
