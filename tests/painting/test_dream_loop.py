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

from dreamcanvas.api.status import dream_event
from dreamcanvas.broadcast.broadcast import Broadcast
from dreamcanvas.canvas.ink import Curve, Ink
from dreamcanvas.canvas.model import HOST, Dab, Patch, Version
from dreamcanvas.dream.dreamer import Dreamer, DreamerState, DreamRequest, DreamResult
from dreamcanvas.dream.styles import Style
from dreamcanvas.errors import DreamError
from dreamcanvas.observers import Signal
from dreamcanvas.painting.dream_loop import Activity, DreamLoop, Timetable
from dreamcanvas.painting.painter import Painter, Snapshot
from dreamcanvas.proto import dreamcanvas_pb2 as pb
from dreamcanvas.store.dreams import Dreams
from dreamcanvas.store.journal import Author, Journal

STYLES = [Style(n, name, f"b{n}_exp^2") for n, name in enumerate(("Eyes", "Spheres", "Cells"), start=7)]
OFTEN = Timetable(interval=0.001, style_interval=3600, rest_after=0)
DEADLINE = 20


def _file(side: int, colour: tuple[int, int, int], format_: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (side, side), colour).save(buffer, format_)
    return buffer.getvalue()


JPEG = _file(1536, (0, 90, 0), "JPEG")
WHITE = _file(20, (255, 255, 255), "PNG")


class Sleeper:
    """A dreamer that is asked when it may, notes for what, and answers when it is let."""

    def __init__(self) -> None:
        self.state = DreamerState.STARTING
        self.changed = Signal[[]]()
        self.restarts = 0
        self.wakes = 0
        self.asked: asyncio.Queue[DreamRequest] = asyncio.Queue()
        self.pixels: list[tuple[bytes, int, int]] = []
        self.go = asyncio.Event()
        self.go.set()
        self.answer: bytes | Exception = JPEG

    def become(self, state: DreamerState) -> None:
        self.state = state
        self.changed()

    def observe(self, changed: Callable[[], None]) -> None:
        self.changed.listen(changed)

    async def run(self) -> None:
        self.become(DreamerState.READY)
        await asyncio.Event().wait()

    def sleep(self) -> None:
        self.become(DreamerState.ASLEEP)

    def wake(self) -> None:
        self.wakes += 1
        self.become(DreamerState.STARTING)

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


class CountingPainter(Painter):
    """A painter that knows how often a dream began: in the loop's own turn, before any thread is asked."""

    begun = 0

    async def begin_dream(self) -> Snapshot:
        self.begun += 1
        return await super().begin_dream()


class Night:
    """A timetable with what it works with."""

    def __init__(self, directory: Path) -> None:
        self.journal = Journal(directory / "test.db", clock=lambda: 1000)
        self.dreams = Dreams(directory / "frames", self.journal)
        self.painted = Signal[[int]]()
        self.painter = CountingPainter(
            journal=self.journal,
            dreams=self.dreams,
            broadcast=Broadcast(tick=0),
            replay_operations=100,
            clock=lambda: 5000,
            painted=self.painted,
        )
        self.dreamer = Sleeper()
        self.users = 0
        self.states: list[Activity] = []
        self.seconds: list[float] = []
        self.changes = asyncio.Event()
        self.dreaming: DreamLoop
        self.task: asyncio.Task[None] | None = None

    async def draw(self, *marks: Dab, stroke: int = 0) -> Author:
        author = self.journal.anonymous("here")
        await self.painter.paint(author, marks or [Dab(1400, 1400, 9, 0)], stroke=stroke)
        return author

    def start(self, timetable: Timetable = OFTEN) -> DreamLoop:
        self.dreaming = DreamLoop(
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
        self.painted.listen(lambda _: self.dreaming.active())
        self.task = asyncio.create_task(self.dreaming.run())
        return self.dreaming

    def _changed(self) -> None:
        self.states.append(self.dreaming.status().activity)
        self.changes.set()

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(DEADLINE):
            while not condition():
                self.changes.clear()
                await self.changes.wait()

    async def looked(self) -> None:
        """Waits until the timetable has looked at everything as it is, after all its times are over.

        The event loop fires timers in their order, so that those of the timetables here, of at most 20 ms,
        come before this one; what they wake is done some turns later.
        """
        await asyncio.sleep(0.03)
        self.dreamer.changed()
        for _ in range(20):
            await asyncio.sleep(0)

    async def idle(self) -> None:
        """Makes sure that no dream begins."""
        await self.looked()
        begun = self.painter.begun
        await self.looked()
        assert self.painter.begun == begun

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
async def paper(tmp_path: Path) -> AsyncIterator[Night]:
    """One with white paper."""
    night = Night(tmp_path)
    await night.painter.recover()
    yield night
    await night.end()


@pytest.fixture
async def night(paper: Night) -> Night:
    """One where somebody drew."""
    await paper.draw()
    return paper


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
    await night.draw(Dab(9, 9, 9, 0))
    night.dreamer.go.set()
    await night.until(lambda: night.dreaming.dreams)
    assert night.painter.version == Version(1, 2)
    assert night.painter.dream_seq == 1


async def test_nothing_is_asked_before_the_dreamer_is_ready(night: Night) -> None:
    night.dreamer.run = asyncio.Event().wait  # type: ignore[assignment,method-assign]
    night.start()
    await night.idle()
    assert night.painter.begun == 0
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
    monkeypatch.setattr("dreamcanvas.painting.dream_loop.RETRY_SECONDS", 0.001)
    dreaming = night.start(Timetable(interval=0.001, style_interval=3600, rest_after=0))
    night.dreamer.answer = DreamError("no")
    await night.dreamer.ask()
    dreaming.next_style()
    found = [request for request in [await night.dreamer.ask() for _ in range(3)] if request.before]
    assert len({request.progress for request in found}) == 1


# Ink


async def test_recent_ink_is_sent_with_the_picture(night: Night) -> None:
    night.painter.ink = Ink(Curve(start=0.2, dreams=10, bend=1.0))
    await night.draw(Dab(300, 200, 40, 0))
    night.start()
    shares = []
    for _ in range(3):
        mask = (await night.dreamer.ask()).mask
        assert mask is not None
        assert len(mask) == 1536 * 1536
        assert mask[600 * 1536 + 700] == 255
        shares.append(mask[200 * 1536 + 300])
    assert 0 < shares[0] < shares[1] < shares[2] < 255


async def test_without_recent_ink_there_is_no_mask(night: Night) -> None:
    night.painter.ink = Ink(most=0)
    night.start()
    assert (await night.dreamer.ask()).mask is None


# White paper


async def waiting(night: Night) -> None:
    """Until it is ready and has nothing to dream of."""
    await night.until(lambda: night.dreamer.state is DreamerState.READY)
    await night.idle()
    assert night.dreamer.pixels == []
    status = night.dreaming.status()
    assert (status.activity, status.next_dream) == (Activity.WAITING, 0)
    assert status.style


async def test_white_paper_is_not_dreamt_until_somebody_draws(paper: Night) -> None:
    paper.users = 1
    paper.start()
    await waiting(paper)
    paper.dreaming.active()
    await waiting(paper)
    await paper.draw()
    await paper.dreamt(2)


async def test_white_paper_waits_for_hours_and_its_style_with_it(paper: Night) -> None:
    paper.users = 1
    paper.start(Timetable(interval=0.001, style_interval=0.03, rest_after=0.001, sleep_after=0.001))
    style = paper.dreaming.style
    await waiting(paper)
    await asyncio.sleep(0.06)  # by the clock of the loop, which is the timetable's: two styles' time
    await waiting(paper)
    assert paper.dreaming.style == style
    await paper.draw()
    assert (await paper.dreamer.ask()).expression == style.expression


@pytest.mark.parametrize("rest_after", [0, 0.001])
async def test_white_paper_waits_also_where_nobody_is(paper: Night, rest_after: float) -> None:
    paper.start(Timetable(interval=0.001, style_interval=3600, rest_after=rest_after))
    await waiting(paper)
    await paper.draw()
    await paper.dreamt(1)


async def undo(night: Night, author: Author, stroke: int) -> None:
    mark = Patch(1390, 1390, WHITE)
    await night.painter.paint(author, [mark], stroke=stroke)


async def test_a_canvas_whose_strokes_were_all_taken_back_is_white_paper(paper: Night) -> None:
    first, second = await paper.draw(stroke=1), await paper.draw(stroke=1)
    await undo(paper, first, 1)
    await undo(paper, second, 1)
    paper.start()
    await waiting(paper)
    await paper.draw(stroke=1)
    await paper.dreamt(1)


async def test_one_whose_strokes_were_not_all_taken_back_is_dreamt(paper: Night) -> None:
    first = await paper.draw(stroke=1)
    await paper.draw(stroke=1)
    await undo(paper, first, 1)
    paper.start()
    await paper.dreamt(1)


async def test_what_is_taken_back_before_its_dream_is_white_paper_again(paper: Night) -> None:
    paper.dreamer.answer = DreamError("not now")
    paper.start(Timetable(interval=0.1, style_interval=3600, rest_after=0))
    author = await paper.draw(stroke=1)
    await paper.dreamer.ask()
    await undo(paper, author, 1)
    paper.dreamer.pixels.clear()
    await paper.until(lambda: paper.dreaming.status().next_dream == 0)
    await waiting(paper)


async def test_what_the_host_puts_on_white_paper_is_dreamt(paper: Night) -> None:
    paper.start()
    await waiting(paper)
    await undo(paper, Author(HOST, None, "", stored=True), 0)
    await paper.dreamt(1)


async def test_a_dreamt_canvas_is_dreamt_on_after_a_restart(paper: Night, tmp_path: Path) -> None:
    """Also one of an older server, which dreamt white paper."""
    await paper.painter.begin_dream()
    await paper.painter.end_dream(JPEG, style="Eyes", layer="b9", network="none", ms=1, users=0)
    await paper.end()
    again = Night(tmp_path)
    await again.painter.recover()
    again.start()
    await again.dreamt(1)
    await again.end()


async def test_an_undreamt_canvas_is_dreamt_after_a_restart(night: Night, tmp_path: Path) -> None:
    await night.end()
    again = Night(tmp_path)
    await again.painter.recover()
    again.start()
    await again.dreamt(1)
    await again.end()


async def test_white_paper_may_rest_too(paper: Night) -> None:
    paper.start()
    await waiting(paper)
    paper.dreaming.hold(True)
    await resting(paper)
    paper.dreaming.hold(False)
    await paper.until(lambda: paper.dreaming.status().activity == Activity.WAITING)
    await waiting(paper)


# Rest


RESTFUL = Timetable(interval=0.001, style_interval=3600, rest_after=0.05)


async def resting(night: Night) -> None:
    await night.until(lambda: night.dreaming.status().activity == Activity.RESTING)
    assert night.dreaming.status().next_dream == 0


async def test_it_rests_when_nobody_is_there_and_wakes_when_somebody_is_active(night: Night) -> None:
    dreaming = night.start(RESTFUL)
    await resting(night)
    await night.idle()
    count = len(night.dreamer.pixels)
    dreaming.active()
    await night.until(lambda: len(night.dreamer.pixels) > count)
    await resting(night)


async def test_it_does_not_rest_while_somebody_is_there(night: Night) -> None:
    night.users = 1
    night.start(Timetable(interval=0.001, style_interval=3600, rest_after=0.001))
    await night.dreamt(5)
    assert Activity.RESTING not in night.states


async def test_it_counts_from_when_the_last_visitor_was_there(night: Night) -> None:
    night.users = 1
    dreaming = night.start(Timetable(interval=0.001, style_interval=3600, rest_after=3600))
    await night.dreamt(1)
    dreaming._active_at -= 10_000  # nobody came or drew for hours, but somebody watches
    await night.dreamt(dreaming.dreams + 2)
    night.users = 0
    await night.dreamt(dreaming.dreams + 2)
    assert Activity.RESTING not in night.states


async def test_it_may_never_rest(night: Night) -> None:
    night.start(Timetable(interval=0.001, style_interval=3600, rest_after=0))
    await night.dreamt(5)
    assert Activity.RESTING not in night.states


async def test_it_rests_as_long_as_the_host_wants_whoever_is_there(night: Night) -> None:
    dreaming = night.start(Timetable(interval=0.001, style_interval=3600, rest_after=0))
    await night.dreamt(1)
    dreaming.hold(True)
    await night.until(lambda: dreaming.status().activity == Activity.RESTING)
    count = dreaming.dreams
    dreaming.active()
    await night.idle()
    assert dreaming.dreams == count
    assert dreaming.status().next_dream == 0
    dreaming.hold(False)
    await night.dreamt(count + 1)


async def test_a_style_that_is_asked_for_while_it_rests_has_its_whole_time(night: Night) -> None:
    """No more, no less: its clock stands still while it rests."""
    dreaming = night.start(Timetable(interval=0.001, style_interval=5000, rest_after=0))
    dreaming.hold(True)
    await resting(night)
    assert dreaming._idle_since is not None
    dreaming._idle_since -= 100_000  # it rests for a day
    dreaming.next_style()
    style = dreaming.style
    dreaming.hold(False)
    await night.dreamt(dreaming.dreams + 2)
    assert dreaming.style == style
    dreaming._rested -= 4000
    await night.dreamt(dreaming.dreams + 2)
    assert dreaming.style == style
    dreaming._rested -= 1001
    await night.until(lambda: dreaming.style != style)


async def test_it_rests_also_while_the_next_dream_is_far_off(night: Night) -> None:
    dreaming = night.start(Timetable(interval=3600, style_interval=3600, rest_after=0.05))
    await resting(night)
    night.users = 1
    dreaming.active()
    await night.until(lambda: dreaming.status().next_dream > 7000)
    assert dreaming.status().activity == Activity.WAITING
    assert dreaming.dreams == 1, "it is not time yet"


# Sleep


SLEEPY = Timetable(interval=0.001, style_interval=3600, rest_after=0.02, sleep_after=0.03)


async def asleep(night: Night) -> None:
    await night.until(lambda: night.dreamer.state is DreamerState.ASLEEP)
    status = night.dreaming.status()
    assert (status.activity, status.next_dream) == (Activity.RESTING, 0)


async def test_after_a_rest_the_worker_ends_and_starts_when_somebody_comes(night: Night) -> None:
    dreaming = night.start(SLEEPY)
    await asleep(night)
    assert dreaming.asleep
    count = len(night.dreamer.pixels)
    night.users = 1
    dreaming.active()
    await night.until(lambda: dreaming.status().activity == Activity.STARTING)
    await night.idle()
    assert (len(night.dreamer.pixels), dreaming.asleep, dreaming.wakes) == (count, False, 1)
    night.dreamer.become(DreamerState.READY)
    await night.until(lambda: len(night.dreamer.pixels) > count)
    night.users = 0
    dreaming.active()
    await asleep(night)
    assert dreaming.failures == 0


async def test_it_starts_also_for_who_draws_and_is_not_there(night: Night) -> None:
    """However long that takes."""
    dreaming = night.start(SLEEPY)
    await asleep(night)
    dreams = dreaming.dreams
    await night.draw()
    await night.until(lambda: night.dreamer.state is DreamerState.STARTING)
    await night.idle()
    assert not dreaming.asleep
    night.dreamer.become(DreamerState.READY)
    await night.dreamt(dreams + 1)
    await asleep(night)


async def test_a_dream_that_fails_is_not_tried_for_ever_where_nobody_is(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dreamcanvas.painting.dream_loop.RETRY_SECONDS", 0.001)
    night.dreamer.answer = DreamError("no")
    night.start(SLEEPY)
    await night.draw()
    await asleep(night)


async def test_it_may_never_sleep(night: Night) -> None:
    night.start(Timetable(interval=0.001, style_interval=3600, rest_after=0.001, sleep_after=0))
    await resting(night)
    await night.idle()
    assert not night.dreaming.asleep


async def test_it_sleeps_as_the_host_wants_it_to_rest_whoever_is_there(night: Night) -> None:
    night.users = 1
    dreaming = night.start(Timetable(interval=0.001, style_interval=3600, rest_after=0, sleep_after=0.02))
    await night.dreamt(1)
    dreaming.hold(True)
    await asleep(night)
    dreaming.active()
    await night.idle()
    assert dreaming.asleep
    dreaming.hold(False)
    await night.until(lambda: night.dreamer.state is DreamerState.STARTING)


async def test_white_paper_sleeps_and_is_ready_as_soon_as_somebody_looks_at_it(paper: Night) -> None:
    dreaming = paper.start(Timetable(interval=0.001, style_interval=3600, rest_after=0, sleep_after=0.02))
    await asleep(paper)
    paper.users = 1
    dreaming.active()
    await paper.until(lambda: paper.dreamer.state is DreamerState.STARTING)
    paper.dreamer.become(DreamerState.READY)
    await waiting(paper)
    paper.users = 0
    dreaming.active()
    await asleep(paper)
    await paper.draw()
    await paper.until(lambda: paper.dreamer.state is DreamerState.STARTING)
    paper.dreamer.become(DreamerState.READY)
    await paper.dreamt(1)


async def test_who_comes_and_goes_while_the_worker_starts_does_not_keep_it(night: Night) -> None:
    dreaming = night.start(SLEEPY)
    await asleep(night)
    dreaming.active()
    await night.until(lambda: night.dreamer.state is DreamerState.STARTING)
    await asleep(night)
    assert dreaming.wakes == 1


async def test_a_dreamer_that_fails_is_let_go_where_nobody_needs_it(night: Night) -> None:
    dreaming = night.start(SLEEPY)
    await night.dreamt(1)
    night.dreamer.become(DreamerState.FAILED)
    await asleep(night)
    dreaming.active()
    await night.until(lambda: night.dreamer.state is DreamerState.STARTING)


# The status


async def test_the_status_says_what_it_does(night: Night) -> None:
    night.dreamer.go.clear()
    dreaming = night.start(Timetable(interval=2, style_interval=3600, rest_after=0))
    await night.dreamer.next()
    status = dreaming.status()
    event, others = dream_event(status), {"users", "read_only", "announcement"}
    assert {field.name for field in pb.StatusEvent.DESCRIPTOR.fields} - others == {
        field.name for field, _ in event.ListFields()
    }
    assert event == pb.StatusEvent(
        layer=dreaming.style.expression,
        style=dreaming.style.name,
        network="efficientnet_lite0",
        dreamer=pb.StatusEvent.DREAMING,
        next_dream=7000 + 2000,
        dream_ms=0,
    )
    night.dreamer.go.set()
    await night.until(lambda: dreaming.status().activity == Activity.WAITING and dreaming.dreams)
    assert (dreaming.status().dream_ms, dreaming.status().activity) == (1250, Activity.WAITING)


async def test_a_dreamer_that_failed_is_said_and_no_dream_is_due(night: Night) -> None:
    dreaming = night.start(Timetable(interval=3600, style_interval=3600, rest_after=0))
    await night.dreamt(1)
    night.dreamer.become(DreamerState.FAILED)
    assert (dreaming.status().activity, dreaming.status().next_dream) == (Activity.FAILED, 0)
    night.dreamer.become(DreamerState.STARTING)
    assert (dreaming.status().activity, dreaming.status().next_dream) == (Activity.STARTING, 0)


# Failure


@pytest.mark.parametrize("answer", [DreamError("the worker ended"), OSError("disk full"), b"no picture"])
async def test_a_dream_that_fails_changes_nothing_and_is_tried_again(
    night: Night, answer: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dreamcanvas.painting.dream_loop.RETRY_SECONDS", 0.01)
    night.dreamer.answer = answer
    dreaming = night.start()
    await night.dreamer.next()
    await night.dreamer.next()
    assert dreaming.failures >= 1
    assert night.painter.version == Version(0, 1)
    assert "no dream" in caplog.text
    night.dreamer.answer = JPEG
    await night.dreamt(1)
    assert night.painter.version.dream == dreaming.dreams


async def test_a_dreamer_that_is_broken_is_not_asked_until_it_is_ready_again(night: Night) -> None:
    night.start()
    await night.dreamt(1)
    night.dreamer.become(DreamerState.FAILED)
    await night.idle()
    count = len(night.dreamer.pixels)
    night.dreamer.become(DreamerState.READY)
    await night.until(lambda: len(night.dreamer.pixels) > count)
