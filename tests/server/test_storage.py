"""What is kept, put together: how long the frames stay that undo begins with."""

import json
import sqlite3
from pathlib import Path

import pytest

from dreamcanvas.config import Config
from dreamcanvas.server.storage import Storage, storage
from dreamcanvas.store.dreams import Dream

NOW = 8_000_000
AGO_MS = 30 * 60_000
DREAMS = 20


async def fill(kept: Storage) -> None:
    """Dreams of half an hour ago, all of them in the movie of a window."""
    for number in range(1, DREAMS + 1):
        await kept.dreams.record(Dream(number, 0, NOW - AGO_MS, "Eyes", "b9", "none", 1, 0, 10), bytes(10))
    row = (0, 7_200_000, 1, DREAMS, DREAMS, 0, "[]", "[]", json.dumps({"-768.mp4": 10}), 10, 0, 0)

    def close(connection: sqlite3.Connection) -> None:
        connection.execute(f"INSERT INTO windows VALUES ({','.join('?' * 12)})", row)
        connection.execute("UPDATE dreams SET movie = 0")

    await kept.journal.write(close)


@pytest.mark.parametrize(("undo_seconds", "frames"), [(3600, DREAMS), (60, 11)])
async def test_frames_stay_for_twice_the_time_of_an_undo_also_without_a_time_of_their_own(
    tmp_path: Path, undo_seconds: int, frames: int
) -> None:
    config = Config(data_dir=tmp_path, keep_frames_minutes=0, undo_seconds=undo_seconds, dream=False)
    with storage(config, clock=lambda: NOW) as kept:
        await fill(kept)
        await kept.maintenance.once()
        found = list((tmp_path / "frames").glob("*/*.jpg"))
    assert len(found) == frames
