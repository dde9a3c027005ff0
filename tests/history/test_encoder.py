"""The process that makes movies, and the server's handle on it."""

import asyncio
import io
import os
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
from PIL import Image

from dreamcanvas.errors import MovieError
from dreamcanvas.history.encoder import Encoder
from dreamcanvas.process import Frame
from tests.history.marks import mark, read

SHAPE = {"sides": [384], "crf": 30, "preset": "ultrafast", "threads": 1, "metadata": {}}


def window(directory: Path, count: int) -> dict[str, Any]:
    """A task of `count` frames, all of the same file."""
    path = directory / "frame.jpg"
    mark(5).save(path, "JPEG")
    frames = [(number, str(path), path.stat().st_size) for number in range(1, count + 1)]
    return {"kind": "window", "frames": frames, "directory": str(directory), **SHAPE}


async def test_a_movie_a_picture_out_of_it_and_how_far_it_is(tmp_path: Path) -> None:
    task = await asyncio.to_thread(window, tmp_path, 61)
    task["frames"].insert(7, [99, str(tmp_path / "none.jpg"), 5])
    told: list[tuple[int, int]] = []
    encoder = Encoder()
    answer = await encoder.carry_out(task, progress=lambda number, of: told.append((number, of)))
    assert answer == Frame({"ok": True, "frames": 61, "unusable": [99]})
    assert told == [(30, 62), (60, 62)]
    picture = {"kind": "picture", "path": str(tmp_path / "384.mp4"), "index": 60}
    answer = await encoder.carry_out(picture, hurry=True)
    with Image.open(io.BytesIO(answer.payload)) as image:
        assert read(image.convert("RGB")) == 5
    with pytest.raises(MovieError, match="has no frame 61"):
        await encoder.carry_out({**picture, "index": 61})
    assert encoder.running == 0


async def test_it_runs_when_the_processor_is_idle_and_ends_when_cancelled(tmp_path: Path) -> None:
    task = await asyncio.to_thread(window, tmp_path, 3000)
    begun = asyncio.Event()
    encoder = Encoder()
    work = asyncio.create_task(encoder.carry_out(task, progress=lambda _number, _of: begun.set()))
    await asyncio.wait_for(begun.wait(), 60)
    [child] = [
        process
        for process in psutil.Process().children()
        if "dreamcanvas.history.worker" in process.cmdline()
    ]
    if sys.platform == "linux":
        assert os.sched_getscheduler(child.pid) == os.SCHED_IDLE
        assert child.ionice().ioclass == psutil.IOPRIO_CLASS_IDLE
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert not child.is_running()


async def test_a_disk_that_fails_is_told_from_a_picture_that_does(tmp_path: Path) -> None:
    task = await asyncio.to_thread(window, tmp_path, 3)
    with pytest.raises(OSError, match="No such file") as caught:
        await Encoder().carry_out({**task, "directory": str(tmp_path / "none")})
    assert caught.value.errno == 2
    damaged = tmp_path / "damaged.mp4"
    damaged.write_bytes(b"no movie" * 100)
    with pytest.raises(MovieError, match="Invalid data"):
        await Encoder().carry_out({"kind": "picture", "path": str(damaged), "index": 0})


async def test_one_that_dies_or_says_nothing_is_given_up(tmp_path: Path) -> None:
    with pytest.raises(MovieError, match="ended with status 1"):
        await Encoder().carry_out({"kind": "picture"})  # a bug: the task has no path
    task = await asyncio.to_thread(window, tmp_path, 3000)
    with pytest.raises(MovieError, match="said nothing"):
        await Encoder(silence=0.01).carry_out(task)
