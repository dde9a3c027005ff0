"""Write operations durably: many callers, one thread, one transaction for all that waits (group commit).

Numbers are given when a transaction begins, by the only one that gives them, so that a transaction that fails
leaves no gap: its callers are told, and the next one starts from the same number.
"""

import asyncio
import contextlib
import logging
import sqlite3
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar
from weakref import WeakValueDictionary

from dreamcanvas.canvas.model import Operation, Patch
from dreamcanvas.canvas.operation_log import patch_weight
from dreamcanvas.errors import NotNow
from dreamcanvas.store import layout
from dreamcanvas.store.archive import COLUMNS, Archive, to_operation
from dreamcanvas.store.author_numbers import Numbers, set_until
from dreamcanvas.store.database import Database
from dreamcanvas.store.insertion import NEWEST, SEEN_MS, Batch, insert
from dreamcanvas.store.queue import Author, Entry, Late, NotYetError, Queue, Receipt

__all__ = ["Author", "Entry", "Journal", "Late", "NotYetError", "Observer", "Receipt"]

log = logging.getLogger(__name__)
T = TypeVar("T")

KEPT_SESSIONS: Final = 4096  # of sessions without a connection, the last ones


async def _at_once() -> None:
    """Return at once: nothing is to be waited for."""


@dataclass(frozen=True, slots=True)
class Observer:
    """A follower of the journal. `ready` is awaited before each transaction.

    `applied` is called, in order, with the entries of each transaction when it is durable, before their
    callers hear of it.
    """

    applied: Callable[[list[tuple[Entry, Receipt]]], None]
    ready: Callable[[], Awaitable[None]] = _at_once


class Journal:
    """Appends operations to the database, and tells observers of them.

    `clock` gives ms since 1970. `committed` is called after each transaction with its seconds and how many
    entries it held.
    """

    def __init__(
        self,
        path: Path,
        *,
        clock: Callable[[], int],
        committed: Callable[[float, int], None] = lambda _seconds, _entries: None,
    ) -> None:
        self._clock = clock
        self._committed = committed
        self._observers: list[Observer] = []
        self.path = path
        self._database = Database(path)
        self.archive = Archive(path.parent / layout.ARCHIVE, self._database)
        self._queue = Queue()
        self._committing: asyncio.Task[None] | None = None
        self._recent: OrderedDict[bytes, Author] = OrderedDict()
        self._sessions: WeakValueDictionary[bytes, Author] = WeakValueDictionary()
        self._by_number: WeakValueDictionary[int, Author] = WeakValueDictionary()
        self.commits = 0
        self.seq = int(self._database.reader.execute(NEWEST).fetchone()[0])
        self._numbers = self._database.at_start(Numbers)
        self._reserving: set[asyncio.Task[None]] = set()

    # Reading

    def row(self, query: str, **values: object) -> tuple[Any, ...] | None:
        """Return the first row that a short query finds, at once. Raises sqlite3.Error."""
        found: tuple[Any, ...] | None = self._database.reader.execute(query, values).fetchone()
        return found

    def operations(self, after: int) -> Iterator[Operation]:
        """Return the durable operations after a number, in order, with those that were archived.

        They begin later where archives were deleted to make room. Raises StoreError where one is
        missing or damaged.
        """
        archived = self.archive.last
        if after < archived:
            yield from self.archive.operations(after)
        rows = self._database.reader.execute(
            f"SELECT {COLUMNS} FROM operations WHERE seq > :after ORDER BY seq",
            {"after": max(after, archived)},
        )
        yield from map(to_operation, rows)

    def replayed_from(self, limit: int) -> int:
        """Return the operation after which at most `limit` operations follow (0: no limit).

        A patch counts as several, by its bytes.
        """
        if not limit:
            return 0
        room = limit
        for seq, length in self._database.reader.execute(
            "SELECT seq, length(patch) FROM operations WHERE seq > :after ORDER BY seq DESC",
            {"after": self.seq - limit},
        ):
            room -= 1 if length is None else patch_weight(length)
            if room < 0:
                return int(seq)
        return max(0, self.seq - limit)

    def anonymous(self, address: str, token: str | None = None) -> Author:
        """Return an author without a session, with a number of its own."""
        return Author(self._numbers.next(self._reserve), None, address, token=token)

    def session(self, session: bytes, address: str, token: str | None = None) -> Author:
        """Return the author of a session, known or new. A new one is stored when it draws; until then it is
        known while it is here, or as one of the last that were.
        """
        author = self._sessions.get(session)
        if author is None:
            row = self.row(
                "SELECT author, address, last_call, last_seq, last_time, max(created, last_time, coalesce("
                "(SELECT time FROM seen WHERE seen.author = authors.author), 0)) "
                "FROM authors WHERE session = :session",
                session=session,
            )
            if row is None:
                number = self._numbers.of_session(session, self._is_taken)
                author = Author(number, session, address, token=token)
            else:
                number, known, last_call, last_seq, last_time, seen = row
                author = Author(
                    number, session, known, last_call, last_seq, last_time, stored=True, seen=seen
                )
            self._sessions[session] = author
            self._by_number[author.number] = author
        self._recent[session] = author
        self._recent.move_to_end(session)
        if len(self._recent) > KEPT_SESSIONS:
            self._recent.popitem(last=False)
        return author

    def _is_taken(self, number: int) -> bool:
        stored = "SELECT 1 FROM authors WHERE author = :author"
        return number in self._by_number or self.row(stored, author=number) is not None

    def _reserve(self, until: int) -> None:
        """Start to write down which author numbers may have been given."""

        async def write() -> None:
            with contextlib.suppress(sqlite3.Error):  # then the next block reserves these, too
                await self.write(lambda connection: set_until(connection, until))

        with contextlib.suppress(RuntimeError):  # without a loop nothing can be written
            task = asyncio.get_running_loop().create_task(write())
            self._reserving.add(task)
            task.add_done_callback(self._reserving.discard)

    # Writing

    def observe(self, observer: Observer) -> None:
        """Tell an observer of every transaction from now on."""
        self._observers.append(observer)

    def append(self, entry: Entry) -> asyncio.Future[Receipt]:
        """Put an entry in the queue, and return the future of its receipt.

        The future raises NotNow where saving failed, or what `late` raised. Then nothing was applied.
        """
        entry.author.waiting += 1
        self._queue.append(entry)
        if self._committing is None:
            self._committing = asyncio.get_running_loop().create_task(self._commit_all())
        return entry.settled

    def passed(self, *authors: Author) -> asyncio.Future[Receipt]:
        """Return a future that is done when everything that these authors have appended is settled.

        It is done at once where none of them waits for anything: who only watches does not need the disk.
        """
        if any(author.waiting for author in authors):
            return self.append(Entry(authors[0]))
        done: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        done.set_result(Receipt(self.seq, 0, duplicate=False, operations=()))
        return done

    async def drain(self) -> None:
        """Wait until all appended entries are settled."""
        while self._committing is not None:
            await asyncio.shield(self._committing)

    @property
    def failing(self) -> str | None:
        """Say in words why nothing can be saved at the moment; None where saving works."""
        return self._database.failing

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do other work on the database in the journal's thread, between transactions; return its result."""
        return await self._database.run(work)

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do other work in a transaction of its own. Raises sqlite3.Error; then nothing was changed."""
        return await self._database.write(work)

    async def empty_log(self) -> None:
        """Empty the log beside the database, unless another connection is reading it."""
        await self._database.empty_log()

    def close(self) -> None:
        """Close the database. No entry may be waiting."""
        self._database.close()

    async def _commit_all(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._queue.waiting:
                for observer in self._observers:
                    await observer.ready()
                entries = await self._queue.take()
                if not entries:
                    continue
                batch = self._number_all(entries)
                if batch.authors or any(receipt.operations for receipt in batch.receipts):
                    began = loop.time()
                    try:
                        await self._database.write(partial(insert, batch), size=batch.size)
                    except sqlite3.Error as error:
                        _refuse(entries, error)
                        batch = self._number_all([entry for entry in entries if not entry.marks])
                    else:
                        self.commits += 1
                        self._committed(loop.time() - began, len(entries))
                if batch.entries:
                    self._settle(batch)
        finally:
            self._committing = None

    def _number_all(self, entries: list[Entry]) -> Batch:
        """Number the marks of entries; a call that was applied before, also in this batch, gets none."""
        now = self._clock()
        seq = self.seq
        batch = Batch(now, entries, [], {})
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
            if entry.call or (operations and (not author.stored or now - author.seen >= SEEN_MS)):
                batch.authors[author.number] = state
            if entry.late is not None:  # only late entries hold patches
                batch.size += sum(len(mark.image) for mark in entry.marks if isinstance(mark, Patch))
        return batch

    def _settle(self, batch: Batch) -> None:
        for author, last_call, last_seq, last_time in batch.authors.values():
            author.last_call, author.last_seq, author.last_time = last_call, last_seq, last_time
            author.stored, author.seen = True, batch.time
        for receipt in batch.receipts:
            if receipt.operations:
                self.seq = receipt.seq
        transaction = list(zip(batch.entries, batch.receipts, strict=True))
        for observer in self._observers:
            observer.applied(transaction)
        for entry, receipt in transaction:
            entry.author.waiting -= 1
            if not entry.settled.done():
                entry.settled.set_result(receipt)


def _refuse(entries: list[Entry], error: sqlite3.Error) -> None:
    """Tell the callers whose entries held marks that these were not saved."""
    log.debug("nothing saved", extra={"calls": len(entries), "error": str(error)})
    for entry in entries:
        if not entry.marks:
            continue
        entry.author.waiting -= 1
        if not entry.settled.done():
            sentence = "the canvas cannot be saved at the moment; nothing was applied"
            entry.settled.set_exception(NotNow(sentence))
