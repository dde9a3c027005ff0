"""The command line."""

import dataclasses
import json
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dreamcanvas import __version__
from dreamcanvas.cli.main import main
from dreamcanvas.config import Config
from dreamcanvas.store import schema
from tests.live_server import Server


def run(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(main, arguments, env=environment)


def test_version() -> None:
    assert run("--version").output.endswith(f", version {__version__}\n")


def test_help_names_the_commands() -> None:
    result = run("--help")
    assert result.exit_code == 0
    assert "serve" in result.output


def test_serve_has_an_option_for_every_setting_with_its_help_and_default() -> None:
    text = " ".join(run("serve", "--help").output.split())
    for setting in dataclasses.fields(Config):
        assert f"--{setting.name.replace('_', '-')}" in text
        assert setting.metadata["help"].split()[0] in text
    assert "[default: 4242]" in text
    assert "--dream / --no-dream" in text
    assert "--rate-limits / --no-rate-limits" in text


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--port", "99999"), "Error: port is 99999, but has to be 0 to 65535\n"),
        (("--port", "x"), "Error: port is 'x', but has to be a whole number\n"),
        (
            ("--log-level", "loud"),
            "Error: log_level is 'loud', but has to be one of debug, info, warning, error\n",
        ),
    ],
)
def test_a_wrong_setting_is_a_sentence_and_status_2(arguments: tuple[str, ...], sentence: str) -> None:
    result = run("serve", *arguments)
    assert (result.exit_code, result.output) == (2, sentence)


def test_a_wrong_variable_is_a_sentence_too() -> None:
    result = run("serve", DREAMCANVAS_PORT="x")
    assert (result.exit_code, result.output) == (2, "Error: port is 'x', but has to be a whole number\n")


def test_an_unknown_option_is_status_2() -> None:
    assert run("serve", "--colour", "red").exit_code == 2


def refusal(*arguments: str) -> str:
    """What `dreamcanvas serve` says when it does not start."""
    command = [sys.executable, "-m", "dreamcanvas", "serve", "--no-dream", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    return done.stderr


def test_data_of_a_newer_version_are_a_sentence(tmp_path: Path) -> None:
    connection = schema.connect(tmp_path / "dreamcanvas.db")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    assert "has schema version 99" in refusal("--port", "0", "--data-dir", str(tmp_path))


def test_a_data_directory_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "cannot be used: Not a directory" in refusal(
        "--port", "0", "--data-dir", str(tmp_path / "file" / "x")
    )


def test_an_address_that_is_not_ours_is_a_sentence(tmp_path: Path) -> None:
    text = refusal("--host", "192.0.2.1", "--data-dir", str(tmp_path))
    assert "Error: cannot listen on 192.0.2.1 port 4242: " in text


def test_an_unknown_host_is_a_sentence(tmp_path: Path) -> None:
    text = refusal("--host", "no.such.host.invalid", "--data-dir", str(tmp_path))
    assert "Error: cannot listen on no.such.host.invalid port 4242: " in text


def test_a_file_and_the_environment_set_what_the_command_line_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("dabs_per_call = 3\nundo_seconds = 5\ndream = false\n")
    monkeypatch.setenv("DREAMCANVAS_UNDO_SECONDS", "7")
    with Server(tmp_path / "data", "--config", str(file), "--batch-calls", "9") as server:
        assert server.get("/livez") == b"ok\n"
        answer = _info(server)
        assert (answer["dabsPerCall"], answer["undoSeconds"], answer["batchCalls"]) == (3, 7, 9)
        assert server.stop() == 0


def _info(server: Server) -> dict[str, int]:
    body = b'{"jsonrpc":"2.0","id":1,"method":"getInfo"}'
    with urllib.request.urlopen(f"{server.url}/rpc", body, timeout=10) as response:
        limits: dict[str, int] = json.load(response)["result"]["limits"]
        return limits
