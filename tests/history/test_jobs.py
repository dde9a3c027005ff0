"""When movies are made."""

import asyncio
import sqlite3
from collections.abc import Callable
from datetime import UTC

import pytest

from dreamcanvas.history.jobs import Jobs


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.01)


async def test_it_looks_at_the_start_and_after_each_window_and_never_twice_at_once() -> None:
    looks, days, at_once = 0, 0, 0

    async def look() -> None:
        nonlocal looks, at_once
        at_once += 1
        assert at_once == 1
        looks += 1
        await asyncio.sleep(0.25)  # longer than a window
        at_once -= 1

    async def daily() -> None:
        nonlocal days
        days += 1

    task = asyncio.create_task(Jobs(look, daily, window=0.1, zone=UTC).run())
    await until(lambda: looks >= 3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert days == 1


async def test_what_fails_is_logged_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    looks = 0

    async def look() -> None:
        nonlocal looks
        looks += 1
        if looks == 1:
            raise sqlite3.OperationalError("disk I/O error")

    async def daily() -> None:
        raise OSError(28, "No space left on device")

    task = asyncio.create_task(Jobs(look, daily, window=0.1, zone=UTC).run())
    await until(lambda: looks >= 2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == [
        "history failed"
    ] * 2
