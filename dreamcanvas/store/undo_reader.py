"""Read the past for an undo: the dreams' pictures and the operations that are kept.

The reader has a connection of its own, which only reads; it is used in the thread that opened it.
"""

import contextlib
import json
import logging
import sqlite3
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from PIL import Image

from dreamcanvas.canvas.brush import MAX_SIZE
from dreamcanvas.canvas.model import HOST, SIDE, WHITE, Dab, Operation, Region
from dreamcanvas.store import layout, read_only
from dreamcanvas.store.archive import COLUMNS, ArchiveError, archive_files, to_operation
from dreamcanvas.store.checkpoints import checkpoint_path, read_checkpoint
from dreamcanvas.store.dreams import decode, digest_name, frame_path, read_frame
from dreamcanvas.store.file_state import FileState

log = logging.getLogger(__name__)

SLICE: Final = 20_000  # operations looked through at a time
LOOK_BACK: Final = 2_000_000  # operations: no stroke is looked for further back
FRAMES_TRIED: Final = 3
STEPS: Final = 100_000  # of SQLite's virtual machine (some ms) between two looks at whether to stop
HEADER: Final = 33  # bytes of a PNG's beginning, which holds its size


class Bases:
    """The base that was read last (10 MB), as the next undo often needs it again. For any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # where two threads want the same base, only one reads it
        self._key: object = None
        self._picture: Image.Image | None = None

    def copy(self, key: object, read: Callable[[], Image.Image]) -> Image.Image:
        """Return a copy of a key's picture; `read` makes it where it is not kept, and may raise."""
        with self._lock:
            if self._picture is None or self._key != key:
                self._picture = None  # freed first: never two at a time
                self._key, self._picture = key, read()
            return self._picture.copy()


class UndoReader:
    """The past in the database, the archives and the frame files. Its methods raise sqlite3.Error.

    `pictures` are the pictures of dreams whose frame files are not in their places; `bases` may be shared.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        directory: Path,
        frames: Path,
        pictures: Mapping[int, bytes],
        bases: Bases,
    ) -> None:
        self._connection = connection
        self._directory = directory
        self._frames = frames
        self._pictures = pictures
        self._bases = bases

    @staticmethod
    @contextlib.contextmanager
    def open(
        path: Path,
        frames: Path,
        pictures: Mapping[int, bytes] | None = None,
        *,
        bases: Bases | None = None,
        stopped: Callable[[], bool] = bool,
    ) -> Iterator["UndoReader"]:
        """Open the past of a database and a directory of frame files.

        Reading is interrupted once `stopped` says so.
        """
        with contextlib.closing(read_only.connect(path)) as connection:
            connection.set_progress_handler(stopped, STEPS)
            connection.execute("BEGIN")  # so that everything is read as of one moment
            yield UndoReader(connection, path.parent, frames, pictures or {}, bases or Bases())

    def newest(self) -> int:
        """Return the newest operation's number."""
        return self._number("SELECT coalesce(max(seq), 0) FROM operations")

    # What `undo` asks for

    def base(self, before: int) -> tuple[int, Image.Image]:
        """Return the newest dream or checkpoint that ends before an operation: its last one and the picture.

        A checkpoint counts only on that dream. Where there was no dream yet it is white paper. Raises
        LookupError where the files are gone.
        """
        dreams = self._connection.execute(
            "SELECT dream FROM dreams WHERE seq < :before AND (file = :there OR dream IN "
            "(SELECT value FROM json_each(:pictures) "
            "UNION SELECT dream FROM checkpoints WHERE seq < :before)) "
            "ORDER BY dream DESC LIMIT :most",
            {
                "before": before,
                "there": FileState.THERE,
                "pictures": json.dumps(list(self._pictures)),
                "most": FRAMES_TRIED,
            },
        ).fetchall()
        none = not self._number("SELECT count(*) FROM dreams WHERE seq < :before", before=before)
        if none:
            dreams.append((0,))  # dream 0: white paper
        for (dream,) in dreams:
            try:
                return self.picture_at(dream, before - 1)
            except OSError as error:
                log.error("frame file unusable", extra={"dream": dream, "error": str(error)})
        raise LookupError("no frame file is kept")

    def picture_at(self, dream: int, until: int) -> tuple[int, Image.Image]:
        """Return the newest checkpoint on a dream up to an operation, else the dream itself.

        It is given as the last operation in it and the picture. Raises OSError where the files are gone,
        LookupError where there is no such dream.
        """
        start = self.dream_seq(dream) if dream else 0
        for seq, sha256 in self._connection.execute(
            "SELECT seq, sha256 FROM checkpoints WHERE dream = :dream AND seq > :start AND seq <= :until "
            "ORDER BY seq DESC LIMIT :most",
            {"dream": dream, "start": start, "until": until, "most": FRAMES_TRIED},
        ).fetchall():
            path = checkpoint_path(self._directory / layout.CHECKPOINTS, seq)
            try:
                return seq, self._bases.copy(sha256, partial(read_checkpoint, path, sha256))
            except OSError as error:
                log.error("checkpoint unusable", extra={"path": str(path), "error": str(error)})
        return start, self.picture(dream)

    def operations(
        self, after: int, until: int, region: Region, *, outlines: bool = False
    ) -> list[Operation]:
        """Return the operations after `after` up to `until` near the region, and all patches, in order.

        With `outlines` patches come with only the header of their PNG. Raises LookupError where some
        operations are not kept any more.
        """
        columns = COLUMNS.replace("patch", f"substr(patch, 1, {HEADER})") if outlines else COLUMNS
        middles = region.grown(MAX_SIZE)  # dabs with their middle in here may touch the region
        found = self._archived(after, until, middles)
        rows = self._connection.execute(
            f"SELECT {columns} FROM operations WHERE seq > :after AND seq <= :until AND "
            "(size IS NULL OR (x BETWEEN :left AND :right AND y BETWEEN :top AND :bottom)) ORDER BY seq",
            {"after": max(after, self._last_archived()), "until": until, **middles._asdict()},
        )
        return [*found, *map(to_operation, rows)]

    def taken(self, undo: Operation) -> list[int]:
        """Return the numbers of the dabs that a patch (an undo's or an operator's) took back, in order."""
        known = self._connection.execute(
            "SELECT dabs FROM undone WHERE seq = :seq", {"seq": undo.seq}
        ).fetchone()
        if known is not None:
            return [seq for first, last in json.loads(known[0]) for seq in range(first, last + 1)]
        if undo.author != HOST:
            return [dab.seq for dab in self.stroke(undo.author, undo.stroke, until=undo.seq - 1)]
        row = self._connection.execute(
            "SELECT details FROM acts WHERE act = :act", {"act": undo.stroke}
        ).fetchone()
        details = json.loads(row[0]) if row is not None else {}
        if "until" not in details:
            return []
        dabs = self.dabs(details["authors"], details["after"], details["until"])
        return [dab.seq for dab in dabs]

    def patch(self, seq: int) -> bytes:
        """Return the PNG of a patch that is in the database."""
        row = self._connection.execute(
            "SELECT patch FROM operations WHERE seq = :seq", {"seq": seq}
        ).fetchone()
        return bytes(row[0])

    # Strokes and authors

    def stroke(self, author: int, stroke: int, *, until: int, since: int = 0) -> list[Operation]:
        """Return the dabs of an author's stroke up to `until` that were not taken back, in order.

        At least the stroke's end has to be drawn at or after `since`, ms since 1970. Dabs that lie long
        before that are taken for another stroke with the same number.
        """
        found: list[Operation] = []
        low = until
        while low > max(0, until - LOOK_BACK):
            high, low = low, max(0, low - SLICE)
            rows = self._connection.execute(
                f"SELECT {COLUMNS} FROM operations "
                "WHERE seq > :low AND seq <= :high AND author = :author AND stroke = :stroke "
                "ORDER BY seq DESC",
                {"low": low, "high": high, "author": author, "stroke": stroke},
            ).fetchall()
            for row in rows:
                operation = to_operation(row)
                if not isinstance(operation.mark, Dab) or (not found and operation.time < since):
                    return found[::-1]
                found.append(operation)
            oldest = self._number("SELECT coalesce(max(time), 0) FROM operations WHERE seq = :seq", seq=low)
            if not rows and (found or oldest < since):
                break
        return found[::-1]

    def dabs(self, authors: Collection[int], after: int, until: int) -> list[Operation]:
        """Return the dabs of authors after `after` up to `until`, in order, with the archived ones."""
        wanted = set(authors)
        rows = self._connection.execute(
            f"SELECT {COLUMNS} FROM operations WHERE seq > :after AND seq <= :until AND size IS NOT NULL "
            "AND author IN (SELECT value FROM json_each(:authors)) ORDER BY seq",
            {
                "after": max(after, self._last_archived()),
                "until": until,
                "authors": json.dumps(sorted(wanted)),
            },
        )
        archived = [
            operation
            for operation in self._archived(after, until, None)
            if operation.author in wanted and isinstance(operation.mark, Dab)
        ]
        return [*archived, *map(to_operation, rows)]

    def authors(self, numbers: Collection[int] | None = None) -> dict[int, tuple[str, str | None]]:
        """Return (address, token) by author; of all authors where no numbers are given."""
        where = "" if numbers is None else " WHERE author IN (SELECT value FROM json_each(:numbers))"
        rows = self._connection.execute(
            f"SELECT author, address, token FROM authors{where}",
            {"numbers": json.dumps(sorted(numbers or ()))},
        )
        return {author: (address, token) for author, address, token in rows}

    # Times and dreams

    def seq_at(self, time: int) -> int:
        """Return the number of the last operation up to a time; 0 where there is none."""
        kept = self._number("SELECT coalesce(max(seq), 0) FROM operations WHERE time <= :time", time=time)
        return kept or self._number(
            "SELECT coalesce(max(last), 0) FROM archives WHERE first_time <= :time", time=time
        )

    def dream_at(self, time: int) -> tuple[int, int]:
        """Return the newest dream at a time and its last operation; 0 and 0 where there was none."""
        return self._dream("time <= :time ORDER BY time DESC, dream DESC", time=time)

    def dream_before(self, seq: int) -> tuple[int, int]:
        """Return the newest dream that ends before an operation, and the dream's last operation."""
        return self._dream("seq < :seq ORDER BY dream DESC", seq=seq)

    def dream_seq(self, dream: int) -> int:
        """Return the last operation in a dream. Raises LookupError where there is no such dream."""
        found = self._dream("dream = :dream", dream=dream)
        if not found[0]:
            raise LookupError(f"there is no dream {dream}")
        return found[1]

    def picture(self, dream: int) -> Image.Image:
        """Return the picture of a dream; white of dream 0. Raises OSError where its file is gone."""
        if not dream:
            return Image.new("RGB", (SIDE, SIDE), WHITE)
        return self._bases.copy(dream, partial(self._decoded, dream))

    def _decoded(self, dream: int) -> Image.Image:
        jpeg = self._pictures.get(dream)
        if jpeg is None:
            row = self._connection.execute(
                "SELECT bytes, (SELECT sha256 FROM digests WHERE file = :file) FROM dreams "
                "WHERE dream = :dream",
                {"file": digest_name(dream), "dream": dream},
            ).fetchone()
            if row is None:
                raise FileNotFoundError(f"there is no dream {dream}")
            jpeg = read_frame(frame_path(self._frames, dream), *row)
        return decode(jpeg)

    def _dream(self, condition: str, **values: int) -> tuple[int, int]:
        query = f"SELECT dream, seq FROM dreams WHERE {condition} LIMIT 1"
        row: tuple[int, int] | None = self._connection.execute(query, values).fetchone()
        return row or (0, 0)

    def _last_archived(self) -> int:
        return self._number("SELECT coalesce(max(last), 0) FROM archives")

    def _archived(self, after: int, until: int, middles: Region | None) -> list[Operation]:
        """Return operations from archive files. Raises LookupError where these are gone or damaged."""
        found: list[Operation] = []
        for file in archive_files(self._connection, after, until):
            sentence = f"the operations from {file.first} on are not kept"
            if file.state is not FileState.THERE:
                raise LookupError(f"{sentence}: it was deleted for want of room")
            try:
                rows = file.read(self._directory / layout.ARCHIVE)
            except ArchiveError as error:
                raise LookupError(f"{sentence}: {error.why}") from error
            for row in rows:
                operation = to_operation(row)
                if after < operation.seq <= until and (middles is None or _near(operation, middles)):
                    found.append(operation)
        return found

    def _number(self, query: str, **values: int) -> int:
        return int(self._connection.execute(query, values).fetchone()[0])


class Outlines:
    """The past with patches that come without their pixels; `whole` reads those that are drawn."""

    def __init__(self, past: UndoReader) -> None:
        self._past = past
        self.base = past.base
        self.taken = past.taken

    def operations(self, after: int, until: int, region: Region) -> Sequence[Operation]:
        """Return the operations, as `UndoReader` does."""
        return self._past.operations(after, until, region, outlines=True)

    def whole(self, operation: Operation) -> Operation:
        """Return an operation, with the pixels if it is a patch."""
        mark = operation.mark
        if isinstance(mark, Dab) or len(mark.image) > HEADER:
            return operation
        return replace(operation, mark=replace(mark, image=self._past.patch(operation.seq)))


def _near(operation: Operation, middles: Region) -> bool:
    """Say whether an operation may touch a region, by the same rule as `UndoReader.operations`."""
    mark = operation.mark
    return not isinstance(mark, Dab) or (
        middles.left <= mark.x <= middles.right and middles.top <= mark.y <= middles.bottom
    )
