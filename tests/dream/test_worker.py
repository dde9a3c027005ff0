"""The worker process: what it answers, and that it never outlives its parent."""

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import numpy as np
import psutil
import pytest
from PIL import Image

from dreamcanvas.dream.engine import Engine, Pixels
from dreamcanvas.dream.jpeg import encode_jpeg
from dreamcanvas.dream.network import Network, NetworkInfo
from dreamcanvas.dream.responder import answer
from dreamcanvas.dream.settings import DreamSettings
from dreamcanvas.dream.styles import parse_expression
from dreamcanvas.dream.worker import NICE
from dreamcanvas.process import Frame, read_frame, write_frame

COMMAND = (
    sys.executable,
    "-m",
    "dreamcanvas.dream.worker",
    "--network",
    "efficientnet_lite0",
    "--threads",
    "1",
    "--precision",
    "float32",
)
SLOW = {"width": 1536, "height": 1536, "expression": "b12_exp_pre^2", "seed": 1}
SLOW_PIXELS = bytes(1536 * 1536 * 3)


@pytest.fixture(scope="module")
def engine(network: Network) -> Engine:
    return Engine(network, DreamSettings(octaves=2))


def request(coffee: Pixels, **changes: object) -> Frame:
    height, width, _ = coffee.shape
    header = {"width": width, "height": height, "expression": "b2_exp_pre:3", "seed": 1}
    return Frame({**header, **changes}, coffee.tobytes())


def test_a_request_is_answered_with_a_jpeg(engine: Engine, info: NetworkInfo, coffee: Pixels) -> None:
    frame = answer(request(coffee), engine, info)
    assert frame.header["ok"] is True
    assert frame.header["seconds"] > 0
    image = Image.open(io.BytesIO(frame.payload))
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (240, 160))
    expression = parse_expression("b2_exp_pre:3", info)
    assert engine.measure(np.asarray(image), expression) > engine.measure(coffee, expression)


def test_a_mask_follows_the_pixels(engine: Engine, info: NetworkInfo, coffee: Pixels) -> None:
    masked = request(coffee, mask=True)
    frame = answer(Frame(masked.header, masked.payload + bytes([255]) * (240 * 160)), engine, info)
    assert frame.header["ok"] is True
    frame = answer(masked, engine, info)
    assert frame.header["ok"] is False
    assert "bytes of pixels for 240 × 160" in frame.header["error"]


def test_the_jpeg_is_a_fixed_point(coffee: Pixels) -> None:
    generations = [coffee]
    for _ in range(6):
        generations.append(np.asarray(Image.open(io.BytesIO(encode_jpeg(Image.fromarray(generations[-1]))))))
    assert np.abs(generations[-1].astype(int) - generations[-2]).mean() < 0.02


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"expression": "b99_exp:1"}, "no layer"),
        ({"width": 241}, "bytes of pixels for 241 × 160"),
        ({"width": 0}, "a side must be 1–8192"),
        ({"width": None}, "cannot be read"),
        ({"seed": "x"}, "cannot be read"),
    ],
)
def test_a_wrong_request_is_refused(
    engine: Engine, info: NetworkInfo, coffee: Pixels, changes: dict[str, object], sentence: str
) -> None:
    frame = answer(request(coffee, **changes), engine, info)
    assert frame.header["ok"] is False
    assert sentence in frame.header["error"]


@pytest.fixture
def process() -> Iterator["subprocess.Popen[bytes]"]:
    """A worker that is ready."""
    command = (*COMMAND, "--parent", str(os.getpid()))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as worker:
        try:
            ready = read_frame(_stream(worker.stdout))
            assert ready is not None
            assert ready.header == {"ready": True, "network": "efficientnet_lite0"}
            yield worker
        finally:
            worker.kill()


def test_it_ends_with_its_stdin_in_the_middle_of_a_dream(process: "subprocess.Popen[bytes]") -> None:
    worker = psutil.Process(process.pid)
    assert worker.nice() == min(19, psutil.Process().nice() + NICE)
    process.send_signal(signal.SIGINT)  # Ctrl-C goes to the whole group; the server decides
    write_frame(_stream(process.stdin), Frame(SLOW, SLOW_PIXELS))
    used = worker.cpu_times().user
    while worker.cpu_times().user < used + 0.3:
        time.sleep(0.02)
    _stream(process.stdin).close()
    assert process.wait(5) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is Linux's")
def test_it_dies_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    """Another process holds the other end of stdin open, so that only the kernel's signal can end it."""
    pid_file = tmp_path / "pid"
    parent = subprocess.Popen((sys.executable, "-c", _PARENT, str(pid_file), *COMMAND))
    try:
        while not (pid_file.exists() and pid_file.read_text().endswith("\n")):
            assert parent.poll() is None
            time.sleep(0.05)
        worker_pid, holder_pid = map(int, pid_file.read_text().split())
        assert psutil.pid_exists(worker_pid)
        parent.kill()
        parent.wait()
        with suppress(psutil.NoSuchProcess):
            psutil.Process(worker_pid).wait(5)
    finally:
        parent.kill()
        parent.wait()
        psutil.Process(holder_pid).kill()


_PARENT = """
import os, subprocess, sys, time
read, write = os.pipe()
holder = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], pass_fds=[write])
worker = subprocess.Popen([*sys.argv[2:], "--parent", str(os.getpid())], stdin=read, stdout=subprocess.PIPE)
worker.stdout.read(4)
with open(sys.argv[1], "w") as file:
    file.write(f"{worker.pid} {holder.pid}\\n")
time.sleep(60)
"""


def test_it_ends_at_once_where_the_parent_has_gone() -> None:
    finished = subprocess.run(
        (*COMMAND, "--parent", "1"), stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    assert finished.returncode == 1
    assert b"the parent has gone" in finished.stderr


def _stream(stream: object) -> BinaryIO:
    assert stream is not None
    return stream  # type: ignore[return-value]
