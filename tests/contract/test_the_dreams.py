"""Dreams: their numbers, their event, their files, and the operations that are laid on them.

Real dreams take seconds: one story is watched, and every test looks at a part of it.
"""

import io
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from tests.contract.client import WAIT, Client, Dab, Event
from tests.contract.picture import Fetched, Pixels, decode, fetch, paint
from tests.contract.schema import absent
from tests.live_server import Server

FIRST = 110.0  # s; the network is loaded and compiled before the first dream
pytestmark = pytest.mark.timeout(240)
DARK = [Dab(300 + i % 3, 300, 100, 0) for i in range(30)]


@dataclass(frozen=True, slots=True)
class Story:
    """What a watcher saw: dabs by others and at least two dreams; `status`: after the first of them."""

    events: list[Event]
    stock: list[Event]
    status: Any
    base: Fetched
    later: list[Dab]
    composed: Fetched

    @property
    def dreams(self) -> list[Any]:
        return [event.message for event in self.events if event.name == "canvas"]


def next_dream(client: Client, events: list[Event], seconds: float = WAIT) -> Any:
    """Watches until a dream comes; all that came goes to `events`."""
    deadline = time.monotonic() + seconds
    while True:
        events.append(client.look(deadline - time.monotonic()))
        if events[-1].name == "canvas":
            return events[-1].message


def composition(
    server: Server, painter: Client, watcher: Client, events: list[Event]
) -> tuple[Fetched, list[Dab], Fetched]:
    """A dream's own picture with nothing laid on it; dabs; the picture with them, before the next dream.

    The version that comes with a picture says whether a dream came in between: then the next one serves.
    """
    for _ in range(20):
        dream = next_dream(watcher, events)
        base = fetch(server.url)
        if (base.dream, base.seq) != (dream.dream, dream.dream_seq):
            continue
        start = painter.dabs(DARK).seq - len(DARK)
        composed = fetch(server.url)
        if composed.dream == base.dream:
            assert start == base.seq
            return base, DARK, composed
    raise AssertionError("no dream whose own picture and later one could both be fetched")


@pytest.fixture(scope="module")
def story(dreaming: Server) -> Iterator[Story]:
    events: list[Event] = []
    with (
        Client(dreaming.url) as watcher,
        Client(dreaming.url, "/") as stock,
        Client(dreaming.url) as painter,
    ):
        reply = watcher.call("subscribe")
        if reply.dream == 0:
            next_dream(watcher, events, FIRST)
        status = watcher.call("subscribe").status
        base, later, composed = composition(dreaming, painter, watcher, events)
        # A dream that is under way now started before or after the dabs; that which follows has them all.
        while next_dream(watcher, events).dream_seq < composed.seq:
            painter.dab(1200, 1200, 9, 0xFF)
        heard: list[Event] = []
        while next_dream(stock, heard).dream < events[-1].message.dream:
            pass
        yield Story(events, heard, status, base, later, composed)


def test_dreams_are_numbered_without_a_gap(story: Story) -> None:
    dreams = [event.dream for event in story.dreams]
    assert len(dreams) >= 2
    assert dreams == list(range(dreams[0], dreams[0] + len(dreams)))
    assert dreams[0] >= 1


def test_the_canvas_event(story: Story) -> None:
    before = None
    for event in story.dreams:
        assert event.url == f"/dreams/{event.dream}.jpg"
        assert event.style
        assert not event.resync
        assert event.seq >= event.dream_seq
        assert event.timestamp == event.time % 2**32
        assert 0 <= time.time_ns() // 1_000_000 - event.time < 600_000
        assert absent(event) == []
        assert before is None or (event.dream_seq >= before.dream_seq and event.time > before.time)
        before = event


def test_events_are_in_seq_order(story: Story) -> None:
    """Paints rise one by one, and a canvas event's seq is that of the operation before it."""
    seq = None
    for event in story.events:
        if event.name == "paint":
            assert seq is None or event.message.seq == seq + 1
            seq = event.message.seq
        elif event.name == "canvas":
            assert seq is None or event.message.seq == seq
            seq = event.message.seq
    assert seq


def test_a_stock_client_hears_of_every_dream(story: Story) -> None:
    heard = {event.message.dream: event.message for event in story.stock if event.name == "canvas"}
    for event in story.dreams:
        if event.dream in heard:
            assert heard[event.dream] == event
    assert set(heard) >= {story.dreams[-1].dream, story.dreams[-2].dream}
    assert all(event.binary for event in story.stock)


def test_later_operations_are_laid_on_the_dreams_picture(story: Story) -> None:
    """To the bit: the dream's picture and the operations after its dream_seq."""
    assert story.composed.seq == story.base.seq + len(story.later)
    assert np.array_equal(paint(story.base.pixels, story.later), story.composed.pixels)
    assert not np.array_equal(story.base.pixels, story.composed.pixels)


def test_what_a_dream_saw_is_not_laid_on_it_again(story: Story, dreaming: Server) -> None:
    """A dream that started from the dark dabs has them: who returns with its dream_seq gets later ones."""
    last = story.dreams[-1]
    assert last.dream_seq >= story.composed.seq
    with Client(dreaming.url) as client:
        client.dab()
        client.call("subscribe", events=["paint"], since=last.dream_seq)
        assert client.event("paint").message.seq == last.dream_seq + 1


def test_the_status_tells_of_the_dream(story: Story) -> None:
    assert story.status.dreamer in (2, 3, 4)
    assert story.status.dream_ms > 0
    assert story.status.layer
    now = time.time_ns() // 1_000_000
    assert story.status.next_dream == 0 or abs(story.status.next_dream - now) < 600_000


def test_the_files_of_a_dream(story: Story, dreaming: Server) -> None:
    """In delivery quality, immutable; HEAD too."""
    side = story.base.pixels.shape[1]
    with httpx.Client(base_url=dreaming.url, trust_env=False, timeout=60) as web:
        for url, width in (
            (f"/dreams/{story.base.dream}.jpg", side),
            (f"/dreams/{story.base.dream}-768.jpg", 768),
        ):
            response = web.get(url)
            assert response.status_code == 200
            assert response.headers["Content-Type"] == "image/jpeg"
            assert "immutable" in response.headers["Cache-Control"]
            assert int(response.headers["Cache-Control"].split("max-age=")[1].split(",")[0]) >= 30_000_000
            with Image.open(io.BytesIO(response.content)) as image:
                assert (image.format, image.width) == ("JPEG", width)
            assert web.get(url).content == response.content
            head = web.head(url)
            assert (head.status_code, head.content) == (200, b"")
            assert head.headers["Cache-Control"] == response.headers["Cache-Control"]
        assert web.get(f"/dreams/{story.dreams[-1].dream + 1000}.jpg").status_code == 404


def far(a: Pixels, b: Pixels) -> float:
    """The mean difference of two pictures, in levels."""
    return float(np.abs(a.astype(np.int16) - b.astype(np.int16)).mean())


def test_the_file_shows_the_dreams_picture(story: Story, dreaming: Server) -> None:
    """Close to it, as a JPEG is; where the dark dabs came later they are not in it."""
    delivered = decode(dreaming.get(f"/dreams/{story.base.dream}.jpg"))
    assert far(delivered, story.base.pixels) < 8
    around = (slice(270, 330), slice(270, 330))
    assert far(delivered[around], story.base.pixels[around]) < far(
        delivered[around], story.composed.pixels[around]
    )


def test_the_version_after_dreams(story: Story, dreaming: Server) -> None:
    """ETag, headers and getCanvas tell the same; `time` is the newest dream's where nothing came after it."""
    with Client(dreaming.url) as client:
        reply = client.call("getCanvas", width=1, height=1)
        assert reply.dream >= story.dreams[-1].dream
        dreams = {event.dream: event for event in story.dreams}
        if reply.dream in dreams and reply.seq == dreams[reply.dream].dream_seq:
            assert reply.time == dreams[reply.dream].time
        assert reply.time >= story.dreams[-1].time
        assert reply.timestamp == reply.time % 2**32
        subscribed = client.call("subscribe", events=["canvas"])
        assert subscribed.dream >= reply.dream
        assert subscribed.dream_seq <= subscribed.seq
        with httpx.Client(base_url=dreaming.url, trust_env=False, timeout=60) as web:
            headers = web.head("/canvas.jpg").headers
            assert headers["ETag"] == f'"{headers["X-Canvas-Dream"]}-{headers["X-Canvas-Seq"]}"'
            assert int(headers["X-Canvas-Dream"]) >= reply.dream


def test_the_picture_survives_kill_9(story: Story, dreaming: Server) -> None:
    """The same dream with the same later operations, to the bit; without the dreamer nothing changes it.

    The last of these tests: the server that dreamt is gone after it.
    """
    with Client(dreaming.url) as painter:
        painter.call("subscribe", events=["canvas"])
        painter.event("canvas")  # the next is some time off: what is fetched is what is killed
        acknowledged = painter.dabs([Dab(500 + 9 * i, 700, 60, 0xFF0000) for i in range(20)])
        before = fetch(dreaming.url)
        dreaming.kill()
    dreaming.arguments = ("--no-dream",)
    dreaming.start()
    after = fetch(dreaming.url)
    assert after.seq == acknowledged.seq
    assert after.dream >= before.dream
    if after.dream == before.dream:
        assert np.array_equal(after.pixels, before.pixels)
    with Client(dreaming.url) as client:
        reply = client.call("subscribe", events=["patch"])
        assert (reply.seq, reply.dream, reply.status.dreamer) == (after.seq, after.dream, 0)
        seq = client.dab(10, 10, 9, 0).seq
        assert seq == acknowledged.seq + 1
        assert np.array_equal(fetch(dreaming.url).pixels, paint(after.pixels, [Dab(10, 10, 9, 0)]))
