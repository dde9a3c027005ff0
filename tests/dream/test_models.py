"""Weights are downloaded whole or not at all, resumed, and checked; a copy will do."""

import hashlib
import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dreamcanvas.cli.main import main
from dreamcanvas.dream import models
from dreamcanvas.dream.network import NETWORKS, network_info
from dreamcanvas.dream.networks.download import Download
from dreamcanvas.errors import DreamError
from tests.dream.random_graph import build_graph, write_zip

GRAPH = build_graph(3, {"mixed3a": (8, 8, 8, 8, 8, 8)})
NAME = "inception5h"


@dataclass
class Site:
    """What a server gives at /model.zip, how, and what it was asked."""

    data: bytes
    ranges: bool = True
    break_after: int | None = None
    status: int = 200
    asked: list[str | None] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A server with an archive, and the network registered with its URL and digests."""
    write_zip(tmp_path / "model.zip", GRAPH)
    site = Site((tmp_path / "model.zip").read_bytes())

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers.get("Range")
            site.asked.append(asked)
            start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and site.ranges else 0
            if site.status != 200:
                self.send_error(site.status)
                return
            if start and start >= len(site.data):
                self.send_error(416)
                return
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(site.data) - 1}/{len(site.data)}")
            self.send_header("Content-Length", str(len(site.data) - start))
            self.end_headers()
            self.wfile.write(site.data[start : site.break_after])

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        site.url = f"http://127.0.0.1:{server.server_port}/model.zip"
        download = Download(site.url, _sha256(site.data), "tensorflow_inception_graph.pb", _sha256(GRAPH))
        info = replace(network_info(NAME), download=download)
        monkeypatch.setitem(NETWORKS, NAME, info)
        yield site
        server.shutdown()
        thread.join()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def fetch(directory: Path) -> list[tuple[int, int | None]]:
    told: list[tuple[int, int | None]] = []
    models.fetch(NAME, directory, progress=lambda here, total: told.append((here, total)))
    return told


def run(directory: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["models", *arguments], env={models.DIRECTORY_VARIABLE: str(directory)})


def test_the_file_of_the_archive_is_fetched_with_progress(site: Site, tmp_path: Path) -> None:
    directory = tmp_path / "new" / "models"
    told = fetch(directory)
    assert models.read_weights(network_info(NAME), directory) == GRAPH
    assert [path.name for path in directory.iterdir()] == ["tensorflow_inception_graph.pb"]
    size = len(site.data)
    assert (told[0], told[-1]) == ((0, size), (size, size))
    assert told == sorted(told)


def test_what_is_here_is_not_fetched_again(site: Site, tmp_path: Path) -> None:
    fetch(tmp_path)
    fetch(tmp_path)
    assert site.asked == [None]


def test_a_damaged_file_is_fetched_again(site: Site, tmp_path: Path) -> None:
    (tmp_path / "tensorflow_inception_graph.pb").write_bytes(GRAPH[:-1])
    fetch(tmp_path)
    assert models.read_weights(network_info(NAME), tmp_path) == GRAPH


def test_a_download_that_broke_off_is_resumed(site: Site, tmp_path: Path) -> None:
    site.break_after = 100_000
    with pytest.raises(DreamError, match=r"broke off .* the same command resumes it"):
        fetch(tmp_path)
    assert not (tmp_path / "tensorflow_inception_graph.pb").exists()
    site.break_after = None
    told = fetch(tmp_path)
    assert site.asked == [None, "bytes=100000-"]
    assert told[0] == (100_000, len(site.data))
    assert models.read_weights(network_info(NAME), tmp_path) == GRAPH


def test_a_server_without_ranges_begins_anew(site: Site, tmp_path: Path) -> None:
    (tmp_path / f"{NAME}.zip.part").write_bytes(b"x" * 1000)
    site.ranges = False
    assert fetch(tmp_path)[0] == (0, len(site.data))
    assert models.read_weights(network_info(NAME), tmp_path) == GRAPH


def test_a_whole_part_needs_no_more_bytes(site: Site, tmp_path: Path) -> None:
    (tmp_path / f"{NAME}.zip.part").write_bytes(site.data)
    fetch(tmp_path)
    assert models.read_weights(network_info(NAME), tmp_path) == GRAPH


@pytest.mark.parametrize("resumes", [False, True])
def test_a_corrupt_download_is_thrown_away(site: Site, tmp_path: Path, resumes: bool) -> None:
    part = tmp_path / f"{NAME}.zip.part"
    if resumes:
        part.write_bytes(b"x" * 1000)
    else:
        site.data = site.data[:5000] + b"x" + site.data[5001:]
    with pytest.raises(DreamError, match=f"SHA-256 [0-9a-f]{{64}}, not {network_info(NAME).download.sha256}"):  # type: ignore[union-attr]
        fetch(tmp_path)
    assert not part.exists()
    assert not (tmp_path / "tensorflow_inception_graph.pb").exists()


def test_what_the_server_refuses_is_said(site: Site, tmp_path: Path) -> None:
    site.status = 404
    with pytest.raises(DreamError, match=r"/model\.zip answers 404"):
        fetch(tmp_path)


def test_no_network_is_said(site: Site, tmp_path: Path) -> None:
    with pytest.raises(DreamError, match=r"http://127\.0\.0\.1:1/x cannot be reached: "):
        models.fetch(NAME, tmp_path, progress=lambda *_: None, url="http://127.0.0.1:1/x")
    with pytest.raises(DreamError, match="cannot be reached: unknown url type: nothing"):
        models.fetch(NAME, tmp_path, progress=lambda *_: None, url="nothing:x")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full is Linux's")
def test_a_full_disk_is_said(site: Site, tmp_path: Path) -> None:
    (tmp_path / f"{NAME}.zip.part").symlink_to("/dev/full")
    with pytest.raises(DreamError, match=r"the disk of .* is full"):
        fetch(tmp_path)
    (tmp_path / "model.pb").write_bytes(GRAPH)
    (tmp_path / "tensorflow_inception_graph.pb.part").symlink_to("/dev/full")
    with pytest.raises(DreamError, match=r"the disk of .* is full"):
        models.copy(NAME, tmp_path / "model.pb", tmp_path)
    assert not (tmp_path / "tensorflow_inception_graph.pb").exists()


def test_a_directory_that_cannot_be_written_is_said(site: Site, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DreamError, match="file/models cannot be written: Not a directory"):
        fetch(tmp_path / "file" / "models")


@pytest.mark.parametrize("name", ["model.zip", "model.pb"])
def test_a_copy_is_taken(site: Site, tmp_path: Path, name: str) -> None:
    (tmp_path / "model.pb").write_bytes(GRAPH)
    path = models.copy(NAME, tmp_path / name, tmp_path / "models")
    assert path.read_bytes() == GRAPH
    assert site.asked == []


def test_a_wrong_copy_is_refused_and_leaves_what_was_there(site: Site, tmp_path: Path) -> None:
    models.copy(NAME, tmp_path / "model.zip", tmp_path)
    (tmp_path / "wrong.pb").write_bytes(GRAPH[:-1])
    with pytest.raises(DreamError, match=r"wrong\.pb has SHA-256"):
        models.copy(NAME, tmp_path / "wrong.pb", tmp_path)
    with pytest.raises(DreamError, match=r"missing\.pb cannot be read: No such file"):
        models.copy(NAME, tmp_path / "missing.pb", tmp_path)
    (tmp_path / "cut.zip").write_bytes(site.data.replace(b"tensorflow_inception", b"tensorflow_deception"))
    with pytest.raises(DreamError, match=r"holds no tensorflow_inception_graph\.pb"):
        models.copy(NAME, tmp_path / "cut.zip", tmp_path)
    assert models.read_weights(network_info(NAME), tmp_path) == GRAPH


def test_a_network_in_a_package_needs_no_download(tmp_path: Path) -> None:
    with pytest.raises(DreamError, match="efficientnet_lite0 needs no download"):
        models.fetch("efficientnet_lite0", tmp_path, progress=lambda *_: None)


def test_the_directory_is_the_variables_or_the_users() -> None:
    assert models.model_dir({models.DIRECTORY_VARIABLE: "/somewhere"}) == Path("/somewhere")
    assert models.model_dir({}).parts[-2:] == ("dreamcanvas", "models")


def test_the_command_lists_networks(site: Site, tmp_path: Path) -> None:
    lines = [line.split() for line in run(tmp_path).output.splitlines()]
    assert [line[:3] for line in lines] == [
        ["efficientnet_lite0", "present", "Apache-2.0"],
        ["inception5h", "missing", "Apache-2.0"],
    ]
    (tmp_path / "tensorflow_inception_graph.pb").write_bytes(GRAPH[:-1])
    assert " damaged " in run(tmp_path).output


def test_the_command_lists_layers(tmp_path: Path) -> None:
    lines = [line.split() for line in run(tmp_path, "layers", NAME).output.splitlines()]
    assert lines[0] == ["conv2d0_pre_relu", "64", "2"]
    assert ["mixed4d_3x3_bottleneck_pre_relu", "144", "16"] in lines
    result = run(tmp_path, "layers", "vgg")
    assert (result.exit_code, "there is no network 'vgg'" in result.output) == (2, True)


def test_the_command_fetches(site: Site, tmp_path: Path) -> None:
    result = run(tmp_path, "fetch", NAME)
    assert result.exit_code == 0
    assert result.stdout.strip() == str(tmp_path / "tensorflow_inception_graph.pb")
    result = run(tmp_path / "other", "fetch", NAME, "--from", str(tmp_path / "model.zip"))
    assert result.stdout.strip() == str(tmp_path / "other" / "tensorflow_inception_graph.pb")
    result = run(tmp_path / "third", "fetch", NAME, "--url", "http://127.0.0.1:1/x")
    assert (result.exit_code, "cannot be reached" in result.output) == (1, True)
