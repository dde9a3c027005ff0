"""A checkpoint that fails loses nothing, and is told."""

import errno
import os
import subprocess
import sys
from pathlib import Path

from dreamcanvas.store.database import Database
from tests.faults.shim import Shim

CODE = """
import asyncio, logging, sys
from pathlib import Path
from dreamcanvas.canvas.model import Dab
from dreamcanvas.store.database import CHECKPOINT_TRANSACTIONS
from dreamcanvas.store.journal import Entry, Journal

async def main():
    journal = Journal(Path(sys.argv[1]) / "test.db", clock=lambda: 0)
    author = journal.anonymous("here")
    for _ in range(2):
        for n in range(CHECKPOINT_TRANSACTIONS + 1):
            await journal.append(Entry(author, [Dab(n, n, 9, 0)]))
        await journal.run(lambda _: None)
        print(journal.seq, journal.failing, flush=True)
        sys.stdin.readline()
    journal.close()

logging.basicConfig(format="%(message)s", level=logging.WARNING, stream=sys.stdout)
asyncio.run(main())
"""


def test_paints_go_on_while_checkpoints_fail(tmp_path: Path) -> None:
    shim = Shim(tmp_path / "disk")
    Database(shim.root / "test.db").close()
    shim.set(sync=errno.EIO, only="/test.db$")
    with subprocess.Popen(
        [sys.executable, "-c", CODE, str(shim.root)],
        env={**os.environ, **shim.environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "checkpoint fails\n"
        assert process.stdout.readline() == "257 None\n"
        shim.clear()
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "checkpoint works again\n"
        assert process.stdout.readline() == "514 None\n"
