"""What is restored is what was kept: newer versions, damage of the same length, older backups."""

import json
import sqlite3
from pathlib import Path

import pytest
from PIL import Image

from dreamcanvas.canvas.model import Dab, Version
from dreamcanvas.errors import StoreError
from dreamcanvas.store import schema
from dreamcanvas.store.backup import backup, restore
from dreamcanvas.store.checkpoints import Checkpoints
from dreamcanvas.store.file_state import FileState
from dreamcanvas.store.files import digest
from dreamcanvas.store.movies import Movies, Window
from tests.painting.test_painter import GREEN, Studio


@pytest.fixture
async def made(tmp_path: Path) -> Path:
    """A backup with a dream, a checkpoint and a movie in it."""
    data = tmp_path / "data"
    data.mkdir()
    studio = Studio(data)
    await studio.painter.recover()
    await studio.paint(Dab(300, 300, 60, 0))
    await studio.painter.begin_dream()
    await studio.dream(GREEN)
    checkpoints = Checkpoints(data / "checkpoints", studio.journal, keep_ms=60_000)
    await checkpoints.record(Image.new("RGB", (1536, 1536), "red"), Version(1, 1), time=5, now=5)
    movie = data / "movies/1970/19700101T000000Z-768.mp4"
    movie.parent.mkdir(parents=True)
    movie.write_bytes(bytes(range(256)) * 40)
    window = Window(0, 7_200_000, 1, 1, 1, (), (), {"-768.mp4": 10240}, file=FileState.THERE)
    digests = {movie.relative_to(data).as_posix(): digest(movie)}
    row = (0, 7_200_000, 1, 1, 1, 0, "[]", "[]", json.dumps(window.files), 10240, 0, 0)
    await studio.journal.write(
        lambda connection: connection.execute(f"INSERT INTO windows VALUES ({','.join('?' * 12)})", row)
    )
    await Movies(studio.journal, None).window_made(window, [], digests)  # type: ignore[arg-type]
    await studio.close()
    (data / "test.db").rename(data / "dreamcanvas.db")
    backup(data, tmp_path / "backup", clock=lambda: 7)
    return tmp_path / "backup"


@pytest.mark.parametrize(
    "name",
    [
        "frames/000000/000000001.jpg",
        "checkpoints/000000000001.png",
        "movies/1970/19700101T000000Z-768.mp4",
        "dreamcanvas.db",
    ],
)
@pytest.mark.parametrize("place", [0.5, 0.99])
def test_a_changed_byte_of_any_file_is_found(made: Path, name: str, place: float) -> None:
    data = bytearray((made / name).read_bytes())
    data[int(len(data) * place)] ^= 0x55
    (made / name).unlink()  # it may be a link
    (made / name).write_bytes(data)
    with pytest.raises(StoreError, match="not restored"):
        restore(made, made.parent / "again")
    assert not (made.parent / "again/dreamcanvas.db").exists()


def test_all_of_it_comes_back_and_nobody_else_reads_the_database(made: Path) -> None:
    again = made.parent / "again"
    restore(made, again)
    for name in ("frames/000000/000000001.jpg", "checkpoints/000000000001.png"):
        assert (again / name).read_bytes() == (made.parent / "data" / name).read_bytes()
    for directory in (made, again):
        assert (directory / "dreamcanvas.db").stat().st_mode & 0o777 == 0o600


def test_a_backup_of_a_newer_version_is_refused(made: Path) -> None:
    known = json.loads((made / "backup.json").read_text())
    newer = len(schema.MIGRATIONS) + 1
    (made / "backup.json").write_text(json.dumps({**known, "schema": newer}))
    with pytest.raises(StoreError, match=f"schema version {newer}.*use the newer"):
        restore(made, made.parent / "again")
    assert not (made.parent / "again").exists()


def test_so_is_one_whose_database_alone_says_so(made: Path) -> None:
    connection = sqlite3.connect(made / "dreamcanvas.db")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    known = json.loads((made / "backup.json").read_text())
    (made / "backup.json").write_text(json.dumps({**known, "sha256": ""}))
    with pytest.raises(StoreError, match="schema version 99"):
        restore(made, made.parent / "again")


def test_a_backup_of_version_4_is_restored_as_one_of_this(tmp_path: Path) -> None:
    old = tmp_path / "backup"
    old.mkdir()
    connection = sqlite3.connect(old / "dreamcanvas.db")
    connection.executescript((Path(__file__).parents[1] / "store/version_4.sql").read_text())
    frames = connection.execute("SELECT dream, bytes FROM dreams WHERE file = 0").fetchall()
    operations = connection.execute("SELECT max(seq) FROM operations").fetchone()[0]
    connection.close()
    for dream, length in frames:
        path = old / f"frames/000000/{dream:09d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(length - 2) + b"\xff\xd9")
    manifest = {"schema": 4, "time": 1, "seq": operations, "dream": len(frames), "files": 1, "bytes": 1}
    (old / "backup.json").write_text(json.dumps(manifest))
    restore(old, tmp_path / "again")
    connection = sqlite3.connect(tmp_path / "again/dreamcanvas.db")
    assert connection.execute("PRAGMA user_version").fetchone() == (len(schema.MIGRATIONS),)
    connection.close()
    zeroed = old / "frames/000000/000000001.jpg"
    zeroed.write_bytes(bytes(zeroed.stat().st_size))
    with pytest.raises(StoreError, match="its end is missing"):
        restore(old, tmp_path / "third")
