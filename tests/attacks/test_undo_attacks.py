"""undo as an attack: nobody waits for it, it takes no more than it may, and it ends when the server does."""

import asyncio
import io
import random
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image

from dreamcanvas.canvas.model import Dab, Patch
from dreamcanvas.errors import NotNow, TooFast, UndoError
from dreamcanvas.painting.deferred_patch import IN_TURN_SECONDS, DeferredPatches
from dreamcanvas.painting.stroke_undo import Bounds, StrokeUndo
from dreamcanvas.proto import dreamcanvas_pb2 as pb
from dreamcanvas.store.journal import Receipt
from tests.attacks.state import From, Probe, covering, dabs, disk, memory, undo
from tests.live_server import Server
from tests.painting.test_painter import Studio, picture
from tests.painting.test_stroke_undo import Hand, left, now
from tests.socket_client import CallError

FEW_SECONDS = 8.0  # where the attack took minutes, on a machine that has other work


@pytest.fixture
async def studio(tmp_path: Path) -> AsyncIterator[Studio]:
    studio = Studio(tmp_path)
    await studio.painter.recover()
    yield studio
    await studio.close()


class Clock:
    """How long paints of somebody else take meanwhile, seconds."""

    def __init__(self, studio: Studio) -> None:
        self._hand = Hand(studio)
        self._running = asyncio.create_task(self._run())
        self._over = False
        self.longest = 0.0

    async def stop(self) -> None:
        self._over = True
        await self._running

    async def _run(self) -> None:
        number = 0
        while not self._over:
            number += 1
            began = time.monotonic()
            await self._hand.paint(Dab(1500, 20 + number % 50, 9, 0), stroke=number)
            self.longest = max(self.longest, time.monotonic() - began)
            await asyncio.sleep(0.02)


def dream(colour: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (1536, 1536), (colour, 90, 200 - colour)).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


async def test_strokes_begun_in_the_times_of_many_dreams(studio: Studio) -> None:
    """42 s for eleven of them, and twice that for each more; the painter waited for 12 s."""
    hand = Hand(studio)
    for number in range(1, 13):
        await studio.painter.begin_dream()
        await studio.dream(dream(10 * number))
        await hand.paint(Dab(300, 300, 60, 0x010101 * number), stroke=number)
        if number > 1:
            await hand.paint(Dab(310, 300, 60, 0x010101 * number), stroke=number - 1)
    clock = Clock(studio)
    began = time.monotonic()
    await asyncio.gather(*(hand.undo(number) for number in range(1, 13)))
    assert time.monotonic() - began < 2 * FEW_SECONDS
    await clock.stop()
    assert clock.longest < 1
    with Image.open(io.BytesIO(dream(10))) as first:
        assert (await now(studio)).getpixel((300, 300)) == first.convert("RGB").getpixel((300, 300))


def stroke_undo(studio: Studio, deferred: DeferredPatches, bounds: Bounds, limited: list[str]) -> StrokeUndo:
    return StrokeUndo(
        deferred,
        database=studio.journal.path,
        frames=studio.journal.path.parent / "frames",
        seconds=60,
        clock=lambda: studio.now,
        bounds=bounds,
        limited=limited.append,
    )


@pytest.mark.parametrize(
    ("bounds", "why"),
    [
        (Bounds(operations=100), "more than 100 operations"),
        (Bounds(megapixels=3), "more than 3 million pixels"),
    ],
)
async def test_what_is_too_much_work_is_too_late_and_says_why(
    studio: Studio, bounds: Bounds, why: str
) -> None:
    hand, other, limited = Hand(studio), Hand(studio), list[str]()
    await hand.paint(Dab(300, 300, 60, 0), stroke=1)
    for _ in range(4):
        await other.paint(*[Dab(300 + n, 300, 124, n) for n in range(60)])
    deferred = DeferredPatches(studio.painter)
    with pytest.raises(UndoError, match=f"so much came after stroke 1 that it stays: {why}"):
        await stroke_undo(studio, deferred, bounds, limited).undo(hand.author, 1)
    assert limited == ["undo"]
    assert studio.painter.version.seq == 241
    receipt = await stroke_undo(studio, deferred, Bounds(), limited).undo(hand.author, 1)
    assert receipt.seq == 242
    assert await now(studio) == picture(None, left(studio))


async def test_in_its_turn_it_takes_no_longer_than_it_may_and_comes_again(studio: Studio) -> None:
    """Whole canvases, while somebody draws all over them: to encode one takes longer than its turn may."""
    hand, rng = Hand(studio), random.Random(5)
    for stroke in range(1, 4):
        places = range(56, 1536, 110)
        await hand.paint(
            *(Dab(x, y, 124, rng.randrange(2**24)) for x in places for y in places), stroke=stroke
        )
    deferred = DeferredPatches(studio.painter, in_turn=0.001)
    clock, turns = Clock(studio), list[float]()
    finish = deferred._finish

    async def timed(*given: object) -> object:
        began = time.monotonic()
        try:
            return await finish(*given)  # type: ignore[arg-type]
        finally:
            turns.append(time.monotonic() - began)

    deferred._finish = timed  # type: ignore[assignment]
    calls = [stroke_undo(studio, deferred, Bounds(), []).undo(hand.author, stroke) for stroke in (2, 1, 3)]
    results = await asyncio.gather(*calls, return_exceptions=True)
    await clock.stop()
    done = [result for result in results if isinstance(result, Receipt)]
    assert len(done) == len(results), "nobody's undo fails since others draw"
    assert deferred.again > 0
    assert max(turns) < IN_TURN_SECONDS + 0.45  # the machine has other work
    assert clock.longest < 1
    assert (await now(studio)).tobytes() == picture(None, left(studio)).tobytes()


async def test_it_is_given_up_when_the_server_ends(studio: Studio) -> None:
    hand, deferred = Hand(studio), DeferredPatches(studio.painter)
    for stroke in range(1, 14):
        await hand.paint(*(Dab(56 + 110 * n, 700, 124, stroke) for n in range(14)), stroke=stroke)
    calls = [stroke_undo(studio, deferred, Bounds(), []).undo(hand.author, n) for n in range(1, 14)]
    await asyncio.sleep(0.01)
    began = time.monotonic()
    deferred.close()
    await studio.painter.close()
    assert time.monotonic() - began < 2
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert all(isinstance(result, Receipt | NotNow) for result in results)
    assert any(isinstance(result, NotNow) for result in results)


async def test_patches_cost_what_they_weigh(studio: Studio) -> None:
    hand = Hand(studio)
    await hand.paint(Dab(300, 300, 60, 0), stroke=1)

    def refuse(patch: Patch) -> None:
        assert len(patch.image) > 100
        raise TooFast("too fast", wait_ms=7)

    call = stroke_undo(studio, DeferredPatches(studio.painter), Bounds(), []).undo(
        hand.author, 1, afford=refuse
    )
    with pytest.raises(TooFast):
        await call
    assert studio.painter.version.seq == 1
    assert hand.author.last_call == 0


# A server


def test_two_undos_on_a_canvas_of_many_dabs(tmp_path: Path) -> None:
    """Without dreams: the base was white at operation 0, and one waited for 2.3 s at 200,000 dabs."""
    with Server(tmp_path, "--no-dream", "--no-rate-limits") as server, From(server) as socket:
        rng = random.Random(6)
        for _ in range(100):
            places = [(rng.randrange(1536), rng.randrange(1536)) for _ in range(250)]
            socket.paint(dabs=dabs(*places, size=40, color=rng.getrandbits(24)), stroke=1)
        for stroke in (2, 3):
            socket.paint(dabs=dabs((700, 700), (760, 720)), stroke=stroke)
        with Probe(server) as probe:
            time.sleep(0.3)
            began = time.monotonic()
            calls = [socket.send("undo", pb.UndoRequest(stroke=stroke)) for stroke in (2, 3)]
            for call in calls:
                socket.reply(call, pb.UndoResponse, timeout=60)
            took = time.monotonic() - began
            time.sleep(0.3)
        assert took < FEW_SECONDS / 2
        assert probe.longest < 1


def test_the_canvas_covered_and_undone_again_and_again(tmp_path: Path) -> None:
    """Patches of megabytes, which counted as one operation each: 103 GB a day, and 180 MB of memory."""
    with Server(tmp_path, "--no-dream", "--dabs-burst", "100000") as server, From(server) as socket:
        with Probe(server) as probe:
            before, held, refused = disk(tmp_path), memory(server), 0
            rng = random.Random(7)
            for stroke in range(1, 25):
                for _ in range(2):
                    places = [(rng.randrange(1536), rng.randrange(1536)) for _ in range(250)]
                    socket.paint(dabs=dabs(*places, color=rng.getrandbits(24)), stroke=999)
                socket.paint(dabs=covering(rng.getrandbits(24)), stroke=stroke)
                try:
                    undo(socket, stroke)
                except CallError as error:
                    assert error.text.startswith("RATE_LIMITED")
                    assert error.error.retry_after_ms > 0
                    refused += 1
        assert 0 < refused < 24
        assert disk(tmp_path) - before < 45, "bursts, the log, and a few checkpoints"
        assert memory(server) - held < 150
        assert probe.longest < 1
        metrics = server.get("/metrics").decode()
        assert f'dreamcanvas_limited_total{{limit="undo_bytes"}} {refused}.0' in metrics


def test_the_server_ends_in_five_seconds_whatever_is_undone(tmp_path: Path) -> None:
    with Server(tmp_path, "--no-dream", "--no-rate-limits") as server, From(server) as socket:
        for stroke in range(1, 14):
            socket.paint(dabs=covering(stroke), stroke=stroke)
        for stroke in range(1, 14):
            socket.send("undo", pb.UndoRequest(stroke=stroke))
        time.sleep(0.2)
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < 5
