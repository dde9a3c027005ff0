"""The database under a server: one thread that writes, and what it does when the disk fails.

When a transaction fails, it is unknown whether it is on the disk. Its last step is a sync of the
write-ahead log, and after a failed sync nobody knows how much of the log was written: the kernel has marked
the pages clean, so another sync proves nothing.

The log may hold the failed transaction whole, with its commit mark. The connection that wrote it does not
read it, since it knows where the log ended before. But the next process reads the log from its start. So
closing and opening the database would bring back a transaction whose callers were told that nothing was
applied.

Therefore the same connection goes on, and writes an empty transaction over the failed one. Frames of the log
are chained by checksums, so after that no part of the failed one can be read. Nothing else is written until
the empty transaction is written and synced. Earlier commits were synced and are safe.

A checkpoint that failed is repeated from the log, which SQLite keeps until the database itself is synced.
"""

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar

from dreamcanvas.store import schema
from dreamcanvas.store.check import check, refusal
from dreamcanvas.store.diagnosis import explain

log = logging.getLogger(__name__)
T = TypeVar("T")

RETRY_SECONDS: Final = 1.0
CHECKPOINT_TRANSACTIONS: Final = 256
TRANSACTION_BYTES: Final = 16_384  # bytes that a usual transaction adds to the log


class Database:
    """Two connections: one writes, in a thread of its own; `reader` is for short reads on the event loop.

    `failing` says in words why nothing can be written; it is None while writing works. Raises StoreError
    where the database cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writer = schema.connect(path)
        try:
            check(self._writer, path)
            self.reader = schema.connect(path)
        except BaseException:
            self._writer.close()
            raise
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._in_doubt = False
        self._why = ""
        self._transactions = 0
        self._checkpoint_fails = False
        self._retrying: asyncio.Task[None] | None = None
        self.failing: str | None = None

    def at_start(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do work with the writing connection before the server starts. Raises StoreError."""
        try:
            return work(self._writer)
        except sqlite3.Error as error:
            self.close()
            raise refusal(self.path, error) from error

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do work in the writing thread, between transactions, and return its result."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, work, self._writer)

    async def write(self, work: Callable[[sqlite3.Connection], T], *, size: int = 0) -> T:
        """Do work in a transaction and return its result; it is durable then.

        `size` is about how many bytes it writes beyond a few pages. It decides how soon the log is copied
        into the database. Raises sqlite3.Error; then nothing was changed.
        """
        try:
            result = await self.run(lambda connection: self._transaction(connection, work))
        except sqlite3.Error as error:
            if _is_fault(error):
                self._fail()
            raise
        self._works()
        self._transactions += size // TRANSACTION_BYTES
        if self._transactions >= CHECKPOINT_TRANSACTIONS:
            self._transactions = 0
            self._executor.submit(self._checkpoint)  # not awaited: the caller gets its answer meanwhile
        return result

    async def empty_log(self) -> None:
        """Copy the log into the database and empty it, unless another connection is reading it."""

        def work(connection: sqlite3.Connection) -> None:
            waits = connection.execute("PRAGMA busy_timeout").fetchone()[0]
            connection.execute("PRAGMA busy_timeout = 0")  # who paints must not wait for that reader
            self._checkpoint("TRUNCATE")
            connection.execute(f"PRAGMA busy_timeout = {waits}")

        await self.run(work)

    def close(self) -> None:
        """Close the database. No work may be waiting for the writing thread."""
        if self._retrying is not None:
            self._retrying.cancel()
        self._executor.shutdown()
        self.reader.close()
        self._writer.close()

    # On the event loop: whether the storage fails

    def _fail(self) -> None:
        if self.failing is None:
            log.error("storage fails", extra={"why": self._why})
        self.failing = self._why
        if self._retrying is None:
            self._retrying = asyncio.get_running_loop().create_task(self._retry())

    def _works(self) -> None:
        if self.failing is not None:
            log.warning("storage works again", extra={"after": self.failing})
            self.failing = None

    async def _retry(self) -> None:
        """Write an empty transaction every second until the disk works, as perhaps nobody paints."""
        try:
            while self.failing is not None:
                await asyncio.sleep(RETRY_SECONDS)
                with contextlib.suppress(sqlite3.Error):
                    await self.write(lambda _: None)
        finally:
            self._retrying = None

    # In the writing thread

    def _transaction(self, connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            # Nothing else may be written before the failed transaction is overwritten (see the module)
            if self._in_doubt:
                self._overwrite(connection)
            connection.execute("BEGIN IMMEDIATE")
            result = work(connection)
            connection.execute("COMMIT")
        except BaseException as error:
            with contextlib.suppress(sqlite3.Error):
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
            if isinstance(error, sqlite3.Error) and _is_fault(error):
                self._in_doubt = True
                with contextlib.suppress(sqlite3.Error):  # even unsynced, the next process reads this
                    self._overwrite(connection)
                self._why = explain(self.path.parent, error)
            raise
        self._transactions += 1
        return result

    def _overwrite(self, connection: sqlite3.Connection) -> None:
        """Write an empty transaction over the failed one (see the module). Raises sqlite3.Error."""
        # The version is written again as it is: the smallest change that SQLite does write
        connection.execute(f"PRAGMA user_version = {len(schema.MIGRATIONS)}")
        self._in_doubt = False

    def _checkpoint(self, mode: str = "PASSIVE") -> None:
        """Copy the log into the database; a failure is logged.

        SQLite would do it by itself within a commit, and would hide the failure.
        """
        try:
            self._writer.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
        except sqlite3.Error as error:
            if not self._checkpoint_fails:
                log.error("checkpoint fails", extra={"why": explain(self.path.parent, error)})
            self._checkpoint_fails = True
        else:
            if self._checkpoint_fails:
                log.warning("checkpoint works again")
            self._checkpoint_fails = False


def _is_fault(error: sqlite3.Error) -> bool:
    """Say whether the storage caused an error, and not the statement."""
    return isinstance(error, sqlite3.OperationalError) or type(error) is sqlite3.DatabaseError
