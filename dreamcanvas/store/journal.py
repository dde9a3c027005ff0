"""The operations, durably: many callers, one thread, one transaction for all that waits (group commit).

Numbers are given when a transaction begins, by the only one that gives them, so that a transaction that fails
leaves no gap: its callers are told, and the next one starts from the same number.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar
from weakref import WeakValueDictionary

from dreamcanvas.canvas import Dab, Operation
from dreamcanvas.errors import Unavailable
from dreamcanvas.store.archive import COLUMNS, Archive, to_operation
from dreamcanvas.store.database import Database
from dreamcanvas.store.queue import Author, Entry, Late, Queue, Receipt

__all__ = ["Author", "Entry", "Journal", "Late", "Receipt"]

log = logging.getLogger(__name__)
T = TypeVar("T")

RETRY_AFTER_MS: Final = 1000
NEWEST: Final = """SELECT max(
    (SELECT coalesce(max(seq), 0) FROM operations), (SELECT coalesce(max(last), 0) FROM archives)
)"""


@dataclass(slots=True)
class _Batch:
    time: int
    entries: list[Entry]
    receipts: list[Receipt]
    authors: dict[int, tuple[Author, int, int, int]]


class Journal:
    """Appends to the database.

    `applied` is called, in order, with the operations of each transaction when it is done, before its callers
    hear of it; `committed` with its seconds and how many entries it held. `ready` is awaited before each.
    """

    def __init__(self, path: Path, *, clock: Callable[[], int]) -> None:
        self._clock = clock
        self.applied: Callable[[list[tuple[Entry, Receipt]]], None] = lambda _: None
        self.ready: Callable[[], Awaitable[None]] = _at_once
        self.committed: Callable[[float, int], None] = lambda _seconds, _entries: None
        self.path = path
        self._database = Database(path)
        self.archive = Archive(path.parent / "archive", self._database)
        self._queue = Queue()
        self._committing: asyncio.Task[None] | None = None
        self._sessions: WeakValueDictionary[bytes, Author] = WeakValueDictionary()
        self.commits = 0
        self.seq = self._one(NEWEST)
        self._next_author = self._one("SELECT coalesce(max(author), 0) + 1 FROM authors")

    def _one(self, query: str, *values: object) -> int:
        return int(self._database.reader.execute(query, values).fetchone()[0])

    # Reading

    def operations(self, after: int) -> Iterator[Operation]:
        """The durable operations after a number, in order, those that were archived too.

        It begins later where the archives have been deleted for want of room. Raises StoreError where one is
        missing or damaged.
        """
        archived = self.archive.last
        if after < archived:
            yield from self.archive.operations(after)
        rows = self._database.reader.execute(
            f"SELECT {COLUMNS} FROM operations WHERE seq > ? ORDER BY seq", (max(after, archived),)
        )
        yield from map(to_operation, rows)

    def anonymous(self, address: str, token: str | None = None) -> Author:
        """An author without a session, with a number of its own."""
        return Author(self._number(), None, address, token=token)

    def session(self, session: bytes, address: str, token: str | None = None) -> Author:
        """The author of a session, known or new. A new one is stored with its first entry."""
        author = self._sessions.get(session)
        if author is None:
            row = self._database.reader.execute(
                "SELECT author, address, last_call, last_seq, last_time FROM authors WHERE session = ?",
                (session,),
            ).fetchone()
            if row is None:
                author = Author(self._number(), session, address, token=token)
            else:
                author = Author(row[0], session, row[1], row[2], row[3], row[4], stored=True)
            self._sessions[session] = author
        return author

    def _number(self) -> int:
        number = self._next_author
        self._next_author += 1
        return number

    # Writing

    def append(self, entry: Entry) -> asyncio.Future[Receipt]:
        """Makes an entry durable.

        The future raises Unavailable where that failed, or what `late` raised: then nothing was applied.
        """
        self._queue.append(entry)
        if self._committing is None:
            self._committing = asyncio.get_running_loop().create_task(self._commit_all())
        return entry.settled

    async def drain(self) -> None:
        """Waits until all that was appended is settled."""
        while self._committing is not None:
            await asyncio.shield(self._committing)

    @property
    def failing(self) -> str | None:
        """Why nothing can be saved at the moment, in words; None where it can."""
        return self._database.failing

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Does other work on the database in the journal's thread, between transactions."""
        return await self._database.run(work)

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Does other work in a transaction of its own. Raises sqlite3.Error; then nothing was changed."""
        return await self._database.write(work)

    def close(self) -> None:
        """Closes the database. Nothing may be waiting."""
        self._database.close()

    async def _commit_all(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._queue.waiting:
                await self.ready()
                entries = await self._queue.take()
                if not entries:
                    continue
                batch = self._number_all(entries)
                began = loop.time()
                try:
                    await self._database.write(partial(_insert, batch))
                except sqlite3.Error as error:
                    _refuse(entries, error)
                else:
                    self.committed(loop.time() - began, len(entries))
                    self._settle(batch)
        finally:
            self._committing = None

    def _number_all(self, entries: list[Entry]) -> _Batch:
        """Gives numbers; finds the calls that were applied before, or earlier in the same transaction."""
        now = self._clock()
        seq = self.seq
        batch = _Batch(now, entries, [], {})
        for entry in entries:
            author = entry.author
            state = batch.authors.get(author.number)
            if state is None:
                state = (author, author.last_call, author.last_seq, author.last_time)
            if entry.call and entry.call <= state[1]:
                batch.receipts.append(Receipt(state[2], state[3], duplicate=True, operations=()))
                continue
            operations = tuple(
                Operation(number, now, author.number, entry.stroke, mark)
                for number, mark in enumerate(entry.marks, start=seq + 1)
            )
            seq += len(operations)
            batch.receipts.append(Receipt(seq, now, duplicate=False, operations=operations))
            if entry.call:
                state = (author, entry.call, seq, now)
            if entry.call or not author.stored:
                batch.authors[author.number] = state
        return batch

    def _settle(self, batch: _Batch) -> None:
        self.commits += 1
        for author, last_call, last_seq, last_time in batch.authors.values():
            author.last_call, author.last_seq, author.last_time = last_call, last_seq, last_time
            author.stored = True
        for receipt in batch.receipts:
            if receipt.operations:
                self.seq = receipt.seq
        self.applied(list(zip(batch.entries, batch.receipts, strict=True)))
        for entry, receipt in zip(batch.entries, batch.receipts, strict=True):
            if not entry.settled.done():
                entry.settled.set_result(receipt)


async def _at_once() -> None:
    """Waits for nothing."""


def _refuse(entries: list[Entry], error: sqlite3.Error) -> None:
    log.debug("nothing saved", extra={"calls": len(entries), "error": str(error)})
    for entry in entries:
        if not entry.settled.done():
            sentence = "the canvas cannot be saved at the moment; nothing was applied"
            entry.settled.set_exception(Unavailable(sentence, retry_after_ms=RETRY_AFTER_MS))


def _insert(batch: _Batch, connection: sqlite3.Connection) -> None:
    rows = [_row(operation) for receipt in batch.receipts for operation in receipt.operations]
    if rows:
        newest = connection.execute(NEWEST).fetchone()[0]
        if rows[0][0] != newest + 1:  # what is there is not what this process wrote: stop, do not mend
            raise sqlite3.DatabaseError(f"operation {rows[0][0]} would follow operation {newest}")
    connection.executemany("INSERT INTO operations VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
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


def _row(operation: Operation) -> tuple[Any, ...]:
    mark = operation.mark
    head = (operation.seq, operation.time, operation.author, operation.stroke, mark.x, mark.y)
    if isinstance(mark, Dab):
        return (*head, mark.size, mark.color, None)
    return (*head, None, None, mark.image)
