"""Attacks of one anonymous address, each with its scale. They go on from `start` to `stop`."""

import contextlib
import json
import selectors
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from dreamcanvas.proto import dreamcanvas_pb2 as pb
from tests.attacks.wire import (
    BINARY,
    CONT,
    FINAL,
    FIRST_TEXT,
    PING,
    TEXT,
    batch,
    call,
    connected,
    get,
    masked,
    opened,
    text,
)

READ = 65536
SEND = 65536


@dataclass(slots=True)
class Flood:
    """`connections` sockets that send `data` again and again (`repeat`), or once, and read answers or not.

    Who is closed comes back at once, where `back`. `http` says that `data` is HTTP: no websocket is opened.
    `each` is what the connections send in place of `data`, one after the other.
    """

    data: bytes
    connections: int = 16
    repeat: bool = True
    read: bool = True
    back: bool = True
    http: bool = False
    each: tuple[bytes, ...] = ()
    address: str = "127.0.0.1"
    buffer: int = 0
    sent: int = 0
    received: int = 0
    opened: int = 0
    refused: int = 0
    _ended: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self, port: int) -> None:
        self._thread = threading.Thread(target=self._run, args=(port,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        assert self._thread is not None
        self._thread.join()

    def _open(self, port: int) -> socket.socket | None:
        try:
            made = (connected if self.http else opened)(port, self.address, buffer=self.buffer)
        except OSError:
            self.refused += 1
            return None
        made.setblocking(False)
        self.opened += 1
        return made

    def _run(self, port: int) -> None:
        waiting: dict[socket.socket, memoryview] = {}
        with selectors.DefaultSelector() as selector:
            while not self._ended.is_set():
                while len(waiting) < self.connections and (self.back or self.opened < self.connections):
                    made = self._open(port)
                    if made is None:
                        break
                    own = self.each[self.opened % len(self.each)] if self.each else self.data
                    waiting[made] = memoryview(own)
                    selector.register(made, selectors.EVENT_READ | selectors.EVENT_WRITE)
                busy = False
                for key, events in selector.select(0.02):
                    connection = key.fileobj
                    assert isinstance(connection, socket.socket)
                    gone = False
                    if events & selectors.EVENT_WRITE:
                        busy = self._send(connection, waiting) or busy
                    if events & selectors.EVENT_READ and self.read:
                        gone = self._receive(connection)
                        busy = True
                    if gone or waiting.get(connection) is None:
                        selector.unregister(connection)
                        waiting.pop(connection, None)
                        connection.close()
                if not busy:
                    self._ended.wait(0.005)
            for connection in waiting:
                connection.close()

    def _send(self, connection: socket.socket, waiting: dict[socket.socket, memoryview]) -> bool:
        """Sends a piece; whether there was one."""
        rest = waiting[connection]
        if not rest and self.repeat:
            rest = memoryview(self.data)
        try:
            count = connection.send(rest[:SEND]) if rest else 0
        except BlockingIOError:
            return False
        except OSError:
            del waiting[connection]
            return True
        self.sent += count
        waiting[connection] = rest[count:]
        return count > 0

    def _receive(self, connection: socket.socket) -> bool:
        """Reads a piece; whether that was the last."""
        try:
            data = connection.recv(READ)
        except BlockingIOError:
            return False
        except OSError:
            return True
        self.received += len(data)
        return not data


@dataclass(slots=True)
class Idle:
    """`connections` TCP connections that say nothing."""

    connections: int
    address: str = "127.0.0.1"
    held: list[socket.socket] = field(default_factory=list)

    def start(self, port: int) -> None:
        for _ in range(self.connections):
            with contextlib.suppress(OSError):
                self.held.append(connected(port, self.address))

    def stop(self) -> None:
        for connection in self.held:
            connection.close()


@dataclass(slots=True)
class Churn:
    """Connects, says something, and goes, again and again."""

    data: bytes
    address: str = "127.0.0.1"
    count: int = 0
    _ended: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self, port: int) -> None:
        self._thread = threading.Thread(target=self._run, args=(port,), daemon=True)
        self._thread.start()

    def _run(self, port: int) -> None:
        while not self._ended.is_set():
            with contextlib.suppress(OSError), connected(port, self.address) as connection:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, bytes((1, 0, 0, 0, 0, 0, 0, 0)))
                if self.data:
                    connection.sendall(self.data)
                self.count += 1

    def stop(self) -> None:
        self._ended.set()
        assert self._thread is not None
        self._thread.join()


Attack = Flood | Idle | Churn

SINCE = 5000  # most of the log, and kept while others paint
REPLAY = pb.SubscribeRequest(since=SINCE)
POSITION = pb.Position(x=5, y=5)
BAD = pb.PaintRequest(pos=POSITION, size=10**6)
DISCOVER = batch(*[text("rpc.discover", number=n) for n in range(50)])
PART = pb.CanvasRequest(width=1535, height=1535, format=pb.CanvasRequest.WEBP)
NOISY = pb.CanvasRequest(width=1535, height=1535, format=pb.CanvasRequest.PNG)


def of(method: str, request: object = None, times: int = 2000) -> bytes:
    """So many calls in one piece."""
    payload = b"" if request is None else request.SerializeToString()  # type: ignore[attr-defined]
    return b"".join(masked(BINARY, call(method, n, payload)) for n in range(times))


def dreams() -> tuple[bytes, ...]:
    """Requests for 400 dreams."""
    return tuple(get(f"/dreams/{n}.jpg") for n in range(1, 401))


def many_dabs() -> bytes:
    """A call of paint with as many empty dabs as a message holds."""
    dabs = ",".join(['{"pos":{}}'] * 5800)
    return masked(TEXT, f'{{"jsonrpc":"2.0","id":1,"method":"paint","params":{{"dabs":[{dabs}]}}}}'.encode())


def chunks() -> bytes:
    """A POST of chunks of one byte each."""
    head = b"POST /rpc HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"1\r\nx\r\n" * 60000 + b"0\r\n\r\n"


DISCOVER_BODY = json.dumps([text("rpc.discover", number=n) for n in range(50)]).encode()


def post(body: bytes) -> bytes:
    """A call by POST."""
    return b"POST /rpc HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


ATTACKS: dict[str, Callable[[], Attack]] = {
    "replays, not read": lambda: Flood(of("subscribe", REPLAY, 800), 1, repeat=False, read=False, back=False),
    "replays, not read, 16 connections": lambda: Flood(
        of("subscribe", REPLAY, 800), repeat=False, read=False
    ),
    "replays, read": lambda: Flood(of("subscribe", REPLAY, 50)),
    "replays as text, singly": lambda: Flood(
        batch(*[text("subscribe", {"since": SINCE}, number=n) for n in range(50)]), read=False
    ),
    "getInfo": lambda: Flood(of("getInfo")),
    "getInfo in batches": lambda: Flood(batch(*[text("getInfo", number=n) for n in range(50)]) * 20),
    "unknown methods": lambda: Flood(of("nothing")),
    "refused paints": lambda: Flood(of("paint", BAD)),
    "paints over the rate": lambda: Flood(of("paint", pb.PaintRequest(pos=POSITION, size=2))),
    "paints of many dabs": lambda: Flood(many_dabs()),
    "cursor": lambda: Flood(of("cursor", pb.CursorRequest(pos=POSITION))),
    "pings": lambda: Flood(masked(PING, b"x") * 8000),
    "fragments": lambda: Flood(masked(FIRST_TEXT, b"x") + masked(CONT, b"x") * 60000 + masked(FINAL, b"")),
    "empty fragments": lambda: Flood(masked(FIRST_TEXT) + masked(CONT) * 8000 + masked(FINAL)),
    "garbage": lambda: Flood(masked(BINARY, b"\xff") * 30),
    "broken JSON": lambda: Flood(masked(TEXT, b"[" * 60000) * 4),
    "getCanvas 1 × 1": lambda: Flood(of("getCanvas", pb.CanvasRequest(width=1, height=1))),
    "subscribe": lambda: Flood(of("subscribe")),
    "admin without token": lambda: Flood(of("admin.state")),
    "getHistory of 500": lambda: Flood(of("getHistory", pb.HistoryRequest(limit=500)), read=False),
    "getFrame": lambda: Flood(of("getFrame")),
    "rpc.discover in batches, not read": lambda: Flood(DISCOVER * 20, read=False),
    "rpc.discover in batches": lambda: Flood(DISCOVER * 20),
    "200 × GET /canvas.png, not read": lambda: Flood(
        get("/canvas.png"), 200, repeat=False, read=False, http=True, buffer=4096
    ),
    "118 × getCanvas 1535² WebP": lambda: Flood(of("getCanvas", PART, 118), 1, repeat=False, back=False),
    "118 × getCanvas 1535² WebP, 59 connections": lambda: Flood(
        of("getCanvas", PART, 2), 59, repeat=False, back=False
    ),
    "118 × getCanvas 1535² PNG, not read": lambda: Flood(
        of("getCanvas", NOISY, 2), 59, repeat=False, read=False, back=False, buffer=4096
    ),
    "400 × GET /dreams/N.jpg": lambda: Flood(b"", 400, repeat=False, http=True, each=dreams()),
    "400 × GET /dreams/N.jpg, not read": lambda: Flood(
        b"", 400, repeat=False, read=False, http=True, each=dreams(), buffer=4096
    ),
    "HTTP pipelined": lambda: Flood(get("/livez") * 500, 64, http=True),
    "HTTP not found": lambda: Flood(get("/nothing") * 500, 64, http=True),
    "/metrics": lambda: Flood(get("/metrics") * 100, 64, http=True),
    "/history.json": lambda: Flood(get("/history.json") * 100, 64, http=True),
    "no HTTP at all": lambda: Flood(b"\x00\xff nonsense\r\n\r\n", 64, http=True),
    "POST /rpc in batches": lambda: Flood(post(DISCOVER_BODY) * 10, 64, http=True, read=False),
    "chunks of a byte": lambda: Flood(chunks(), 16, http=True),
    "handshakes": lambda: Churn(
        b"GET /rpc HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ),
    "TCP connections that come and go": lambda: Churn(b""),
    "1150 idle TCP connections": lambda: Idle(1150),
}
