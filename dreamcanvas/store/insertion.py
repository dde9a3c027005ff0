"""Write a transaction of the journal: operations, what patches took back, who drew."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from dreamcanvas.canvas.model import Dab, Operation, Patch
from dreamcanvas.store.queue import Author, Entry, Receipt

SEEN_MS: Final = 86_400_000  # how often it is written down that an author draws: once a day
NEWEST: Final = """SELECT max(
    (SELECT coalesce(max(seq), 0) FROM operations), (SELECT coalesce(max(last), 0) FROM archives)
)"""

_OPERATION: Final = (
    "INSERT INTO operations VALUES (:seq, :time, :author, :stroke, :x, :y, :size, :color, :patch)"
)


@dataclass(slots=True)
class Batch:
    """Entries that are committed together, with the result of each. The time is in ms since 1970.

    `authors` holds those whose last call changes, with that call, its operation and its time.
    """

    time: int
    entries: list[Entry]
    receipts: list[Receipt]
    authors: dict[int, tuple[Author, int, int, int]]
    size: int = 0  # bytes of all patches


def insert(batch: Batch, connection: sqlite3.Connection) -> None:
    """Write a batch, within a transaction. Raises sqlite3.Error."""
    rows = [_row(operation) for receipt in batch.receipts for operation in receipt.operations]
    if rows:
        newest = connection.execute(NEWEST).fetchone()[0]
        if rows[0]["seq"] != newest + 1:  # another program wrote there: stop, do not repair
            raise sqlite3.DatabaseError(f"operation {rows[0]['seq']} would follow operation {newest}")
    connection.executemany(_OPERATION, rows)
    undone = [
        {"seq": operation.seq, "dabs": json.dumps(_spans(operation.mark.took))}
        for receipt in batch.receipts
        for operation in receipt.operations
        if isinstance(operation.mark, Patch) and operation.mark.took
    ]
    if undone:
        connection.executemany("INSERT INTO undone VALUES (:seq, :dabs)", undone)
    _insert_authors(batch, connection)


def _insert_authors(batch: Batch, connection: sqlite3.Connection) -> None:
    connection.executemany(
        "INSERT INTO authors (author, session, address, created, token, last_call, last_seq, last_time) "
        "VALUES (:author, :session, :address, :created, :token, :last_call, :last_seq, :last_time) "
        "ON CONFLICT (author) DO UPDATE SET "
        "last_call = excluded.last_call, last_seq = excluded.last_seq, last_time = excluded.last_time",
        [
            {
                "author": author.number,
                "session": author.session,
                "address": author.address,
                "created": batch.time,
                "token": author.token,
                "last_call": last_call,
                "last_seq": last_seq,
                "last_time": last_time,
            }
            for author, last_call, last_seq, last_time in batch.authors.values()
        ],
    )
    connection.executemany(
        "INSERT OR REPLACE INTO seen VALUES (:author, :time)",
        [
            {"author": author.number, "time": batch.time}
            for author, *_ in batch.authors.values()
            if author.stored and batch.time - author.seen >= SEEN_MS
        ],
    )


def _spans(numbers: Sequence[int]) -> list[list[int]]:
    """Return rising numbers as spans of consecutive ones, each as [first, last]."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return spans


def _row(operation: Operation) -> dict[str, Any]:
    mark = operation.mark
    size, color, patch = (mark.size, mark.color, None) if isinstance(mark, Dab) else (None, None, mark.image)
    return {
        "seq": operation.seq,
        "time": operation.time,
        "author": operation.author,
        "stroke": operation.stroke,
        "x": mark.x,
        "y": mark.y,
        "size": size,
        "color": color,
        "patch": patch,
    }
