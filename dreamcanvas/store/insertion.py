"""What a transaction of the journal writes: operations, what patches took back, who drew."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from dreamcanvas.canvas.model import Dab, Operation, Patch
from dreamcanvas.store.queue import Author, Entry, Receipt

SEEN_MS: Final = 86_400_000  # after which it is written down again that somebody draws
NEWEST: Final = """SELECT max(
    (SELECT coalesce(max(seq), 0) FROM operations), (SELECT coalesce(max(last), 0) FROM archives)
)"""


@dataclass(slots=True)
class Batch:
    """Entries that are committed together at a time, ms since 1970, with what became of each; authors with
    their last call, its operation and its time, where that changes.
    """

    time: int
    entries: list[Entry]
    receipts: list[Receipt]
    authors: dict[int, tuple[Author, int, int, int]]
    size: int = 0  # of patches, bytes


def insert(batch: Batch, connection: sqlite3.Connection) -> None:
    """Writes it. Raises sqlite3.Error."""
    rows = [_row(operation) for receipt in batch.receipts for operation in receipt.operations]
    if rows:
        newest = connection.execute(NEWEST).fetchone()[0]
        if rows[0][0] != newest + 1:  # what is there is not what this process wrote: stop, do not mend
            raise sqlite3.DatabaseError(f"operation {rows[0][0]} would follow operation {newest}")
    connection.executemany("INSERT INTO operations VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    undone = [
        (operation.seq, json.dumps(_spans(operation.mark.took)))
        for receipt in batch.receipts
        for operation in receipt.operations
        if isinstance(operation.mark, Patch) and operation.mark.took
    ]
    if undone:
        connection.executemany("INSERT INTO undone VALUES (?, ?)", undone)
    connection.executemany(
        "INSERT INTO authors (author, session, address, created, token, last_call, last_seq, last_time) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (author) DO UPDATE SET "
        "last_call = excluded.last_call, last_seq = excluded.last_seq, last_time = excluded.last_time",
        [
            (
                *(author.number, author.session, author.address, batch.time, author.token),
                *(last_call, last_seq, last_time),
            )
            for author, last_call, last_seq, last_time in batch.authors.values()
        ],
    )
    connection.executemany(
        "INSERT OR REPLACE INTO seen VALUES (?, ?)",
        [
            (author.number, batch.time)
            for author, *_ in batch.authors.values()
            if author.stored and batch.time - author.seen >= SEEN_MS
        ],
    )


def _spans(numbers: Sequence[int]) -> list[list[int]]:
    """Rising numbers as spans of consecutive ones, first and last."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return spans


def _row(operation: Operation) -> tuple[Any, ...]:
    mark = operation.mark
    head = (operation.seq, operation.time, operation.author, operation.stroke, mark.x, mark.y)
    if isinstance(mark, Dab):
        return (*head, mark.size, mark.color, None)
    return (*head, None, None, mark.image)
