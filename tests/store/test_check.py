"""What is found before a server goes on with a database."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from dreamcanvas.errors import StoreError
from dreamcanvas.store import check as module
from dreamcanvas.store.database import Database


def fill(path: Path, operations: int = 3000) -> None:
    """A database of some pages, at rest."""
    database = Database(path)
    database.close()
    connection = sqlite3.connect(path)
    rows = [(seq,) for seq in range(1, operations + 1)]
    connection.executemany("INSERT INTO operations VALUES (?, 1, 1, 0, 5, 5, 20, 255, NULL)", rows)
    connection.commit()
    connection.close()
    assert path.stat().st_size > 20 * 4096


def harm_last_page(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(-4096, 2)
        file.write(b"\xa5" * 4096)


def harm_first_page(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"\xa5" * 4096)


def harm_length(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 8192)


def harm_rows(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("DELETE FROM operations WHERE seq BETWEEN 1000 AND 1009")
    connection.commit()
    connection.close()


def remove_keeping_frames(path: Path) -> None:
    path.unlink()
    (path.parent / "frames" / "000000").mkdir(parents=True)


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (harm_last_page, "the database is damaged"),
        (harm_first_page, "the database is damaged"),
        (harm_length, "the database is damaged"),
        (harm_rows, "10 operations between 1 and 3000 are missing"),
        (remove_keeping_frames, "is missing, but there is"),
    ],
)
def test_a_damaged_database_is_refused_and_left_alone(
    tmp_path: Path, harm: Callable[[Path], None], sentence: str
) -> None:
    path = tmp_path / "dreamcanvas.db"
    fill(path)
    harm(path)
    before = path.read_bytes() if path.exists() else None
    with pytest.raises(StoreError, match=sentence) as caught:
        Database(path)
    assert str(path) in str(caught.value)
    assert "restore a backup" in str(caught.value)
    assert (path.read_bytes() if path.exists() else None) == before


def test_an_archived_past_is_no_gap(tmp_path: Path) -> None:
    path = tmp_path / "dreamcanvas.db"
    fill(path)
    connection = sqlite3.connect(path)
    connection.execute("DELETE FROM operations WHERE seq <= 1000")
    connection.execute("INSERT INTO archives VALUES (1, 1000, 1, 1, 5, '', 2)")
    connection.commit()
    connection.close()
    Database(path).close()


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("DELETE FROM operations WHERE seq <= 1000", "operations 1 to 1000 are missing"),
        (
            "INSERT INTO dreams VALUES (1, 3007, 5, '', '', '', 1, 0, 1, 0, NULL)",
            "operations 3001 to 3007, which were dreamt, are missing",
        ),
    ],
)
def test_what_is_missing_at_an_end_is_found_without_reading_all(
    tmp_path: Path, statement: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WHOLE_BYTES", 0)
    path = tmp_path / "dreamcanvas.db"
    fill(path)
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()
    with pytest.raises(StoreError, match=sentence):
        Database(path)


def test_an_empty_file_is_a_new_database_where_nothing_was_kept(tmp_path: Path) -> None:
    (tmp_path / "dreamcanvas.db").write_bytes(b"")
    (tmp_path / "frames").mkdir()
    Database(tmp_path / "dreamcanvas.db").close()
