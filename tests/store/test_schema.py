"""The database's versions, and the lock on its directory."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from dreamcanvas.canvas.model import Patch
from dreamcanvas.errors import StoreError
from dreamcanvas.store import schema
from dreamcanvas.store.journal import Journal

TABLES = {
    *("authors", "operations", "dreams", "archives", "windows", "days"),
    *("tokens", "bans", "acts", "settings", "running"),
    *("checkpoints", "undone", "digests", "seen"),
}


def tables(connection: sqlite3.Connection) -> set[str]:
    return {row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}


def test_a_new_file_gets_the_newest_schema(tmp_path: Path) -> None:
    connection = schema.connect(tmp_path / "new.db")
    assert tables(connection) == TABLES
    assert connection.execute("PRAGMA user_version").fetchone() == (len(schema.MIGRATIONS),)
    connection.close()


def test_a_commit_is_durable_when_it_returns(tmp_path: Path) -> None:
    connection = schema.connect(tmp_path / "new.db")
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
    connection.close()


def test_what_is_in_it_is_there_when_it_is_opened_again(tmp_path: Path) -> None:
    first = schema.connect(tmp_path / "old.db")
    first.execute("INSERT INTO operations VALUES (1, 2, 3, 4, 5, 6, 7, 8, NULL)")
    first.close()
    second = schema.connect(tmp_path / "old.db")
    assert second.execute("SELECT * FROM operations").fetchall() == [(1, 2, 3, 4, 5, 6, 7, 8, None)]
    second.close()


def test_an_older_file_is_migrated_and_keeps_what_is_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = schema.connect(tmp_path / "old.db")
    old.execute("INSERT INTO operations VALUES (1, 2, 3, 4, 5, 6, 7, 8, NULL)")
    old.close()
    newer = "ALTER TABLE operations ADD COLUMN weight INTEGER; CREATE TABLE sheep (address TEXT) STRICT;"
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, newer))
    new = schema.connect(tmp_path / "old.db")
    assert new.execute("SELECT seq, weight FROM operations").fetchall() == [(1, None)]
    assert "sheep" in tables(new)
    assert new.execute("PRAGMA user_version").fetchone() == (len(schema.MIGRATIONS),)
    new.close()


def test_a_database_of_version_1_is_migrated_with_all_that_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "dreamcanvas.db"
    old = sqlite3.connect(path)
    old.executescript(Path(__file__).with_name("version_1.sql").read_text())
    assert old.execute("PRAGMA user_version").fetchone() == (1,)
    kept = {
        table: old.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()
        for table in ("authors", "operations", "dreams")
    }
    old.close()
    assert [len(rows) for rows in kept.values()] == [2, 9, 2]

    journal = Journal(path, clock=lambda: 0)
    operations = list(journal.operations(0))
    assert [operation.seq for operation in operations] == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert isinstance(operations[-1].mark, Patch)
    author = journal.session(bytes(range(16)), "")
    assert (author.number, author.last_call, author.last_seq) == (1, 3, 6)
    journal.close()

    new = sqlite3.connect(path)
    assert new.execute("PRAGMA user_version").fetchone() == (len(schema.MIGRATIONS),)
    assert {table: new.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall() for table in kept} == {
        **kept,
        "authors": [(*row, None) for row in kept["authors"]],
        "dreams": [(*row, 0, None) for row in kept["dreams"]],
    }
    new.close()


def test_a_database_of_version_4_is_migrated_with_all_that_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "dreamcanvas.db"
    old = sqlite3.connect(path)
    old.executescript(Path(__file__).with_name("version_4.sql").read_text())
    names = tables(old)
    kept = {table: old.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall() for table in names}
    assert [len(kept[table]) for table in ("authors", "operations", "dreams")] == [3, 6, 2]
    old.close()

    journal = Journal(path, clock=lambda: 0)
    assert [operation.seq for operation in journal.operations(0)] == [1, 2, 3, 4, 5, 6]
    author = journal.session(bytes(range(16)), "")
    assert (author.number, author.last_call, author.last_seq) == (1, 3, 5)
    assert journal.anonymous("here").number > 3
    journal.close()
    assert path.stat().st_mode & 0o777 == 0o600

    new = sqlite3.connect(path)
    assert new.execute("PRAGMA user_version").fetchone() == (len(schema.MIGRATIONS),)
    for table in names - {"settings"}:
        assert new.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall() == kept[table]
    new.close()


def test_a_migration_that_fails_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = schema.MIGRATIONS
    schema.connect(tmp_path / "old.db").close()
    monkeypatch.setattr(schema, "MIGRATIONS", (*released, "CREATE TABLE twice (a) ; CREATE TABLE twice (a);"))
    with pytest.raises(StoreError, match="twice"):
        schema.connect(tmp_path / "old.db")
    monkeypatch.setattr(schema, "MIGRATIONS", released)
    again = schema.connect(tmp_path / "old.db")
    assert tables(again) == TABLES
    again.close()


def test_a_file_of_a_newer_version_is_refused_and_untouched(tmp_path: Path) -> None:
    path = tmp_path / "newer.db"
    newer = sqlite3.connect(path)
    newer.execute("PRAGMA user_version = 99")
    newer.close()
    with pytest.raises(StoreError, match=rf"schema version 99.*up to {len(schema.MIGRATIONS)}"):
        schema.connect(path)
    again = sqlite3.connect(path)
    assert tables(again) == set()
    again.close()


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text(
        "This is not a database, but it is long enough to be taken for one. " * 99
    )
    with pytest.raises(StoreError, match=r"text\.db: file is not a database"):
        schema.connect(tmp_path / "text.db")


def test_a_missing_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="unable to open"):
        schema.connect(tmp_path / "none" / "x.db")


# The lock


def test_the_lock_makes_the_directory(tmp_path: Path) -> None:
    lock = schema.DirectoryLock(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b" / "lock").read_text() == f"{os.getpid()}\n"
    lock.release()


def test_a_second_lock_is_refused_and_names_the_process(tmp_path: Path) -> None:
    lock = schema.DirectoryLock(tmp_path)
    with pytest.raises(StoreError, match=rf"in use by another server \(process {os.getpid()}\)"):
        schema.DirectoryLock(tmp_path)
    lock.release()
    schema.DirectoryLock(tmp_path).release()


def test_a_killed_process_leaves_no_lock(tmp_path: Path) -> None:
    code = (
        "import sys, time, pathlib; from dreamcanvas.store.schema import DirectoryLock; "
        "lock = DirectoryLock(pathlib.Path(sys.argv[1])); print('locked', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"locked\n"
        with pytest.raises(StoreError, match=f"process {holder.pid}"):
            schema.DirectoryLock(tmp_path)
        holder.kill()
        holder.wait()
    schema.DirectoryLock(tmp_path).release()


def test_a_directory_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="file"):
        schema.DirectoryLock(tmp_path / "file" / "data")
