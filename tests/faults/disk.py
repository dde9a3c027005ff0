"""What a power cut may leave of the files under a directory: shim.c's log, and a disk that forgets.

A file keeps what it held when its last sync began, and of each later write any sectors, or nothing; later
writes may be there without earlier ones. A directory keeps its entries as of its own last sync, and any of
the later creations, renames and removals. That is less than ext4 or XFS promise: what survives here survives
there.
"""

import itertools
import os
import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Final

SECTOR: Final = 512
_HEADER: Final = struct.Struct("=IIIiQQQ")


class Kind(IntEnum):
    """What a line of the log is about, as in shim.c."""

    CREATE = 1
    WRITE = 2
    TRUNCATE = 3
    RENAME = 4
    LINK = 5
    UNLINK = 6
    MKDIR = 7
    RMDIR = 8
    SYNC_BEGIN = 9
    SYNC_END = 10


@dataclass(frozen=True, slots=True)
class Change:
    """A line of the log.

    `offset` is also a new length, or the thread of a sync; `result` of a sync's begin is whether it is of a
    directory.
    """

    kind: int
    path: str
    other: str
    result: int
    inode: int
    offset: int
    data: bytes


def read_log(path: Path) -> Iterator[Change]:
    """The lines of a log. A last one that is cut off has not happened."""
    log = path.read_bytes() if path.exists() else b""
    at = 0
    while at + _HEADER.size <= len(log):
        kind, path_length, other_length, result, inode, offset, length = _HEADER.unpack_from(log, at)
        at += _HEADER.size
        length = length if kind == Kind.WRITE else 0
        if at + path_length + other_length + length > len(log):
            return
        name = os.fsdecode(log[at : at + path_length])
        other = os.fsdecode(log[at + path_length : at + path_length + other_length])
        at += path_length + other_length
        yield Change(kind, name, other, result, inode, offset, log[at : at + length])
        at += length


@dataclass(slots=True)
class File:
    """What is durable, and what was done since: (number, offset, data), where no data is a new length."""

    durable: bytearray = field(default_factory=bytearray)
    later: list[tuple[int, int, bytes | None]] = field(default_factory=list)

    def sync(self, until: int) -> None:
        """Makes durable what has a number up to `until`."""
        for _, offset, data in (one for one in self.later if one[0] <= until):
            _apply(self.durable, offset, data)
        self.later = [one for one in self.later if one[0] > until]

    def left(self, rng: random.Random, keep: float) -> bytes:
        """The content after a cut."""
        content = bytearray(self.durable)
        for _, offset, data in self.later:
            if rng.random() >= keep:
                continue
            if data is None or keep >= 1 or rng.random() < 0.7:
                _apply(content, offset, data)
                continue
            end = offset + len(data)
            cuts = [offset, *range(offset - offset % SECTOR + SECTOR, end, SECTOR), end]
            for start, stop in itertools.pairwise(cuts):
                if rng.random() < 0.5:
                    _apply(content, start, data[start - offset : stop - offset])
        return bytes(content)


def _apply(content: bytearray, offset: int, data: bytes | None) -> None:
    end = offset + len(data or b"")
    if len(content) < end:
        content.extend(bytes(end - len(content)))
    if data is None:
        del content[offset:]
    else:
        content[offset:end] = data


@dataclass(slots=True)
class Directory:
    """Its durable entries, and what was done since: (number, [(name, what it is now, or None)])."""

    durable: "dict[str, File | Directory]" = field(default_factory=dict)
    later: "list[tuple[int, list[tuple[str, File | Directory | None]]]]" = field(default_factory=list)

    def sync(self, until: int) -> None:
        """Makes durable what has a number up to `until`."""
        self.durable = self._entries([one for one in self.later if one[0] <= until])
        self.later = [one for one in self.later if one[0] > until]

    def now(self) -> "dict[str, File | Directory]":
        """The entries as programs see them."""
        return self._entries(self.later)

    def left(self, rng: random.Random, keep: float) -> "dict[str, File | Directory]":
        """The entries after a cut."""
        return self._entries([one for one in self.later if rng.random() < keep])

    def _entries(
        self, changes: "list[tuple[int, list[tuple[str, File | Directory | None]]]]"
    ) -> "dict[str, File | Directory]":
        entries = dict(self.durable)
        for _, names in changes:
            for name, what in names:
                if what is None:
                    entries.pop(name, None)
                else:
                    entries[name] = what
        return entries


class Disk:
    """A directory, from what is in it now on."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._files: dict[int, File] = {}
        self._top = self._load(root)
        self._number = 0
        self._syncing: dict[int, tuple[int, File | Directory]] = {}
        self.syncs = 0

    def _load(self, path: Path) -> Directory:
        directory = Directory()
        for entry in os.scandir(path):
            if entry.is_dir():
                directory.durable[entry.name] = self._load(Path(entry.path))
            else:
                file = self._files.setdefault(entry.inode(), File())
                file.durable = bytearray(Path(entry.path).read_bytes())
                directory.durable[entry.name] = file
        return directory

    def replay(self, log: Path) -> None:
        """Lets happen what a log tells."""
        for change in read_log(log):
            self._number += 1
            self._happen(change)

    def _happen(self, change: Change) -> None:
        match change.kind:
            case Kind.CREATE:
                self._files[change.inode] = File()
                self._rename([(change.path, self._files[change.inode])])
            case Kind.WRITE:
                self._files[change.inode].later.append((self._number, change.offset, change.data))
            case Kind.TRUNCATE:
                self._files[change.inode].later.append((self._number, change.offset, None))
            case Kind.RENAME:
                self._rename([(change.path, None), (change.other, self._find(change.path))])
            case Kind.LINK:
                self._rename([(change.other, self._find(change.path))])
            case Kind.UNLINK | Kind.RMDIR:
                self._rename([(change.path, None)])
            case Kind.MKDIR:
                self._rename([(change.path, Directory())])
            case Kind.SYNC_BEGIN:
                what = self._directory(change.path) if change.result else self._files[change.inode]
                self._syncing[change.offset] = self._number, what
            case Kind.SYNC_END:
                began, what = self._syncing.pop(change.offset)
                if change.result == 0:
                    self.syncs += 1
                    what.sync(began)

    def _parts(self, path: str) -> tuple[str, ...]:
        return Path(path).relative_to(self._root).parts

    def _directory(self, path: str) -> Directory:
        found = self._find(path)
        assert isinstance(found, Directory), path
        return found

    def _find(self, path: str) -> File | Directory:
        found: File | Directory = self._top
        for part in self._parts(path):
            assert isinstance(found, Directory), path
            found = found.now()[part]
        return found

    def _rename(self, changes: list[tuple[str, File | Directory | None]]) -> None:
        """A change of entries. In two directories, each may keep its half or not."""
        parents: dict[str, list[tuple[str, File | Directory | None]]] = {}
        for path, what in changes:
            parent, _, name = path.rpartition("/")
            parents.setdefault(parent, []).append((name, what))
        for parent, names in parents.items():
            self._directory(parent).later.append((self._number, names))

    def contents(self) -> dict[str, bytes]:
        """Every file as programs see it, by its path below the root: what the real directory must hold."""
        return dict(self._left(self._top, "", random.Random(0), 1))

    def cut(self, rng: random.Random) -> dict[str, bytes]:
        """Every file that a power cut now may leave. How much of what was not synced is left varies."""
        return dict(self._left(self._top, "", rng, rng.choice([0, 0.1, 0.5, 0.9, 1, rng.random()])))

    def _left(
        self, directory: Directory, path: str, rng: random.Random, keep: float
    ) -> Iterator[tuple[str, bytes]]:
        for name, what in sorted(directory.left(rng, keep).items()):
            if isinstance(what, File):
                yield path + name, what.left(rng, keep)
            else:
                yield from self._left(what, f"{path}{name}/", rng, keep)
