"""The dreamer keeps a worker alive, whatever the worker does."""

import asyncio
import io
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import psutil
import pytest
from PIL import Image

from dreamcanvas.dream.dreamer import Dreamer, DreamerState, DreamRequest, DreamResult
from dreamcanvas.errors import DreamError

FAKE = Path(__file__).with_name("fake_worker.py")
PIXELS = bytes(range(12))


@asynccontextmanager
async def dreaming(
    mode: str, tmp_path: Path, *, patience: float = 10.0, backoff: tuple[float, float] = (0.01, 0.04)
) -> AsyncIterator[Dreamer]:
    command = (sys.executable, str(FAKE), mode, str(tmp_path / "starts"))
    dreamer = Dreamer("efficientnet_lite0", threads=3, timeout=patience, command=command, backoff=backoff)
    async with running(dreamer):
        yield dreamer


@asynccontextmanager
async def running(dreamer: Dreamer) -> AsyncIterator[None]:
    task = asyncio.create_task(dreamer.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def reach(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110  the conditions are of another process too
            await asyncio.sleep(0.005)


async def ready(dreamer: Dreamer) -> None:
    await reach(lambda: dreamer.state is DreamerState.READY)


async def ask(dreamer: Dreamer) -> DreamResult:
    return await dreamer.dream(DreamRequest(PIXELS, 2, 2, "b9_exp:1", 7))


async def test_a_real_worker_dreams() -> None:
    dreamer = Dreamer("efficientnet_lite0", threads=2)
    async with running(dreamer):
        await ready(dreamer)
        result = await dreamer.dream(DreamRequest(os.urandom(96 * 64 * 3), 96, 64, "b2_exp_pre:3", 1))
        assert Image.open(io.BytesIO(result.jpeg)).size == (96, 64)
        assert result.seconds > 0
        with pytest.raises(DreamError, match="the nearest is"):
            await dreamer.dream(DreamRequest(bytes(96 * 64 * 3), 96, 64, "b77_exp_pre:3", 1))
        assert dreamer.state is DreamerState.READY
        assert dreamer.restarts == 0


def test_what_a_request_says_is_no_more_than_there_is() -> None:
    plain = DreamRequest(PIXELS, 2, 2, "b9_exp:1", 7).frame()
    assert plain.header == {"width": 2, "height": 2, "expression": "b9_exp:1", "seed": 7}
    assert plain.payload == PIXELS
    passage = DreamRequest(PIXELS, 2, 2, "b9_exp:1", 7, "b7_exp^2", 0.25, b"\xff\x40\x30\x20").frame()
    assert passage.header == {**plain.header, "before": "b7_exp^2", "progress": 0.25, "mask": True}
    assert passage.payload == PIXELS + b"\xff\x40\x30\x20"


async def test_states_in_their_order(tmp_path: Path) -> None:
    states: list[DreamerState] = []
    async with dreaming("dreams", tmp_path) as dreamer:
        assert dreamer.state is DreamerState.STARTING
        dreamer.on_change = lambda: states.append(dreamer.state)
        await ready(dreamer)
        assert await ask(dreamer) == DreamResult(PIXELS[::-1], 0.5)
    assert states == [DreamerState.READY, DreamerState.DREAMING, DreamerState.READY]


async def test_the_worker_is_told_how_to_dream(tmp_path: Path) -> None:
    async with dreaming("dreams", tmp_path) as dreamer:
        await ready(dreamer)
    told = (tmp_path / "starts").read_text()
    arguments = ["--network", "efficientnet_lite0", "--threads", "3", "--precision", "auto"]
    assert json.loads(told) == [*arguments, "--parent", str(os.getpid())]


async def test_not_ready_is_an_error(tmp_path: Path) -> None:
    async with dreaming("never ready", tmp_path) as dreamer:
        with pytest.raises(DreamError, match="the dreamer is starting"):
            await ask(dreamer)


async def test_one_dream_at_a_time(tmp_path: Path) -> None:
    async with dreaming("slow", tmp_path) as dreamer:
        await ready(dreamer)
        first = asyncio.create_task(ask(dreamer))
        await reach(lambda: dreamer.state is DreamerState.DREAMING)
        with pytest.raises(DreamError, match="the dreamer is dreaming"):
            await ask(dreamer)
        assert (await first).jpeg == PIXELS[::-1]


async def test_a_refused_dream_keeps_the_worker(tmp_path: Path) -> None:
    async with dreaming("refuses", tmp_path) as dreamer:
        await ready(dreamer)
        pid = dreamer.worker_pid
        with pytest.raises(DreamError, match="no such layer"):
            await ask(dreamer)
        assert (dreamer.state, dreamer.worker_pid, dreamer.restarts) == (DreamerState.READY, pid, 0)


async def test_a_worker_that_dies_in_a_dream_is_replaced(tmp_path: Path) -> None:
    async with dreaming("dies", tmp_path) as dreamer:
        await ready(dreamer)
        pid = dreamer.worker_pid
        with pytest.raises(DreamError, match="the worker ended"):
            await ask(dreamer)
        assert dreamer.state is not DreamerState.READY
        await reach(lambda: dreamer.restarts == 1)
        await ready(dreamer)
        assert dreamer.worker_pid != pid


async def test_a_worker_that_is_killed_between_dreams_is_replaced(tmp_path: Path) -> None:
    async with dreaming("dreams", tmp_path) as dreamer:
        await ready(dreamer)
        pid = dreamer.worker_pid
        assert pid is not None
        psutil.Process(pid).kill()
        await reach(lambda: dreamer.restarts == 1)
        await ready(dreamer)
        assert (await ask(dreamer)).jpeg == PIXELS[::-1]


async def test_a_worker_that_hangs_is_killed_and_replaced(tmp_path: Path) -> None:
    async with dreaming("hangs", tmp_path, patience=1.0) as dreamer:
        await ready(dreamer)
        pid = dreamer.worker_pid
        assert pid is not None
        with pytest.raises(DreamError, match="did not answer in 1 s"):
            await ask(dreamer)
        await reach(lambda: dreamer.restarts == 1)
        assert not psutil.pid_exists(pid)


@pytest.mark.parametrize("mode", ["dies at once", "babbles"])
async def test_a_worker_that_cannot_start_is_tried_again_and_again(tmp_path: Path, mode: str) -> None:
    states: list[DreamerState] = []
    async with dreaming(mode, tmp_path) as dreamer:
        dreamer.on_change = lambda: states.append(dreamer.state)
        await reach(lambda: dreamer.restarts >= 2)
        assert set(states) == {DreamerState.FAILED, DreamerState.STARTING}


async def test_a_worker_that_is_never_ready_times_out(tmp_path: Path) -> None:
    async with dreaming("never ready", tmp_path, patience=0.2) as dreamer:
        await reach(lambda: dreamer.restarts == 1)


async def test_a_command_that_is_missing_is_a_failure_too() -> None:
    dreamer = Dreamer("efficientnet_lite0", threads=1, command=("/no/such/program",), backoff=(0.01, 0.01))
    async with running(dreamer):
        await reach(lambda: dreamer.restarts == 2)


async def test_the_pause_doubles_up_to_its_limit_and_a_dream_resets_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    sleep = asyncio.sleep

    async def note(seconds: float) -> None:
        if seconds >= 1:
            pauses.append(seconds)
            seconds = 0
        await sleep(seconds)

    monkeypatch.setattr("dreamcanvas.dream.dreamer.asyncio.sleep", note)
    async with dreaming("dies at once", tmp_path, backoff=(1.0, 5.0)) as dreamer:
        await reach(lambda: dreamer.restarts >= 5)
    assert pauses[:5] == [1.0, 2.0, 4.0, 5.0, 5.0]
    pauses.clear()
    (tmp_path / "starts").unlink()
    async with dreaming("dies at first", tmp_path, backoff=(1.0, 5.0)) as dreamer:
        await ready(dreamer)
        await ask(dreamer)
        assert dreamer.worker_pid is not None
        psutil.Process(dreamer.worker_pid).kill()
        await reach(lambda: dreamer.restarts >= 3)
    assert pauses[:3] == [1.0, 2.0, 1.0]


@pytest.mark.parametrize("mode", ["dreams", "hangs", "never ready"])
async def test_cancelling_ends_the_worker(tmp_path: Path, mode: str) -> None:
    others = psutil.Process().children()  # servers that tests share
    async with dreaming(mode, tmp_path) as dreamer:
        await reach((tmp_path / "starts").exists)
        if mode != "never ready":
            await ready(dreamer)
        children = [child for child in psutil.Process().children() if child not in others]
        assert children
        asking = asyncio.create_task(ask(dreamer)) if mode == "hangs" else None
        await asyncio.sleep(0.05)
    assert not any(child.is_running() for child in children)
    assert dreamer.worker_pid is None
    if asking is not None:
        with pytest.raises(DreamError):
            await asking


async def test_a_cancelled_dream_does_not_answer_the_next(tmp_path: Path) -> None:
    async with dreaming("slow", tmp_path) as dreamer:
        await ready(dreamer)
        asking = asyncio.create_task(ask(dreamer))
        await reach(lambda: dreamer.state is DreamerState.DREAMING)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await reach(lambda: dreamer.restarts == 1)
        await ready(dreamer)
        result = await dreamer.dream(DreamRequest(PIXELS * 2, 2, 4, "b9_exp:1", 7))
        assert len(result.jpeg) == 24


def test_an_unknown_network_is_refused_at_once() -> None:
    with pytest.raises(DreamError, match="no network 'vgg'"):
        Dreamer("vgg", threads=1)
