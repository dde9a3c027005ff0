"""`scripts/dev`: the page by Vite, what the server makes through it, a new server when its code changes."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.live_server import wait_until

ROOT = Path(__file__).parents[2]


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [int(each.getsockname()[1]) for each in sockets]
    for each in sockets:
        each.close()
    return ports


@contextmanager
def dev(code: Path, data: Path) -> Iterator[tuple["subprocess.Popen[bytes]", str, str]]:
    """The script, the page's address and the server's."""
    port, page_port = free_ports(2)
    script = str(ROOT / "scripts" / "dev_servers.py")
    options = ("--port", str(port), "--page-port", str(page_port), "--watch", str(code))
    serve = ("--data-dir", str(data), "--no-dream")
    with subprocess.Popen([sys.executable, script, *options, *serve], env=os.environ) as process:
        try:
            yield process, f"http://127.0.0.1:{page_port}", f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(40)


def get(url: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(url, timeout=30) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, b""
    except OSError:
        return 0, b""


def test_the_page_is_vites_and_the_rest_the_servers(tmp_path: Path) -> None:
    code = tmp_path / "code"
    code.mkdir()
    (code / "one.py").write_text("1")
    with dev(code, tmp_path / "data") as (process, page, server):
        wait_until(lambda: get(f"{server}/readyz")[0] == 200, 60, "the server")
        wait_until(lambda: get(page)[0] == 200, 60, "Vite")
        for name in ("", "history", "admin"):
            assert b"/@vite/client" in get(f"{page}/{name}")[1], name
        assert get(f"{page}/src/app/main.ts")[0] == 200
        assert get(f"{page}/canvas.png")[1].startswith(b"\x89PNG")
        about = get(f"{page}/about")[1].decode()
        (asset,) = re.findall(r'src="\.?(/assets/about[^"]+)"', about)
        assert get(page + asset) == get(server + asset)
        with connect(page.replace("http", "ws") + "/rpc", origin=Origin(page)) as websocket:
            websocket.send(
                '{"jsonrpc": "2.0", "id": 1, "method": "subscribe", "params": {"events": ["paint"]}}'
            )
            assert json.loads(websocket.recv(30))["result"]["seq"] == 0

        children = psutil.Process(process.pid).children()
        (first,) = (child for child in children if "serve" in child.cmdline())
        (code / "one.py").write_text("2 + 2")
        wait_until(lambda: not first.is_running(), 60, "the end of the old server")
        wait_until(lambda: get(f"{page}/canvas.png")[0] == 200, 60, "the new server")

        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGINT)
        assert process.wait(40) == 0
        assert not [child for child in children if child.is_running()]
