"""SIGKILL at random moments under painting. The long count is tests/soak/crash.py."""

from pathlib import Path

from tests import crash


def test_nothing_acknowledged_is_lost_or_doubled(data_dir: Path) -> None:
    report = crash.run(data_dir, rounds=5, seed=1)
    assert report.rounds == 5
    assert report.recovered == report.acknowledged > 0
    assert (report.lost, report.doubled) == (0, 0)
