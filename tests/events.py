"""Framed messages, as a server writes them, taken apart for the tests."""

import json
from typing import Any

from dreamcanvas.canvas.model import Dab, Operation, Patch
from dreamcanvas.proto import wsrpc_pb2 as envelope
from tests.socket_client import EVENTS


def messages(frames: bytes) -> list[bytes | str]:
    """The messages in unmasked, unfragmented frames (RFC 6455, 5.2)."""
    found: list[bytes | str] = []
    while frames:
        opcode, length, start = frames[0] & 15, frames[1], 2
        assert frames[0] & 0x80, "a last frame"
        assert length < 128, "not masked"
        if length >= 126:
            start = 4 if length == 126 else 10
            length = int.from_bytes(frames[2:start])
        data = frames[start : start + length]
        found.append(data.decode() if opcode == 1 else data)
        frames = frames[start + length :]
    return found


def decode(message: bytes | str) -> tuple[str, Any]:
    """An event's name and what it says: a message where it is binary, params where it is text."""
    if isinstance(message, str):
        value = json.loads(message)
        return value["method"], value["params"]
    event = envelope.Message.FromString(message).event
    said = EVENTS[event.name]()
    said.ParseFromString(event.payload)
    return event.name, said


def events(frames: bytes) -> list[tuple[str, Any]]:
    """The events in frames."""
    return [decode(message) for message in messages(frames)]


def operation(seq: int, mark: Dab | Patch | None = None, *, author: int = 1, time: int = 1000) -> Operation:
    """An operation of that number; where nothing else is said a red dab at (seq, 7)."""
    return Operation(seq, time, author, 0, mark or Dab(seq, 7, 10, 0xFF0000))
