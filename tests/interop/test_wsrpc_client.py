"""The stock npm client `wsrpc` 1.4.1 with a schema of 2017, against a real server."""

import base64
import io
import json
import queue
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.live_server import Server
from tests.socket_client import Socket, dab

HERE = Path(__file__).parent


class StockClient:
    """`client.js` in a process of its own."""

    def __init__(self, address: str) -> None:
        self.process = subprocess.Popen(
            ["node", "client.js", address], cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.lines: queue.Queue[dict[str, Any]] = queue.Queue()
        self.thread = threading.Thread(target=self._read)
        self.thread.start()
        assert self.next("open") == {"open": True}

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self.lines.put(json.loads(line))

    def call(self, method: str, **request: Any) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"method": method, "request": request}) + "\n")
        self.process.stdin.flush()
        return self.next("seq")

    def next(self, key: str, value: object = None) -> dict[str, Any]:
        """The next line that has the key (with that value); others are passed over, problems raised."""
        while True:
            line = self.lines.get(timeout=20)
            assert "problem" not in line, line
            if key in line and value in (None, line[key]):
                return line

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(10)
        self.thread.join()


@pytest.fixture
def connect() -> Iterator[Callable[[str], StockClient]]:
    clients: list[StockClient] = []

    def open_client(address: str) -> StockClient:
        clients.append(StockClient(address))
        return clients[-1]

    yield open_client
    for client in clients:
        client.close()


@pytest.mark.parametrize("path", ["", "/rpc?subscribe=paint,status,canvas"])
def test_it_sees_what_others_draw(
    quiet_server: Server, connect: Callable[[str], StockClient], path: str
) -> None:
    client = connect(quiet_server.ws_url.removesuffix("/rpc") + path)
    status = client.next("event", "status")
    assert status["payload"]["users"] >= 1
    assert status["payload"]["layer"] == ""
    with Socket(quiet_server.ws_url) as other:
        reply = other.paint(pos={"x": 0, "y": 0}, size=9, color=0)
        event = client.next("event", "paint")
        assert event["payload"] == {
            "pos": {"x": 0, "y": 0},
            "size": 9,
            "color": 0,
            "timestamp": reply.timestamp,
        }
        other.paint(dabs=[dab(1, 2), dab(3, 4)])
        assert client.next("event", "paint")["payload"]["pos"] == {"x": 1, "y": 2}
        assert client.next("event", "paint")["payload"]["pos"] == {"x": 3, "y": 4}
    assert client.next("event", "status")["payload"]["users"] >= 1


def test_it_draws_at_the_origin_in_black_and_gets_the_reply_to_its_seq_0(
    quiet_server: Server, connect: Callable[[str], StockClient]
) -> None:
    client = connect(quiet_server.ws_url.removesuffix("/rpc"))
    with Socket(quiet_server.ws_url) as watcher:
        watcher.subscribe(events=["paint"])
        answer = client.call("paint", pos={"x": 0, "y": 0}, size=20, color=0)
        assert answer["seq"] == 0
        event = watcher.event("paint")
        assert answer["reply"] == {"timestamp": event.timestamp}
        assert (event.pos.x, event.pos.y, event.size, event.color) == (0, 0, 20, 0)


def test_it_gets_the_canvas(quiet_server: Server, connect: Callable[[str], StockClient]) -> None:
    client = connect(quiet_server.ws_url)
    reply = client.call("getCanvas", offset={"x": 10, "y": 20}, width=30, height=40)["reply"]
    with Image.open(io.BytesIO(base64.b64decode(reply["image"]))) as image:
        assert (image.format, image.size) == ("JPEG", (30, 40))


def test_an_error_reaches_it(quiet_server: Server, connect: Callable[[str], StockClient]) -> None:
    client = connect(quiet_server.ws_url)
    answer = client.call("paint", pos={"x": 0, "y": 0}, size=125, color=0)
    assert answer["error"] == "INVALID_PARAMS: size is 125, but has to be 1 to 124"


def test_it_sees_dreams(server: Server, connect: Callable[[str], StockClient]) -> None:
    client = connect(server.ws_url.removesuffix("/rpc"))
    assert client.next("event", "status")["payload"]["layer"]
    assert client.next("event", "canvas")["payload"]["timestamp"] > 0
