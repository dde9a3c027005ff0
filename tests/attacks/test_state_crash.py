"""A server that keeps checkpoints is killed at any moment: nothing is lost, and the picture is exact."""

from pathlib import Path

from tests import crash
from tests.live_server import Server


def test_kill_9_under_checkpoints(tmp_path: Path) -> None:
    environment = {"DREAMCANVAS_CHECKPOINT_OPERATIONS": "60", "DREAMCANVAS_UNDO_SECONDS": "1"}
    report = crash.run(tmp_path / "data", 5, 17, environment=environment)
    assert (report.lost, report.doubled) == (0, 0)
    assert report.recovered > 300
    kept = list((tmp_path / "data/checkpoints").glob("*.png"))
    assert 0 < len(kept) < 17
    with Server(tmp_path / "data", "--no-dream") as server:
        before = server.png()
    for path in kept:  # as after a disk that lost what it had confirmed
        path.write_bytes(path.read_bytes()[:-100])
    with Server(tmp_path / "data", "--no-dream") as server:
        assert server.png() == before
        assert "checkpoint unusable" in "".join(server.log)
