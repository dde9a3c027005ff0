"""Plays steps against a server, and says what came: raw, so that every byte counts.

A step is a JSON object: `open` and `close` a websocket, `send` a message on one, `post` a body, `pause` for
seconds, `advance` the clock by ms. The clock moves a little before each, so that no two calls have one time.
"""

import base64
import contextlib
import hashlib
import http.client
import json
import socket
import struct
import time
from collections.abc import Iterator
from typing import Any, TypeAlias

from tests.contract.schema import make, parse
from tests.replay.clock import Clock

Step: TypeAlias = dict[str, Any]
Raw: TypeAlias = tuple[int, bytes]

TEXT, BINARY, CLOSE = 1, 2, 8
WAIT = 120.0  # s; what is awaited comes far sooner, but where much else runs
STEP_MS = 7
LONG = 600  # bytes of a message beyond which its checksum is kept
SHOWN = 160
KEY = "AAECAwQFBgcICQoLDA0ODw=="
VERSION = b"VERSION"
RESPONSE = 2  # of wsrpc.Message.Type


class Nothing(Exception):
    """No message came in time."""


class Websocket:
    """The raw client end. `refusal` is what was answered where it was not opened."""

    def __init__(self, port: int, path: str, headers: dict[str, str]) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), WAIT)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = bytearray()
        lines = {
            "Host": "canvas.example",
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": KEY,
            "Sec-WebSocket-Version": "13",
            **headers,
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self._socket.sendall(f"GET {path} HTTP/1.1\r\n{head}\r\n".encode())
        while b"\r\n\r\n" not in self._buffer:
            self._fill(WAIT)
        answer, _, rest = bytes(self._buffer).partition(b"\r\n\r\n")
        self._buffer = bytearray(rest)
        self.status = int(answer.split(b" ", 2)[1])
        self.refusal = ""
        if self.status != 101:
            with contextlib.suppress(Nothing):
                while True:
                    self._fill(WAIT)
            self.refusal = self._buffer.decode()
            self._socket.close()

    def _fill(self, timeout: float) -> None:
        self._socket.settimeout(timeout)
        try:
            data = self._socket.recv(2**18)
        except TimeoutError:
            raise Nothing("no message came") from None
        if not data:
            raise Nothing("the connection ended")
        self._buffer += data

    def _take(self, count: int, timeout: float) -> bytes:
        while len(self._buffer) < count:
            self._fill(timeout)
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    def send(self, kind: int, data: bytes) -> None:
        """Sends a frame; the mask of zeros leaves the data as it is."""
        if len(data) < 126:
            head = struct.pack("!BB", 0x80 | kind, 0x80 | len(data))
        elif len(data) < 2**16:
            head = struct.pack("!BBH", 0x80 | kind, 0x80 | 126, len(data))
        else:
            head = struct.pack("!BBQ", 0x80 | kind, 0x80 | 127, len(data))
        self._socket.sendall(head + bytes(4) + data)

    def receive(self, timeout: float = WAIT) -> Raw:
        """The next frame. Raises Nothing."""
        first, length = self._take(2, timeout)
        assert first & 0x80, "a fragment"
        if length == 126:
            (length,) = struct.unpack("!H", self._take(2, WAIT))
        elif length == 127:
            (length,) = struct.unpack("!Q", self._take(8, WAIT))
        return first & 0x0F, self._take(length, WAIT)

    def end(self) -> None:
        self._socket.close()


def packed(data: bytes | str) -> str:
    """A message as it is kept: `t` and its text, or `b` and its bytes in base64."""
    return "t" + data if isinstance(data, str) else "b" + base64.b64encode(data).decode()


def unpacked(text: str) -> bytes:
    return text[1:].encode() if text[0] == "t" else base64.b64decode(text[1:])


class Player:
    """The connections of a replay, by their names."""

    def __init__(self, port: int, clock: Clock) -> None:
        self._port = port
        self._clock = clock
        self._websockets: dict[str, Websocket] = {}
        self.body = b""  # of the last answer to a post
        self.version = VERSION
        self._posted({"post": "info", "body": packed('{"jsonrpc":"2.0","id":1,"method":"getInfo"}')})
        self.version = json.loads(self.body)["result"]["version"].encode()

    def perform(self, step: Step) -> dict[str, list[str]]:
        """Does a step; what is answered at once, by the connection's name: not what websockets receive."""
        self._clock.advance(step.get("advance", STEP_MS))
        match step:
            case {"open": name}:
                websocket = Websocket(self._port, step["path"], step["headers"])
                if websocket.status == 101:
                    self._websockets[name] = websocket
                return {name: [f"{websocket.status} {websocket.refusal}"]}
            case {"send": name, "message": message}:
                self._websockets[name].send(TEXT if message[0] == "t" else BINARY, unpacked(message))
            case {"close": name}:
                self._websockets[name].send(CLOSE, struct.pack("!H", 1000))
            case {"post": name}:
                return {name: [self._posted(step)]}
            case {"pause": seconds}:
                time.sleep(seconds)
        return {}

    def _posted(self, step: Step) -> str:
        # On a connection of its own: idle ones are closed after some time
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=WAIT)
        with contextlib.closing(connection):
            headers = {"Host": "canvas.example", "Connection": "close", **step.get("headers", {})}
            connection.request("POST", "/rpc", unpacked(step["body"]), headers)
            response = connection.getresponse()
            self.body = response.read()
        return f"{response.status} {response.getheader('content-type', '')} {self.kept((TEXT, self.body))}"

    def receive(self, name: str, timeout: float = WAIT) -> Raw:
        """The next message on a websocket. Raises Nothing."""
        raw = self._websockets[name].receive(timeout)
        if raw[0] == CLOSE:
            self._websockets.pop(name).end()
        return raw

    def kept(self, raw: Raw) -> str:
        """A message as a recording has it: a long one as its length, checksum and start."""
        kind, data = raw
        if kind == CLOSE:
            return f"closed {int.from_bytes(data[:2], 'big')} {data[2:].decode()}"
        data = self._of_any_version(kind, data)
        if len(data) > LONG:
            digest = hashlib.sha256(data).hexdigest()
            start = packed(data[:SHOWN].decode(errors="replace") if kind == TEXT else data[:SHOWN])
            return f"{len(data)} bytes, SHA-256 {digest}: {start}"
        return packed(data.decode() if kind == TEXT else data)

    def _of_any_version(self, kind: int, data: bytes) -> bytes:
        """The only thing that is evened out: the server's version, which every release changes."""
        if kind == TEXT:
            return data.replace(b'"version":"%s"' % self.version, b'"version":"%s"' % VERSION)
        field = bytes((len(self.version),)) + self.version
        if field not in data:
            return data
        message = parse("Message", data)
        if message.type != RESPONSE:
            return data
        message.response.payload = message.response.payload.replace(field, bytes((len(VERSION),)) + VERSION)
        evened: bytes = message.SerializeToString()
        return evened

    def names(self) -> Iterator[str]:
        """Whose websockets are open."""
        yield from tuple(self._websockets)

    def close(self) -> None:
        for websocket in self._websockets.values():
            websocket.end()


def call(method: str, seq: int, payload: bytes = b"") -> bytes:
    """A wsrpc request."""
    body = {"method": method, "seq": seq, "payload": payload}
    data: bytes = make("Message", type=1, request=body).SerializeToString()
    return data
