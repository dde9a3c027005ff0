"""The way to a server: proxies of the environment, tokens, addresses."""

import http.client
import http.server
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from dreamcanvas.cli.admin_client import call, token_of
from dreamcanvas.client import AsyncClient, Client
from dreamcanvas.client.route import check_token, goes_direct, parse
from dreamcanvas.errors import AdminError, ConfigError
from tests.live_server import Server


@pytest.mark.parametrize(
    ("url", "websockets"),
    [
        ("http://127.0.0.1:4242", "ws://127.0.0.1:4242/rpc"),
        ("127.0.0.1:4242", "ws://127.0.0.1:4242/rpc"),
        ("localhost", "ws://localhost/rpc"),
        ("https://example.org/canvas/", "wss://example.org/canvas/rpc"),
        ("https://example.org/canvas", "wss://example.org/canvas/rpc"),
        ("https://example.org/canvas/rpc", "wss://example.org/canvas/rpc"),
        ("wss://example.org/rpc/", "wss://example.org/rpc"),
        ("http://[2001:db8::1]:80/", "ws://[2001:db8::1]:80/rpc"),
        (" http://Example.org ", "ws://example.org/rpc"),
    ],
)
def test_an_address_as_in_a_browser(url: str, websockets: str) -> None:
    assert parse(url).url("ws", "/rpc") == websockets


@pytest.mark.parametrize(
    "url",
    ["", "http:/a", "http:a", "http://a:", "http://",
     "http://a:99999", "http://a:0", "http://a:b", "http://[::1", "ftp://a", "http://a b", "x://a",
     "http://user:secret@a", "http://a..b", "http://\u00e9" + "\u00e9" * 100],
)  # fmt: skip
def test_what_is_no_address_is_a_sentence(url: str) -> None:
    with pytest.raises(ConfigError, match=r"^url is .* but has to be like http://127\.0\.0\.1:4242"):
        Client(url)


@pytest.mark.parametrize(
    ("url", "no_proxy", "direct"),
    [
        ("http://127.0.0.1:4242", "", True),
        ("http://127.8.9.1", "", True),
        ("http://[::1]:4242", "", True),
        ("http://[::ffff:127.0.0.1]", "", True),
        ("http://LOCALHOST:4242", "", True),
        ("https://canvas.localhost", "", True),
        ("http://example.org", "", False),
        ("http://example.org", "*", True),
        ("http://example.org", "example.org", True),
        ("http://canvas.example.org", "example.org", True),
        ("http://canvas.example.org", ".example.org, other", True),
        ("http://canvas.example.org", "*.EXAMPLE.org", True),
        ("http://notexample.org", "example.org", False),
        ("http://example.org:4242", "example.org:4242", True),
        ("http://example.org:4243", "example.org:4242", False),
        ("https://example.org", "example.org:443", True),
        ("http://10.1.2.3", "10.0.0.0/8", True),
        ("http://10.1.2.3", "10.1.2.3", True),
        ("http://11.1.2.3", "10.0.0.0/8", False),
        ("http://[2001:db8::5]", "2001:db8::/32", True),
        ("http://[2001:db8::5]:80", "[2001:db8::5]:80", True),
        ("http://example.org", " , ", False),
    ],
)
def test_this_machine_and_no_proxy_go_direct(url: str, no_proxy: str, direct: bool) -> None:
    assert goes_direct(parse(url), {"no_proxy": no_proxy}) is direct
    assert goes_direct(parse(url), {"NO_PROXY": no_proxy}) is direct
    assert goes_direct(parse(url), {"no_proxy": no_proxy, "NO_PROXY": "*"}) is direct


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://example.org", True),
        ("wss://example.org", True),
        ("http://127.0.0.1", True),
        ("http://[::1]", True),
        ("localhost:4242", True),
        ("http://example.org", False),
        ("ws://192.0.2.1", False),
        ("http://127.0.0.1.example.org", False),
        ("http://localhost.example.org", False),
    ],
)
def test_a_token_goes_over_plain_http_to_this_machine_alone(url: str, safe: bool) -> None:
    check_token(parse(url), None, insecure=False)
    check_token(parse(url), "secret", insecure=True)
    if safe:
        check_token(parse(url), "secret", insecure=False)
        return
    with pytest.raises(ConfigError, match=r"over plain HTTP.*--insecure") as refused:
        check_token(parse(url), "secret", insecure=False)
    assert "secret" not in str(refused.value)
    for client in (Client, AsyncClient):
        with pytest.raises(ConfigError, match="over plain HTTP"):
            client(url, token="secret")  # noqa: S106
        client(url, token="secret", insecure=True)  # noqa: S106


class Listener(http.server.BaseHTTPRequestHandler):
    """A proxy, or a server, that only remembers what it was told."""

    heard: list[str]
    answer: tuple[int, dict[str, str], bytes] = (502, {}, b"")

    def do_any(self) -> None:
        self.heard.append(f"{self.requestline} {self.headers.get('Authorization')}")
        status, headers, body = self.answer
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET = do_CONNECT = do_any  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def proxy() -> Iterator[http.server.HTTPServer]:
    heard: list[str] = []
    handler = type("Handler", (Listener,), {"heard": heard})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def heard(proxy: http.server.HTTPServer) -> list[str]:
    return list(proxy.RequestHandlerClass.heard)  # type: ignore[attr-defined]


def through(proxy: http.server.HTTPServer) -> dict[str, str]:
    """An environment in which all goes through a proxy."""
    names = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ws_proxy")
    kept = {name: value for name, value in os.environ.items() if name.lower() != "no_proxy"}
    return kept | dict.fromkeys(names, f"http://127.0.0.1:{proxy.server_port}")


def admin(url: str, environment: dict[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "dreamcanvas", "admin", "--url", url, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=60)


def test_traffic_to_this_machine_passes_no_proxy(tmp_path: Path, proxy: http.server.HTTPServer) -> None:
    with Server(tmp_path / "data", "--no-dream") as server:
        for host in ("127.0.0.1", "localhost"):
            url = f"http://{host}:{server.port}"
            done = admin(url, through(proxy), "--data-dir", str(server.data_dir), "state")
            assert (done.returncode, "readOnly" in done.stdout) == (0, True), done.stderr
            bot = (
                f"from dreamcanvas.client import Client\nwith Client({url!r}, token=None) as c: print(c.size)"
            )
            drawn = subprocess.run(
                [sys.executable, "-c", bot], capture_output=True, text=True, check=False, env=through(proxy)
            )
            assert drawn.stdout == "(1536, 1536)\n", drawn.stderr
    assert heard(proxy) == []


def test_a_token_is_not_sent_in_plain_to_another_machine(proxy: http.server.HTTPServer) -> None:
    """Nor to a proxy on the way there; where it may be, it goes by the proxy as everything does."""
    environment = through(proxy) | {"DREAMCANVAS_ADMIN_TOKEN": "admin.secret"}
    refused = admin("http://canvas.example", environment, "state")
    assert (refused.returncode, "over plain HTTP" in refused.stderr) == (2, True)
    assert heard(proxy) == []
    admin("http://canvas.example", environment, "--insecure", "state")
    assert heard(proxy) == ["POST http://canvas.example/rpc HTTP/1.1 Bearer admin.secret"]


@pytest.mark.parametrize(
    "proxied", ["junk", "http://127.0.0.1:99999", "ftp://127.0.0.1:1", "socks5://[::1]:1"]
)
@pytest.mark.parametrize("url", ["http://canvas.example", "https://canvas.example"])
def test_a_proxy_that_is_none_is_told_at_once(
    monkeypatch: pytest.MonkeyPatch, proxied: str, url: str
) -> None:
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, proxied)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with pytest.raises(ConfigError, match="the environment names a proxy that"):
        Client(url, timeout=60)
    monkeypatch.setenv("no_proxy", "canvas.example")
    assert goes_direct(parse(url))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_token_does_not_follow_a_redirect(proxy: http.server.HTTPServer, status: int) -> None:
    elsewhere = f"http://localhost:{proxy.server_port}/stolen"
    proxy.RequestHandlerClass.answer = (status, {"Location": elsewhere}, b"")  # type: ignore[attr-defined]
    environment = os.environ | {"DREAMCANVAS_ADMIN_TOKEN": "admin.secret"}
    done = admin(f"http://127.0.0.1:{proxy.server_port}", environment, "state")
    assert (done.returncode, str(status) in done.stderr) == (1, True)
    assert len(heard(proxy)) == 1


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"hello", b'{"error": 5}', b'{"result": 5}', b"\xff", b"[" * 3000]
)
def test_an_answer_of_something_else_is_a_sentence(proxy: http.server.HTTPServer, body: bytes) -> None:
    proxy.RequestHandlerClass.answer = (200, {}, body)  # type: ignore[attr-defined]
    with pytest.raises(AdminError):
        call(f"http://127.0.0.1:{proxy.server_port}", "admin.secret", "state", {})


@pytest.mark.parametrize("token", ["admin.\u00e9", "admin.a b", "\ud800", "admin.\nX: y"])
def test_a_token_that_no_header_can_carry_is_a_sentence(tmp_path: Path, token: str) -> None:
    with pytest.raises(ConfigError, match="DREAMCANVAS_ADMIN_TOKEN holds no token"):
        token_of(tmp_path, {"DREAMCANVAS_ADMIN_TOKEN": token})
    (tmp_path / "admin-token").write_bytes(token.encode(errors="surrogatepass"))
    with pytest.raises(ConfigError, match="admin-token holds no token"):
        token_of(tmp_path, {"DREAMCANVAS_ADMIN_TOKEN": " "})


def test_the_clients_reach_a_server_below_a_path(tmp_path: Path) -> None:
    with Server(tmp_path / "data", "--no-dream", "--root-path", "/canvas") as server:
        url = f"{server.url}/canvas/"
        with Client(url) as client:
            assert client.size == (1536, 1536)
        done = admin(url, dict(os.environ), "--data-dir", str(server.data_dir), "state")
        assert (done.returncode, "readOnly" in done.stdout) == (0, True), done.stderr
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "getInfo"}).encode()
        with closing(http.client.HTTPConnection("127.0.0.1", server.port)) as connection:
            connection.request("POST", "/canvas/rpc", body)
            assert b"version" in connection.getresponse().read()
