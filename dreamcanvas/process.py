"""Child processes that talk with their parent in frames, and end with it.

A frame is 4 bytes of length, big-endian, a JSON header of that length, then raw bytes. The header is an
object; its `bytes` says how many raw bytes follow it.

`Child` is a child as its parent sees it, `Parent` the parent as the child does. The child reads frames from
its stdin and answers on its stdout. It cannot outlive its parent: the end of stdin ends it, whatever it is
doing, and on Linux the kernel kills it when the parent dies, also where another process holds the other end
of its stdin open.
"""

import asyncio
import ctypes
import json
import logging
import os
import queue
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

from dreamcanvas.errors import ProcessError

MAX_HEADER: Final = 1 << 24
"""Bytes. The longest header names all frames of a window, with 80 bytes for each."""

MAX_PAYLOAD: Final = 1 << 30
CHUNK: Final = 1 << 20

_PR_SET_PDEATHSIG: Final = 1  # of linux/prctl.h

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Frame:
    """A header without its `bytes`, and the raw bytes."""

    header: Mapping[str, Any]
    payload: bytes = b""


# Frames


def encode_frame(frame: Frame) -> bytes:
    """Return a frame's length and header as bytes; the raw bytes are to be sent after them."""
    header = json.dumps({**frame.header, "bytes": len(frame.payload)}).encode()
    return len(header).to_bytes(4, "big") + header


def write_frame(stream: BinaryIO, frame: Frame) -> None:
    """Write a frame and flush. Raises OSError."""
    stream.write(encode_frame(frame))
    stream.write(frame.payload)
    stream.flush()


def read_frame(stream: BinaryIO) -> Frame | None:
    """Read a frame; None at the stream's end, also within a frame.

    Raises ProcessError for bytes that are not a frame, OSError.
    """
    length = _read(stream, 4)
    header = _read(stream, _header_length(length)) if length is not None else None
    if header is None:
        return None
    fields, size = _parse(header)
    payload = _read(stream, size)
    return Frame(fields, payload) if payload is not None else None


def _read(stream: BinaryIO, size: int) -> bytes | None:
    """Read `size` bytes; None where the stream ends before. A raw stream may return fewer at a time."""
    chunks: list[bytes] = []
    while size:
        chunk = stream.read(min(size, CHUNK))
        if not chunk:
            return None
        chunks.append(chunk)
        size -= len(chunk)
    return b"".join(chunks)


async def read_frame_async(stream: asyncio.StreamReader) -> Frame:
    """Read a frame. Raises asyncio.IncompleteReadError at its end, ProcessError for bytes that are none."""
    length = await stream.readexactly(4)
    fields, size = _parse(await stream.readexactly(_header_length(length)))
    return Frame(fields, await stream.readexactly(size))


def _header_length(length: bytes) -> int:
    size = int.from_bytes(length, "big")
    if size > MAX_HEADER:
        raise ProcessError(f"a header of {size} bytes; at most {MAX_HEADER} are allowed")
    return size


def _parse(header: bytes) -> tuple[Mapping[str, Any], int]:
    try:
        fields = json.loads(header)
        size = fields.pop("bytes")
    except (ValueError, AttributeError, KeyError, TypeError) as error:
        raise ProcessError("a header that is no JSON object with `bytes`") from error
    if type(size) is not int or not 0 <= size <= MAX_PAYLOAD:
        raise ProcessError(f"a payload of {size!r} bytes; 0–{MAX_PAYLOAD} are allowed")
    return fields, size


# In the parent


class Child:
    """A running child process, as its parent sees it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._stdin = process.stdin
        self._stdout = process.stdout

    @staticmethod
    async def start(command: Sequence[str]) -> "Child":
        """Start a process, with `--parent` and the id of this one behind its arguments. Raises OSError."""
        pipe = asyncio.subprocess.PIPE
        starting = asyncio.ensure_future(
            asyncio.create_subprocess_exec(*command, "--parent", str(os.getpid()), stdin=pipe, stdout=pipe)
        )
        try:
            # shielded: asyncio leaves the pipes open when it is cancelled while it starts the process
            return Child(await asyncio.shield(starting))
        except asyncio.CancelledError:
            with suppress(OSError):  # then no process was started
                await Child(await starting).kill()
            raise

    @property
    def pid(self) -> int:
        """Return its process id."""
        return self._process.pid

    async def send(self, frame: Frame) -> None:
        """Write a frame to its stdin. Raises OSError."""
        self._stdin.write(encode_frame(frame))
        self._stdin.write(frame.payload)
        await self._stdin.drain()

    async def receive(self) -> Frame:
        """Read the next frame of its stdout. Raises EOFError where it ended, ProcessError."""
        return await read_frame_async(self._stdout)

    async def wait(self) -> int:
        """Wait for its end, and return its status."""
        return await self._process.wait()

    async def terminate(self, seconds: float) -> None:
        """End it by SIGTERM, after some seconds or when cancelled by SIGKILL, and wait for its end."""
        with suppress(ProcessLookupError):
            self._process.terminate()
        try:
            async with asyncio.timeout(seconds):
                await self._process.wait()
        except TimeoutError:
            await self.kill()
        except asyncio.CancelledError:
            await self.kill()
            raise

    async def kill(self) -> None:
        """End it by SIGKILL, and wait for its end."""
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()


# In the child


class Parent:
    """The parent of this process, whose end ends it; Ctrl-C, which a terminal sends to both, does not.

    Whatever a library prints goes to stderr from now on: stdout is kept for answers.
    """

    def __init__(self, pid: int) -> None:
        _die_with(pid)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        # Unbuffered: a lock of a buffer that the thread holds would make the interpreter's end fail
        self._stdin = os.fdopen(os.dup(sys.stdin.fileno()), "rb", buffering=0)
        self._stdout = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        self._frames: queue.Queue[Frame] = queue.Queue()
        threading.Thread(target=self._read, name="stdin", daemon=True).start()

    def receive(self) -> Frame:
        """Wait for the next frame and return it."""
        return self._frames.get()

    def send(self, frame: Frame) -> None:
        """Send a frame to the parent. Raises OSError."""
        write_frame(self._stdout, frame)

    def _read(self) -> None:
        """Read frames, and end the process, whatever it is doing, when there are no more."""
        try:
            while (frame := read_frame(self._stdin)) is not None:
                self._frames.put(frame)
        except (OSError, ProcessError) as error:
            log.error("stdin: %s", error)
            os._exit(1)
        os._exit(0)


def _die_with(parent: int) -> None:
    """Have the kernel (Linux) kill this process when its parent dies; end now where it has died already."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
            log.warning("no PR_SET_PDEATHSIG: %s", os.strerror(ctypes.get_errno()))
    if os.getppid() != parent:
        sys.exit("the parent has gone")
