"""Checkpoints: the picture as of an operation, kept so that less has to be drawn again.

A start and an undo draw the picture again from a base, usually a dream. Where no dream comes for long,
because the canvas does not dream or the dreamer fails, a checkpoint is the base: the newest dream with the
operations up to a number on it, as a PNG without any loss. It is written, synced and renamed before its
row is committed, like a frame file, and removed after its row.
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
KEEP: Final = 3  # in case the newest is damaged
KEEP_AT_MOST: Final = 16  # of those that an undo may need
_RLE: Final = 3  # zlib's Z_RLE: a third of the time of the usual strategy


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A kept picture: the newest operation in it, and the dream under it (0: white paper).

    Times are in ms since 1970: that of the newest thing in it, and that at which it was made. Then come the
    length of its file and its checksum (SHA-256).
    """

    seq: int
    dream: int
    time: int
    made: int
    bytes: int
    sha256: str


def checkpoint_path(directory: Path, seq: int) -> Path:
    """Return the path of a checkpoint's file."""
    return directory / f"{seq:012d}.png"


def read_checkpoint(path: Path, sha256: str) -> Image.Image:
    """Return the picture of a checkpoint, RGB. Raises OSError where the file was changed."""
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
        self._at_work = asyncio.Lock()  # a file whose row is not written yet must not be swept away

    async def keep(self, image: Image.Image, version: Version, *, time: int, now: int) -> bool:
        """Make a picture durable, and delete what it replaces; a failure is logged, and gives False."""
        try:
            made = await self.record(image, version, time=time, now=now)
            await self.prune(now)
        except (OSError, sqlite3.Error) as error:
            log.error("checkpoint failed", extra={"error": str(error)})
            return False
        log.debug("checkpoint", extra={"seq": made.seq, "bytes": made.bytes})
        return True

    async def record(self, image: Image.Image, version: Version, *, time: int, now: int) -> Checkpoint:
        """Make a picture durable. Raises OSError or sqlite3.Error; then no checkpoint was made."""

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
        """Return the newest readable checkpoint on a dream, or None; its operation is after `after`.

        A damaged one is logged and passed over.
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
        """Delete checkpoints that nobody will need. Raises OSError, sqlite3.Error.

        The newest few stay. Of the others those go that are too old for an undo, or that a dream has
        replaced.
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
        """Remove files without a row, such as those that a crash left."""
        if self._directory.is_dir():
            for path in self._directory.iterdir():
                if path.name not in kept:
                    path.unlink(missing_ok=True)
