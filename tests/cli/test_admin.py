"""`dreamcanvas tokens` and `dreamcanvas admin`, as the host types them."""

import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from dreamcanvas.cli.admin_client import moment_of, seconds_of
from dreamcanvas.errors import ConfigError
from tests.live_server import Server
from tests.socket_client import CallError, Socket, dab


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("cli"), "--no-dream") as server:
        yield server


def run(server: Server, *arguments: str, fails: bool = False) -> str:
    """What a command prints."""
    group, *rest = arguments
    where = ["--data-dir", str(server.data_dir)]
    options = ["--url", server.url, *where] if group == "admin" else []
    command = [sys.executable, "-m", "dreamcanvas", group, *options, *rest]
    done = subprocess.run(
        command if group == "admin" else [*command, *where], capture_output=True, text=True, check=False
    )
    assert bool(done.returncode) is fails, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr if fails else done.stdout


def test_tokens_are_added_listed_and_revoked(server: Server) -> None:
    token = run(server, "tokens", "add", "painter", "--dabs-per-second", "50").strip()
    assert token.startswith("painter.")
    assert "already" in run(server, "tokens", "add", "painter", fails=True)
    (line,) = run(server, "tokens", "list").splitlines()
    assert "painter" in line
    assert "50 dabs/s" in line
    assert token.partition(".")[2] not in line
    run(server, "tokens", "revoke", "painter")
    assert "revoked" in run(server, "tokens", "list")
    assert "no token painter" in run(server, "tokens", "revoke", "painter", fails=True)
    log = run(server, "admin", "log")
    assert log.count('{"name": "painter"}') == 2
    assert "tokens revoke" in log


def test_a_vandal_is_found_banned_and_undone(server: Server) -> None:
    with Socket(server.ws_url) as vandal:
        author = vandal.subscribe(events=["status"]).author
        vandal.paint(dabs=[dab(100, 100), dab(120, 100)])
        found = run(server, "admin", "who", "100", "100")
        assert f"author {author} " in found
        assert "127.0.0.1" in found
        banned = run(server, "admin", "ban", "--author", str(author), "--for", "2h", "--reason", "Scribbles")
        assert f"author {author}" in banned
        with pytest.raises(CallError, match="Scribbles"):
            vandal.paint(dabs=[dab(100, 100)] * 2)
        assert "2 dabs taken back" in run(server, "admin", "restore", "--author", str(author))
        assert "banned" in run(server, "admin", "who", "100", "100")
        number = banned.split()[1].rstrip(":")
        assert banned == run(server, "admin", "bans")
        run(server, "admin", "unban", number)
        assert run(server, "admin", "bans") == ""
    log = run(server, "admin", "log").splitlines()
    assert [line.split()[3] for line in log][:3] == ["unban", "restore", "ban"]


def test_the_rest_of_the_hosts_hand(server: Server) -> None:
    run(server, "admin", "read-only", "on")
    run(server, "admin", "announce", "Back at nine", "--for", "30m")
    run(server, "admin", "rest")
    state = run(server, "admin", "state")
    assert "readOnly        True" in state
    assert "Back at nine" in state
    assert "resting         True" in state
    run(server, "admin", "read-only", "off")
    run(server, "admin", "announce")
    run(server, "admin", "wake")
    assert "True" not in run(server, "admin", "state")
    assert "operation" in run(server, "admin", "restore", "--region", "0,0,10,10", "--time", "-1s")


def test_what_goes_wrong_is_a_sentence(server: Server) -> None:
    assert "does not dream" in run(server, "admin", "next-style", fails=True)
    assert "region.width" in run(
        server, "admin", "restore", "--region", "0,0,0,1", "--dream", "0", fails=True
    )
    assert "X,Y,WIDTH,HEIGHT" in run(server, "admin", "restore", "--region", "0,0", fails=True)
    assert "no span" in run(
        server, "admin", "ban", "--author", "1", "--for", "ever", "--reason", "x", fails=True
    )


def test_spans_and_times() -> None:
    assert [seconds_of(text) for text in ("90s", "10m", "2h", "7d")] == [90, 600, 7200, 604_800]
    assert moment_of("1970-01-01T00:00:10Z") == moment_of("1970-01-01T00:00:10") == 10_000
    assert abs(moment_of("-10m") - (time.time() - 600) * 1000) < 60_000
    for wrong in ("", "10", "m", "ten", "-1w"):
        with pytest.raises(ConfigError):
            moment_of(wrong) if wrong.startswith("-") else seconds_of(wrong)
