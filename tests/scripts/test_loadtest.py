"""`scripts/loadtest.py`, run for a moment against a real server. What it measures is not judged here."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live_server import Server

SCRIPT = Path(__file__).parents[2] / "scripts" / "loadtest.py"


def loadtest(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    few = ("--painters", "3", "--rate", "20", "--watchers", "5", "--seconds", "1")
    command = [sys.executable, str(SCRIPT), url, *few, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("load"), "--no-dream", "--no-rate-limits") as server:
        yield server


@pytest.mark.parametrize("mode", ["single", "batch"])
def test_every_dab_is_seen_once_by_every_watcher(server: Server, mode: str, tmp_path: Path) -> None:
    before = _operations(server)
    html = tmp_path / "report.html"
    done = loadtest(
        server.ws_url,
        *("--mode", mode, "--dabs", "4", "--slow", "2", "--canvas-rate", "5", "--html", str(html)),
        *("--expect", "lost=0, repeated=0, errors=0, disconnects=0, p99.9<60s", "--json"),
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    dabs = _operations(server) - before
    assert dabs in range(4 * 57, 4 * 64)
    assert found["dabs_per_s"] == dabs
    assert found["deliveries_per_s"] == 5 * dabs
    assert found["acks_per_s"] == dabs / 4
    assert found["connections"] == 10
    assert 0 < found["ack_p50"] <= found["ack_p99"] <= found["ack_p999"]
    assert 0 < found["delivery_p50"] <= found["delivery_p99"] <= found["delivery_p999"]
    assert found["canvas_p50"] > 0
    assert found["server_memory_mb"] > 10
    _check_page(html.read_text())


def _operations(server: Server) -> int:
    found = re.search(r"^dreamcanvas_operations (\S+)$", server.get("/metrics").decode(), re.MULTILINE)
    assert found is not None
    return int(float(found[1]))


def _check_page(html: str) -> None:
    """It needs nothing from elsewhere, and its plots hold lines."""
    assert not re.search(r"<script|<link|src=|href=|url\(", html)
    plots = re.findall(r"<svg.*?</svg>", html)
    assert len(plots) == 7
    for svg in plots:
        assert re.search(r'<polyline points="[\d., -]+"', svg)
    assert "delivery_p99" in html
    assert "As expected." in html


def test_what_is_not_as_expected_is_told_and_is_the_exit_status(server: Server) -> None:
    done = loadtest(server.ws_url, "--quiet", "--expect", "acks_per_s>1000000,lost=0")
    assert done.returncode == 1
    assert re.fullmatch(r"expected acks_per_s>1000000, but acks_per_s is \d+\n", done.stderr)
    assert "delivery p99" in done.stdout


@pytest.mark.parametrize(
    ("expected", "said"),
    [("p99<", "'p99<' is not like"), ("speed>3", "'speed' in 'speed>3' is none of p50")],
)
def test_an_expectation_that_is_none_is_refused(server: Server, expected: str, said: str) -> None:
    done = loadtest(server.ws_url, "--expect", expected)
    assert done.returncode == 2
    assert said in done.stderr


def test_dreams_are_fetched_as_they_come(server: Server, tmp_path: Path) -> None:
    """By those who are to; here none comes, and nothing is amiss."""
    done = loadtest(server.ws_url, "--dream-viewers", "2", "--json", "--expect", "errors=0")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["dream_p50"] == 0
