"""What was there before: the dreams' pictures and the operations that are kept, for who takes something back.

Reads only, on a connection of its own, in whatever thread it was opened.
"""

import contextlib
import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from PIL import Image

from dreamcanvas.brush import MAX_SIZE
from dreamcanvas.canvas import SIDE, WHITE, Dab, Operation, Region
from dreamcanvas.store.archive import COLUMNS, to_operation
from dreamcanvas.store.dreams import decode, frame_path

log = logging.getLogger(__name__)

SLICE: Final = 20_000  # operations that are looked through at a time
LOOK_BACK: Final = 2_000_000  # operations beyond which nobody's stroke is looked for
FRAMES_TRIED: Final = 3


class Past:
    """The past as the database and the frame files hold it. Raises sqlite3.Error."""

    def __init__(self, connection: sqlite3.Connection, frames: Path) -> None:
        self._connection = connection
        self._frames = frames

    @staticmethod
    @contextlib.contextmanager
    def open(path: Path, frames: Path) -> Iterator["Past"]:
        """The past in a database and a directory of frame files."""
        with contextlib.closing(
            sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        ) as connection:
            connection.execute("BEGIN")  # all that is read is as of one moment
            yield Past(connection, frames)

    def newest(self) -> int:
        """The number of the newest operation."""
        return self._number("SELECT coalesce(max(seq), 0) FROM operations")

    def base(self, before: int) -> tuple[int, Image.Image]:
        """The newest dream without the operation `before` and any after it: its last operation, its picture.

        White where there was no dream yet. Raises LookupError where the frame files are gone.
        """
        rows = self._connection.execute(
            "SELECT dream, seq, file FROM dreams WHERE seq < ? AND file = 0 ORDER BY dream DESC LIMIT ?",
            (before, FRAMES_TRIED),
        ).fetchall()
        for dream, seq, _ in rows:
            try:
                return seq, decode(frame_path(self._frames, dream).read_bytes())
            except OSError as error:
                log.error("frame file unusable", extra={"dream": dream, "error": str(error)})
        if self._number("SELECT count(*) FROM dreams WHERE seq < ?", before):
            raise LookupError("no frame file is kept")
        return 0, Image.new("RGB", (SIDE, SIDE), WHITE)

    def operations(self, after: int, until: int, region: Region) -> list[Operation]:
        """The operations after a number up to another, in order: those near the region, and all patches.

        Raises LookupError where some are not in the database any more.
        """
        if until > after:
            first = self._number("SELECT coalesce(min(seq), 0) FROM operations")
            if not first or first > after + 1:
                raise LookupError("the operations are not kept")
        left, top, right, bottom = region
        rows = self._connection.execute(
            f"SELECT {COLUMNS} FROM operations WHERE seq > ? AND seq <= ? AND "
            "(size IS NULL OR (x BETWEEN ? AND ? AND y BETWEEN ? AND ?)) ORDER BY seq",
            (after, until, left - MAX_SIZE, right + MAX_SIZE, top - MAX_SIZE, bottom + MAX_SIZE),
        )
        return [to_operation(row) for row in rows]

    def taken(self, undo: Operation) -> list[int]:
        """The numbers of the dabs that an undo took back, in order."""
        return [dab.seq for dab in self.stroke(undo.author, undo.stroke, until=undo.seq - 1)]

    def stroke(self, author: int, stroke: int, *, until: int, since: int = 0) -> list[Operation]:
        """The dabs of an author's stroke, up to a number, that have not been taken back, in order.

        It has to have been drawn at or after the time `since`, ms since 1970, at the end at least. What lies
        a long way before that is taken for another stroke of the same number.
        """
        found: list[Operation] = []
        low = until
        while low > max(0, until - LOOK_BACK):
            high, low = low, max(0, low - SLICE)
            rows = self._connection.execute(
                f"SELECT {COLUMNS} FROM operations "
                "WHERE seq > ? AND seq <= ? AND author = ? AND stroke = ? ORDER BY seq DESC",
                (low, high, author, stroke),
            ).fetchall()
            for row in rows:
                operation = to_operation(row)
                if not isinstance(operation.mark, Dab) or (not found and operation.time < since):
                    return found[::-1]
                found.append(operation)
            oldest = self._number("SELECT coalesce(max(time), 0) FROM operations WHERE seq = ?", low)
            if not rows and (found or oldest < since):
                break
        return found[::-1]

    def _number(self, query: str, *values: int) -> int:
        return int(self._connection.execute(query, values).fetchone()[0])
