"""Old operations, moved out of the database into files, so that the database stays small for years.

A file `archive/FIRST.jsonl.gz` holds consecutive operations and never changes. It is gzip of lines of JSON:
an object, `{"format": "dreamcanvas operations 1", "first": 1, "last": 20000, "fields": ["seq", …]}`, then for
each operation an array with a value for each field, which are the database's columns; a patch is base64. Gzip
holds a checksum of the lines, the database's table `archives` one of the file (SHA-256).

The file is durable before its row is committed; only after that the operations are deleted from the
database. If a crash comes between, operations are in both: they are read from the file, and the next move
deletes them from the database.
"""

import asyncio
import base64
import gzip
import hashlib
import json
import logging
import sqlite3
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from dreamcanvas.canvas.model import Dab, Operation, Patch
from dreamcanvas.errors import StoreError
from dreamcanvas.store.database import Database
from dreamcanvas.store.file_state import FileState
from dreamcanvas.store.files import write_durably

log = logging.getLogger(__name__)

FORMAT: Final = "dreamcanvas operations 1"
FIELDS: Final = ("seq", "time", "author", "stroke", "x", "y", "size", "color", "patch")
COLUMNS: Final = ", ".join(FIELDS)
FILE_OPERATIONS: Final = 20_000
FILE_PATCH_BYTES: Final = 16 * 2**20
LARGEST: Final = 2**63 - 1  # SQLite's largest integer
SLICE: Final = 2_000  # rows that are read or deleted at a time: a few milliseconds of the journal's thread

Row = tuple[Any, ...]


def archive_path(directory: Path, first: int) -> Path:
    """Return the path of the file that begins with the operation `first`."""
    return directory / f"{first:012d}.jsonl.gz"


def to_operation(row: Row) -> Operation:
    """Return the operation of a table's row, or of a file's row whose patch was decoded."""
    seq, time, author, stroke, x, y, size, color, patch = row
    return Operation(
        seq, time, author, stroke, Patch(x, y, patch) if patch is not None else Dab(x, y, size, color)
    )


def encode(rows: list[Row]) -> bytes:
    """Return the bytes of a file with these rows. The same rows give the same bytes."""
    header = {"format": FORMAT, "first": rows[0][0], "last": rows[-1][0], "fields": FIELDS}
    lines = [json.dumps(header)]
    for row in rows:
        patch = None if row[-1] is None else base64.b64encode(row[-1]).decode()
        lines.append(json.dumps([*row[:-1], patch], separators=(",", ":")))
    return gzip.compress("\n".join([*lines, ""]).encode(), 6, mtime=0)


def decode(data: bytes) -> list[Row]:
    """Return the rows in a file's bytes. Raises ValueError where it is damaged."""
    try:
        header, *lines = gzip.decompress(data).decode().splitlines()
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"not a whole gzip file: {error}") from error
    known = json.loads(header)
    if known["format"] != FORMAT:
        raise ValueError(f"format {known['format']!r} is unknown")
    rows = [json.loads(line) for line in lines]
    if [row[0] for row in rows] != list(range(known["first"], known["last"] + 1)):
        raise ValueError(f"it does not hold the operations {known['first']} to {known['last']}")
    return [(*row[:-1], None if row[-1] is None else base64.b64decode(row[-1])) for row in rows]


class ArchiveError(StoreError):
    """A file of archived operations is missing or damaged; `why` says how, without the path."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path} is damaged: {why}")
        self.why = why


@dataclass(frozen=True, slots=True)
class ArchiveFile:
    """An archive file as the database knows it: first operation, checksum, and whether it is there."""

    first: int
    sha256: str
    state: FileState

    def read(self, directory: Path) -> list[Row]:
        """Return its rows. Raises ArchiveError where it is missing or damaged."""
        path = archive_path(directory, self.first)
        try:
            data = path.read_bytes()
            if hashlib.sha256(data).hexdigest() != self.sha256:
                raise ValueError("its checksum is wrong")
            return decode(data)
        except (OSError, ValueError) as error:
            raise ArchiveError(path, str(error)) from error


def archive_files(connection: sqlite3.Connection, after: int, until: int) -> list[ArchiveFile]:
    """Return the files with operations after `after` up to `until`, in order, also those that are gone."""
    rows = connection.execute(
        "SELECT first, sha256, file FROM archives WHERE last > :after AND first <= :until ORDER BY first",
        {"after": after, "until": until},
    ).fetchall()
    return [ArchiveFile(first, sha256, FileState(file)) for first, sha256, file in rows]


class Archive:
    """The archive files in `directory`; it moves operations into them."""

    def __init__(self, directory: Path, database: Database) -> None:
        self.directory = directory
        self._database = database

    @property
    def last(self) -> int:
        """Return the last operation that was moved; 0 where there is none."""
        return int(self._database.reader.execute("SELECT coalesce(max(last), 0) FROM archives").fetchone()[0])

    def operations(self, after: int) -> Iterator[Operation]:
        """Return the moved operations after a number, in order, from the files that are kept.

        Raises StoreError where one is missing or damaged.
        """
        for file in archive_files(self._database.reader, after, LARGEST):
            if file.state is FileState.THERE:
                yield from (to_operation(row) for row in file.read(self.directory) if row[0] > after)

    async def move(
        self, *, until: int, before: int, overdue: int, file_operations: int = FILE_OPERATIONS
    ) -> int:
        """Move the oldest operations up to number `until` and older than `before` into a file.

        A file is made when enough operations wait to fill it, or when the oldest of them is older than
        `overdue`. Times are in ms since 1970. Returns how many operations were moved; 0 where there
        was nothing to do. Raises OSError, sqlite3.Error.
        """
        await self._delete_moved()
        rows = await self._rows(until, before, file_operations)
        full = len(rows) >= file_operations or sum(len(row[-1] or b"") for row in rows) >= FILE_PATCH_BYTES
        if not rows or not (full or rows[0][1] < overdue):
            return 0
        data = await asyncio.to_thread(encode, rows)
        first, last = rows[0], rows[-1]
        await asyncio.to_thread(write_durably, archive_path(self.directory, first[0]), data)
        record = {
            "first": first[0],
            "last": last[0],
            "first_time": first[1],
            "last_time": last[1],
            "bytes": len(data),
            "sha256": hashlib.sha256(data).hexdigest(),
            "file": FileState.THERE,
        }
        await self._database.write(
            lambda connection: connection.execute(
                "INSERT INTO archives VALUES "
                "(:first, :last, :first_time, :last_time, :bytes, :sha256, :file)",
                record,
            )
        )
        await self._delete_moved()
        log.info("operations archived", extra={"first": first[0], "last": last[0], "bytes": len(data)})
        return len(rows)

    async def _rows(self, until: int, before: int, limit: int) -> list[Row]:
        rows: list[Row] = []
        query = (
            f"SELECT {COLUMNS} FROM operations WHERE seq > :after AND seq <= :until ORDER BY seq LIMIT :limit"
        )
        after, patches = self.last, 0
        while len(rows) < limit and patches < FILE_PATCH_BYTES:
            values = {"after": after, "until": until, "limit": min(SLICE, limit - len(rows))}
            found = await self._database.run(
                lambda connection, values=values: connection.execute(query, values).fetchall()  # type: ignore[misc]
            )
            young = next((index for index, row in enumerate(found) if row[1] >= before), len(found))
            rows += found[:young]
            if young < len(found) or not found:
                break
            after = rows[-1][0]
            patches += sum(len(row[-1] or b"") for row in found)
        return rows

    async def _delete_moved(self) -> None:
        """Delete operations that are in files from the database, a slice at a time."""
        last = self.last

        def delete(connection: sqlite3.Connection) -> int:
            oldest = connection.execute("SELECT min(seq) FROM operations").fetchone()[0]
            if oldest is None or oldest > last:
                return 0
            end = min(last, oldest + SLICE - 1)
            connection.execute("DELETE FROM undone WHERE seq <= :end", {"end": end})
            return connection.execute("DELETE FROM operations WHERE seq <= :end", {"end": end}).rowcount

        while await self._database.write(delete):
            pass
