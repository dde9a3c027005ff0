"""Checkpoints: the picture as it was at an operation, kept so that less has to be drawn again.

A dream is a base of the picture; where none comes for long, since it does not dream or the dreamer fails, a
checkpoint is one: the newest dream with the operations up to a number on it, to the level, as a PNG. A start
begins with it, and an undo goes back to it. It is written, synced and renamed before its row is committed,
like a frame file, and removed after its row.
"""

import asyncio
import hashlib
import io
import logging
import sqlite3
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from PIL import Image

from dreamcanvas.canvas.model import SIDE, Version
from dreamcanvas.store.files import write_durably
from dreamcanvas.store.journal import Journal

log = logging.getLogger(__name__)

COLUMNS: Final = "seq, dream, time, made, bytes, sha256"
KEEP: Final = 3  # should the newest be damaged
KEEP_AT_MOST: Final = 16  # of those that an undo may need
_RLE: Final = 3  # zlib's strategy: a third of the time of the usual one


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A kept picture: the newest operation in it, the dream under it (0: white), the time of what is newest
    in it and when it was made, ms since 1970, the length of its file and the checksum (SHA-256).
    """

    seq: int
    dream: int
    time: int
    made: int
    bytes: int
    sha256: str


def checkpoint_path(directory: Path, seq: int) -> Path:
    """Return where the file of a checkpoint is."""
    return directory / f"{seq:012d}.png"


def read_checkpoint(path: Path, sha256: str) -> Image.Image:
    """Return the picture of a checkpoint, RGB. Raises OSError where it is not what was written."""
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != sha256:
        raise OSError("its checksum is wrong")
    with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
        if image.size != (SIDE, SIDE):
            raise OSError(f"the picture has {image.width} × {image.height} pixels, not {SIDE} × {SIDE}")
        return image.convert("RGB")


class Checkpoints:
    """The checkpoints in a directory. Those of the last `keep_ms` are kept for undos."""

    def __init__(self, directory: Path, journal: Journal, *, keep_ms: int) -> None:
        self._directory = directory
        self._journal = journal
        self._keep_ms = keep_ms
        self._at_work = asyncio.Lock()  # what has no row yet is not to be taken for what has none any more

    async def keep(self, image: Image.Image, version: Version, *, time: int, now: int) -> bool:
        """Make a picture durable, and delete what it replaces; False where that failed, which is logged."""
        try:
            made = await self.record(image, version, time=time, now=now)
            await self.prune(now)
        except (OSError, sqlite3.Error) as error:
            log.error("checkpoint failed", extra={"error": str(error)})
            return False
        log.debug("checkpoint", extra={"seq": made.seq, "bytes": made.bytes})
        return True

    async def record(self, image: Image.Image, version: Version, *, time: int, now: int) -> Checkpoint:
        """Make a picture durable. Raises OSError or sqlite3.Error; then there is no such checkpoint."""

        def write() -> Checkpoint:
            buffer = io.BytesIO()
            image.save(buffer, "PNG", compress_level=1, compress_type=_RLE)
            data = buffer.getvalue()
            write_durably(checkpoint_path(self._directory, version.seq), data)
            sha256 = hashlib.sha256(data).hexdigest()
            return Checkpoint(version.seq, version.dream, time, now, len(data), sha256)

        async with self._at_work:
            made = await asyncio.to_thread(write)
            await self._journal.write(
                lambda connection: connection.execute(
                    f"INSERT OR REPLACE INTO checkpoints ({COLUMNS}) "
                    "VALUES (:seq, :dream, :time, :made, :bytes, :sha256)",
                    asdict(made),
                )
            )
        return made

    async def newest_whole(self, dream: int, *, after: int) -> tuple[Checkpoint, Image.Image] | None:
        """Return the newest one on a dream, of later operations than `after`, that can be read. A damaged one
        is logged.
        """
        rows = await self._journal.run(
            lambda connection: connection.execute(
                f"SELECT {COLUMNS} FROM checkpoints "
                "WHERE dream = :dream AND seq > :after AND seq <= :newest ORDER BY seq DESC",
                {"dream": dream, "after": after, "newest": self._journal.seq},
            ).fetchall()
        )
        for row in rows:
            found = Checkpoint(*row)
            path = checkpoint_path(self._directory, found.seq)
            try:
                return found, await asyncio.to_thread(read_checkpoint, path, found.sha256)
            except OSError as error:
                log.error("checkpoint unusable", extra={"path": str(path), "error": str(error)})
        return None

    async def prune(self, now: int) -> None:
        """Delete those that nobody will need: beyond the newest few, those that are older than an undo, or
        that a dream has replaced. Raises OSError, sqlite3.Error.
        """

        def delete(connection: sqlite3.Connection) -> set[int]:
            dreamt = connection.execute("SELECT coalesce(max(seq), 0) FROM dreams").fetchone()[0]
            rows = connection.execute("SELECT seq, made FROM checkpoints ORDER BY seq DESC").fetchall()
            kept = set()
            for place, (seq, made) in enumerate(rows):
                young = now - self._keep_ms <= made <= now and place < KEEP_AT_MOST
                if young or (place < KEEP and seq > dreamt):
                    kept.add(seq)
                else:
                    connection.execute("DELETE FROM checkpoints WHERE seq = :seq", {"seq": seq})
            return kept

        async with self._at_work:
            kept = await self._journal.write(delete)
            names = {checkpoint_path(self._directory, seq).name for seq in kept}
            await asyncio.to_thread(self._sweep, names)

    def _sweep(self, kept: set[str]) -> None:
        """Remove files without a row, also what a crash left."""
        if self._directory.is_dir():
            for path in self._directory.iterdir():
                if path.name not in kept:
                    path.unlink(missing_ok=True)
