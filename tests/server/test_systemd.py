"""What systemd is told, over a real socket of its kind."""

import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from dreamcanvas.server.systemd import Watchdog
from tests.live_server import Server

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "deploy" / "dreamcanvas.service"


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(str(tmp_path / "notify"))
        channel.settimeout(20)
        yield channel


def test_a_server_tells_when_it_serves_that_it_lives_and_when_it_ends(
    tmp_path: Path, systemd: socket.socket
) -> None:
    environment = {"NOTIFY_SOCKET": systemd.getsockname(), "WATCHDOG_USEC": "400000"}
    with Server(tmp_path / "data", "--no-dream", environment=environment) as server:
        assert systemd.recv(200).decode() == f"READY=1\nSTATUS={server.url}/"
        assert [systemd.recv(200) for _ in range(3)] == [b"WATCHDOG=1"] * 3
        assert server.process is not None
        server.process.send_signal(signal.SIGTERM)
        said = b"WATCHDOG=1"
        while said == b"WATCHDOG=1":
            said = systemd.recv(200)
        assert said == b"STOPPING=1"


def test_a_server_that_hangs_gives_no_sign_of_life(tmp_path: Path, systemd: socket.socket) -> None:
    environment = {"NOTIFY_SOCKET": systemd.getsockname(), "WATCHDOG_USEC": "400000"}
    with Server(tmp_path / "data", "--no-dream", environment=environment) as server:
        systemd.recv(200)
        systemd.recv(200)
        os.kill(server.pid, signal.SIGSTOP)
        systemd.settimeout(0.6)
        with pytest.raises(TimeoutError):
            for _ in range(4):  # what was on its way
                systemd.recv(200)
        os.kill(server.pid, signal.SIGCONT)


async def test_without_systemd_it_is_silent() -> None:
    watchdog = Watchdog({})
    watchdog.ready("x")
    await watchdog.run()


async def test_a_watchdog_of_another_process_is_not_fed(systemd: socket.socket) -> None:
    environment = {"NOTIFY_SOCKET": systemd.getsockname(), "WATCHDOG_USEC": "1", "WATCHDOG_PID": "1"}
    await Watchdog(environment).run()
    systemd.setblocking(False)
    with pytest.raises(BlockingIOError):
        systemd.recv(200)


async def test_a_socket_that_is_gone_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    Watchdog({"NOTIFY_SOCKET": str(tmp_path / "gone")}).ready("x")
    assert "systemd was not told" in caplog.text


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here to ask")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / "dreamcanvas.service"
    unit.write_text(re.sub("^ExecStart=[^ ]+", "ExecStart=/bin/true", UNIT.read_text(), flags=re.MULTILINE))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False
    )
    said = [line for line in done.stderr.splitlines() if "dreamcanvas" in line]
    assert (done.returncode, said) == (0, [])
