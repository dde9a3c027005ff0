"""`dreamcanvas doctor`: what it looks at, what it advises, and its exit status."""

import dataclasses
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dreamcanvas.cli.doctor import memory, processor, room, sync_speed
from dreamcanvas.config import Config
from dreamcanvas.store import schema
from tests.live_server import Server

EVERYWHERE = ("--host", "0.0.0.0")  # noqa: S104 - looked at, not listened on
X86 = frozenset({"fpu", "avx", "avx2", "avx512f"})


def doctor(data_dir: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "dreamcanvas", "doctor", "--data-dir", str(data_dir), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_a_machine_that_can_serve(tmp_path: Path) -> None:
    done = doctor(tmp_path / "new", "--port", "0", "--no-dream", "--max-data-gb", "0")
    assert (done.returncode, done.stderr) == (0, "")
    subjects = [line[6:].partition(":")[0] for line in done.stdout.splitlines() if line[:4].strip()]
    assert subjects == ["processor", "memory", "disk", "sync", "port", "clock", "page"]
    assert not (tmp_path / "new").exists(), "it looks, and leaves nothing behind"
    assert list(tmp_path.iterdir()) == []


def test_a_dreamer_needs_more(tmp_path: Path) -> None:
    done = doctor(tmp_path, "--port", "0")
    assert "TensorFlow: is installed" in done.stdout
    assert "model: the weights of efficientnet_lite0 are here" in done.stdout
    assert done.returncode == 0


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = doctor(tmp_path, "--no-dream", "--port", str(taken.getsockname()[1]))
    assert done.returncode == 1
    assert "BAD   port: cannot listen on 127.0.0.1" in done.stdout
    assert "--port" in done.stdout


def test_a_server_that_is_running(quiet_server: Server) -> None:
    done = doctor(quiet_server.data_dir, "--no-dream", "--port", str(quiet_server.port))
    assert f"is in use by another server (process {quiet_server.pid})" in done.stdout


@pytest.mark.parametrize("host", [(), EVERYWHERE, ("--host", "::")])
def test_the_port_of_ones_own_running_server_is_fine(tmp_path: Path, host: tuple[str, ...]) -> None:
    with Server(tmp_path / "data", "--no-dream") as server, Server(tmp_path / "other", "--no-dream") as other:
        done = doctor(server.data_dir, "--no-dream", "--port", str(server.port), *host)
        assert (
            f"ok    port: {host[1] if host else '127.0.0.1'} port {server.port} is the running" in done.stdout
        )
        assert "BAD   port" not in done.stdout
        taken = doctor(server.data_dir, "--no-dream", "--port", str(other.port))
        assert "BAD   port" in taken.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (EVERYWHERE, True),
        (("--trusted-proxies", "127.0.0.1"), True),
        ((), False),
        (("--host", "::1"), False),
        ((*EVERYWHERE, "--public-host", "canvas.example"), False),
    ],
)
def test_names_are_suggested_where_others_come(
    tmp_path: Path, arguments: tuple[str, ...], told: bool
) -> None:
    done = doctor(tmp_path, "--no-dream", "--port", "0", "--max-data-gb", "0", *arguments)
    assert ("--public-host" in done.stdout) is told
    assert done.returncode == 0


def test_a_variable_that_is_mistyped_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DREAMCANVAS_PROT", "4343")
    done = doctor(tmp_path, "--no-dream", "--port", "0")
    assert "note  environment: " in done.stdout
    assert "did you mean DREAMCANVAS_PORT?" in done.stdout


def test_a_clock_that_was_set_back(tmp_path: Path) -> None:
    connection = schema.connect(tmp_path / "dreamcanvas.db")
    future = int((time.time() + 7200) * 1000)
    connection.execute(
        "INSERT INTO dreams (dream, seq, time, style, layer, network, ms, users, bytes) "
        "VALUES (1, 0, ?, '', '', '', 0, 0, 0)",
        (future,),
    )
    connection.close()
    done = doctor(tmp_path, "--no-dream", "--port", "0")
    assert "BAD   clock: the newest dream is 2.0 hours in the future" in done.stdout
    assert done.returncode == 1


@pytest.mark.parametrize(
    ("flags", "processors", "dreams", "level"),
    [
        (X86, 4, True, "ok"),
        (X86, 1, True, "note"),
        (X86, 1, False, "ok"),
        (frozenset({"sse2"}), 4, True, "bad"),
        (frozenset({"sse2"}), 4, False, "ok"),
        (frozenset(), 4, True, "ok"),  # not x86
    ],
)
def test_the_processor(flags: frozenset[str], processors: int, dreams: bool, level: str) -> None:
    assert processor(flags, "machine", processors, dreams=dreams).level == level


@pytest.mark.parametrize(
    ("available", "dreams", "level"),
    [(4e9, True, "ok"), (1.9e9, True, "bad"), (1.9e9, False, "ok"), (None, True, "note")],
)
def test_the_memory(available: float | None, dreams: bool, level: str) -> None:
    assert memory(available, dreams=dreams).level == level


def test_the_disk() -> None:
    config = dataclasses.replace(Config(), max_data_gb=20)
    assert room(30e9, 0, config).level == "ok"
    assert room(5e9, 16e9, config).level == "ok"
    tight = room(5e9, 5e9, config)
    assert (tight.level, tight.advice) == ("note", "the disk is full before the limit: --max-data-gb 9")
    assert room(0.5e9, 5e9, config).level == "bad"
    assert room(5e9, 0, dataclasses.replace(Config(), max_data_gb=0)).level == "ok"


def test_how_fast_the_disk_confirms() -> None:
    assert sync_speed([1, 2, 900]).level == "ok"
    assert sync_speed([1, 200, 900]).level == "note"
