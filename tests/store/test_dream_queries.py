"""The connection that reads the past, whoever gives up waiting for it."""

import asyncio
import sqlite3
import threading
from pathlib import Path

import pytest

from dreamcanvas.store.dream_queries import Reader

FOR_EVER = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


def database(directory: Path) -> Path:
    path = directory / "some.db"
    sqlite3.connect(path).close()
    return path


async def test_it_closes_under_what_is_still_read_though_nobody_waits_for_it(tmp_path: Path) -> None:
    """SQLite freed the statement under the thread: the server ended with a segmentation fault."""
    reader, begun, errors = Reader(database(tmp_path)), asyncio.Event(), list[str]()
    loop = asyncio.get_running_loop()

    def work(connection: sqlite3.Connection) -> None:
        loop.call_soon_threadsafe(begun.set)
        try:
            connection.execute(FOR_EVER).fetchall()
        except sqlite3.Error as error:
            errors.append(str(error))
            raise

    reading = asyncio.ensure_future(reader.read(work))
    await begun.wait()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    await asyncio.sleep(0.1)  # until SQLite is at it
    reader.close()
    assert errors == ["interrupted"]


async def test_who_gives_up_lets_nobody_in_before_the_thread_is_done(tmp_path: Path) -> None:
    reader, begun, go_on = Reader(database(tmp_path)), asyncio.Event(), threading.Event()
    loop, done = asyncio.get_running_loop(), list[int]()

    def slow(_: sqlite3.Connection) -> None:
        loop.call_soon_threadsafe(begun.set)
        go_on.wait(30)
        done.append(1)

    reading = asyncio.ensure_future(reader.read(slow))
    await begun.wait()
    reading.cancel()
    next_ = asyncio.ensure_future(reader.read(lambda _: done.append(2)))
    await asyncio.sleep(0.05)
    go_on.set()
    await next_
    assert done == [1, 2]
    reader.close()
