"""nginx, Caddy and HAProxy with the files of deploy/, but for ports and paths, before a real server."""

import http.client
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from dreamcanvas.config import Config
from tests.api.test_admin_service import host
from tests.e2e.test_deploy import DEPLOY, answers, free_ports
from tests.live_server import Server, wait_until

NAME = "canvas.example.org"
VISITOR = "127.0.0.2"  # the proxies reach the server from 127.0.0.1
LONGEST_OF_A_PROXY = 120  # seconds; Caddy's, nginx' is 60
DAB = {"pos": {"x": 5, "y": 5}, "size": 3, "color": 255}
PATH = os.pathsep.join([os.environ["PATH"], "/usr/sbin"])


@dataclass(frozen=True)
class Front:
    """A proxy before a server, by its ports."""

    name: str
    server: Server
    plain: int
    secure: int

    def socket(self) -> ssl.SSLSocket:
        """A connection of a visitor who is elsewhere than the proxy."""
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        raw = socket.create_connection(("127.0.0.1", self.secure), 20, source_address=(VISITOR, 0))
        return context.wrap_socket(raw, server_hostname=NAME)

    def connection(self) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection(f"{NAME}:{self.secure}")
        connection.sock = self.socket()
        return connection

    def ask(
        self, path: str, method: str = "GET", body: bytes | None = None, **headers: Any
    ) -> tuple[int, bytes, dict[str, str]]:
        with closing(self.connection()) as connection:
            connection.request(
                method, path, body, {name.replace("_", "-"): headers[name] for name in headers}
            )
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return response.status, response.read(), found

    def call(self, method: str, params: Any = None, **headers: Any) -> Any:
        status, body, _ = self.ask("/rpc", "POST", message(method, params), **headers)
        assert status == 200, body
        return json.loads(body)["result"]

    def websocket(self, **headers: Any) -> ClientConnection:
        return connect(
            f"ws://{NAME}:{self.secure}/rpc",  # TLS is there already
            sock=self.socket(),
            compression=None,
            proxy=None,
            additional_headers={name.replace("_", "-"): value for name, value in headers.items()},
        )


def message(method: str, params: Any = None) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params or {}}).encode()


def adapted(file: str, changes: dict[str, str]) -> str:
    """A file of deploy/ with other ports and paths; each that is changed has to be there."""
    text = (DEPLOY / file).read_text(encoding="utf-8")
    for old, new in changes.items():
        text, found = re.subn(old, new, text, flags=re.MULTILINE)
        assert found, old
    return text


def certificate(directory: Path) -> None:
    made = [
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
    ]
    files = ["-keyout", str(directory / "key.pem"), "-out", str(directory / "cert.pem")]
    subprocess.run([*made, *files], check=True, capture_output=True)
    both = (directory / "cert.pem").read_bytes() + (directory / "key.pem").read_bytes()
    (directory / "both.pem").write_bytes(both)


def nginx(directory: Path, server: int, plain: int, secure: int) -> list[str]:
    site = adapted(
        "nginx.conf",
        {
            r"^\s*listen \[::\].*$": "",
            "listen 80;": f"listen 127.0.0.1:{plain};",
            "/var/www/html": str(directory / "html"),
            "listen 443 ": f"listen 127.0.0.1:{secure} ",
            "/etc/letsencrypt/live/canvas.example.org/fullchain.pem": str(directory / "cert.pem"),
            "/etc/letsencrypt/live/canvas.example.org/privkey.pem": str(directory / "key.pem"),
            "/var/cache/nginx/dreamcanvas": str(directory / "cache"),
            "127.0.0.1:4242": f"127.0.0.1:{server}",
        },
    )
    (directory / "site.conf").write_text(site, encoding="utf-8")
    challenge = directory / "html" / ".well-known" / "acme-challenge" / "token"
    challenge.parent.mkdir(parents=True)
    challenge.write_text("certbot's", encoding="utf-8")
    user = "user root; " if os.geteuid() == 0 else ""  # who may read the directory
    places = "".join(
        f"{kind}_temp_path {directory}/{kind}; "
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (directory / "nginx.conf").write_text(
        f"{user}daemon off; pid {directory}/pid; error_log {directory}/error.log; worker_processes 1;\n"
        f"events {{}}\nhttp {{ access_log off; {places} include {directory}/site.conf; }}\n",
        encoding="utf-8",
    )
    return ["nginx", "-e", f"{directory}/error.log", "-p", str(directory), "-c", f"{directory}/nginx.conf"]


def nginx_keeping(directory: Path, server: int, plain: int, secure: int) -> list[str]:
    """The same, keeping its connections to the server, as operators often have it."""
    command = nginx(directory, server, plain, secure)
    site, upstream = directory / "site.conf", f"127.0.0.1:{server}"
    text = site.read_text(encoding="utf-8").replace(f"http://{upstream}", "http://dreamcanvas")
    keeping = f"upstream dreamcanvas {{ server {upstream}; keepalive 32; keepalive_timeout 120s; }}\n"
    site.write_text(keeping + text, encoding="utf-8")
    return command


def caddy(directory: Path, server: int, plain: int, secure: int) -> list[str]:
    site = adapted("Caddyfile", {"127.0.0.1:4242": f"127.0.0.1:{server}"})
    options = f"""{{
        admin off
        http_port {plain}
        https_port {secure}
        default_bind 127.0.0.1
        local_certs
        skip_install_trust
        storage file_system {directory}/caddy
    }}
    """
    (directory / "Caddyfile").write_text(options + site, encoding="utf-8")
    return ["caddy", "run", "--adapter", "caddyfile", "--config", f"{directory}/Caddyfile"]


def haproxy(directory: Path, server: int, plain: int, secure: int) -> list[str]:
    text = adapted(
        "haproxy.cfg",
        {
            "bind :80$": f"bind 127.0.0.1:{plain}",
            "bind :443 ": f"bind 127.0.0.1:{secure} ",
            "/etc/haproxy/canvas.pem": str(directory / "both.pem"),
            "127.0.0.1:4242": f"127.0.0.1:{server}",
        },
    )
    (directory / "haproxy.cfg").write_text(text, encoding="utf-8")
    return ["haproxy", "-db", "-f", f"{directory}/haproxy.cfg"]


FRONTS = (nginx, nginx_keeping, caddy, haproxy)


@pytest.fixture(scope="module", params=FRONTS, ids=lambda proxy: proxy.__name__)
def front(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    proxy: Callable[[Path, int, int, int], list[str]] = request.param
    directory = tmp_path_factory.mktemp(proxy.__name__)
    certificate(directory)
    flags = ("--no-dream", "--trusted-proxies", "127.0.0.1", "--allowed-origins", "https://friends.example")
    plain, secure = free_ports(2)
    with Server(directory / "data", *flags) as server:
        name, *arguments = proxy(directory, server.port, plain, secure)
        command = shutil.which(name, path=PATH)
        assert command is not None, f"{name} is not installed: scripts/prepare test"
        environment = {"PATH": PATH, "HOME": str(directory)}
        with (
            (directory / "log").open("wb") as log,
            subprocess.Popen([command, *arguments], env=environment, stdout=log, stderr=log) as running,
        ):
            found = Front(proxy.__name__, server, plain, secure)
            wait_until(lambda: answers(secure) and serves(found), what=name)
            yield found
            running.terminate()
            running.wait(20)


def serves(front: Front) -> bool:
    try:
        return front.ask("/livez")[0] == 200
    except (OSError, http.client.HTTPException):
        return False


def addresses(front: Front) -> set[str]:
    """From where it was drawn at the place."""
    return {painter["address"] for painter in host(front.server, "who", x=5, y=5)["painted"]}


def test_links_begin_as_the_visitors_address_does(front: Front) -> None:
    own = f"https://{NAME}:{front.secure}"
    forged: dict[str, Any] = {
        "X_Forwarded_Host": "evil.example",
        "X_Forwarded_Proto": "gopher",
        "Forwarded": "host=evil.example",
    }
    none: dict[str, Any] = {}
    for headers in (none, forged):
        for path, link in (("/", "/og.jpg"), ("/history", "/og.jpg"), ("/history.atom", "/history.atom")):
            status, body, _ = front.ask(path, **headers)
            assert (status, f'"{own}{link}"' in body.decode()) == (200, True), path
    with closing(http.client.HTTPConnection("127.0.0.1", front.plain, timeout=20)) as plain:
        plain.request("GET", "/about", headers={"Host": NAME})
        response = plain.getresponse()
        assert (response.status in (301, 308), response.headers["Location"][:8]) == (True, "https://")


def test_a_certificate_can_be_renewed(front: Front) -> None:
    """certbot finds its file over plain HTTP. Caddy renews by itself, HAProxy lets certbot have the port."""
    with closing(http.client.HTTPConnection("127.0.0.1", front.plain, timeout=20)) as plain:
        plain.request("GET", "/.well-known/acme-challenge/token", headers={"Host": NAME})
        response = plain.getresponse()
        if front.name in ("caddy", "haproxy"):
            assert response.status in (301, 308)
        else:
            assert (response.status, response.read()) == (200, b"certbot's")


def test_a_visitor_is_where_the_proxy_says(front: Front) -> None:
    """By POST and by websocket alike, whatever the visitor says of itself."""
    for forged in ({}, {"X_Forwarded_For": "203.0.113.9"}, {"X_Forwarded_For": "203.0.113.9, 127.0.0.1"}):
        front.call("paint", DAB, **forged)
        with front.websocket(**forged) as websocket:
            websocket.send(message("paint", DAB).decode())
            assert "result" in json.loads(websocket.recv(20))
    assert addresses(front) == {VISITOR}
    ban = host(front.server, "ban", address=VISITOR, seconds=60, reason="test")
    try:
        _, body, _ = front.ask("/rpc", "POST", message("paint", DAB), X_Forwarded_For="203.0.113.9")
        assert json.loads(body)["error"]["data"]["name"] == "FORBIDDEN"
    finally:
        host(front.server, "unban", ban=ban["ban"])


def test_websockets_hear_of_what_is_posted(front: Front) -> None:
    with front.websocket() as websocket:
        websocket.send(message("subscribe", {"events": ["paint"]}).decode())
        assert "result" in json.loads(websocket.recv(20))
        front.call("paint", DAB)
        assert json.loads(websocket.recv(20))["method"] == "paint"


@pytest.mark.parametrize(
    ("origin", "fine"), [(None, True), ("https://friends.example", True), ("https://evil.example", False)]
)
def test_origins(front: Front, origin: str | None, fine: bool) -> None:
    headers: dict[str, Any] = {"Origin": origin or f"https://{NAME}:{front.secure}"}
    status, _, _ = front.ask("/rpc", "POST", message("getInfo"), **headers)
    assert status == (200 if fine else 403)
    if not fine:
        return
    with front.websocket(**headers) as websocket:
        websocket.send(message("getInfo").decode())
        assert "result" in json.loads(websocket.recv(20))
    asked: dict[str, Any] = {
        "Access_Control_Request_Method": "POST",
        "Access_Control_Request_Headers": "content-type",
    }
    status, _, found = front.ask("/rpc", "OPTIONS", **headers, **asked)
    assert status == 204
    assert origin is None or found["access-control-allow-origin"] == origin


def test_ranges_and_what_is_kept(front: Front) -> None:
    _, whole, _ = front.ask("/og.jpg")
    status, part, headers = front.ask("/og.jpg", Range="bytes=100-199")
    assert (status, part) == (206, whole[100:200])
    assert headers["content-range"] == f"bytes 100-199/{len(whole)}"
    etag = front.ask("/canvas.png", "HEAD")[2]["etag"]
    assert front.ask("/canvas.png", If_None_Match=etag)[0] == 304


def test_metrics_are_not_for_visitors(front: Front) -> None:
    for path in ("/metrics", "/metrics/", "//metrics", "/%6detrics"):
        status, body, _ = front.ask(path)
        assert (status != 200, b"dreamcanvas_" in body) == (True, False), path


def test_300_posts_over_kept_connections(front: Front) -> None:
    def post(_: int) -> int:
        with closing(front.connection()) as connection:
            for _ in range(30):
                connection.request("POST", "/rpc", message("getInfo"))
                response = connection.getresponse()
                assert response.status == 200
                assert b"result" in response.read()
        return 30

    with ThreadPoolExecutor(5) as pool:
        assert sum(pool.map(post, range(10))) == 300


def test_posts_with_pauses_as_long_as_other_servers_keep_connections(front: Front) -> None:
    """uvicorn's own time-out is 5 s: proxies that keep connections longer met their end in many a POST."""
    assert Config().keep_alive > LONGEST_OF_A_PROXY

    def post(_: int) -> int:
        with closing(front.connection()) as connection:
            for pause in (0, 4.9, 5, 5.1):
                time.sleep(pause)
                connection.request("POST", "/rpc", message("getInfo"))
                response = connection.getresponse()
                assert response.status == 200
                assert b"result" in response.read()
        return 4

    with ThreadPoolExecutor(20) as pool:
        assert sum(pool.map(post, range(20))) == 80


def test_a_restart(front: Front) -> None:
    with front.websocket() as websocket:
        front.server.restart()
        with pytest.raises(Exception, match=r"1001|close"):
            websocket.recv(20)
    wait_until(lambda: serves(front), what="the server behind the proxy")
    before = front.call("paint", DAB)["seq"]
    with front.websocket() as websocket:
        websocket.send(message("paint", DAB).decode())
        assert json.loads(websocket.recv(20))["result"]["seq"] == before + 1


def test_promtool_takes_the_alerts_and_the_metrics(front: Front) -> None:
    promtool = shutil.which("promtool", path=PATH)
    assert promtool is not None, "promtool is not installed: scripts/prepare test"
    done = subprocess.run(
        [promtool, "check", "rules", str(DEPLOY / "alerts.yaml")], capture_output=True, check=False
    )
    assert (done.returncode, b"8 rules found" in done.stdout) == (0, True), done.stdout + done.stderr
    lint = subprocess.run(
        [promtool, "check", "metrics"], input=front.server.get("/metrics"), capture_output=True, check=False
    )
    assert (lint.returncode, lint.stdout + lint.stderr) == (0, b"")
