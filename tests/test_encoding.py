"""All files and answers are UTF-8, whatever the language of the machine is."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import dreamcanvas
from tests.live_server import Server

ROOT = Path(dreamcanvas.__file__).parent.parent
SOURCES = [*sorted((ROOT / "dreamcanvas").rglob("*.py")), *sorted((ROOT / "scripts").rglob("*.py"))]
# PEP 597: where the language of the machine would decide, Python warns, and here it is an error
STRICT = {"PYTHONWARNDEFAULTENCODING": "1", "PYTHONWARNINGS": "error::EncodingWarning"}
WORDS = "\u00dcber die Leinwand \u2013 \u043f\u0440\u0438\u0432\u0435\u0442"


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    directory = tmp_path_factory.mktemp("strict")
    (directory / "about.md").write_bytes(b"\xef\xbb\xbf# Welcome\r\n\r\n" + WORDS.encode())
    (directory / "settings.toml").write_bytes(b"\xef\xbb\xbf" + f'operator = "{WORDS}"\n'.encode())
    flags = ("--about", str(directory / "about.md"), "--config", str(directory / "settings.toml"))
    with Server(directory / "data", "--no-dream", *flags, environment=STRICT) as server:
        yield server


def test_pages_are_utf_8(strict: Server) -> None:
    for path in ("/", "/history", "/about", "/admin"):
        text = strict.get(path).decode()
        assert path == "/history" or re.search("[\u0080-\uffff]", text), path
        assert "\u00c3" not in text, f"{path} is UTF-8 that was taken for something else"
    assert "message" in strict.get("/proto/dreamcanvas.proto").decode()


def test_the_operators_words_are_theirs_without_a_byte_order_mark(strict: Server) -> None:
    page = strict.get("/about").decode()
    assert "<h1>Welcome</h1>" in page
    assert page.count(WORDS) >= 2
    assert "\ufeff" not in page


def test_commands_do_not_ask_for_the_language(strict: Server, tmp_path: Path) -> None:
    place = ["--data-dir", str(strict.data_dir)]
    admin = ["admin", "--url", strict.url, *place]
    for arguments in (
        [*admin, "announce", WORDS],
        [*admin, "state"],
        ["doctor", "--no-dream", *place],
        ["backup", str(tmp_path / "backup"), *place],
        ["restore", str(tmp_path / "backup"), "--data-dir", str(tmp_path / "again")],
        ["tokens", "list", *place],
        ["history", "list", *place],
        ["models"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", "dreamcanvas", *arguments],
            capture_output=True,
            check=False,
            env={**STRICT, "PATH": "/usr/bin:/bin", "PYTHONIOENCODING": "ascii"},
            timeout=100,
        )
        assert b"Traceback" not in done.stderr, done.stderr.decode(errors="replace")


def test_log_lines_are_utf_8(strict: Server) -> None:
    strict.get("/livez")
    assert all("message" in json.loads(line) for line in strict.log if line.startswith("{"))


def is_open(call: ast.Call) -> bool:
    """Whether a call opens text, as far as its name and its arguments tell."""
    named = {keyword.arg for keyword in call.keywords}
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name in ("read_text", "write_text"):
        return "encoding" not in named and len(call.args) < (1 if name == "read_text" else 2)
    if name in ("run", "Popen", "check_output"):
        return bool(named & {"text", "universal_newlines"}) and "encoding" not in named
    if getattr(getattr(call.func, "value", None), "id", "") in ("av", "Image", "zipfile", "gzip"):
        return False
    modes = [arg.value for arg in call.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
    built_in = isinstance(call.func, ast.Name) and name in ("open", "fdopen")
    of_path = isinstance(call.func, ast.Attribute) and name in ("open", "fdopen") and bool(modes)
    text = any(set(mode) <= set("rwaxt+") for mode in modes) or (built_in and len(call.args) == 1)
    return (built_in or of_path) and text and "encoding" not in named


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_every_text_file_is_opened_by_its_encoding(source: Path) -> None:
    """Beside PLW1514, which sees what it can infer to be a Path."""
    tree = ast.parse(source.read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    assert [f"line {call.lineno}" for call in calls if is_open(call)] == []
