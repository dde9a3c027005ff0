"""`dreamcanvas history`: by hand what the server does."""

import asyncio
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dreamcanvas.cli.main import main
from dreamcanvas.history.movie import decode, to_image
from dreamcanvas.store.backup import backup, restore
from tests.history.marks import read
from tests.history.test_recording import LENGTH, NOON, Studio
from tests.live_server import Server


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["history", *arguments])


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two windows of three dreams, long over, and their movies made by hand."""
    directory = tmp_path_factory.mktemp("hand")

    async def dream() -> None:
        studio = Studio(directory)
        times = [NOON + n for n in range(3)] + [NOON + LENGTH + n for n in range(3)]
        await studio.dream(*(time - 10**10 for time in times), picture=True)
        await studio.close()

    asyncio.run(dream())
    done = run("encode", "--data-dir", str(directory), "--movie-preset", "ultrafast", "--log-level", "error")
    assert (done.exit_code, done.output) == (0, "3 movies made\n")  # the day too
    return directory


def test_list(data_dir: Path) -> None:
    words = [line.split() for line in run("list", "--data-dir", str(data_dir)).output.splitlines()]
    assert [line[1:5] for line in words] == [
        ["encoded", "6", "frames", "0"],
        ["encoded", "3", "frames", "0"],
        ["encoded", "3", "frames", "0"],
    ]
    assert words[0][0] == "2026-07-29"
    assert words[1][0].startswith("20260729T")


def test_made_once(data_dir: Path) -> None:
    assert run("encode", "--data-dir", str(data_dir)).output.endswith("0 movies made\n")


def test_export_joins_windows(data_dir: Path, tmp_path: Path) -> None:
    target = tmp_path / "film.mp4"
    span = ("--since", "2026-07-01", "--until", "2026-08-01T00:00+02:00")
    done = run("export", str(target), *span, "--width", "768", "--data-dir", str(data_dir))
    assert done.output == f"{target}: 2 windows, 6 frames, 0.2 s\n"
    assert [read(to_image(frame)) for frame in decode(target)] == [1, 2, 3, 4, 5, 6]
    again = run("export", str(target), *span, "--data-dir", str(data_dir))
    assert (again.exit_code, "is there already" in again.output) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--since", "soon", "--until", "2026-08-01"), "'soon' is no time such as 2026-11-22T14:00Z"),
        (
            ("--since", "2020-01-01", "--until", "2020-01-02"),
            "there is no movie between 2020-01-01T00:00:00Z",
        ),
        (
            ("--since", "2026-07-01", "--until", "2026-08-01", "--width", "99"),
            "width is 99, but has to be one of 1536, 768",
        ),
    ],
)
def test_what_cannot_be_exported(
    data_dir: Path, tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    done = run("export", str(tmp_path / "x.mp4"), *arguments, "--data-dir", str(data_dir))
    assert done.exit_code == (1 if "no movie" in words else 2), "2: what was asked for cannot be"
    assert words in done.output
    assert list(tmp_path.iterdir()) == []


def test_where_there_is_no_canvas(tmp_path: Path) -> None:
    assert "there is no canvas" in run("list", "--data-dir", str(tmp_path)).output


def test_beside_a_server(server: Server) -> None:
    """It may be listed; it makes its movies itself."""
    assert run("list", "--data-dir", str(server.data_dir)).exit_code == 0
    done = run("encode", "--data-dir", str(server.data_dir))
    assert (done.exit_code, "is in use by another server" in done.output) == (1, True)


def test_movies_are_in_a_backup(data_dir: Path, tmp_path: Path) -> None:
    backup(data_dir, tmp_path / "copy", clock=lambda: 0)
    restore(tmp_path / "copy", tmp_path / "restored")

    def files(directory: Path) -> dict[str, bytes]:
        names = [path for path in (directory / "movies").rglob("*.*") if path.is_file()]
        return {str(path.relative_to(directory)): path.read_bytes() for path in names}

    assert len(files(data_dir)) == 3 * 4
    assert files(tmp_path / "restored") == files(data_dir)
    assert (
        run("list", "--data-dir", str(tmp_path / "restored")).output
        == run("list", "--data-dir", str(data_dir)).output
    )


def test_a_movie_that_is_missing_is_gone_in_the_backup_and_its_poster_is_not(
    data_dir: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    backup(data_dir, tmp_path / "whole", clock=lambda: 0)
    restore(tmp_path / "whole", tmp_path / "data")
    [first, second, _] = sorted((tmp_path / "data" / "movies").rglob("*-1536.mp4"))
    first.unlink()  # the day's
    second.with_name(second.name.replace("-1536.mp4", ".jpg")).unlink()
    backup(tmp_path / "data", tmp_path / "copy", clock=lambda: 0)
    assert caplog.text.count("missing, and so not in the backup") == 2
    restore(tmp_path / "copy", tmp_path / "again")
    words = [line.split() for line in run("list", "--data-dir", str(tmp_path / "again")).output.splitlines()]
    assert [line[1] for line in words] == ["expired", "encoded", "encoded"]
