"""Who is sent which events, when, and in what form."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamcanvas.broadcast.broadcast import EVENTS, PAINTS_PER_EVENT, Broadcast, Past, Subscription
from dreamcanvas.broadcast.encoding import Picture
from dreamcanvas.canvas.model import Dab, Operation, Patch, Version
from dreamcanvas.proto import dreamcanvas_pb2 as pb
from tests.events import events, messages, operation

NEVER = 3600.0
"""A tick that no test lives to see: what is sent is sent by `flush`."""

PATCH = Patch(3, 4, b"\x89PNG")


class Reader:
    """Keeps what it is sent. While `slow` it must be sent nothing."""

    def __init__(self) -> None:
        self.slow = False
        self.writes: list[bytes] = []
        self.written = asyncio.Event()

    def send(self, frames: bytes) -> None:
        assert not self.slow
        self.writes.append(frames)
        self.written.set()

    def stream(self, frames: Iterator[bytes]) -> None:
        for some in frames:
            if some:
                self.send(some)

    def events(self) -> list[tuple[str, Any]]:
        writes, self.writes = self.writes, []
        self.written.clear()
        return events(b"".join(writes))

    def seqs(self) -> list[int]:
        """The numbers of the operations that it was sent."""
        return [
            paint.seq
            for name, event in self.events()
            for paint in (event.paints if name == "paints" else [event])
            if name in ("paint", "paints", "patch")
        ]


async def quiet(broadcast: Broadcast) -> None:
    """Spends the first, immediate tick: what comes now has to wait for the next."""
    broadcast.operations([operation(0)], None)
    broadcast.flush()


@pytest.fixture
async def broadcast() -> Broadcast:
    made = Broadcast(tick=NEVER)
    await quiet(made)
    return made


def log_of(done: Sequence[Operation]) -> Past:
    """A log that holds these, the first of which is number 1, and more as they come."""

    def past(seq: int, most: int) -> Sequence[Operation]:
        return done[seq : seq + most]

    return past


def joined(broadcast: Broadcast, subscription: Subscription | None = None) -> Reader:
    reader = Reader()
    broadcast.subscribe(reader, subscription or Subscription())
    return reader


# When


async def test_the_first_operation_after_a_quiet_time_is_sent_at_once() -> None:
    broadcast = Broadcast(tick=NEVER)
    reader = joined(broadcast)
    broadcast.operations([operation(1)], None)
    await reader.written.wait()
    assert reader.seqs() == [1]


async def test_the_operations_of_a_tick_are_one_write(broadcast: Broadcast) -> None:
    reader = joined(broadcast)
    broadcast.operations([operation(1)], None)
    await asyncio.sleep(0)
    broadcast.operations([operation(2), operation(3)], None)
    await asyncio.sleep(0)
    assert reader.writes == []
    broadcast.flush()
    assert len(reader.writes) == 1
    assert reader.seqs() == [1, 2, 3]


async def test_a_tick_ends_by_itself_and_another_follows() -> None:
    broadcast = Broadcast(tick=0.002)
    reader = joined(broadcast)
    for seq in range(1, 6):
        broadcast.operations([operation(seq)], None)
        await reader.written.wait()
        assert reader.seqs() == [seq]


async def test_no_operations_are_no_write(broadcast: Broadcast) -> None:
    reader = joined(broadcast)
    broadcast.operations([], None)
    broadcast.flush()
    assert reader.writes == []


# To whom


async def test_operations_go_to_all_but_their_origin(broadcast: Broadcast) -> None:
    painter, other, watcher = joined(broadcast), joined(broadcast), joined(broadcast)
    broadcast.operations([operation(1)], painter)
    broadcast.operations([operation(2), operation(3)], other)
    broadcast.operations([operation(4)], None)
    broadcast.flush()
    assert painter.seqs() == [2, 3, 4]
    assert other.seqs() == [1, 4]
    assert watcher.seqs() == [1, 2, 3, 4]


async def test_an_origin_that_was_alone_is_sent_nothing(broadcast: Broadcast) -> None:
    painter = joined(broadcast)
    broadcast.operations([operation(1)], painter)
    broadcast.flush()
    assert painter.writes == []


async def test_readers_of_a_kind_share_the_same_bytes(broadcast: Broadcast) -> None:
    first, second, text = joined(broadcast), joined(broadcast), joined(broadcast, Subscription(text=True))
    broadcast.operations([operation(1)], None)
    broadcast.flush()
    assert first.writes[0] is second.writes[0]
    assert isinstance(messages(text.writes[0])[0], str)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("paint", ["paint"]),
        ("patch", ["patch"]),
        ("status", ["status"]),
        ("canvas", ["canvas"]),
        ("cursor", []),
        ("paint patch", ["paint", "patch"]),
        (" ".join(EVENTS), ["paint", "patch", "canvas", "status"]),
    ],
)
async def test_a_reader_is_sent_what_it_subscribed_to(
    broadcast: Broadcast, names: str, expected: list[str]
) -> None:
    reader = joined(broadcast, Subscription(frozenset(names.split())))
    broadcast.operations([operation(1), operation(2, PATCH)], None)
    broadcast.event("canvas", pb.CanvasEvent(seq=2))
    broadcast.event("status", pb.StatusEvent(users=1))
    assert [name for name, _ in reader.events()] == expected


async def test_a_subscription_replaces_the_one_before(broadcast: Broadcast) -> None:
    reader = joined(broadcast, Subscription(frozenset({"paint"})))
    assert broadcast.subscription(reader) == Subscription(frozenset({"paint"}))
    broadcast.subscribe(reader, Subscription(frozenset({"status"})))
    broadcast.operations([operation(1)], None)
    broadcast.flush()
    assert reader.writes == []


async def test_who_unsubscribed_is_sent_nothing(broadcast: Broadcast) -> None:
    reader, other = joined(broadcast), joined(broadcast)
    broadcast.operations([operation(1)], None)
    broadcast.unsubscribe(reader)
    broadcast.unsubscribe(reader)
    broadcast.flush()
    assert broadcast.subscription(reader) is None
    assert reader.writes == []
    assert other.seqs() == [1]


# In what form


async def test_a_paint_event_has_every_field_even_where_it_is_zero(broadcast: Broadcast) -> None:
    reader = joined(broadcast)
    broadcast.operations([Operation(7, 2**32 + 5, 0, 0, Dab(0, 0, 1, 0))], None)
    broadcast.flush()
    [(name, event)] = reader.events()
    assert name == "paint"
    assert {field.name for field, _ in event.ListFields()} == {
        f.name for f in pb.PaintEvent.DESCRIPTOR.fields
    }
    assert event.pos.HasField("x")
    assert event.pos.HasField("y")
    assert (event.timestamp, event.time, event.seq) == (5, 2**32 + 5, 7)


async def test_text_and_batch(broadcast: Broadcast) -> None:
    reader = joined(broadcast, Subscription(text=True, batch=True))
    broadcast.operations([operation(n, Dab(n, -n, 3, 255), author=4, time=9) for n in (1, 2)], None)
    broadcast.flush()
    dab = {"size": 3, "color": 255, "timestamp": 9, "author": 4, "stroke": 0, "time": 9}
    paints = [{"pos": {"x": n, "y": -n}, "seq": n, **dab} for n in (1, 2)]
    assert reader.events() == [("paints", {"paints": paints})]


async def test_a_patch_event(broadcast: Broadcast) -> None:
    reader = joined(broadcast)
    broadcast.operations([operation(1, PATCH, author=5, time=6)], None)
    broadcast.flush()
    patch = pb.PatchEvent(time=6, seq=1, offset=pb.Position(x=3, y=4), image=b"\x89PNG", author=5)
    assert reader.events() == [("patch", patch)]


async def test_batched_dabs_keep_their_place_among_patches(broadcast: Broadcast) -> None:
    reader = joined(broadcast, Subscription(batch=True))
    broadcast.operations([operation(1), operation(2), operation(3, PATCH), operation(4)], None)
    broadcast.flush()
    found = reader.events()
    assert [name for name, _ in found] == ["paints", "patch", "paints"]
    assert [paint.seq for paint in found[0][1].paints] == [1, 2]
    assert [paint.seq for paint in found[2][1].paints] == [4]


async def test_a_bunch_has_an_upper_bound(broadcast: Broadcast) -> None:
    reader = joined(broadcast, Subscription(batch=True))
    broadcast.operations([operation(n) for n in range(1, PAINTS_PER_EVENT + 2)], None)
    broadcast.flush()
    assert [len(event.paints) for _, event in reader.events()] == [PAINTS_PER_EVENT, 1]


async def test_a_stock_client_gets_a_canvas_event_in_place_of_patches(broadcast: Broadcast) -> None:
    reader = joined(broadcast, Subscription(stock=True))
    broadcast.operations([operation(1), operation(2, PATCH), operation(3, PATCH), operation(4)], None)
    broadcast.flush()
    found = reader.events()
    assert [name for name, _ in found] == ["paint", "canvas", "paint"]
    assert found[1][1].resync


async def test_other_events_follow_the_operations_before_them(broadcast: Broadcast) -> None:
    reader, text = joined(broadcast), joined(broadcast, Subscription(text=True))
    broadcast.operations([operation(1)], None)
    broadcast.event("canvas", pb.CanvasEvent(seq=1, dream=1))
    assert [name for name, _ in reader.events()] == ["paint", "canvas"]
    assert text.events()[1] == ("canvas", {"seq": 1, "dream": 1})


# Replay


async def test_a_replay_comes_first_then_live_operations_without_gap_or_repeat(broadcast: Broadcast) -> None:
    done = [operation(n) for n in range(1, 6)]
    broadcast.operations(done[2:5], None)  # applied, but their tick is still to come
    reader = Reader()
    broadcast.subscribe(reader, Subscription(), since=1, past=log_of(done))
    broadcast.operations([operation(6)], None)
    broadcast.flush()
    assert reader.seqs() == [2, 3, 4, 5, 6]


async def test_a_replay_has_the_form_of_the_subscription(broadcast: Broadcast) -> None:
    reader = Reader()
    done = [operation(1), operation(2), operation(3, PATCH)]
    broadcast.subscribe(reader, Subscription(batch=True), since=0, past=log_of(done))
    assert len(reader.writes) == 1
    assert [name for name, _ in reader.events()] == ["paints", "patch"]


async def test_a_replay_includes_its_own_origin(broadcast: Broadcast) -> None:
    reader = joined(broadcast)
    broadcast.operations([operation(1)], reader)
    broadcast.subscribe(reader, Subscription(), since=0, past=log_of([operation(1)]))
    assert reader.seqs() == [1]


# Slow readers


async def test_a_slow_reader_is_sent_nothing_then_told_to_resync_then_gets_what_follows(
    broadcast: Broadcast,
) -> None:
    reader, other = joined(broadcast), joined(broadcast)
    reader.slow = True
    broadcast.operations([operation(1)], None)
    broadcast.flush()
    assert other.seqs() == [1]
    assert broadcast.behind == 1
    reader.slow = False
    broadcast.drained(reader)
    assert broadcast.behind == 0
    white = pb.CanvasEvent(dream=0, dream_seq=0, style="", timestamp=0, time=0)
    missed = pb.CanvasEvent(seq=1, url="/canvas.png", resync=True)
    missed.MergeFrom(white)
    assert reader.events() == [("canvas", missed)]
    assert broadcast.resync_seq == 1
    broadcast.operations([operation(2)], None)
    broadcast.flush()
    assert reader.seqs() == [2]
    assert broadcast.resyncs == 1


async def test_what_was_due_when_it_caught_up_is_in_the_picture_and_is_not_sent(broadcast: Broadcast) -> None:
    reader = joined(broadcast)
    reader.slow = True
    broadcast.operations([operation(1)], None)
    broadcast.flush()
    broadcast.operations([operation(2)], None)
    reader.slow = False
    broadcast.drained(reader)
    assert [name for name, _ in reader.events()] == ["canvas"]
    broadcast.flush()
    assert reader.writes == []


async def test_a_slow_reader_that_missed_nothing_is_told_nothing(broadcast: Broadcast) -> None:
    reader = joined(broadcast)
    reader.slow = True
    broadcast.operations([operation(1)], reader)
    broadcast.flush()
    reader.slow = False
    broadcast.drained(reader)
    assert reader.writes == []


async def test_the_resync_comes_in_the_encoding_of_the_subscription(broadcast: Broadcast) -> None:
    reader = joined(broadcast, Subscription(text=True))
    reader.slow = True
    broadcast.dreamt(Picture(Version(3, 99), 90, "Eyes", 7))
    reader.slow = False
    broadcast.drained(reader)
    told = {"timestamp": 7, "seq": 99, "dream": 3, "dreamSeq": 90, "style": "Eyes", "time": 7}
    assert reader.events() == [("canvas", {**told, "url": "/canvas.png", "resync": True})]


async def test_who_only_wants_the_status_gets_the_newest_one_and_no_resync(broadcast: Broadcast) -> None:
    reader = joined(broadcast, Subscription(frozenset({"status"})))
    reader.slow = True
    broadcast.event("status", pb.StatusEvent(users=1))
    broadcast.event("status", pb.StatusEvent(users=2))
    reader.slow = False
    broadcast.drained(reader)
    assert reader.events() == [("status", pb.StatusEvent(users=2))]


async def test_a_reader_that_left_while_slow_is_not_told(broadcast: Broadcast) -> None:
    reader = joined(broadcast)
    reader.slow = True
    broadcast.operations([operation(1)], None)
    broadcast.flush()
    broadcast.unsubscribe(reader)
    reader.slow = False
    broadcast.drained(reader)
    assert reader.writes == []


# All of it


@given(
    st.lists(st.sampled_from(["paint", "own", "patch", "flush", "slow", "drain", "subscribe"]), max_size=30)
)
def test_no_reader_ever_misses_an_operation_without_being_told(steps: Sequence[str]) -> None:
    asyncio.run(_no_gap(steps))


async def _no_gap(steps: Sequence[str]) -> None:
    broadcast, done, reader = Broadcast(tick=NEVER), list[Operation](), Reader()
    broadcast.subscribe(reader, Subscription())
    known = 0  # the last operation that the reader has, by event, by picture, or since it made it
    own: set[int] = set()

    def take() -> None:
        nonlocal known
        for name, event in reader.events():
            if name == "canvas":
                known = event.seq
            else:
                missing = set(range(known + 1, event.seq))
                assert missing <= own
                assert event.seq > known
                known = event.seq

    for step in steps:
        if step in ("paint", "own", "patch"):
            done.append(operation(len(done) + 1, PATCH if step == "patch" else None))
            if step == "own":
                own.add(len(done))
            broadcast.operations(done[-1:], reader if step == "own" else None)
        elif step == "flush":
            broadcast.flush()
        elif step == "slow":
            reader.slow = True
        else:
            reader.slow = False
            broadcast.drained(reader)
            if step == "subscribe":
                broadcast.flush()
                take()
                broadcast.subscribe(reader, Subscription(), since=known, past=log_of(done))
        take()
    reader.slow = False
    broadcast.drained(reader)
    broadcast.flush()
    take()
    assert set(range(known + 1, len(done) + 1)) <= own


async def test_a_long_replay_is_the_same_for_all_wherever_it_starts() -> None:
    broadcast = Broadcast(tick=NEVER)
    operations = [operation(seq) for seq in range(1, 1000)]
    for since in (0, 1, 255, 256, 300, 998):
        for _ in range(2):
            reader = Reader()
            broadcast.subscribe(reader, Subscription(batch=True), since=since, past=log_of(operations))
            assert reader.seqs() == list(range(since + 1, 1000))
