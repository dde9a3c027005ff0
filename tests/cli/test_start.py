"""What keeps a server from starting is one sentence and status 2, whatever it is and wherever it is set."""

import dataclasses
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from PIL import Image

from dreamcanvas.cli.main import main
from dreamcanvas.config import Config, load, unknown_variables
from dreamcanvas.errors import ConfigError, StoreError
from dreamcanvas.store import schema
from dreamcanvas.store.check import check
from tests.e2e.test_deploy import answers, free_ports
from tests.live_server import Server, wait_until

LONG = "x" * 5000
DIGITS = "9" * 5000
# For each setting what is wrong as text; names, not values, decide, so that a new setting needs its own
NUMBERS = ("", "abc", "-1", "nan", DIGITS)
ODD_NUMBERS = (*NUMBERS, "1e999", "\u00bd", "1,5", "0x10", "1 2", "inf")
ODDER_NUMBERS = ("80_80", "\uff14\uff12", "4242x", ".")
SWITCHES = ("maybe", "2", "-1", LONG)
TEXTS = ("a\x07b", "a\nb", LONG)
WRONG: dict[str, tuple[str, ...]] = {
    "host": ("\u00e9" * 100, "a..b", "a\nb", LONG),
    "data_dir": ("a\nb", LONG, "/dev/null", "/dev/null/x", "/proc/x"),
    "allowed_origins": (
        *("*", "https://*.example", "example.org", "//example.org", "https://", "null", "https://a/path"),
        *("https://a b", "https://u@a.example", "https://a.example:99999", "http://[::1", "https://a?x"),
        LONG,
    ),
    "trusted_proxies": (
        *("junk", "*", "10.0.0.1/8", "10.0.0.0/33", "localhost", "::1/129", "127.0.0.1:80", LONG),
    ),
    "public_host": ("*", "https://a.example", "a b", "a.example/x", "a:99999", "[::1", "a..b", ".a", LONG),
    "root_path": (
        *("canvas", "//evil.example", "/a//b", "/..", "/a?x", "/a#x", "/a b", "http://a/", "/\u00fc", LONG),
    ),
    "network": ("nope", "Inception5h", " inception5h", LONG),
    "precision": ("float64", "AUTO", LONG),
    "timezone": ("Mars/Olympus", "../etc/passwd", "/etc/passwd", "Europe", "utc ", LONG),
    "movie_preset": ("warp", "placebo", LONG),
    "port": (*ODD_NUMBERS, *ODDER_NUMBERS, "65536"),
    "dream_interval": (*ODD_NUMBERS, *ODDER_NUMBERS, "0.05"),
    "history_window": (*NUMBERS, "7201", "0"),
    "operator": ("a\x07b", "\u3164", "\u2800\u200b", LONG),
    "about": ("/no/such/file", "/dev/zero", "/", "a\x07b", LONG),
    "currency": TEXTS,
    "donate_bitcoin": ("x", "1BoatSLRHtKNngkdXEeobR76b53LETtpyU", "tb1qw508d6qejxtdg4y5r3zarvary0c5xw", LONG),
    "donate_links": (
        *(
            "x",
            "A=",
            "=https://a",
            "\u3164=https://a.example",
            "A=javascript:alert(1)",
            "A=http://[::1",
            "A=https://",
            "A=https://a:99999",
        ),
        *("A=ftp://a", "A=mailto:", f"A={LONG}"),
    ),
    "loop": ("gevent", "UVLOOP", LONG),
    "log_format": ("xml", "TEXT", LONG),
    "log_level": ("loud", "INFO", LONG),
}
# The empty value of these is one: nothing is set
EMPTY = {"allowed_origins", "trusted_proxies", "public_host", "root_path", "operator", "about"}
EMPTY |= {"currency", "donate_bitcoin", "donate_links"}


def wrong_values() -> list[tuple[str, str]]:
    found = []
    for setting in dataclasses.fields(Config):
        values = WRONG.get(setting.name)
        if values is None:
            assert isinstance(setting.default, bool | int | float), f"{setting.name} has no wrong values here"
            values = SWITCHES if isinstance(setting.default, bool) else NUMBERS
        if setting.name not in EMPTY:
            values = (*values, "")
        found += [(setting.name, value) for value in dict.fromkeys(values)]
    return found


def told(output: str, code: int) -> str:
    """The sentence."""
    assert code == 2, output
    assert output.startswith(("Error: ", "Usage: ")), output
    assert output.count("\n") == 1 or output.startswith("Usage: "), output
    assert len(output) < 6000
    return output


@pytest.fixture
def refused(tmp_path: Path) -> Callable[..., str]:
    """Starts a server in this process, which has to be refused; at the latest since its data are a file."""
    (tmp_path / "file").write_text("")
    (tmp_path / "place.toml").write_text(f'data_dir = "{tmp_path / "file"}"\nport = 0\n')

    def run(*arguments: str, **environment: str) -> str:
        if "--config" not in arguments:
            arguments = ("--config", str(tmp_path / "place.toml"), *arguments)
        result = CliRunner().invoke(main, ["serve", *arguments], env=environment)
        assert str(tmp_path / "file cannot") not in result.output, "it was taken"
        return told(result.output, result.exit_code)

    return run


@pytest.mark.parametrize(("name", "value"), wrong_values(), ids=lambda text: text[:20])
def test_each_wrong_value_of_each_setting(
    refused: Callable[..., str], tmp_path: Path, name: str, value: str
) -> None:
    """As an option, as a variable (empty is unset there), and in the file."""
    sentences = []
    if not isinstance(getattr(Config(), name), bool):
        sentences.append(refused(f"--{name.replace('_', '-')}={value}"))
    if value:
        sentences.append(refused(**{f"DREAMCANVAS_{name.upper()}": value}))
    escaped = "".join(f"\\U{ord(letter):08x}" for letter in value)
    elsewhere = "" if name == "data_dir" else (tmp_path / "place.toml").read_text().partition("\n")[0]
    file = tmp_path / "wrong.toml"
    file.write_text(f'{elsewhere}\n{name} = "{escaped}"\n')
    sentences.append(refused("--config", str(file)))
    by_the_system = name == "data_dir" and len(value) < 20
    for sentence in sentences:
        assert name in sentence or (by_the_system and value in sentence), sentence


@pytest.mark.parametrize(
    ("name", "literal"),
    [
        ("port", "true"),
        ("port", "[1]"),
        ("port", "1.5"),
        ("port", "2020-01-01"),
        ("port", DIGITS),
        ("dream", "2"),
        ("dream", "[]"),
        ("host", "1"),
        ("host", "false"),
        ("host", "[]"),
        ("data_dir", "1"),
        ("data_dir", "{ a = 1 }"),
        ("timezone", "12:00:00"),
        ("allowed_origins", "1"),
        ("allowed_origins", "[1]"),
        ("allowed_origins", '[["https://a.example"]]'),
        ("allowed_origins", '{ a = "https://a.example" }'),
        ("trusted_proxies", "[true]"),
        ("dream_interval", '"soon"'),
        ("dream_interval", "inf"),
        ("colour", '"red"'),
    ],
)
def test_each_wrong_type_in_the_file(
    refused: Callable[..., str], tmp_path: Path, name: str, literal: str
) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text(f"{name} = {literal}\n")
    sentence = refused("--config", str(file))
    assert name in sentence or "wrong.toml" in sentence


@pytest.mark.parametrize(
    "content",
    [
        b"port = 1\0",
        b"\0",
        b"host = '\xe9'",
        "port = 1".encode("utf-16"),
        b"port = " + b"[" * 3000,
        b"port = " + b"[" * 3000 + b"]" * 3000,
        b"a." * 3000 + b"b = 1",
        b"port = 1\nport = 2",
        b"port = ",
        b"[server]\nport = 1",
        os.urandom(300) + b"\xff",
        b'host = "\\u0000"',
    ],
    ids=range(12),
)
def test_each_wrong_file(refused: Callable[..., str], tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "wrong.toml"
    file.write_bytes(content)
    refused("--config", str(file))


@pytest.mark.parametrize("name", ["", "/no/such/file", "/", "/proc/self/mem", "/dev/zero", LONG])
def test_each_file_that_cannot_be_read(refused: Callable[..., str], name: str) -> None:
    refused("--config", name)


def test_a_byte_order_mark_does_not_matter(tmp_path: Path) -> None:
    file = tmp_path / "windows.toml"
    file.write_bytes(b'\xef\xbb\xbfoperator = "J\xc3\xbcrgen"\r\nport = 1\r\n')
    assert load({}, file=file, environment={}).operator == "J\u00fcrgen"


@pytest.mark.parametrize(
    "command", ["backup x", "restore x", "tokens list", "tokens add x", "admin state", "history list"]
)
def test_an_empty_data_directory_is_not_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = command.split()
    at = 1 if arguments[0] == "admin" else len(arguments)
    result = CliRunner().invoke(main, [*arguments[:at], "--data-dir", "", *arguments[at:]])
    assert (result.exit_code, list(tmp_path.iterdir())) == (2, [])
    assert "it is empty" in result.output


@pytest.mark.parametrize(
    "command",
    [
        *("serve --no-dream", "serve", "doctor", "doctor --no-dream", "history encode"),
        *("styles {}", "models layers {}", "models fetch {}", "models fetch {} --from picture.png"),
        *("dream picture.png -o out.png", "dream picture.png -o out.png --graph picture.png"),
    ],
)
@pytest.mark.parametrize("name", ["nope", "EfficientNet_Lite0", "../efficientnet_lite0", LONG])
def test_a_network_that_there_is_none_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, name: str
) -> None:
    """To whatever command it is given."""
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (4, 4)).save("picture.png")
    arguments = command.format(name).split()
    if "{}" not in command:
        arguments += ["--network", name]
    result = CliRunner().invoke(main, arguments)
    assert "network" in told(result.output, result.exit_code)
    assert result.stdout == ""
    assert [path.name for path in tmp_path.iterdir()] == ["picture.png"]


# What the environment says beside that


def test_a_variable_that_is_empty_is_not_set() -> None:
    names = [setting.name for setting in dataclasses.fields(Config)]
    for empty in ("", " ", "\t"):
        assert load({}, environment={f"DREAMCANVAS_{name.upper()}": empty for name in names}) == Config()


def test_every_command_tells_of_mistyped_variables(tmp_path: Path) -> None:
    for command in (
        "styles",
        "models",
        f"history list --data-dir {tmp_path}",
        f"tokens list --data-dir {tmp_path}",
    ):
        result = CliRunner().invoke(main, command.split(), env={"DREAMCANVAS_DATADIR": "x"})
        assert (
            "Warning: the environment variable DREAMCANVAS_DATADIR is not known; did you mean"
            in result.stderr
        )


@pytest.mark.parametrize(
    ("variable", "nearest"),
    [
        ("DREAMCANVAS_PROT", "DREAMCANVAS_PORT"),
        ("DREAMCANVAS_TRUSTED_PROXY", "DREAMCANVAS_TRUSTED_PROXIES"),
        ("DREAMCANVAS_DATADIR", "DREAMCANVAS_DATA_DIR"),
        ("dreamcanvas_port", "DREAMCANVAS_PORT"),
        ("DREAMCANVAS_NO_DREAM", "DREAMCANVAS_DREAM"),
        ("DREAMCANVAS_XYZZYXYZZY", None),
    ],
)
def test_a_variable_that_is_not_known_is_told_with_the_nearest(variable: str, nearest: str | None) -> None:
    known = {
        "DREAMCANVAS_PORT": "1",
        "DREAMCANVAS_ADMIN_TOKEN": "x",
        "DREAMCANVAS_MODEL_DIR": "y",
        "PATH": "z",
    }
    (sentence,) = unknown_variables({variable: "1", "DREAMCANVAS_EMPTY": "", **known})
    assert variable in sentence
    assert sentence.endswith(f"did you mean {nearest}?" if nearest else "is not known")


# What only a start finds


def start(data_dir: Path, *arguments: str, **environment: str) -> str:
    """What a real start says that is refused."""
    flags = ("serve", "--port", "0", "--no-dream", "--data-dir", str(data_dir))
    done = subprocess.run(
        [sys.executable, "-m", "dreamcanvas", *flags, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, **environment},
    )
    return told(done.stderr, done.returncode)


@pytest.mark.parametrize("microseconds", ["abc", "-5", "1e6"])
def test_a_watchdog_that_is_none(tmp_path: Path, microseconds: str) -> None:
    sentence = start(tmp_path, WATCHDOG_USEC=microseconds)
    assert sentence.startswith(f"Error: WATCHDOG_USEC is '{microseconds}', but has to be")


@pytest.mark.parametrize("content", [b"\xff\x00\xfe", b"", b"admin.short", b"admin." + b"x" * 2**20])
def test_an_admin_token_that_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "admin-token").write_bytes(content)
    sentence = start(tmp_path)
    assert (
        "admin-token holds no token" in sentence or "admin-token cannot be used: File too large" in sentence
    )


@pytest.mark.parametrize("target", ["/dev/zero", "pipe", "/nonexistent/token"])
def test_an_admin_token_that_is_no_file(tmp_path: Path, target: str) -> None:
    """A device has no end, and a pipe without a writer no beginning."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "admin-token").symlink_to(target)
    assert "admin-token cannot be used" in start(tmp_path)


@pytest.mark.parametrize("close", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_start_with_closed_standard_files(tmp_path: Path, close: str) -> None:
    """As of old daemons. No socket is taken for the terminal."""
    (port,) = free_ports(1)
    command = (
        f"exec {sys.executable} -m dreamcanvas serve --no-dream --port {port} --data-dir {tmp_path}/d {close}"
    )
    with subprocess.Popen(["bash", "-c", command]) as process:
        try:
            wait_until(lambda: process.poll() is not None or answers(port), what="the server")
            assert answers(port)
        finally:
            process.terminate()
    assert process.returncode == 0


def test_what_cannot_be_written_is_a_sentence() -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            [sys.executable, "-m", "dreamcanvas", "styles"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode != 0
    assert "No space left on device" in done.stderr
    assert "Traceback (most" not in done.stderr.partition("Exception ignored")[0]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory as a server has made it."""
    directory = tmp_path / "data"
    directory.mkdir()
    schema.connect(directory / "dreamcanvas.db").close()
    return directory


def spoil(data: Path, *statements: str) -> None:
    with closing(sqlite3.connect(data / "dreamcanvas.db", isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def tables() -> list[str]:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript("".join(schema.MIGRATIONS))
        rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    return [row[0] for row in rows]


@pytest.mark.parametrize("table", tables())
def test_a_database_that_misses_a_table(data: Path, table: str) -> None:
    spoil(data, f"DROP TABLE {table}")
    with pytest.raises(StoreError, match=f"the table {table} is missing; restore a backup"):
        schema.connect(data / "dreamcanvas.db")


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("DROP TABLE settings", "the table settings is missing"),
        ("ALTER TABLE bans DROP COLUMN reason", "the table bans has no column reason"),
        ("PRAGMA user_version = -1", "is no database of Dreamcanvas"),
        ("PRAGMA user_version = 3", "already exists"),
        (
            "INSERT INTO settings VALUES ('read_only', 'xyz')",
            "setting 'read_only' of the host cannot be 'xyz'",
        ),
        ("INSERT INTO settings VALUES ('read_only', CAST(x'ff' AS TEXT))", "Could not decode to UTF-8"),
    ],
)
def test_a_start_on_a_database_that_is_none(data: Path, statement: str, words: str) -> None:
    spoil(data, statement)
    assert words in start(data)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *(("read_only", '"yes"'), ("resting", "1"), ("announcement", "{"), ("announcement", "5")),
        *(("announced_until", '"abc"'), ("announced_until", "-1"), ("announced_until", DIGITS)),
        *(("announced_until", "true"), ("address_key", '"zz"'), ("address_key", "[]"), ("new", "[" * 3000)),
    ],
)
def test_settings_of_the_host_that_are_none(data: Path, name: str, text: str) -> None:
    spoil(data, f"INSERT INTO settings VALUES ('{name}', '{text}')")
    connection = schema.connect(data / "dreamcanvas.db")
    with closing(connection), pytest.raises(StoreError, match=f"the setting '{name}' of the host cannot be"):
        check(connection, data / "dreamcanvas.db")


@pytest.mark.parametrize("name", ["frames", "movies", "archive", "lock", "admin-token", "dreamcanvas.db"])
def test_a_file_for_a_directory_and_the_other_way_round(data: Path, name: str) -> None:
    path = data / name
    if name in ("frames", "movies", "archive"):
        path.write_text("")
    else:
        if path.exists():
            path.unlink()
        path.mkdir()
    assert name in start(data) or name == "lock"


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    spoil(tmp_path, "CREATE TABLE notes (text)")
    before = (tmp_path / "dreamcanvas.db").read_bytes()
    assert "is no database of Dreamcanvas" in start(tmp_path)
    assert (tmp_path / "dreamcanvas.db").read_bytes() == before


def test_what_is_sound_starts(data: Path) -> None:
    """With all that systemd says, and variables of nobody's."""
    shutil.copy(data / "dreamcanvas.db", data / "copy")
    environment: dict[str, Any] = {"WATCHDOG_USEC": "1", "DREAMCANVAS_PROT": "1", "DREAMCANVAS_HOST": ""}
    with Server(data, "--no-dream", environment=environment) as server:
        assert server.get("/livez") == b"ok\n"
        assert any("did you mean DREAMCANVAS_PORT?" in line for line in server.log)
        assert server.stop() == 0


def test_wrong_settings_are_refused_in_python_too() -> None:
    for name, value in (
        ("precision", "nope"),
        ("trusted_proxies", ("junk",)),
        ("root_path", "x"),
        ("host", ""),
    ):
        with pytest.raises(ConfigError, match=name):
            Config(**{name: value})  # type: ignore[arg-type]
