"""What the README tells newcomers to run, run."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

from dreamcanvas.dream.styles import load_styles
from tests.live_server import Server
from tests.socket_client import Socket

README = (Path(__file__).parents[2] / "README.md").read_text()


def test_the_bot_in_python_draws(quiet_server: Server) -> None:
    found = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert found
    code = found[1].replace("http://127.0.0.1:4242", quiet_server.url)
    assert len([line for line in code.splitlines() if line.strip()]) <= 10
    with Socket(quiet_server.ws_url) as watcher:
        before = watcher.subscribe(events=["paint"]).seq
        printed = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout
        assert printed.count("'seq':") == 400
        assert watcher.event("paint").seq > before


def test_the_call_by_curl_draws(quiet_server: Server) -> None:
    found = re.search(r"^    (curl .*?/rpc)$", README, re.DOTALL | re.MULTILINE)
    assert found
    command = found[1].replace("\\\n", " ").replace("http://127.0.0.1:4242", quiet_server.url)
    answer = subprocess.run(shlex.split(command), capture_output=True, text=True, check=True).stdout
    assert '"result":{"timestamp":' in answer


def test_its_links_lead_somewhere() -> None:
    root = Path(__file__).parents[2]
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("https://") or (root / target).exists(), target


def test_its_style_is_one() -> None:
    found = re.search(r'--style "([^"]+)"', README)
    assert found
    assert found[1] in {style.name for style in load_styles("efficientnet_lite0")}
