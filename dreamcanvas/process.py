"""Child processes: they end with their parent, and talk with it in frames.

A frame is 4 bytes of length, big-endian, a JSON header, then raw bytes. The header is an object; its `bytes`
says how many raw bytes follow it.
"""

import asyncio
import ctypes
import json
import logging
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from dreamcanvas.errors import DreamError

MAX_HEADER = 1 << 16
MAX_PAYLOAD = 1 << 30

_PR_SET_PDEATHSIG = 1  # of linux/prctl.h

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Frame:
    """A header without its `bytes`, and the raw bytes."""

    header: Mapping[str, Any]
    payload: bytes = b""


def encode_frame(frame: Frame) -> bytes:
    """Give the length and the header as bytes; the payload follows as it is."""
    header = json.dumps({**frame.header, "bytes": len(frame.payload)}).encode()
    return len(header).to_bytes(4, "big") + header


def write_frame(stream: BinaryIO, frame: Frame) -> None:
    """Write a frame and flush."""
    stream.write(encode_frame(frame))
    stream.write(frame.payload)
    stream.flush()


def read_frame(stream: BinaryIO) -> Frame | None:
    """Read a frame; None at the stream's end, also within a frame. Raises DreamError for what is none."""
    length = stream.read(4)
    if len(length) < 4:
        return None
    header = stream.read(_header_length(length))
    if len(header) < int.from_bytes(length, "big"):
        return None
    fields, size = _parse(header)
    payload = stream.read(size)
    return Frame(fields, payload) if len(payload) == size else None


async def read_frame_async(stream: asyncio.StreamReader) -> Frame:
    """Read a frame. Raises asyncio.IncompleteReadError at its end, DreamError for what is none."""
    length = await stream.readexactly(4)
    fields, size = _parse(await stream.readexactly(_header_length(length)))
    return Frame(fields, await stream.readexactly(size))


def _header_length(length: bytes) -> int:
    size = int.from_bytes(length, "big")
    if size > MAX_HEADER:
        raise DreamError(f"a header of {size} bytes; at most {MAX_HEADER} are allowed")
    return size


def _parse(header: bytes) -> tuple[Mapping[str, Any], int]:
    try:
        fields = json.loads(header)
        size = fields.pop("bytes")
    except (ValueError, AttributeError, KeyError, TypeError) as error:
        raise DreamError("a header that is no JSON object with `bytes`") from error
    if type(size) is not int or not 0 <= size <= MAX_PAYLOAD:
        raise DreamError(f"a payload of {size!r} bytes; 0–{MAX_PAYLOAD} are allowed")
    return fields, size


def die_with_parent(parent: int) -> None:
    """Have the kernel (Linux) kill this process when its parent dies; end now where it has died already."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
            log.warning("no PR_SET_PDEATHSIG: %s", os.strerror(ctypes.get_errno()))
    if os.getppid() != parent:
        sys.exit("the parent has gone")
