"""What docs/bots.md tells bot authors to run, run; and the bots in scripts/bots."""

import importlib.util
import io
import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageDraw, ImageStat

from dreamcanvas.client import Client, Dab, Operation
from tests.live_server import Server

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "bots.md").read_text()
BOTS = ROOT / "scripts" / "bots"
PYTHON = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
SHELL = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
ENVIRONMENT = {**os.environ, "NODE_PATH": str(ROOT / "tests" / "interop" / "node_modules")}


def run(*command: str, cwd: Path = ROOT) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=cwd, env=ENVIRONMENT, timeout=100
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def load(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, BOTS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def newest(server: Server) -> int:
    with Client(server.url) as client:
        return client.paint(-60000, 0, 1, 0).seq


@pytest.mark.parametrize("code", [code for code in PYTHON if "events(" not in code])
def test_a_python_block_draws(code: str, quiet_server: Server, tmp_path: Path) -> None:
    before = newest(quiet_server)
    run(sys.executable, "-c", code.replace("http://127.0.0.1:4242", quiet_server.url), cwd=tmp_path)
    assert newest(quiet_server) > before + 1


def test_the_block_with_events_answers(quiet_server: Server) -> None:
    (code,) = (code for code in PYTHON if "events(" in code)
    command = [sys.executable, "-u", "-c", code.replace("http://127.0.0.1:4242", quiet_server.url)]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as bot,
        Client(quiet_server.url) as other,
    ):
        assert bot.stdout is not None
        stop = threading.Event()

        def draw() -> None:  # the bot hears what comes after it has subscribed
            while not stop.wait(0.1):
                other.paint(500, 600, 9, 9)

        drawing = threading.Thread(target=draw)
        drawing.start()
        line = bot.stdout.readline()
        stop.set()
        drawing.join()
        bot.terminate()
    assert line == f"author {other.author} drew at 500, 600; so did we\n"


def test_the_shell_blocks_by_curl(quiet_server: Server, tmp_path: Path) -> None:
    paint, fetch = (block for block in SHELL if block.startswith("curl"))
    for block in (paint, fetch):
        code = block.replace("http://127.0.0.1:4242", quiet_server.url).replace("curl ", "curl -sS ")
        said = run("bash", "-ec", code, cwd=tmp_path)
        assert "error" not in said
    with Image.open(tmp_path / "canvas.png") as picture:
        assert picture.size == (1536, 1536)


def test_the_javascript_block_draws(quiet_server: Server) -> None:
    (block,) = (block for block in SHELL if block.startswith("npm"))
    command = block.splitlines()[1].replace("http://127.0.0.1:4242", quiet_server.url)
    before = newest(quiet_server)
    assert run("bash", "-ec", command) == ""
    assert newest(quiet_server) == before + 601
    lines = (BOTS / "spiral.js").read_text().splitlines()
    assert len([line for line in lines if line and not line.startswith("//")]) <= 20


def test_the_rainbow_by_curl(quiet_server: Server) -> None:
    before = newest(quiet_server)
    said = run(str(BOTS / "rainbow.sh"), quiet_server.url)
    assert said.count('"result"') == 6
    assert newest(quiet_server) == before + 6 * 121 + 1


def test_text_is_written(quiet_server: Server) -> None:
    (block,) = (block for block in SHELL if "write.py" in block)
    command = next(line for line in block.splitlines() if "write.py" in line)
    before = newest(quiet_server)
    code = command.replace("bot/bin/python", sys.executable)
    run("bash", "-ec", f"{code} --url {quiet_server.url}")
    assert newest(quiet_server) > before + 100


def test_a_picture_is_painted(tmp_path_factory: pytest.TempPathFactory) -> None:
    picture = Image.new("RGB", (96, 64), "navy")
    ImageDraw.Draw(picture).ellipse((20, 10, 70, 55), fill="gold")
    with Server(tmp_path_factory.mktemp("picture"), "--no-dream") as server:
        path = server.data_dir / "picture.png"
        picture.save(path)
        where = ("--side", "96", "--at", "700", "700", "--dabs", "200")
        said = run(sys.executable, str(BOTS / "picture.py"), str(path), "--url", server.url, *where)
        assert " dabs in " in said.rpartition("\r")[2]
        with Image.open(io.BytesIO(server.get("/canvas.png"))) as canvas:
            painted = canvas.convert("RGB").crop((700, 700, 796, 764))
    blank = ImageStat.Stat(ImageChops.difference(picture, Image.new("RGB", picture.size, "white")))
    left = ImageStat.Stat(ImageChops.difference(picture, painted))
    assert sum(left.sum2) < sum(blank.sum2) / 20


def test_the_mirror_answers_what_others_draw(quiet_server: Server) -> None:
    command = [sys.executable, str(BOTS / "mirror.py"), "--url", quiet_server.url]
    with (
        subprocess.Popen(command) as bot,
        Client(quiet_server.url) as client,
        Client(quiet_server.url) as other,
    ):
        events = client.events("paint")
        stop = threading.Event()

        def draw() -> None:  # the bot hears what comes after it has subscribed
            while not stop.wait(0.1):
                other.paint(100, 600, 25, 0x123456)

        drawing = threading.Thread(target=draw)
        drawing.start()
        answer = next(
            event for event in events if isinstance(event, Operation) and event.author != other.author
        )
        stop.set()
        drawing.join()
        bot.terminate()
    assert answer.mark == Dab(1435, 600, 25, 0x123456)


def covered(dab: Dab) -> tuple[int, int]:
    """The first and the last column of a dab."""
    left = dab.x - dab.size // 2
    return left, left + dab.size - 1


@pytest.mark.parametrize("size", [1, 2, 25, 124])
def test_an_answer_is_the_mirror_image_to_the_pixel(size: int) -> None:
    answer = load("mirror").Mirror(1536).answer(Dab(100, 7, size, 9))
    assert (answer.y, answer.size, answer.color) == (7, size, 9)
    first, last = covered(Dab(100, 7, size, 9))
    assert covered(answer) == (1535 - last, 1535 - first)


def test_two_mirrors_do_not_answer_each_other_for_ever() -> None:
    mirrors = [load("mirror").Mirror(1536) for _ in range(2)]
    drawn = [Dab(100, 7, 25, 9)]
    for dab in drawn:
        drawn += [answer for mirror in mirrors if (answer := mirror.answer(dab)) is not None]
        assert len(drawn) <= 3


def test_its_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", PAGE):
        assert target.startswith("https://") or (ROOT / "docs" / target).exists(), target


def test_the_protocol_page_names_every_method_and_event() -> None:
    text = (ROOT / "docs" / "protocol.md").read_text()
    for name in ("paint", "getCanvas", "subscribe", "undo", "paints", "cursor", "RATE_LIMITED", "TOO_LATE"):
        assert f"`{name}`" in text or f"| {name} |" in text
    assert "{" not in re.sub(r"`[^`]*`", "", text)
