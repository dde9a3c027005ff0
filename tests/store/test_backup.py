"""A copy of everything that is kept, and back."""

import io
import json
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image

from dreamcanvas.canvas.model import Dab
from dreamcanvas.errors import StoreError
from dreamcanvas.store.backup import Backup, backup, restore
from dreamcanvas.store.budget import Budget
from dreamcanvas.store.dreams import Dream, Dreams
from dreamcanvas.store.journal import Entry, Journal
from tests.faults import studio
from tests.faults.shim import Shim
from tests.live_server import Server
from tests.socket_client import Socket, dab


def jpeg() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (1536, 1536), (0, 120, 0)).save(buffer, "JPEG")
    return buffer.getvalue()


GREEN = jpeg()


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    (tmp_path / "data").mkdir()
    journal = Journal(tmp_path / "data" / "dreamcanvas.db", clock=lambda: 1000)
    yield journal
    await journal.drain()
    journal.close()


@pytest.fixture
async def data_dir(tmp_path: Path, journal: Journal) -> Path:
    """Operations 1–30 with twenty in two archives, and dreams 1–12, open in a journal."""
    dreams = Dreams(tmp_path / "data" / "frames", journal)
    await journal.append(Entry(journal.anonymous("here"), [Dab(n, n, 9, n) for n in range(30)]))
    for number in range(1, 13):
        await dreams.record(Dream(number, 20, 5, "Eyes", "b9", "none", 1, 0, len(GREEN)), GREEN)
    for until in (10, 20):
        await journal.archive.move(until=until, before=2000, overdue=0, file_operations=10)
    return tmp_path / "data"


def tree(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file() and path.suffix in (".jpg", ".gz")
    }


def test_a_backup_of_a_database_in_use_is_whole_and_restores(data_dir: Path, tmp_path: Path) -> None:
    made = backup(data_dir, tmp_path / "backup", clock=lambda: 7)
    assert (made.time, made.seq, made.dream, made.files) == (7, 30, 12, 15)
    assert sorted(path.name for path in (tmp_path / "backup").iterdir()) == [
        "archive",
        "backup.json",
        "dreamcanvas.db",
        "frames",
    ]
    assert json.loads((tmp_path / "backup" / "backup.json").read_text())["seq"] == 30
    assert tree(tmp_path / "backup") == tree(data_dir)
    assert restore(tmp_path / "backup", tmp_path / "again") == made
    assert tree(tmp_path / "again") == tree(data_dir)
    again = Journal(tmp_path / "again" / "dreamcanvas.db", clock=lambda: 0)
    assert [operation.seq for operation in again.operations(0)] == list(range(1, 31))
    again.close()


def test_files_are_linked_where_that_can_be(data_dir: Path, tmp_path: Path) -> None:
    backup(data_dir, tmp_path / "backup", clock=lambda: 7)
    frame = Path("frames", "000000", "000000001.jpg")
    assert (tmp_path / "backup" / frame).stat().st_ino == (data_dir / frame).stat().st_ino
    assert (tmp_path / "backup" / "dreamcanvas.db").stat().st_nlink == 1


def test_on_another_file_system_they_are_copied(data_dir: Path, tmp_path: Path) -> None:
    other = Path("/dev/shm")  # noqa: S108
    if not other.is_dir() or other.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no other file system to write to")
    target = other / f"dreamcanvas-{tmp_path.name}"
    try:
        backup(data_dir, target / "backup", clock=lambda: 7)
        assert tree(target / "backup") == tree(data_dir)
        assert restore(target / "backup", tmp_path / "again").seq == 30
    finally:
        subprocess.run(["rm", "-rf", str(target)], check=True)


async def test_what_was_deleted_for_want_of_room_is_not_missing(
    data_dir: Path, tmp_path: Path, journal: Journal
) -> None:
    await Budget(data_dir, journal, limit=1).enforce()
    made = backup(data_dir, tmp_path / "backup", clock=lambda: 7)
    assert (made.files, made.dream) == (11, 12)
    restore(tmp_path / "backup", tmp_path / "again")


def test_a_file_that_is_missing_is_told_and_does_not_spoil_the_backup(
    data_dir: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (data_dir / "frames" / "000000" / "000000003.jpg").unlink()
    assert backup(data_dir, tmp_path / "backup", clock=lambda: 7).files == 14
    assert "missing, and so not in the backup" in caplog.text
    assert restore(tmp_path / "backup", tmp_path / "again").files == 14


@pytest.mark.parametrize("what", ["target", "data_dir"])
def test_what_is_not_empty_is_refused(data_dir: Path, tmp_path: Path, what: str) -> None:
    backup(data_dir, tmp_path / "backup", clock=lambda: 7)
    before = tree(tmp_path / "backup")
    with pytest.raises(StoreError, match="is not empty: nothing was done"):
        if what == "target":
            backup(data_dir, tmp_path / "backup", clock=lambda: 8)
        else:
            restore(tmp_path / "backup", data_dir)
    assert tree(tmp_path / "backup") == before


def test_where_there_is_nothing_nothing_is_backed_up(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="nothing to back up"):
        backup(tmp_path / "none", tmp_path / "backup", clock=lambda: 7)
    assert not (tmp_path / "backup").exists()


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        ("backup.json", "is no complete backup"),
        ("frames/000000/000000005.jpg", "000000005.jpg is missing"),
        ("archive/000000000011.jsonl.gz", "000000000011.jsonl.gz is missing"),
        ("dreamcanvas.db", "unable to open"),
    ],
)
def test_a_backup_that_lacks_something_is_not_restored(
    data_dir: Path, tmp_path: Path, harm: str, sentence: str
) -> None:
    backup(data_dir, tmp_path / "backup", clock=lambda: 7)
    (tmp_path / "backup" / harm).unlink()
    with pytest.raises(StoreError, match=sentence):
        restore(tmp_path / "backup", tmp_path / "again")
    assert not (tmp_path / "again" / "dreamcanvas.db").exists()


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        ("frames/000000/000000005.jpg", "bytes in place of"),
        ("archive/000000000011.jsonl.gz", "wrong checksum"),
        ("dreamcanvas.db", "damaged|malformed"),
    ],
)
def test_a_damaged_backup_is_not_restored(data_dir: Path, tmp_path: Path, harm: str, sentence: str) -> None:
    backup(data_dir, tmp_path / "backup", clock=lambda: 7)
    path = tmp_path / "backup" / harm
    data = bytearray(path.read_bytes())
    path.unlink()  # it may be a link
    data[-5000:] = b"" if harm.endswith("jpg") else b"\xa5" * len(data[-5000:])
    path.write_bytes(data)
    with pytest.raises(StoreError, match=sentence):
        restore(tmp_path / "backup", tmp_path / "again")
    assert not (tmp_path / "again" / "dreamcanvas.db").exists()


def test_a_full_disk_is_a_sentence(data_dir: Path, tmp_path: Path) -> None:
    shim = Shim(tmp_path / "disk")
    shim.full()
    done = run("backup", str(shim.root / "backup"), "--data-dir", str(data_dir), environment=shim.environment)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ")
    assert "No space left" in done.stderr or "the disk is full" in done.stderr


def run(*arguments: str, environment: dict[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "dreamcanvas", *arguments],
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_server_that_is_painted_on_is_backed_up_by_the_command(tmp_path: Path) -> None:
    acknowledged: list[int] = []
    stop = threading.Event()
    with Server(tmp_path / "data", "--no-dream", "--no-rate-limits") as server:

        def paint() -> None:
            with Socket(server.ws_url) as socket:
                while not stop.is_set():
                    acknowledged.append(socket.paint(dabs=[dab(len(acknowledged) % 1500, 700)]).seq)

        painting = threading.Thread(target=paint)
        painting.start()
        while len(acknowledged) < 50:
            pass
        before = acknowledged[-1]
        done = run("backup", str(tmp_path / "backup"), "--data-dir", str(tmp_path / "data"))
        assert done.returncode == 0, done.stderr
        stop.set()
        painting.join()
    assert done.stdout.startswith(f"{tmp_path / 'backup'}: ")
    done = run("restore", str(tmp_path / "backup"), "--data-dir", str(tmp_path / "again"))
    assert done.returncode == 0, done.stderr
    with Server(tmp_path / "again", "--no-dream") as again:
        seq = json.loads(again.get("/readyz"))["seq"]
    assert before <= seq <= acknowledged[-1]
    found = sqlite3.connect(tmp_path / "again" / "dreamcanvas.db")
    assert found.execute("SELECT count(*), max(seq) FROM operations").fetchone() == (seq, seq)
    found.close()


def test_all_that_was_acknowledged_before_is_in_a_backup_taken_while_it_dreams(tmp_path: Path) -> None:
    told = studio.Told()
    command = [sys.executable, "-m", "tests.faults.studio", str(tmp_path / "data"), "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        while len(told.dreamt) < 5:
            told.note(process.stdout.readline())
        before = studio.Told(dict(told.painted), dict(told.dreamt))
        result: list[Backup] = []
        taking = threading.Thread(
            target=lambda: result.append(backup(tmp_path / "data", tmp_path / "backup", clock=lambda: 0))
        )
        taking.start()
        while taking.is_alive():
            told.note(process.stdout.readline())
        taking.join()
        process.terminate()
        for line in process.stdout:
            told.note(line)
    assert process.returncode == 0
    [made] = result
    assert restore(tmp_path / "backup", tmp_path / "again") == made
    found = studio.check(tmp_path / "again", before)
    assert found.dreams_recovered >= found.dreams_acknowledged >= 5
    assert found.recovered >= found.acknowledged > 0
