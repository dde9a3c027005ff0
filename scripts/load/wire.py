"""A websocket client that costs little: no task, no queue; what was read is handed on as it came."""

import asyncio
import base64
import secrets
import socket
import struct
from typing import cast
from urllib.parse import SplitResult

from google.protobuf.message import Message

from dreamcanvas.proto import wsrpc_pb2 as envelope

RECEIVE_BUFFER = 16384
"""Bytes that the kernel keeps for a slow reader."""


def request(method: str, seq: int, payload: Message) -> bytes:
    """A wsrpc call."""
    message = envelope.Message(type=envelope.Message.REQUEST)
    message.request.CopyFrom(envelope.Request(method=method, seq=seq, payload=payload.SerializeToString()))
    return message.SerializeToString()


def masked(data: bytes, kind: int = 0x82) -> bytes:
    """A frame with a mask of zeros, which changes nothing."""
    length = len(data)
    if length < 126:
        return bytes((kind, 0x80 | length, 0, 0, 0, 0)) + data
    if length < 2**16:
        return struct.pack("!BBHI", kind, 0xFE, length, 0) + data
    return struct.pack("!BBQI", kind, 0xFF, length, 0) + data


def whole(data: bytes) -> int:
    """How many of the bytes are whole frames."""
    end, size = 0, len(data)
    while True:
        following = end + frame_size(data, end)
        if following > size or following == end:
            return end
        end = following


def frame_size(data: bytes, start: int) -> int:
    """The size of the frame that begins there; 0 where too little of it has come to tell."""
    if len(data) - start < 2:
        return 0
    length = data[start + 1]
    if length < 126:
        return 2 + length
    begin = start + (4 if length == 126 else 10)
    return begin - start + int.from_bytes(data[start + 2 : begin], "big") if len(data) >= begin else 0


def messages(frames: bytes) -> list[tuple[int, bytes]]:
    """Opcode and payload of each of some whole frames."""
    found, start = [], 0
    while start < len(frames):
        end = start + frame_size(frames, start)
        header = {126: 4, 127: 10}.get(frames[start + 1], 2)
        found.append((frames[start] & 15, frames[start + header : end]))
        start = end
    return found


class Socket(asyncio.Protocol):
    """One connection. `closed` has the close code, 0 where it ended without one."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.transport: asyncio.Transport
        self.closed: asyncio.Future[int] = loop.create_future()
        self._code = 0
        self._tail = b""

    def received(self, frames: bytes) -> None:
        """Whole frames came."""

    def send(self, data: bytes) -> None:
        """Sends a message."""
        self.transport.write(masked(data))

    def control(self, opcode: int, payload: bytes) -> bool:
        """Sees to pings and closes. Says whether it was one of them."""
        if opcode == 9:
            self.transport.write(masked(payload, 0x8A))
        elif opcode == 8:
            self._code = int.from_bytes(payload[:2], "big")
            self.transport.close()
        return opcode >= 8

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        data = self._tail + data
        end_of_frames = whole(data)
        self._tail = data[end_of_frames:]
        if end_of_frames:
            self.received(data[:end_of_frames])

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.closed.done():
            self.closed.set_result(self._code)


async def handshake(url: SplitResult, *, slow: bool = False) -> tuple[socket.socket, bytes]:
    """Opens a websocket; gives the socket, and what came behind the answer.

    One that is `slow` leaves little room for what it does not read. Raises ConnectionError where refused.
    """
    loop = asyncio.get_running_loop()
    address = (url.hostname or "127.0.0.1", url.port or 80)
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    connection = socket.socket(family, socket.SOCK_STREAM)
    connection.setblocking(False)
    if slow:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
    await loop.sock_connect(connection, address)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    key = base64.b64encode(secrets.token_bytes(16)).decode()
    target = (url.path or "/rpc") + (f"?{url.query}" if url.query else "")
    opening = (
        f"GET {target} HTTP/1.1\r\nHost: {url.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    await loop.sock_sendall(connection, opening.encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        data = await loop.sock_recv(connection, 4096)
        if not data:
            raise ConnectionError("closed before it was open")
        answer += data
    head, _, rest = answer.partition(b"\r\n\r\n")
    status = head.split(b"\r\n", 1)[0]
    if b" 101 " not in status:
        connection.close()
        raise ConnectionError(f"refused: {status.decode()}")
    return connection, rest


async def connect(url: SplitResult, made: Socket) -> None:
    """Opens a websocket."""
    connection, rest = await handshake(url)
    await asyncio.get_running_loop().create_connection(lambda: made, sock=connection)
    if rest:
        made.data_received(rest)
