"""Power cuts under a server that is painted on, and under one that dreams and keeps house.

The process runs on the preload library of shim.py (which says why), and is killed at a random moment. What a
power cut may then have left of its files is made from the library's log by disk.py, and put in their place.
The next process starts on that, and it is compared with what was acknowledged.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests import crash
from tests.faults import studio
from tests.faults.disk import Disk
from tests.faults.shim import Shim

SYNC_MS = 2
DREAMS, LINES = 7, 60
"""So many dreams at the most, and then so many lines, pass before a cut."""


class Power:
    """A disk under power, in `root`, and its cuts."""

    def __init__(self, root: Path, rng: random.Random) -> None:
        self.shim = Shim(root)
        self.shim.set(
            delay_ms=SYNC_MS, skip_sync=True
        )  # durable is what the log says, not what the disk does
        self._rng = rng
        self.begin()

    def begin(self) -> None:
        """What is on the disk now is durable."""
        self.shim.log.unlink(missing_ok=True)
        self._disk = Disk(self.shim.root)

    def cut(self) -> None:
        """Puts what a cut may leave in the place of the files. Nobody may have them open."""
        self._disk.replay(self.shim.log)
        left = self._disk.cut(self._rng)
        for entry in self.shim.root.iterdir():
            shutil.rmtree(entry)
        for name, data in left.items():
            if not name.endswith("-shm"):  # shared memory, not a file: made anew by whoever opens it first
                path = self.shim.root / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
        self.begin()

    def check_log(self) -> None:
        """The log tells all that happened to the files. Only where nobody was killed in the middle of it."""
        self._disk.replay(self.shim.log)
        assert {name: data for name, data in self._disk.contents().items() if not name.endswith("-shm")} == {
            str(path.relative_to(self.shim.root)): path.read_bytes()
            for path in self.shim.root.rglob("*")
            if path.is_file() and not path.name.endswith("-shm")
        }
        self.begin()


def painting(directory: Path, cuts: int, seed: int) -> crash.Report:
    """Cuts the power of a server on which sessions paint, with the checks of tests/crash.py."""
    power = Power(directory / "disk", random.Random(seed))
    report = crash.run(
        power.shim.root / "data", cuts, seed, environment=power.shim.environment, killed=power.cut
    )
    power.check_log()
    return report


def dreaming(directory: Path, cuts: int, seed: int) -> studio.Found:
    """Cuts the power of tests/faults/studio.py: dreams, archives and what is deleted for want of room."""
    rng = random.Random(seed)
    power = Power(directory / "disk", rng)
    data_dir = power.shim.root / "data"
    told = studio.Told()
    found = studio.Found()
    for cut in range(cuts + 1):
        with _run(power, data_dir, seed + cut) as process:
            assert process.stdout is not None
            told.note(process.stdout.readline())  # it has started
            if cut == cuts:
                process.send_signal(signal.SIGTERM)
            else:
                dreamt = len(told.dreamt) + rng.randint(DREAMS // 2, DREAMS)
                while len(told.dreamt) < dreamt and (line := process.stdout.readline()):
                    told.note(line)
                for _ in range(rng.randint(0, LINES)):
                    told.note(process.stdout.readline())
                time.sleep(rng.uniform(0, 0.03))
                process.kill()
            for line in process.stdout:
                told.note(line)
        if cut == cuts:
            assert process.returncode == 0
            power.check_log()
        else:
            power.cut()
        found = studio.check(data_dir, told)
        power.begin()
    return found


def _run(power: Power, data_dir: Path, seed: int) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "tests.faults.studio", str(data_dir), str(seed)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **power.shim.environment},
    )
