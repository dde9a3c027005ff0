"""Preload libraries, compiled once; and a directory under that of shim.c: its log and its faults.

Why a preload library: it sees what the process asks of the kernel, from SQLite and from Python alike, on the
Python and SQLite that are installed, without privileges. A FUSE file system needs /dev/fuse and a mount,
which containers lack; SQLite's own test VFS sees the database, but not the frame files, nor the order between
them.
"""

import errno
import functools
import os
import subprocess
import tempfile
from pathlib import Path

SOURCE = Path(__file__).with_name("shim.c")


@functools.cache
def library(source: Path = SOURCE) -> Path:
    """The compiled library."""
    path = Path(tempfile.mkdtemp(prefix="dreamcanvas-shim-")) / "shim.so"
    command = ["cc", "-shared", "-fPIC", "-O1", "-o", str(path), str(source), "-ldl", "-lpthread"]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except FileNotFoundError:
        raise RuntimeError(
            "the tests of faults and of the replay need a C compiler: cc (Debian: gcc, libc6-dev)"
        ) from None
    except subprocess.CalledProcessError as error:
        raise RuntimeError(f"{source.name} does not compile: {error.stderr}") from error
    return path


class Shim:
    """The files under `root`, whose changes are logged beside it, and which fail as `set` says."""

    def __init__(self, root: Path) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self.root = root.resolve()
        self.log = self.root.with_name(f"{self.root.name}.log")
        self.control = self.root.with_name(f"{self.root.name}.control")
        self.clear()

    @property
    def environment(self) -> dict[str, str]:
        """What a process is started with to run on it."""
        return {
            "LD_PRELOAD": str(library()),
            "FAULTS_ROOT": str(self.root),
            "FAULTS_LOG": str(self.log),
            "FAULTS_CONTROL": str(self.control),
        }

    def set(
        self, *, write: int = 0, sync: int = 0, delay_ms: int = 0, skip_sync: bool = False, only: str = ""
    ) -> None:
        """From now on changes fail with the errno `write` and syncs with `sync`, where `only` is in the path.

        With a $ at its end it is the end of the path. Every sync takes `delay_ms` longer; with `skip_sync`
        it is not passed on to the real disk.
        """
        lines = {
            "write": write,
            "sync": sync,
            "delay_ms": delay_ms,
            "skip_sync": int(skip_sync),
            "only": only,
        }
        text = "".join(f"{name} {value}\n" for name, value in lines.items() if value)
        partial = self.control.with_suffix(".new")
        partial.write_text(text)
        os.replace(partial, self.control)  # noqa: PTH105 - at once, under a process that reads it

    def clear(self) -> None:
        """No faults."""
        self.set()

    def full(self, only: str = "") -> None:
        """The disk is full."""
        self.set(write=errno.ENOSPC, only=only)
