"""The timetable: when it dreams, and of what.

The dreamer is the tests' own: what is tested is when it is asked.
"""

import asyncio
import io
import random
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, cast

import pytest
from PIL import Image

from dreamcanvas.broadcast import Broadcast
from dreamcanvas.canvas import Dab, Version
from dreamcanvas.dream.dreamer import Dreamer, DreamerState, DreamRequest, DreamResult
from dreamcanvas.dream.styles import Style
from dreamcanvas.dreaming import Dreaming, Timetable
from dreamcanvas.errors import DreamError
from dreamcanvas.painter import Painter
from dreamcanvas.proto import dreamcanvas_pb2 as pb
from dreamcanvas.store.dreams import Dreams
from dreamcanvas.store.journal import Journal

STYLES = [Style(name, f"b{n}_exp^2") for n, name in enumerate(("Eyes", "Spheres", "Cells"), start=7)]
OFTEN = Timetable(interval=0.001, style_interval=3600, rest_after=0)
DEADLINE = 20


def _jpeg() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (1536, 1536), (0, 90, 0)).save(buffer, "JPEG")
    return buffer.getvalue()


JPEG = _jpeg()


class Sleeper:
    """A dreamer that is asked when it may, notes for what, and answers when it is let."""

    def __init__(self) -> None:
        self.state = DreamerState.STARTING
        self.on_change: Callable[[], None] = lambda: None
        self.restarts = 0
        self.asked: asyncio.Queue[DreamRequest] = asyncio.Queue()
        self.pixels: list[tuple[bytes, int, int]] = []
        self.go = asyncio.Event()
        self.go.set()
        self.answer: bytes | Exception = JPEG

    def become(self, state: DreamerState) -> None:
        self.state = state
        self.on_change()

    async def run(self) -> None:
        self.become(DreamerState.READY)
        await asyncio.Event().wait()

    async def dream(self, request: DreamRequest) -> DreamResult:
        assert 0 <= request.seed < 2**31
        if self.state is not DreamerState.READY:
            raise DreamError("not ready")
        self.pixels.append((request.pixels[:3], request.width, request.height))
        self.become(DreamerState.DREAMING)
        self.asked.put_nowait(request)
        await self.go.wait()
        self.become(DreamerState.READY)
        if isinstance(self.answer, Exception):
            raise self.answer
        return DreamResult(self.answer, 1.25)

    async def ask(self) -> DreamRequest:
        """What it is asked for next."""
        return await asyncio.wait_for(self.asked.get(), DEADLINE)

    async def next(self) -> str:
        """The expression that it is asked for next."""
        return (await self.ask()).expression


class Night:
    """A timetable with what it works with."""

    def __init__(self, directory: Path) -> None:
        self.journal = Journal(directory / "test.db", clock=lambda: 1000)
        self.dreams = Dreams(directory / "frames", self.journal)
        self.painter = Painter(
            journal=self.journal,
            dreams=self.dreams,
            broadcast=Broadcast(tick=0),
            replay_operations=100,
            clock=lambda: 5000,
        )
        self.dreamer = Sleeper()
        self.users = 0
        self.states: list[int] = []
        self.seconds: list[float] = []
        self.changes = asyncio.Event()
        self.dreaming: Dreaming
        self.task: asyncio.Task[None] | None = None

    def start(self, timetable: Timetable = OFTEN) -> Dreaming:
        self.dreaming = Dreaming(
            self.painter,
            cast(Dreamer, self.dreamer),
            STYLES,
            network="efficientnet_lite0",
            timetable=timetable,
            users=lambda: self.users,
            changed=self._changed,
            dreamt=self.seconds.append,
            clock=lambda: 7000,
            rng=random.Random(1),
        )
        self.task = asyncio.create_task(self.dreaming.run())
        return self.dreaming

    def _changed(self) -> None:
        self.states.append(self.dreaming.status().dreamer)
        self.changes.set()

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(DEADLINE):
            while not condition():
                self.changes.clear()
                await self.changes.wait()

    async def dreamt(self, count: int) -> None:
        """Waits until so many are laid."""
        await self.until(lambda: self.dreaming.dreams >= count)

    async def end(self) -> None:
        if self.task is not None:
            self.task.cancel()
            await asyncio.wait([self.task])
        await self.painter.close()
        self.journal.close()


@pytest.fixture
async def night(tmp_path: Path) -> AsyncIterator[Night]:
    night = Night(tmp_path)
    await night.painter.recover()
    yield night
    await night.end()


async def test_it_dreams_again_and_again_and_each_dream_is_recorded(night: Night) -> None:
    dreaming = night.start()
    await night.dreamt(2)
    assert night.painter.version.dream >= 2
    assert night.seconds[:2] == [1.25, 1.25]
    assert night.dreamer.pixels[0] == (b"\xff\xff\xff", 1536, 1536)
    assert night.dreamer.pixels[1][0] != b"\xff\xff\xff"
    found = await night.dreams.newest_whole()
    assert found is not None
    dream = found[0]
    assert (dream.style, dream.layer) == (dreaming.style.name, dreaming.style.expression)
    assert (dream.network, dream.ms, dream.users, dream.time) == ("efficientnet_lite0", 1250, 0, 5000)


async def test_what_is_drawn_while_it_dreams_is_not_lost(night: Night) -> None:
    night.dreamer.go.clear()
    night.start(Timetable(interval=3600, style_interval=3600, rest_after=0))
    await night.dreamer.next()
    await night.painter.paint(night.journal.anonymous("here"), [Dab(9, 9, 9, 0)])
    night.dreamer.go.set()
    await night.until(lambda: night.dreaming.dreams)
    assert night.painter.version == Version(1, 1)
    assert night.painter.dream_seq == 0


async def test_nothing_is_asked_before_the_dreamer_is_ready(night: Night) -> None:
    night.dreamer.run = asyncio.Event().wait  # type: ignore[assignment,method-assign]
    night.start()
    await asyncio.sleep(0.02)
    assert night.dreamer.pixels == []
    night.dreamer.become(DreamerState.READY)
    await night.dreamer.next()


# Styles


async def test_it_starts_with_a_style_by_chance_and_goes_round_all(night: Night) -> None:
    dreaming = night.start(Timetable(interval=3600, style_interval=3600, rest_after=0))
    seen = [dreaming.style]
    for _ in STYLES[1:]:
        dreaming.next_style()
        seen.append(dreaming.style)
    assert set(seen) == set(STYLES)


async def test_the_style_changes_in_its_time(night: Night) -> None:
    night.start(Timetable(interval=0.001, style_interval=0.001, rest_after=0))
    found = [await night.dreamer.next() for _ in range(4)]
    assert set(found) == {style.expression for style in STYLES}


async def test_until_then_it_stays(night: Night) -> None:
    night.start()
    assert len({await night.dreamer.next() for _ in range(4)}) == 1


async def test_another_style_is_dreamt_from_the_next_dream_on(night: Night) -> None:
    night.dreamer.go.clear()
    dreaming = night.start()
    first = await night.dreamer.next()
    dreaming.next_style()
    assert dreaming.status().layer != first
    night.dreamer.go.set()
    request = await night.dreamer.ask()
    assert request.expression == dreaming.style.expression
    assert request.before == first, "it passes from the one into the other"
    assert 0 < request.progress < 0.1
    found = await night.dreams.newest_whole()
    assert found is not None
    assert found[0].layer == first, "the dream under way is recorded as what it was"


async def test_a_passage_is_recorded_as_the_style_to_which_it_leads(night: Night) -> None:
    dreaming = night.start()
    assert (await night.dreamer.ask()).before is None
    dreaming.next_style()
    style = dreaming.style
    while (request := await night.dreamer.ask()).before is None:
        pass
    progress = request.progress
    while (request := await night.dreamer.ask()).before is not None:
        assert progress < request.progress < 1
        progress = request.progress
    assert progress > 0.95
    found = await night.dreams.newest_whole()
    assert found is not None
    assert (found[0].style, found[0].layer) == (style.name, style.expression)


async def test_a_dream_that_failed_is_no_step_of_a_passage(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dreamcanvas.dreaming.RETRY_SECONDS", 0.001)
    dreaming = night.start(Timetable(interval=0.001, style_interval=3600, rest_after=0))
    night.dreamer.answer = DreamError("no")
    await night.dreamer.ask()
    dreaming.next_style()
    found = [request for request in [await night.dreamer.ask() for _ in range(3)] if request.before]
    assert len({request.progress for request in found}) == 1


# Ink


async def test_recent_ink_is_sent_with_the_picture(night: Night) -> None:
    night.dreamer.go.clear()
    night.start()
    assert (await night.dreamer.ask()).mask is None, "there is no ink"
    await night.painter.paint(night.journal.anonymous("here"), [Dab(300, 200, 40, 0)])
    night.dreamer.go.set()
    shares = []
    for _ in range(3):
        mask = (await night.dreamer.ask()).mask
        assert mask is not None
        assert len(mask) == 1536 * 1536
        assert mask[600 * 1536 + 700] == 255
        shares.append(mask[200 * 1536 + 300])
    assert 0 < shares[0] < shares[1] < shares[2] < 255


# Rest


RESTFUL = Timetable(interval=0.001, style_interval=3600, rest_after=0.05)


async def resting(night: Night) -> None:
    await night.until(lambda: night.dreaming.status().dreamer == pb.StatusEvent.RESTING)
    assert night.dreaming.status().next_dream == 0


async def test_it_rests_when_nobody_is_there_and_wakes_when_somebody_is_active(night: Night) -> None:
    dreaming = night.start(RESTFUL)
    await resting(night)
    count = len(night.dreamer.pixels)
    await asyncio.sleep(0.02)
    assert len(night.dreamer.pixels) == count
    dreaming.active()
    await night.until(lambda: len(night.dreamer.pixels) > count)
    await resting(night)


async def test_it_does_not_rest_while_somebody_is_there(night: Night) -> None:
    night.users = 1
    night.start(Timetable(interval=0.001, style_interval=3600, rest_after=0.001))
    await night.dreamt(5)
    assert pb.StatusEvent.RESTING not in night.states


async def test_it_counts_from_when_the_last_visitor_was_there(night: Night) -> None:
    night.users = 1
    dreaming = night.start(Timetable(interval=0.001, style_interval=3600, rest_after=3600))
    await night.dreamt(1)
    dreaming._active_at -= 10_000  # nobody came or drew for hours, but somebody watches
    await night.dreamt(dreaming.dreams + 2)
    night.users = 0
    await night.dreamt(dreaming.dreams + 2)
    assert pb.StatusEvent.RESTING not in night.states


async def test_it_may_never_rest(night: Night) -> None:
    night.start(Timetable(interval=0.001, style_interval=3600, rest_after=0))
    await night.dreamt(5)
    assert pb.StatusEvent.RESTING not in night.states


async def test_it_rests_as_long_as_the_host_wants_whoever_is_there(night: Night) -> None:
    dreaming = night.start(Timetable(interval=0.001, style_interval=3600, rest_after=0))
    await night.dreamt(1)
    dreaming.hold(True)
    await night.until(lambda: dreaming.status().dreamer == pb.StatusEvent.RESTING)
    count = dreaming.dreams
    dreaming.active()
    await asyncio.sleep(0.02)
    assert dreaming.dreams == count
    assert dreaming.status().next_dream == 0
    dreaming.hold(False)
    await night.dreamt(count + 1)


# The status


async def test_the_status_says_what_it_does(night: Night) -> None:
    night.dreamer.go.clear()
    dreaming = night.start(Timetable(interval=2, style_interval=3600, rest_after=0))
    await night.dreamer.next()
    status = dreaming.status()
    hosts = {"users", "read_only", "announcement"}
    assert {field.name for field in pb.StatusEvent.DESCRIPTOR.fields} - hosts == {
        field.name for field, _ in status.ListFields()
    }
    assert status == pb.StatusEvent(
        layer=dreaming.style.expression,
        style=dreaming.style.name,
        network="efficientnet_lite0",
        dreamer=pb.StatusEvent.DREAMING,
        next_dream=7000 + 2000,
        dream_ms=0,
    )
    night.dreamer.go.set()
    await night.until(lambda: dreaming.status().dreamer == pb.StatusEvent.WAITING and dreaming.dreams)
    assert (dreaming.status().dream_ms, dreaming.status().dreamer) == (1250, pb.StatusEvent.WAITING)


async def test_a_dreamer_that_failed_is_said_and_no_dream_is_due(night: Night) -> None:
    dreaming = night.start(Timetable(interval=3600, style_interval=3600, rest_after=0))
    await night.dreamt(1)
    night.dreamer.become(DreamerState.FAILED)
    assert (dreaming.status().dreamer, dreaming.status().next_dream) == (pb.StatusEvent.FAILED, 0)
    night.dreamer.become(DreamerState.STARTING)
    assert (dreaming.status().dreamer, dreaming.status().next_dream) == (pb.StatusEvent.STARTING, 0)


# Failure


@pytest.mark.parametrize("answer", [DreamError("the worker ended"), OSError("disk full"), b"no picture"])
async def test_a_dream_that_fails_changes_nothing_and_is_tried_again(
    night: Night, answer: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dreamcanvas.dreaming.RETRY_SECONDS", 0.01)
    night.dreamer.answer = answer
    dreaming = night.start()
    await night.dreamer.next()
    await night.dreamer.next()
    assert dreaming.failures >= 1
    assert night.painter.version == Version(0, 0)
    assert "no dream" in caplog.text
    night.dreamer.answer = JPEG
    await night.dreamt(1)
    assert night.painter.version.dream == dreaming.dreams


async def test_a_dreamer_that_is_broken_is_not_asked_until_it_is_ready_again(night: Night) -> None:
    night.start()
    await night.dreamt(1)
    night.dreamer.become(DreamerState.FAILED)
    await asyncio.sleep(0.02)
    count = len(night.dreamer.pixels)
    await asyncio.sleep(0.02)
    assert len(night.dreamer.pixels) <= count
    night.dreamer.become(DreamerState.READY)
    await night.until(lambda: len(night.dreamer.pixels) > count)
