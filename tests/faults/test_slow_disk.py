"""A disk whose syncs take 20 ms: the batches grow, not the waiting."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.faults.shim import Shim

SYNC_MS = 20
PAINTERS = 100
CALLS = 20
CODE = """
import asyncio, json, sys, time
from pathlib import Path
from dreamcanvas.canvas.model import Dab
from dreamcanvas.store.journal import Entry, Journal

async def main(painters, calls):
    journal = Journal(Path(sys.argv[1]) / "test.db", clock=lambda: 0)
    seconds, commits = [], []

    async def paint(n):
        author = journal.session(n.to_bytes(16, "big"), "here")
        for call in range(1, calls + 1):
            started, before = time.monotonic(), journal.commits
            await journal.append(Entry(author, [Dab(n, call, 9, 0)], call=call))
            seconds.append(time.monotonic() - started)
            commits.append(journal.commits - before)
            await asyncio.sleep(0.001 * (n % 7))  # so that they do not go in step

    started = time.monotonic()
    await asyncio.gather(*map(paint, range(painters)))
    elapsed = time.monotonic() - started
    print(json.dumps({
        "seconds": seconds, "commits": commits, "all": journal.commits, "seq": journal.seq, "elapsed": elapsed
    }))
    journal.close()

asyncio.run(main(int(sys.argv[2]), int(sys.argv[3])))
"""


def run(shim: Shim, painters: int, calls: int) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(shim.root), str(painters), str(calls)],
        env={**os.environ, **shim.environment},
        capture_output=True,
        check=True,
        text=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture
def shim(tmp_path: Path) -> Shim:
    shim = Shim(tmp_path / "disk")
    shim.set(delay_ms=SYNC_MS, skip_sync=True)
    return shim


def test_an_acknowledgement_waits_for_the_commit_under_way_and_its_own(shim: Shim) -> None:
    found = run(shim, PAINTERS, CALLS)
    assert found["seq"] == PAINTERS * CALLS
    assert max(found["commits"]) <= 2
    ranked = sorted(found["seconds"])
    sync = found["elapsed"] / found["all"]  # the injected time, and what a busy machine adds to it
    assert sync > SYNC_MS / 1000
    assert ranked[len(ranked) // 2] < 3 * sync


def test_many_painters_share_commits_so_that_throughput_is_kept(shim: Shim, tmp_path: Path) -> None:
    alone = run(shim, 1, CALLS)
    assert alone["all"] == CALLS  # each its own
    other = Shim(tmp_path / "other")
    other.set(delay_ms=SYNC_MS, skip_sync=True)
    together = run(other, PAINTERS, CALLS)
    assert together["seq"] / together["all"] > PAINTERS / 4  # not one commit each, but a few for all
    assert together["all"] < 4 * CALLS
