"""The data directory that the recording starts from: operations, dreams, windows, tokens, and fixed keys."""

import sqlite3
from contextlib import closing
from pathlib import Path

HERE = Path(__file__).parent
START = 1_767_614_410_000  # 2026-01-05 12:00:10, ms since 1970; what start.sql holds is older
FRAMES = range(21, 41)  # the dreams whose frame files are there
ADMIN = "admin.0123456789abcdef0123456789abcdef"
BOTS = {
    "crab": "crab.secret-of-the-crab",
    "newt": "newt.secret-of-the-newt",
    "gone": "gone.secret-of-who-is-gone",
}
FLAGS = (
    *(
        "--no-dream",
        "--no-movies",
        "--no-rate-limits",
        "--ping-interval",
        "0",
        "--trusted-proxies",
        "127.0.0.1",
    ),
    # What depends on how fast the machine is: when events are gathered, which cursors are left out, how often
    # the whole picture is made
    *("--tick-ms", "0", "--no-cursors", "--dream-interval", "0.1"),
    *("--replay-operations", "2000", "--batch-calls", "20"),
    *("--donate-links", "Coffee=https://example.com/coffee,Tea=https://example.com/tea"),
)


def make_start(data_dir: Path) -> None:
    """Makes it. The database is of the version of its time, and is migrated like any other."""
    data_dir.mkdir(parents=True)
    with closing(sqlite3.connect(data_dir / "dreamcanvas.db")) as database:
        database.executescript((HERE / "start.sql").read_text(encoding="utf-8"))
    token = data_dir / "admin-token"
    token.write_text(f"{ADMIN}\n", encoding="utf-8")
    token.chmod(0o600)
    frames = data_dir / "frames" / "000000"
    frames.mkdir(parents=True)
    for dream in FRAMES:
        (frames / f"{dream:09d}.jpg").write_bytes((HERE / "frame.jpg").read_bytes())
