"""SIGKILL for the encoder at random moments. The long count is tests/soak/history.py."""

from pathlib import Path

from tests.history import killer


def test_every_dream_is_in_one_movie_whatever_is_killed(data_dir: Path) -> None:
    report = killer.run(data_dir, rounds=3, seed=5)
    assert report.rounds == 3
    assert report.encoders_killed + report.servers_killed == 3
    assert report.movies >= 3
    assert report.dreams > 10
