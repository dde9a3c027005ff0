"""A real server in a process of its own, for the tests."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path


class Server:
    """`dreamcanvas serve` on a data directory. After `restart` it has the same port."""

    module = "dreamcanvas"

    def __init__(self, data_dir: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> None:
        self.data_dir = data_dir
        self.arguments = arguments
        self.environment = environment or {}
        self.port = 0
        self.log: list[str] = []
        self.process: subprocess.Popen[str] | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/rpc"

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def start(self) -> None:
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", self.module, "serve", "--port", str(self.port)),
                *("--data-dir", str(self.data_dir), "--log-format", "json", *self.arguments),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **self.environment},
        )
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.log.append(line)
            found = re.search(r"is at http://127\.0\.0\.1:(\d+)/", line)
            if found:
                self.port = int(found[1])
                threading.Thread(target=self._read_log, args=(self.process,), daemon=True).start()
                return
        self.process.stdout.close()
        self.process.wait()
        raise RuntimeError("the server did not start:\n" + "".join(self.log[-40:]))

    def _read_log(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        with process.stdout as lines:
            self.log.extend(lines)

    def stop(self, number: int = signal.SIGTERM, timeout: float = 10) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(timeout)

    def kill(self) -> None:
        self.stop(signal.SIGKILL)

    def restart(self) -> None:
        self.stop()
        self.start()

    def get(self, path: str) -> bytes:
        with urllib.request.urlopen(self.url + path, timeout=30) as response:
            data: bytes = response.read()
            return data

    def draw(self) -> None:
        """Puts a dab into the corner: white paper is not dreamt."""
        paint = {"pos": {"x": 1530, "y": 1530}, "size": 3, "color": 0xEEEEEE}
        call = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "paint", "params": paint}).encode()
        with urllib.request.urlopen(f"{self.url}/rpc", call, timeout=30) as response:
            assert "result" in json.loads(response.read())

    def png(self) -> bytes:
        """`/canvas.png` with every operation of now: after many at once it is made once a dream only."""
        wanted = json.loads(self.get("/readyz"))["seq"]
        deadline = time.monotonic() + 30
        while True:
            with urllib.request.urlopen(self.url + "/canvas.png", timeout=30) as response:
                data: bytes = response.read()
                if int(response.headers["X-Canvas-Seq"]) >= wanted:
                    return data
            assert time.monotonic() < deadline, "the picture stays an old one"
            time.sleep(0.1)

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is not None and self.process.poll() is None:
            self.stop()


def wait_until(condition: object, timeout: float = 30, what: str = "the condition") -> None:
    """Waits until a callable gives something true."""
    assert callable(condition)
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come true within {timeout} s")
        time.sleep(0.02)
