"""The files in deploy/: nginx before a real server, where it is installed, and that settings are settings."""

import importlib
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from websockets.sync.client import connect

from dreamcanvas.config import load
from tests.live_server import Server, wait_until

DEPLOY = Path(__file__).parents[2] / "deploy"
HOSTING = (DEPLOY.parent / "docs" / "hosting.md").read_text()
NGINX = os.environ.get("NGINX") or shutil.which("nginx")


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


@pytest.fixture
def front(tmp_path: Path) -> Iterator[tuple[Server, int]]:
    """nginx with deploy/nginx.conf, but for ports and paths, before a server; its port."""
    if NGINX is None:
        pytest.skip("nginx is not installed")
    subprocess.run(
        [
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=localhost",
            ),
            *("-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "cert.pem")),
        ],
        check=True,
        capture_output=True,
    )
    plain, secure = free_ports(2)
    with Server(tmp_path / "data", "--no-dream", "--trusted-proxies", "127.0.0.1") as server:
        text = (DEPLOY / "nginx.conf").read_text()
        for old, new in (
            (r"^\s*listen \[::\].*$", ""),
            ("listen 80;", f"listen 127.0.0.1:{plain};"),
            ("listen 443 ", f"listen 127.0.0.1:{secure} "),
            ("/etc/letsencrypt/live/canvas.example.org/fullchain.pem", str(tmp_path / "cert.pem")),
            ("/etc/letsencrypt/live/canvas.example.org/privkey.pem", str(tmp_path / "key.pem")),
            ("/var/cache/nginx/dreamcanvas", str(tmp_path / "cache")),
            ("127.0.0.1:4242", f"127.0.0.1:{server.port}"),
        ):
            text, found = re.subn(old, new, text, flags=re.MULTILINE)
            assert found, old
        (tmp_path / "site.conf").write_text(text)
        (tmp_path / "nginx.conf").write_text(
            f"daemon off; pid {tmp_path}/pid; error_log {tmp_path}/error.log;\n"
            f"events {{}}\nhttp {{ access_log off; client_body_temp_path {tmp_path}/body;\n"
            f"proxy_temp_path {tmp_path}/p; fastcgi_temp_path {tmp_path}/f; uwsgi_temp_path {tmp_path}/u;\n"
            f"scgi_temp_path {tmp_path}/s; include {tmp_path}/site.conf; }}\n"
        )
        command = [
            NGINX,
            "-e",
            str(tmp_path / "error.log"),
            "-p",
            str(tmp_path),
            "-c",
            str(tmp_path / "nginx.conf"),
        ]
        with subprocess.Popen(command) as nginx:
            wait_until(lambda: answers(secure), what="nginx")
            yield server, secure
            nginx.terminate()


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def test_nginx_passes_on_pages_websockets_and_origins(front: tuple[Server, int]) -> None:
    _, port = front
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with urllib.request.urlopen(f"https://127.0.0.1:{port}/livez", context=context) as response:
        assert response.read() == b"ok\n"
    with connect(f"wss://127.0.0.1:{port}/rpc", ssl=context, origin=None) as websocket:
        call = {"jsonrpc": "2.0", "id": 1, "method": "getInfo"}
        websocket.send(json.dumps(call))
        assert "version" in json.loads(websocket.recv(10))["result"]
    # A page of another origin
    evil = {"Origin": "https://evil.example"}
    with pytest.raises(urllib.error.HTTPError) as refused:
        request = urllib.request.Request(f"https://127.0.0.1:{port}/rpc", b"{}", evil)
        urllib.request.urlopen(request, context=context)
    refused.value.close()
    assert refused.value.code == 403


def test_the_pages_metrics_are_those_of_a_server_that_dreams(server: Server) -> None:
    text = server.get("/metrics").decode()
    there = {
        name.removesuffix("_created") for name in re.findall(r"^# HELP dreamcanvas_(\w+)", text, re.MULTILINE)
    }
    table = HOSTING.partition("## What to watch")[2].partition("\n## ")[0]
    told = {
        name
        for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
        for name in re.findall("`(.*?)`", row)
    }
    assert {re.sub("_total$", "", name) for name in told} == {re.sub("_total$", "", name) for name in there}
    for file in ("alerts.yaml", "grafana.json"):
        asked = set(re.findall(r"\bdreamcanvas_(\w+)", (DEPLOY / file).read_text()))
        assert len(asked) > 5
        assert {re.sub("_bucket$", "", name) for name in asked} <= told, file
    assert len(json.loads((DEPLOY / "grafana.json").read_text())["panels"]) == 10


def test_what_is_asked_for_its_rate_is_a_counter(server: Server) -> None:
    post = b'{"jsonrpc":"2.0","id":1,"method":"getInfo"}'
    urllib.request.urlopen(f"{server.url}/rpc", post, timeout=30).close()
    families = list(text_string_to_metric_families(server.get("/metrics").decode()))
    growing = {sample.name for family in families if family.type != "gauge" for sample in family.samples}
    for file in ("alerts.yaml", "grafana.json"):
        text = (DEPLOY / file).read_text(encoding="utf-8")
        asked = set(re.findall(r"\b(?:rate|increase)\((dreamcanvas_\w+)", text))
        assert asked
        assert asked <= growing | {"dreamcanvas_limited_total"}, file
    for family in families:
        if family.name.startswith("dreamcanvas_") and "since the start" in family.documentation:
            assert family.type == "counter", family.name


def test_the_pages_links_and_commands_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", HOSTING):
        assert (DEPLOY.parent / "docs" / target).exists(), target
    for path in re.findall(r"\b(?:deploy|scripts)/[\w.]+", HOSTING):
        assert (DEPLOY.parent / path.rstrip(".")).exists(), path


def test_the_settings_file_has_settings() -> None:
    file = DEPLOY / "dreamcanvas.toml"
    written = tomllib.loads(file.read_text())
    assert load({}, file=file, environment={}).trusted_proxies == tuple(written["trusted_proxies"])


def test_the_image_copies_what_is_there() -> None:
    for line in (DEPLOY / "Dockerfile").read_text().splitlines():
        if line.startswith("COPY") and "--from" not in line:
            for name in line.split()[1:-1]:
                assert (DEPLOY.parent / name).exists(), name


def test_what_the_image_runs_as_can_write_its_volume(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Dockerfile's own lines from the directory on, without the minutes of the packages before them."""
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    lines = text.partition("RUN pip install --no-cache-dir --no-deps .\n")[2].splitlines()
    steps = load_steps(monkeypatch)
    tmp_path.chmod(0o755)
    for above in tmp_path.parents[:3]:
        above.chmod(above.stat().st_mode | 0o055)
    (tmp_path / "image").mkdir()
    stage = steps.Stage.__new__(steps.Stage)
    stage.root, stage.place, stage.entry = tmp_path / "image", Path("/"), []
    stage.user, stage.volumes, stage.environment = None, [], {"PATH": "/usr/bin:/bin"}
    for line in lines:
        if line and not line.startswith("#"):
            keyword, _, rest = line.partition(" ")
            steps.step(stage, {}, keyword, rest)
    assert stage.user == (1000, 1000)
    assert stage.environment["DREAMCANVAS_DATA_DIR"] == str(stage.root / "data")
    stage.mount()
    assert stage.run(["bash", "-c", "mkdir frames && echo x >frames/y && id -u >user"], check=True) == 0
    if os.geteuid() == 0:
        assert (stage.root / "data" / "user").read_text(encoding="utf-8").strip() == "1000"
        assert (stage.root / "data").stat().st_uid == 1000


def load_steps(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(DEPLOY.parent / "scripts"))
    return importlib.import_module("dockerfile_steps")


def test_compose_shows_the_metrics_to_nobody_and_believes_caddy_alone() -> None:
    compose = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    trusted = re.search(r"DREAMCANVAS_TRUSTED_PROXIES: (\S+)", compose)
    subnet = re.search(r"subnet: (\S+)", compose)
    assert trusted is not None
    assert subnet is not None
    assert trusted[1] == subnet[1]
    assert "./Caddyfile:/etc/caddy/Caddyfile:ro" in compose
    assert "respond @metrics 403" in (DEPLOY / "Caddyfile").read_text(encoding="utf-8")
