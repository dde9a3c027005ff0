"""Keep the dreams: each has a row in the database and a frame file, from which the picture is made again.

A frame file is written beside its place, synced, renamed into it, and its directory synced, before its row is
committed. So no crash leaves a row without its whole file.
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

from dreamcanvas.canvas.model import SIDE
from dreamcanvas.store import layout
from dreamcanvas.store.diagnosis import explain
from dreamcanvas.store.file_state import FileState
from dreamcanvas.store.files import write_durably
from dreamcanvas.store.journal import Journal

log = logging.getLogger(__name__)

END_OF_IMAGE: Final = b"\xff\xd9"  # ITU-T T.81, B.1.1.3
COLUMNS: Final = "dream, seq, time, style, layer, network, ms, users, bytes"


@dataclass(frozen=True, slots=True)
class Dream:
    """A dreamt picture: number, last operation in it, time (ms since 1970), style, and how long it took.

    It also says how many websockets were open. `bytes` is the length of its frame file.
    """

    dream: int
    seq: int
    time: int
    style: str
    layer: str
    network: str
    ms: int
    users: int
    bytes: int


def frame_path(directory: Path, dream: int) -> Path:
    """Return the path of a dream's frame file below `directory`: a directory for each thousand."""
    return directory / f"{dream // 1000:06d}" / f"{dream:09d}.jpg"


def digest_name(dream: int) -> str:
    """Return the name of a frame file in the table `digests`."""
    return frame_path(Path(layout.FRAMES), dream).as_posix()


def read_frame(path: Path, length: int, sha256: bytes | None) -> bytes:
    """Return a frame file after a check of its length and its checksum.

    Where the checksum is not known, only the JPEG's end is checked.     Raises OSError where it is not
    what was written; FileNotFoundError where it is gone.
    """
    data = path.read_bytes()
    if len(data) != length:
        raise OSError(f"{len(data)} bytes in place of {length}")
    if sha256 is None:
        if not data.endswith(END_OF_IMAGE):  # libjpeg would fill what is missing with grey
            raise OSError("its end is missing")
    elif hashlib.sha256(data).digest() != sha256:
        raise OSError("its checksum is wrong")
    return data


class Dreams:
    """The dreams in `directory`. `failing` says in words why no frame file can be written; else None."""

    def __init__(self, directory: Path, journal: Journal) -> None:
        self._directory = directory
        self._journal = journal
        self.failing: str | None = None

    def frame(self, dream: int) -> Path:
        """Return the path of a dream's frame file."""
        return frame_path(self._directory, dream)

    async def record(self, dream: Dream, jpeg: bytes) -> None:
        """Make a dream durable.

        Raises OSError or sqlite3.Error where that failed; then the dream is not recorded.
        """
        try:
            await asyncio.to_thread(write_durably, self.frame(dream.dream), jpeg)
        except OSError as error:
            why = explain(self._directory.parent, error)
            if self.failing is None:
                log.error("frame file not written", extra={"dream": dream.dream, "why": why})
            self.failing = why
            raise
        if self.failing is not None:
            log.warning("frame files can be written again", extra={"dream": dream.dream})
            self.failing = None

        row = {**asdict(dream), "file": FileState.THERE}
        digest = {"file": digest_name(dream.dream), "sha256": hashlib.sha256(jpeg).digest()}

        def insert(connection: sqlite3.Connection) -> None:
            connection.execute(
                f"INSERT INTO dreams ({COLUMNS}, file) VALUES "
                "(:dream, :seq, :time, :style, :layer, :network, :ms, :users, :bytes, :file)",
                row,
            )
            connection.execute("INSERT OR REPLACE INTO digests VALUES (:file, :sha256)", digest)

        await self._journal.write(insert)

    async def read(self, dream: int) -> bytes:
        """Return the frame file of a dream, as it was written.

        Raises OSError where it is damaged; FileNotFoundError where it is gone, or there is no such dream.
        """
        row = self._journal.row("SELECT bytes FROM dreams WHERE dream = :dream", dream=dream)
        if row is None:
            raise FileNotFoundError(f"there is no dream {dream}")
        found = self._journal.row("SELECT sha256 FROM digests WHERE file = :file", file=digest_name(dream))
        return await asyncio.to_thread(read_frame, self.frame(dream), row[0], found[0] if found else None)

    async def newest_whole(self) -> tuple[Dream, Image.Image] | None:
        """Return the newest dream whose frame file can be read, with its picture; None where there is none.

        Missing and damaged files are logged and passed over.
        """
        rows = await self._journal.run(
            lambda connection: connection.execute(
                f"SELECT {COLUMNS} FROM dreams WHERE file = :there ORDER BY dream DESC",
                {"there": FileState.THERE},
            ).fetchmany(1000)
        )
        for row in rows:
            dream = Dream(*row)
            path = self.frame(dream.dream)
            try:
                return dream, await asyncio.to_thread(decode, await self.read(dream.dream))
            except OSError as error:
                log.error(
                    "frame file unusable",
                    extra={"dream": dream.dream, "path": str(path), "error": str(error)},
                )
        return None

    async def seqs(self, until: int, most: int) -> list[int]:
        """Return the last operations of dreams, in the dreams' order.

        These are the newest `most` dreams up to the dream `until`.
        """
        rows = await self._journal.run(
            lambda connection: connection.execute(
                "SELECT seq FROM dreams WHERE dream <= :until ORDER BY dream DESC LIMIT :most",
                {"until": until, "most": most},
            ).fetchall()
        )
        return [row[0] for row in reversed(rows)]

    async def last_number(self) -> int:
        """Return the highest number that a dream has had; 0 where there was none."""

        def query(connection: sqlite3.Connection) -> int:
            return int(connection.execute("SELECT coalesce(max(dream), 0) FROM dreams").fetchone()[0])

        return await self._journal.run(query)


def decode(jpeg: bytes) -> Image.Image:
    """Return the picture in a frame file, RGB. Raises OSError where it is damaged or of another size."""
    with Image.open(io.BytesIO(jpeg), formats=("JPEG",)) as image:
        if image.size != (SIDE, SIDE):
            raise OSError(f"the picture has {image.width} × {image.height} pixels, not {SIDE} × {SIDE}")
        return image.convert("RGB")
