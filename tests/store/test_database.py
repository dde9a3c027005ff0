"""The thread that writes: transactions, faults and checkpoints. Disks that fail: tests/faults."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dreamcanvas.store import database as module
from dreamcanvas.store.database import CHECKPOINT_TRANSACTIONS, Database


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(tmp_path / "test.db")
    yield database
    database.close()


async def insert(database: Database, *dreams: int, size: int = 1) -> None:
    def work(connection: sqlite3.Connection) -> None:
        for dream in dreams:
            row = (dream, "x" * size)
            connection.execute("INSERT INTO dreams VALUES (?, 0, 0, ?, '', '', 0, 0, 0, 0, NULL)", row)

    await database.write(work)


def dreams(database: Database) -> list[int]:
    return [row[0] for row in database.reader.execute("SELECT dream FROM dreams ORDER BY dream")]


async def set_pages(database: Database, count: int) -> None:
    """Lets the database have so many pages at most: a real SQLITE_FULL."""
    await database.run(lambda connection: connection.execute(f"PRAGMA max_page_count = {count}").fetchone())


async def works(database: Database) -> None:
    async with asyncio.timeout(20):
        while database.failing is not None:  # noqa: ASYNC110 - nobody writes: it finds out by itself
            await asyncio.sleep(0.01)


async def test_a_transaction_is_done_whole_or_not_at_all(database: Database) -> None:
    await insert(database, 1)
    with pytest.raises(sqlite3.IntegrityError):
        await insert(database, 2, 3, 1)
    assert dreams(database) == [1]
    await insert(database, 2)
    assert dreams(database) == [1, 2]


async def test_what_was_asked_wrongly_is_no_fault_of_the_disk(database: Database) -> None:
    await insert(database, 1)
    with pytest.raises(sqlite3.IntegrityError):
        await insert(database, 1)
    with pytest.raises(ZeroDivisionError):
        await database.write(lambda _: 1 // 0)
    assert database.failing is None
    await insert(database, 2)


async def test_a_fault_is_told_until_writing_works_again(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.01)
    await set_pages(database, 1)
    with pytest.raises(sqlite3.OperationalError):
        await insert(database, 1, size=100_000)
    assert database.failing == "the disk is full: database or disk is full"
    await set_pages(database, 10**6)
    await works(database)
    assert [record.message for record in caplog.records] == ["storage fails", "storage works again"]
    await insert(database, 1)


async def test_a_database_that_fails_can_be_closed(tmp_path: Path) -> None:
    database = Database(tmp_path / "test.db")
    await set_pages(database, 1)
    with pytest.raises(sqlite3.OperationalError):
        await insert(database, 1, size=100_000)
    database.close()
    await asyncio.sleep(0)


async def test_the_log_is_brought_into_the_database_and_does_not_grow(
    database: Database, tmp_path: Path
) -> None:
    path = tmp_path / "test.db-wal"
    sizes = []
    for turn in range(5):
        for n in range(CHECKPOINT_TRANSACTIONS):
            await insert(database, turn * CHECKPOINT_TRANSACTIONS + n)
        await database.run(lambda _: None)
        sizes.append(path.stat().st_size)
    assert sizes[4] < 1.5 * sizes[0]
