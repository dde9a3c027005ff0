"""Power cuts at random moments. The long count is tests/soak/power_cut.py."""

from pathlib import Path

from tests.faults import power_cut


def test_nothing_acknowledged_to_painters_is_lost_or_doubled(tmp_path: Path) -> None:
    report = power_cut.painting(tmp_path, cuts=5, seed=1)
    assert report.rounds == 5
    assert report.recovered == report.acknowledged > 0
    assert (report.lost, report.doubled) == (0, 0)


def test_no_acknowledged_stroke_or_dream_is_lost_while_it_dreams_and_keeps_house(tmp_path: Path) -> None:
    found = power_cut.dreaming(tmp_path, cuts=5, seed=2)
    assert found.recovered >= found.acknowledged > 0
    assert found.dreams_recovered >= found.dreams_acknowledged > 10
    assert found.archived > 0
    assert found.frames_deleted > 0
