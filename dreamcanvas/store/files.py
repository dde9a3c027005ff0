"""Write files that survive power cuts: the file is synced, then its entry in its directory."""

import contextlib
import hashlib
import os
import shutil
from pathlib import Path


def sync_directory(directory: Path) -> None:
    """Make the entries of a directory durable. Raises OSError."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file(path: Path) -> None:
    """Make the contents of a file durable. Raises OSError."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def make_directory(directory: Path) -> None:
    """Make a directory and those above it, durably. Raises OSError."""
    missing = [path for path in (directory, *directory.parents) if not path.exists()]
    directory.mkdir(parents=True, exist_ok=True)
    for path in reversed(missing):
        sync_directory(path.parent)


def write_durably(path: Path, data: bytes) -> None:
    """Write a file so that after a power cut all of it is there, or nothing.

    Raises OSError; then the path is as it was before.
    """
    make_directory(path.parent)
    partial = path.with_suffix(".partial")
    try:
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise
    sync_directory(path.parent)


def digest(path: Path) -> bytes:
    """Return the SHA-256 of a file. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def move_durably(source: Path, target: Path) -> int:
    """Move a file within a file system, and return its length.

    After a power cut the target is there whole, or not at all. Raises OSError.
    """
    sync_file(source)
    make_directory(target.parent)
    source.replace(target)
    sync_directory(target.parent)
    return target.stat().st_size


def place(source: Path, target: Path) -> int:
    """Link or copy a file that never changes, and return its length.

    It is durable once its directory is synced. Raises OSError.
    """
    try:
        os.link(source, target)
    except FileExistsError:
        raise
    except OSError:  # another file system, or one without hard links
        if not source.exists():
            raise
        copy(source, target)
    return target.stat().st_size


def copy(source: Path, target: Path) -> None:
    """Copy a file and sync the copy. Raises OSError."""
    with source.open("rb") as reader, target.open("xb") as writer:
        shutil.copyfileobj(reader, writer, 1 << 20)
        writer.flush()
        os.fsync(writer.fileno())
