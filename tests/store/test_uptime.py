"""For how long the server was up and dreamt, by days in UTC, over restarts."""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dreamcanvas.store.journal import Journal
from dreamcanvas.store.uptime import DAY_MS, Hours, Uptime

HOUR = 3_600_000
NOON = 20_000 * DAY_MS + 12 * HOUR  # 2024-10-04 12:00 UTC


class Clock:
    """Two clocks in one: what time it is, and what has passed."""

    def __init__(self, now: int) -> None:
        self.now = now
        self.passed = 0

    def __call__(self) -> int:
        return self.now

    def monotonic(self) -> int:
        return self.passed

    def go(self, ms: int) -> None:
        self.now += ms
        self.passed += ms


@pytest.fixture
def clock() -> Clock:
    return Clock(NOON)


@pytest.fixture
async def journal(tmp_path: Path, clock: Clock) -> AsyncIterator[Journal]:
    journal = Journal(tmp_path / "test.db", clock=clock)
    yield journal
    await journal.drain()
    journal.close()


async def loaded(journal: Journal, clock: Clock) -> Uptime:
    running = Uptime(journal, clock=clock, monotonic=clock.monotonic)
    await running.load()
    return running


async def dream(journal: Journal, number: int, time: int, ms: int) -> None:
    row = (number, 0, time, "", "", "", ms, 0, 0)
    await journal.write(
        lambda connection: connection.execute(
            "INSERT INTO dreams (dream, seq, time, style, layer, network, ms, users, bytes) "
            "VALUES (?,?,?,?,?,?,?,?,?)",
            row,
        )
    )


async def test_it_counts_from_its_start_on(journal: Journal, clock: Clock) -> None:
    running = await loaded(journal, clock)
    assert running.hours() == (Hours(0, 0),) * 3
    clock.go(2 * HOUR)
    running.dreamt(HOUR // 2)
    assert running.hours() == (Hours(2, 0.5),) * 3


async def test_days_and_months_begin_by_utc(journal: Journal, clock: Clock) -> None:
    running = await loaded(journal, clock)
    for _ in range(30):  # to the third of November, hour by hour, so that each is counted on its day
        for _ in range(24):
            clock.go(HOUR)
            running.hours()
    today, month, total = running.hours()
    assert (round(today.up), round(month.up), round(total.up)) == (13, 2 * 24 + 13, 30 * 24)


async def test_it_goes_on_after_a_restart(journal: Journal, clock: Clock) -> None:
    running = await loaded(journal, clock)
    clock.go(HOUR)
    await running.save()
    clock.go(HOUR)  # the server is down, or was killed before it wrote
    again = await loaded(journal, clock)
    clock.go(HOUR)
    assert again.hours()[2].up == 2


async def test_dreams_that_were_not_counted_are(journal: Journal, clock: Clock) -> None:
    await dream(journal, 1, NOON - 3 * DAY_MS, HOUR)
    await dream(journal, 2, NOON - HOUR, HOUR)
    running = await loaded(journal, clock)
    assert [hours.dreaming for hours in running.hours()] == [1, 2, 2]
    await running.save()
    await dream(journal, 3, NOON - 1, 2 * HOUR)  # recorded, and then the server was killed
    again = await loaded(journal, clock)
    assert [hours.dreaming for hours in again.hours()] == [3, 4, 4]


async def test_a_clock_that_is_set_does_not_change_how_long_it_was_up(journal: Journal, clock: Clock) -> None:
    running = await loaded(journal, clock)
    clock.now += 5 * HOUR
    clock.go(HOUR)
    assert running.hours()[2].up == 1


async def test_what_could_not_be_written_is_written_later(
    journal: Journal, clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    running = await loaded(journal, clock)
    clock.go(HOUR)

    async def fail(work: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as patch:
        patch.setattr(journal, "write", fail)
        await running.try_to_save()
    assert "hours not written" in caplog.text
    await running.save()
    assert (await loaded(journal, clock)).hours()[2].up == 1
