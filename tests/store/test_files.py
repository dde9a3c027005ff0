"""Files that survive power cuts. What they survive: tests/faults."""

import errno
import os
from pathlib import Path

import psutil
import pytest

from dreamcanvas.store.files import copy, make_directory, place, write_durably


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_a_file_is_written_whole_in_the_place_of_another(tmp_path: Path) -> None:
    write_durably(tmp_path / "a" / "x.jpg", b"one")
    write_durably(tmp_path / "a" / "x.jpg", b"two")
    assert names(tmp_path / "a") == ["x.jpg"]
    assert (tmp_path / "a" / "x.jpg").read_bytes() == b"two"


def test_a_write_that_fails_leaves_what_was_there_and_nothing_beside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_durably(tmp_path / "x.jpg", b"one")

    def fsync(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(OSError, match="Input/output error"):
        write_durably(tmp_path / "x.jpg", b"two")
    assert names(tmp_path) == ["x.jpg"]
    assert (tmp_path / "x.jpg").read_bytes() == b"one"


def test_directories_are_made_and_may_be_there(tmp_path: Path) -> None:
    make_directory(tmp_path / "a" / "b" / "c")
    make_directory(tmp_path / "a" / "b" / "c")
    assert (tmp_path / "a" / "b" / "c").is_dir()


def test_a_file_is_placed_as_a_link(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"123")
    assert place(tmp_path / "x", tmp_path / "y") == 3
    assert (tmp_path / "y").stat().st_ino == (tmp_path / "x").stat().st_ino


def test_or_as_a_copy_where_links_do_not_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(*_: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", link)
    (tmp_path / "x").write_bytes(b"123")
    assert place(tmp_path / "x", tmp_path / "y") == 3
    assert (tmp_path / "y").read_bytes() == b"123"
    assert (tmp_path / "y").stat().st_ino != (tmp_path / "x").stat().st_ino


@pytest.mark.parametrize("put", [place, copy])
def test_what_is_missing_or_in_the_way_is_an_error(tmp_path: Path, put: object) -> None:
    assert callable(put)
    (tmp_path / "x").write_bytes(b"123")
    (tmp_path / "y").write_bytes(b"other")
    with pytest.raises(FileNotFoundError):
        put(tmp_path / "none", tmp_path / "z")
    with pytest.raises(FileExistsError):
        put(tmp_path / "x", tmp_path / "y")
    assert (tmp_path / "y").read_bytes() == b"other"


def test_the_files_descriptors_are_closed(tmp_path: Path) -> None:
    before = psutil.Process().num_fds()
    for n in range(20):
        write_durably(tmp_path / str(n), b"1")
    assert psutil.Process().num_fds() == before
