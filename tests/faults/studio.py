"""A painter that paints, dreams and keeps house as fast as it can, without network or TensorFlow, to be
killed.

`python -m tests.faults.studio DATA_DIR SEED` says on stdout what is acknowledged; `check` compares that with
what is in the directory afterwards.
"""

import asyncio
import io
import logging
import random
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from dreamcanvas.broadcast.broadcast import Broadcast
from dreamcanvas.canvas.model import SIDE, Canvas, Dab
from dreamcanvas.painting.painter import Painter
from dreamcanvas.store.budget import Budget
from dreamcanvas.store.dreams import Dreams, decode
from dreamcanvas.store.journal import Journal
from dreamcanvas.store.maintenance import Keeping, Maintenance
from dreamcanvas.store.schema import DirectoryLock

KEEP_HOURS = 0.2 / 3600  # 0.2 s: in an hour's work, years
MAX_BYTES = 2_000_000
SESSIONS = [bytes([number]) * 16 for number in range(3)]


def dabs(session: int, call: int) -> list[Dab]:
    """What a session paints with a call: the same whenever it is asked."""
    rng = random.Random(f"{session} {call}")
    return [
        Dab(rng.randrange(1536), rng.randrange(1536), rng.randint(1, 124), rng.getrandbits(24))
        for _ in range(rng.randint(1, 8))
    ]


def clock() -> int:
    return time.time_ns() // 1_000_000


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def open_studio(data_dir: Path) -> tuple[Journal, Dreams, Painter]:
    journal = Journal(data_dir / "dreamcanvas.db", clock=clock)
    dreams = Dreams(data_dir / "frames", journal)
    painter = Painter(
        journal=journal,
        dreams=dreams,
        broadcast=Broadcast(tick=0),
        replay_operations=100,
        clock=clock,
    )
    return journal, dreams, painter


async def paint(journal: Journal, painter: Painter, number: int) -> None:
    author = journal.session(SESSIONS[number], "here")
    call = author.last_call
    while True:
        call += 1
        receipt = await painter.paint(author, dabs(number, call), stroke=call, call=call)
        say("painted", number, call, receipt.seq)


async def dream(painter: Painter, rng: random.Random) -> None:
    """Plain colours. What follows the end of a JPEG does no harm, and makes frames of many lengths."""
    plain = []
    for colour in ("teal", "maroon", "olive"):
        buffer = io.BytesIO()
        Image.new("RGB", (SIDE, SIDE), colour).save(buffer, "JPEG")
        plain.append(buffer.getvalue())
    while True:
        await painter.begin_dream()
        data = rng.choice(plain) + rng.randbytes(rng.randint(0, 100_000))
        done = await painter.end_dream(data, style="Eyes", layer="b9", network="none", ms=1, users=0)
        say("dreamt", done.dream, done.seq)


async def main(data_dir: Path, seed: int) -> None:
    logging.basicConfig(level=logging.ERROR)
    lock = DirectoryLock(data_dir)
    journal, _, painter = open_studio(data_dir)
    await painter.recover()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    say("started")
    work = [asyncio.create_task(paint(journal, painter, number)) for number in range(len(SESSIONS))]
    work.append(asyncio.create_task(dream(painter, random.Random(seed))))
    budget = Budget(data_dir, journal, limit=MAX_BYTES, keep_frames=15)
    keeping = Keeping(KEEP_HOURS, replay_operations=100, file_operations=200)
    work.append(asyncio.create_task(Maintenance(journal, budget, keeping, clock=clock, interval=0.05).run()))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait([*work, stopping], return_when=asyncio.FIRST_COMPLETED)
    for task in work:
        task.cancel()
    failed = [
        result
        for result in await asyncio.gather(*work, return_exceptions=True)
        if isinstance(result, Exception)
    ]
    await painter.close()
    journal.close()
    lock.release()
    if failed:
        raise failed[0]


@dataclass
class Told:
    """What was acknowledged: the last seq of each (session, call), and each dream's seq."""

    painted: dict[tuple[int, int], int] = field(default_factory=dict)
    dreamt: dict[int, int] = field(default_factory=dict)

    def note(self, line: str) -> None:
        """Takes a line of output in."""
        match line.split() if line.endswith("\n") else []:
            case ["painted", session, call, seq]:
                self.painted[int(session), int(call)] = int(seq)
            case ["dreamt", dream, seq]:
                self.dreamt[int(dream)] = int(seq)


@dataclass
class Found:
    """Counts after a cut, in calls and dreams."""

    acknowledged: int = 0
    recovered: int = 0
    dreams_acknowledged: int = 0
    dreams_recovered: int = 0
    archived: int = 0
    frames_deleted: int = 0


def check(data_dir: Path, told: Told) -> Found:
    """Compares what is in a directory with what was acknowledged. Raises AssertionError."""
    if not data_dir.exists():
        assert not told.painted
        return Found()
    return asyncio.run(_check(data_dir, told))


async def _check(data_dir: Path, told: Told) -> Found:
    journal, dreams, painter = open_studio(data_dir)
    try:
        found = list(journal.operations(0))
        archived = journal.archive.last
        deleted = await journal.run(
            lambda connection: connection.execute(
                "SELECT coalesce(max(last), 0) FROM archives WHERE file > 0"
            ).fetchone()[0]
        )
        assert [operation.seq for operation in found] == list(range(deleted + 1, journal.seq + 1)), "a gap"
        of_call: dict[tuple[int, int], list[Dab]] = {}
        last: dict[tuple[int, int], int] = {}
        numbers = {journal.session(session, "").number: n for n, session in enumerate(SESSIONS)}
        for operation in found:
            assert isinstance(operation.mark, Dab)
            of_call.setdefault((numbers[operation.author], operation.stroke), []).append(operation.mark)
            last[numbers[operation.author], operation.stroke] = operation.seq
        for key, marks in of_call.items():
            cut = marks if last[key] - len(dabs(*key)) >= deleted else [*dabs(*key)[: -len(marks)], *marks]
            assert cut == dabs(*key), f"call {key} is changed, doubled or applied in part"
        for key, seq in told.painted.items():
            assert seq <= deleted or last.get(key) == seq, f"call {key} is lost or has another number"
        rows = await journal.run(
            lambda connection: connection.execute(
                "SELECT dream, seq, bytes, file FROM dreams ORDER BY dream"
            ).fetchall()
        )
        for number, _, length, file in rows:
            if file:
                continue
            data = dreams.frame(number).read_bytes()
            assert len(data) == length, f"dream {number} is torn"
            decode(data)
        known = {number: seq for number, seq, _, _ in rows}
        for number, seq in told.dreamt.items():
            assert known.get(number) == seq, f"dream {number} is lost"
        assert sorted(known) == list(range(1, len(known) + 1)), "a gap in the dreams"
        await painter.recover()
        canvas = Canvas()
        if rows:
            canvas = Canvas(decode(dreams.frame(rows[-1][0]).read_bytes()), rows[-1][0], rows[-1][1])
        for operation in found[canvas.dream_seq - deleted :]:
            canvas.apply(operation)
        assert painter.version == canvas.version
        assert (await painter.snapshot()).image == canvas.snapshot(), "the picture is not the replay"
        await painter.close()
    finally:
        journal.close()
    recovered = len(of_call) + sum(seq <= deleted for seq in told.painted.values())
    frames_deleted = sum(file > 0 for _, _, _, file in rows)
    return Found(len(told.painted), recovered, len(told.dreamt), len(rows), archived, frames_deleted)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
