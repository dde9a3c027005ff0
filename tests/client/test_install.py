"""`pip install dreamcanvas` is enough for a bot; the server's weight is an extra."""

import configparser
import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.live_server import Server

ROOT = Path(__file__).parents[2]
BOT = """
from dreamcanvas.client import Client
with Client(sys.argv[1]) as bot, bot.replica() as replica:
    ink = bot.stroke([(10, 10), (90, 90)], size=20, color="teal")
    replica.reaches(seq=ink.seq)
    print(bot.get_canvas().tobytes() == replica.image().tobytes())
"""
SERVE = "from dreamcanvas.cli.main import main; main(['serve', '--port', '0'])"
# Stands for an environment without these modules
WITHOUT = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition('.')[0] in {modules!r}:
            raise ModuleNotFoundError(name, name=name)
sys.meta_path.insert(0, Absent())
"""


def requirements(option: str) -> set[str]:
    """The distributions that setup.cfg asks for, by their normalised names."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    section = "options" if option == "install_requires" else "options.extras_require"
    lines = config[section][option].split("\n")
    return {Requirement(line).name.lower().replace("_", "-") for line in lines if line}


def needed(names: set[str]) -> set[str]:
    """These distributions and what they need in turn, as far as it is installed."""
    found: set[str] = set()
    todo = set(names)
    while todo:
        name = todo.pop()
        try:
            requires = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        found.add(name)
        wanted = [Requirement(line) for line in requires]
        todo |= {
            each.name.lower().replace("_", "-")
            for each in wanted
            if each.marker is None or each.marker.evaluate({"extra": ""})
        } - found
    return found


def without_the_server(code: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Runs code where nothing can be imported but what the client's requirements bring."""
    kept = needed(requirements("install_requires")) | {"dreamcanvas"}
    modules = {
        module
        for module, owners in importlib.metadata.packages_distributions().items()
        if not {owner.lower().replace("_", "-") for owner in owners} & kept
    }
    assert {"tensorflow", "numpy", "starlette"} <= modules
    code = WITHOUT.format(modules=modules) + code
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False, cwd=ROOT
    )


def test_a_bot_runs_without_the_servers_packages(quiet_server: Server) -> None:
    done = without_the_server(BOT, quiet_server.url)
    assert (done.stdout, done.stderr) == ("True\n", "")


def test_the_server_says_what_is_missing() -> None:
    done = without_the_server(SERVE)
    assert done.returncode == 1
    assert "pip install 'dreamcanvas[server]'" in done.stderr


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-test.lock"])
def test_the_lock_files_have_all_of_it(lock: str) -> None:
    pinned = {line.partition("==")[0].strip().lower() for line in (ROOT / lock).read_text().splitlines()}
    assert requirements("install_requires") | requirements("server") <= pinned


def test_serve_installs_the_servers_packages() -> None:
    assert "--extra server" in (ROOT / "scripts" / "lock").read_text()
    assert not requirements("install_requires") & requirements("server")
