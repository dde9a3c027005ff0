"""Connections that only read."""

import contextlib
import sqlite3
from pathlib import Path

import pytest

from dreamcanvas.store import read_only, schema
from dreamcanvas.store.file_state import FileState


def test_it_sees_what_is_there_and_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a ?#%.db"  # a URI's own characters
    with contextlib.closing(schema.connect(path)) as writer:
        writer.execute("INSERT INTO archives VALUES (1, 2, 3, 4, 5, '', :state)", {"state": FileState.MARKED})
        with contextlib.closing(read_only.connect(path)) as reader:
            assert reader.execute("SELECT file FROM archives").fetchall() == [(1,)]
            with pytest.raises(sqlite3.OperationalError, match="readonly"):
                reader.execute("DELETE FROM archives")


def test_what_is_missing_stays_so(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError):
        read_only.connect(tmp_path / "none.db")
    assert list(tmp_path.iterdir()) == []


def test_the_numbers_of_states_are_those_in_databases() -> None:
    assert {state.name: int(state) for state in FileState} == {
        "THERE": 0,
        "MARKED": 1,
        "GONE": 2,
        "WAITING": 3,
    }
