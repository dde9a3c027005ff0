"""Bytes for attacks on a server of one's own: frames with a mask of zeros, calls, sockets that are open."""

import json
import socket
import struct
from typing import Any

from google.protobuf.message import Message

from dreamcanvas.proto import dreamcanvas_pb2 as pb
from dreamcanvas.proto import wsrpc_pb2 as envelope

CONT, TEXT, BINARY, PING, PONG = 0x00, 0x81, 0x82, 0x89, 0x8A
FIRST_TEXT = 0x01
FINAL = 0x80


def masked(kind: int, data: bytes = b"") -> bytes:
    """A client's frame; the mask of zeros leaves the data as it is."""
    length = len(data)
    if length < 126:
        head = struct.pack("!BB", kind, FINAL | length)
    elif length < 2**16:
        head = struct.pack("!BBH", kind, FINAL | 126, length)
    else:
        head = struct.pack("!BBQ", kind, FINAL | 127, length)
    return head + bytes(4) + data


def call(method: str, seq: int, request: Message | bytes = b"") -> bytes:
    """A wsrpc request."""
    payload = request if isinstance(request, bytes) else request.SerializeToString()
    made = envelope.Request(method=method, seq=seq, payload=payload)
    return envelope.Message(type=envelope.Message.REQUEST, request=made).SerializeToString()


def text(method: str, params: Any = None, number: int = 1) -> Any:
    """A JSON-RPC request, not yet written."""
    value = {"jsonrpc": "2.0", "id": number, "method": method}
    return value if params is None else {**value, "params": params}


def batch(*calls: Any) -> bytes:
    """A frame of a batch."""
    return masked(TEXT, json.dumps(calls).encode())


def connected(port: int, address: str = "127.0.0.1", *, buffer: int = 0) -> socket.socket:
    """A TCP connection from an address; `buffer` is the receive buffer's bytes, 0 the system's."""
    made = socket.socket()
    try:
        if buffer:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        made.settimeout(30)
        made.bind((address, 0))
        made.connect(("127.0.0.1", port))
    except BaseException:
        made.close()
        raise
    return made


def opened(port: int, address: str = "127.0.0.1", *, buffer: int = 0) -> socket.socket:
    """A websocket. Raises ConnectionError where it is refused."""
    made = connected(port, address, buffer=buffer)
    made.sendall(
        b"GET /rpc HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = made.recv(1)
        if not byte:
            break
        head += byte
    if not head.startswith(b"HTTP/1.1 101 "):
        made.close()
        raise ConnectionError(head.decode())
    return made


def get(path: str, *, close: bool = False) -> bytes:
    """An HTTP request."""
    last = "Connection: close\r\n" if close else ""
    return f"GET {path} HTTP/1.1\r\nHost: x\r\n{last}\r\n".encode()


def operations_of(data: bytes) -> tuple[list[int], bytes]:
    """The numbers in the paint events of the whole frames, and the rest."""
    seqs: list[int] = []
    start = 0
    while len(data) - start >= 10:
        length = data[start + 1]
        begin = start + (2 if length < 126 else 4 if length == 126 else 10)
        if length >= 126:
            length = int.from_bytes(data[start + 2 : begin], "big")
        if begin + length > len(data):
            break
        message = envelope.Message.FromString(data[begin : begin + length])
        if message.type == envelope.Message.EVENT and message.event.name == "paint":
            seqs.append(pb.PaintEvent.FromString(message.event.payload).seq)
        start = begin + length
    return seqs, data[start:]
