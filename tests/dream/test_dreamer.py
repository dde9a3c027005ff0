"""The dreamer keeps a worker alive, whatever the worker does."""

import asyncio
import io
import json
import os
import random
import signal
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


async def reach(condition: Callable[[], bool], seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  the conditions are of another process too
            await asyncio.sleep(0.005)


async def ready(dreamer: Dreamer) -> None:
    await reach(lambda: dreamer.state is DreamerState.READY)


async def ask(dreamer: Dreamer) -> DreamResult:
    return await dreamer.dream(DreamRequest(PIXELS, 2, 2, "b9_exp:1", 7))


async def test_a_real_worker_dreams() -> None:
    dreamer = Dreamer("efficientnet_lite0", threads=2)
    async with running(dreamer):
        await reach(lambda: dreamer.state is DreamerState.READY, 110)  # TensorFlow, on a busy machine
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
    passage = DreamRequest(PIXELS, 2, 2, "b9_exp:1", 7, "b7_exp^2", 0.25, 5, b"\xff\x40\x30\x20").frame()
    assert passage.header == {
        **plain.header,
        "before": "b7_exp^2",
        "progress": 0.25,
        "regions": 5,
        "mask": True,
    }
    assert passage.payload == PIXELS + b"\xff\x40\x30\x20"


async def test_states_in_their_order(tmp_path: Path) -> None:
    states: list[DreamerState] = []
    async with dreaming("dreams", tmp_path) as dreamer:
        assert dreamer.state is DreamerState.STARTING
        dreamer.observe(lambda: states.append(dreamer.state))
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
        dreamer.observe(lambda: states.append(dreamer.state))
        await reach(lambda: dreamer.restarts >= 2)
        assert set(states) == {DreamerState.FAILED, DreamerState.STARTING}


async def test_a_worker_that_is_never_ready_times_out(tmp_path: Path) -> None:
    async with dreaming("never ready", tmp_path, patience=0.2) as dreamer:
        await reach(lambda: dreamer.restarts == 1)


async def test_a_command_that_is_missing_is_a_failure_too() -> None:
    dreamer = Dreamer("efficientnet_lite0", threads=1, command=("/no/such/program",), backoff=(0.01, 0.01))
    async with running(dreamer):
        await reach(lambda: dreamer.restarts >= 2)


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


# Sleep


def workers(tmp_path: Path) -> list[psutil.Process]:
    """The processes of this test's workers that are there, zombies too."""
    mark = str(tmp_path / "starts")
    return [child for child in psutil.Process().children() if mark in " ".join(_command(child))]


def _command(process: psutil.Process) -> list[str]:
    with suppress(psutil.Error):
        return process.cmdline()
    return []


async def test_asleep_there_is_no_worker_and_awake_there_is(tmp_path: Path) -> None:
    states: list[DreamerState] = []
    async with dreaming("dreams", tmp_path) as dreamer:
        await ready(dreamer)
        dreamer.observe(lambda: states.append(dreamer.state))
        for _ in range(2):
            dreamer.sleep()
            dreamer.sleep()
            with pytest.raises(DreamError, match="the dreamer is asleep"):
                await ask(dreamer)
            await reach(lambda: not workers(tmp_path))
            assert (dreamer.state, dreamer.worker_pid) == (DreamerState.ASLEEP, None)
            dreamer.wake()
            dreamer.wake()
            await ready(dreamer)
            assert (await ask(dreamer)).jpeg == PIXELS[::-1]
        assert (dreamer.wakes, dreamer.restarts) == (2, 0)
    asleep = [DreamerState.ASLEEP, DreamerState.STARTING, DreamerState.READY]
    assert states[:8] == [*asleep, DreamerState.DREAMING, DreamerState.READY, *asleep]


async def test_it_may_fall_asleep_while_it_starts(tmp_path: Path) -> None:
    async with dreaming("never ready", tmp_path) as dreamer:
        await reach((tmp_path / "starts").exists)
        dreamer.sleep()
        await reach(lambda: not workers(tmp_path))
        dreamer.wake()
        await reach(lambda: len((tmp_path / "starts").read_text().splitlines()) == 2)
        assert (dreamer.state, dreamer.restarts) == (DreamerState.STARTING, 0)


async def test_it_may_fall_asleep_before_it_runs(tmp_path: Path) -> None:
    command = (sys.executable, str(FAKE), "dreams", str(tmp_path / "starts"))
    dreamer = Dreamer("efficientnet_lite0", threads=1, command=command)
    dreamer.sleep()
    async with running(dreamer):
        for _ in range(20):
            await asyncio.sleep(0)  # its task has come to where it waits
        assert dreamer.worker_pid is None
        dreamer.wake()
        await ready(dreamer)
        assert len((tmp_path / "starts").read_text().splitlines()) == 1


async def test_asleep_in_a_dream_it_stays_asleep(tmp_path: Path) -> None:
    async with dreaming("slow", tmp_path) as dreamer:
        await ready(dreamer)
        asking = asyncio.create_task(ask(dreamer))
        await reach(lambda: dreamer.state is DreamerState.DREAMING)
        dreamer.sleep()
        with pytest.raises(DreamError):
            await asking
        assert dreamer.state is DreamerState.ASLEEP


async def test_it_need_not_wait_for_a_restart_to_fall_asleep_or_to_wake(tmp_path: Path) -> None:
    async with dreaming("dies at first", tmp_path, backoff=(3600, 3600)) as dreamer:
        for starts in (1, 2):
            await reach(lambda: dreamer.state is DreamerState.FAILED)
            assert len((tmp_path / "starts").read_text().splitlines()) == starts
            dreamer.sleep()
            await asyncio.sleep(0.01)
            assert dreamer.state is DreamerState.ASLEEP
            dreamer.wake()
        await ready(dreamer)


@pytest.mark.parametrize("seed", range(4))
async def test_in_whatever_order_it_sleeps_and_wakes_there_is_one_worker_in_the_end(
    tmp_path: Path, seed: int
) -> None:
    rng = random.Random(seed)
    async with dreaming("dreams", tmp_path) as dreamer:
        asking: set[asyncio.Task[DreamResult]] = set()
        for _ in range(60):
            rng.choice((dreamer.sleep, dreamer.wake))()
            if dreamer.state is DreamerState.READY:
                asking.add(asyncio.create_task(ask(dreamer)))
            if rng.random() < 0.2 and dreamer.worker_pid is not None:
                os.kill(dreamer.worker_pid, signal.SIGKILL)
            for _ in range(rng.choice((0, 0, 1, 2, 3))):
                await asyncio.sleep(0)
            await asyncio.sleep(rng.choice((0, 0, 0.001, 0.01, 0.08)))
        dreamer.sleep()
        await reach(lambda: not workers(tmp_path))
        assert dreamer.state is DreamerState.ASLEEP
        dreamer.wake()
        await ready(dreamer)
        assert (await ask(dreamer)).jpeg == PIXELS[::-1]
        assert [worker.pid for worker in workers(tmp_path)] == [dreamer.worker_pid]
        done = await asyncio.gather(*asking, return_exceptions=True)
        assert all(isinstance(each, DreamResult | DreamError) for each in done)
    assert not workers(tmp_path)


async def test_a_worker_that_is_killed_as_it_is_put_to_sleep_is_no_failure(tmp_path: Path) -> None:
    async with dreaming("dreams", tmp_path) as dreamer:
        await ready(dreamer)
        assert dreamer.worker_pid is not None
        os.kill(dreamer.worker_pid, signal.SIGKILL)
        dreamer.sleep()
        await reach(lambda: not workers(tmp_path))
        assert (dreamer.state, dreamer.restarts) == (DreamerState.ASLEEP, 0)


async def test_a_worker_that_is_killed_while_it_starts_is_replaced(tmp_path: Path) -> None:
    async with dreaming("never ready", tmp_path) as dreamer:
        dreamer.sleep()
        dreamer.wake()
        await reach((tmp_path / "starts").exists)
        (worker,) = workers(tmp_path)
        worker.kill()
        await reach(lambda: dreamer.restarts == 1)


async def test_a_worker_that_will_not_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dreamcanvas.dream.dreamer.TERMINATE_SECONDS", 0.1)
    async with dreaming("stubborn", tmp_path) as dreamer:
        await ready(dreamer)
        pid = dreamer.worker_pid
        dreamer.sleep()
        dreamer.wake()
        await ready(dreamer)
        assert dreamer.worker_pid != pid
        assert len(workers(tmp_path)) == 1


@pytest.mark.parametrize("moment", [0, 0.05])
async def test_cancelling_as_it_falls_asleep_leaves_no_worker(tmp_path: Path, moment: float) -> None:
    async with dreaming("stubborn", tmp_path) as dreamer:
        await ready(dreamer)
        dreamer.sleep()
        await asyncio.sleep(moment)
    await reach(lambda: not workers(tmp_path))


async def test_cancelling_while_it_sleeps(tmp_path: Path) -> None:
    async with dreaming("dreams", tmp_path) as dreamer:
        await ready(dreamer)
        dreamer.sleep()
        await reach(lambda: not workers(tmp_path))
    assert dreamer.state is DreamerState.ASLEEP


def test_an_unknown_network_is_refused_at_once() -> None:
    with pytest.raises(DreamError, match="no network 'vgg'"):
        Dreamer("vgg", threads=1)
