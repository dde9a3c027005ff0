"""The wheel has all that serving needs and nothing of the tests; installed, it serves the page."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live_server import Server

ROOT = Path(__file__).parents[1]
SOURCES = ("dreamcanvas", "setup.cfg", "pyproject.toml", "README.md", "LICENSE")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made of a copy: setuptools takes what an earlier build left in build/ into the next wheel."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, source / name)
    (source / "tests").mkdir()
    (source / "tests" / "__init__.py").write_text("")
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*command, "--quiet", "--wheel-dir", str(target), str(source)], check=True)
    (made,) = target.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment's bin/ with the wheel in it. What it depends on is that of the tests' environment."""
    directory = tmp_path_factory.mktemp("environment")
    venv.create(directory, with_pip=False, symlinks=True)
    (packages,) = directory.glob("lib/python*/site-packages")
    # By name, as the tests' own .pth files, the editable dreamcanvas among them, are not to count
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    python = str(directory / "bin" / "python")
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--ignore-installed", str(wheel)], check=True)
    return directory / "bin"


@pytest.fixture
def serving(installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server of the wheel, started where no checkout is."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "executable", str(installed / "python"))
    with Server(tmp_path / "data", "--no-dream") as server:
        yield server


def test_it_has_what_the_checkout_has_and_no_tests(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    files = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "dreamcanvas").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert names == files
    for name in ("page/index.html", "proto/dreamcanvas.proto", "proto/dreamcanvas.binpb", "py.typed"):
        assert f"dreamcanvas/{name}" in names


def test_the_installed_command_tells_its_version(installed: Path, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    code = "import dreamcanvas; print(dreamcanvas.__file__)"
    place = subprocess.check_output([installed / "python", "-c", code], cwd=tmp_path, env=environment)
    assert place.decode().startswith(str(installed.parent))
    told = subprocess.check_output([installed / "dreamcanvas", "--version"], cwd=tmp_path, env=environment)
    assert re.search(rb"\d+\.\d+", told)


def test_it_serves_the_page_its_assets_and_the_picture(serving: Server) -> None:
    page = serving.get("/").decode()
    assets = re.findall(r'(?:src|href)="\.?(/assets/[^"]+)"', page)
    assert {Path(asset).suffix for asset in assets} == {".js", ".css"}
    for asset in assets:
        assert len(serving.get(asset)) > 1000
    assert serving.get("/history").startswith(b"<!doctype html>")
    assert b"rpc paint" in serving.get("/proto/dreamcanvas.proto")
    assert serving.get("/canvas.png").startswith(b"\x89PNG")
    styles = subprocess.check_output([Path(sys.executable).with_name("dreamcanvas"), "styles"], text=True)
    assert "Lizards" in styles
