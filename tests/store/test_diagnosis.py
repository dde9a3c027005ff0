"""What is wrong with a disk, in words."""

import errno
import os
import sqlite3
from pathlib import Path

import pytest

from dreamcanvas.store.diagnosis import explain, is_damage


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "the disk is full: No space left on device"),
        (errno.EROFS, "the disk is read-only: Read-only file system"),
        (errno.EIO, "the disk has input/output errors: Input/output error"),
        (errno.EDQUOT, "the disk's quota is used up: Disk quota exceeded"),
        (errno.ENOTDIR, "the storage fails: Not a directory"),
    ],
)
def test_an_error_of_the_system_in_words(tmp_path: Path, number: int, words: str) -> None:
    assert explain(tmp_path, OSError(number, os.strerror(number))) == words


def caught(*statements: str) -> sqlite3.Error:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        for statement in statements:
            connection.execute(statement)
    except sqlite3.Error as error:
        return error
    finally:
        connection.close()
    raise AssertionError("no error")


def test_errors_of_sqlite_in_words(tmp_path: Path) -> None:
    full = caught("CREATE TABLE t (a)", "PRAGMA max_page_count = 2", "INSERT INTO t VALUES (zeroblob(99999))")
    assert explain(tmp_path, full) == "the disk is full: database or disk is full"
    read_only = caught("CREATE TABLE t (a)", "PRAGMA query_only = 1", "INSERT INTO t VALUES (1)")
    assert explain(tmp_path, read_only).startswith("the disk is read-only: attempt to write")
    assert explain(tmp_path, caught("SELECT")).startswith("the storage fails: ")
    assert list(tmp_path.iterdir()) == []


def test_the_disk_itself_is_asked_where_sqlite_says_little(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    error = caught("SELECT")
    assert explain(tmp_path / "file", error).startswith("the storage fails: ")
    if os.geteuid():
        tmp_path.chmod(0o500)
        assert explain(tmp_path, error).startswith("the data directory may not be written: ")


def test_damage_is_told_from_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "text.db"
    path.write_text("This is not a database, but long enough to be taken for one. " * 99)
    connection = sqlite3.connect(path)
    with pytest.raises(sqlite3.DatabaseError) as raised:
        connection.execute("SELECT * FROM sqlite_schema")
    connection.close()
    assert is_damage(raised.value)
    assert explain(tmp_path, raised.value) == "the database is damaged: file is not a database"
    assert not is_damage(caught("SELECT"))
