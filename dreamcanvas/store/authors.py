"""Forget authors who have not drawn for long; a session that comes back later is a new author.

A row of the table `authors` is made when somebody draws for the first time. `created` and `last_time` tell of
some of the later times, the table `seen` of the others, to the day.
"""

import sqlite3
from typing import Final

from dreamcanvas.store.journal import Journal

SLICE: Final = 5_000  # rows looked through at a time


async def forget_authors(journal: Journal, before: int) -> int:
    """Delete the authors who have not drawn since `before`, ms since 1970, and return how many.

    The author with the highest number stays, so that no number is given twice. Raises sqlite3.Error.
    """
    after, forgotten = 0, 0
    while True:
        found = await journal.run(
            lambda connection, after=after: connection.execute(  # type: ignore[misc]
                "SELECT author, max(created, last_time) < :before AND NOT EXISTS "
                "(SELECT 1 FROM seen WHERE seen.author = authors.author AND time >= :before) FROM authors "
                "WHERE author > :after AND author < (SELECT max(author) FROM authors) "
                "ORDER BY author LIMIT :slice",
                {"before": before, "after": after, "slice": SLICE},
            ).fetchall()
        )
        if not found:
            return forgotten
        after = found[-1][0]
        old = [{"author": author} for author, is_old in found if is_old]
        if old:
            await journal.write(lambda connection, old=old: _delete(connection, old))  # type: ignore[misc]
            forgotten += len(old)


def _delete(connection: sqlite3.Connection, authors: list[dict[str, int]]) -> None:
    connection.executemany("DELETE FROM authors WHERE author = :author", authors)
    connection.executemany("DELETE FROM seen WHERE author = :author", authors)
