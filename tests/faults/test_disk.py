"""The disk that forgets, and the preload library that tells it what happened."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.disk import SECTOR, Disk
from tests.faults.shim import Shim

EVERY_WAY = r"""
import os, shutil, sqlite3, sys
from pathlib import Path
d = Path(sys.argv[1])
os.chdir(d)
os.makedirs("a/b")
Path("a/b/x").write_bytes(os.urandom(100_000))
fd = os.open("a/w", os.O_RDWR | os.O_CREAT, 0o644)
os.write(fd, b"0123456789")
os.lseek(fd, 3, 0)
os.writev(fd, [b"ab", b"cd"])
os.pwrite(fd, b"zz", 5000)
os.pwritev(fd, [b"yy", b"xx"], 20)
os.ftruncate(fd, 4000)
os.posix_fallocate(fd, 0, 6000)
other = os.dup(fd)
os.write(other, b"by another descriptor")
os.truncate("a/w", 5990)
os.fsync(other)
with open("a/log", "ab") as log:
    log.write(b"appended"); log.flush(); log.write(b" twice")
with open("a/log", "r+b") as log:
    log.write(b"A")
shutil.copyfile("a/b/x", "a/copy")
os.copy_file_range(fd, os.open("a/range", os.O_WRONLY | os.O_CREAT, 0o644), 100)
os.link("a/copy", "a/linked")
os.rename("a/copy", "a/b/moved")
os.replace("a/log", "a/w2")
directory = os.open("a", os.O_RDONLY)
os.rename("linked", "turned", src_dir_fd=directory, dst_dir_fd=directory)
os.unlink("w2", dir_fd=directory)
os.mkdir("c", dir_fd=directory)
os.rmdir("a/c")
open("a/b/x", "wb").close()
for mode in ("wal", "delete"):
    c = sqlite3.connect(f"{mode}.db", isolation_level=None)
    c.execute(f"PRAGMA journal_mode = {mode}")
    c.execute("CREATE TABLE t (a)")
    for n in range(50):
        c.execute("INSERT INTO t VALUES (randomblob(2000))")
    c.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    c.execute("INSERT INTO t VALUES (randomblob(2000))")
    if mode == "delete":
        c.execute("VACUUM")
c = sqlite3.connect("wal.db")
c.backup(sqlite3.connect("copy.db"))
os._exit(0)
"""


def run(shim: Shim, code: str) -> None:
    environment = {**os.environ, **shim.environment}
    subprocess.run([sys.executable, "-c", code, str(shim.root)], check=True, env=environment)


def files(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and not path.name.endswith("-shm")
    }


@pytest.fixture
def shim(tmp_path: Path) -> Shim:
    return Shim(tmp_path / "disk")


def test_the_log_tells_every_way_to_change_a_file(shim: Shim) -> None:
    disk = Disk(shim.root)
    run(shim, EVERY_WAY)
    disk.replay(shim.log)
    told = {name: data for name, data in disk.contents().items() if not name.endswith("-shm")}
    assert told == files(shim.root)
    assert {"a/b/moved", "a/turned", "a/range", "wal.db-wal", "delete.db", "copy.db"} <= told.keys()
    assert disk.syncs > 50


def after(shim: Shim, code: str) -> list[dict[str, bytes]]:
    """What is left after many cuts at the end of some code."""
    disk = Disk(shim.root)
    run(shim, "import os, sys; os.chdir(sys.argv[1])\n" + code)
    disk.replay(shim.log)
    return [disk.cut(random.Random(seed)) for seed in range(300)]


SYNC = """
def sync(name):
    fd = os.open(name, os.O_RDONLY)
    os.fsync(fd)
"""


def test_a_file_whose_directory_was_not_synced_may_be_gone(shim: Shim) -> None:
    found = after(shim, SYNC + "open('x', 'wb').write(b'1'); sync('x')")
    assert {tuple(one.items()) for one in found} == {(), (("x", b"1"),)}


def test_a_file_that_was_not_synced_may_be_empty_whole_or_torn_at_sectors(shim: Shim) -> None:
    found = after(shim, SYNC + f"open('x', 'wb').write(b'1' * {4 * SECTOR}); sync('.')")
    contents = {one["x"] for one in found}
    assert {b"", b"1" * 4 * SECTOR} < contents
    for content in contents:
        parts = [content[start : start + SECTOR] for start in range(0, len(content), SECTOR)]
        assert all(len(part) == SECTOR and part in (b"1" * SECTOR, bytes(SECTOR)) for part in parts)


def test_what_was_synced_is_left(shim: Shim) -> None:
    found = after(
        shim, SYNC + "os.mkdir('d'); open('d/x', 'wb').write(b'1'); [sync(n) for n in ('d/x', 'd', '.')]"
    )
    assert {tuple(one.items()) for one in found} == {(("d/x", b"1"),)}


def test_a_rename_that_was_not_synced_leaves_the_one_or_the_other(shim: Shim) -> None:
    code = """
open('new', 'wb').write(b'new'); open('x', 'wb').write(b'old')
[sync(n) for n in ('new', 'x', '.')]
os.replace('new', 'x')
"""
    found = after(shim, SYNC + code)
    assert {tuple(sorted(one.items())) for one in found} == {
        (("new", b"new"), ("x", b"old")),
        (("x", b"new"),),
    }


def test_a_sync_that_failed_makes_nothing_durable(shim: Shim) -> None:
    shim.set(sync=5)
    code = """
f = open('x', 'wb'); f.write(b'1'); f.flush()
try:
    os.fsync(f.fileno())
except OSError as error:
    assert error.errno == 5
else:
    raise SystemExit(1)
"""
    assert {} in after(shim, code)
