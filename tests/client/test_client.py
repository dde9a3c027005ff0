"""The clients for bots against a real server: drawing, events, the live copy, errors, drops."""

import asyncio
import random
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageChops

from dreamcanvas.canvas.model import Dab, Operation
from dreamcanvas.client import AsyncClient, Client, Cursor, Dream, Resync, Status
from dreamcanvas.client.events import Events
from dreamcanvas.client.reconnecting import pause
from dreamcanvas.client.session import Session, websocket_url
from dreamcanvas.errors import (
    ConfigError,
    InvalidParams,
    MethodNotFound,
    TooLate,
    Unauthenticated,
    Unreachable,
)
from dreamcanvas.proto import dreamcanvas_pb2 as pb
from tests.client.storm import weather
from tests.live_server import Server, wait_until
from tests.socket_client import Socket, dab


@pytest.fixture(scope="module")
def canvas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of these tests' own, which they restart; what an address may draw is little."""
    flags = (
        *("--no-dream", "--dabs-per-second", "400", "--dabs-burst", "100"),
        *("--replay-operations", "3000", "--undo-seconds", "600"),
    )
    with Server(tmp_path_factory.mktemp("client"), *flags) as server:
        yield server


def same(one: Image.Image, other: Image.Image) -> bool:
    return ImageChops.difference(one, other).getbbox() is None


async def following(events: Events, kind: type) -> object:
    """The next event of a kind."""
    async for event in events:
        if isinstance(event, kind):
            return event
    raise AssertionError


async def test_drawing_is_on_the_picture_and_others_hear_of_it(quiet_server: Server) -> None:
    async with AsyncClient(quiet_server.url) as bot, AsyncClient(quiet_server.url) as other:
        async with other.events("paint") as events:
            one = await bot.paint(700, 700, 50, "red")
            stroke = await bot.stroke([(100, 100), (140, 100)], 40, 0x00FF00)
            several = await bot.dabs([Dab(1, 2, 3, 4), (5, 6, 7, "#000008")])
            came = [await anext(events) for _ in range(8)]
        assert all(isinstance(event, Operation) and event.author == bot.author for event in came)
        assert [(event.seq, event.stroke) for event in came if isinstance(event, Operation)] == [
            (one.seq, one.stroke),
            *((stroke.seq - 4 + n, stroke.stroke) for n in range(5)),
            (several.seq - 1, several.stroke),
            (several.seq, several.stroke),
        ]
        assert [event.mark for event in came[-2:] if isinstance(event, Operation)] == [
            Dab(1, 2, 3, 4),
            Dab(5, 6, 7, 8),
        ]
        assert len({one.stroke, stroke.stroke, several.stroke}) == 3
        part = await other.get_canvas(690, 690, 20, 20)
        assert part.size == (20, 20)
        assert part.getpixel((10, 10)) == (255, 153, 153)
        assert (await other.get_canvas(format="JPEG")).size == other.size == (1536, 1536)


async def test_a_stroke_is_taken_back(quiet_server: Server) -> None:
    async with AsyncClient(quiet_server.url) as bot, AsyncClient(quiet_server.url) as other:
        async with bot.replica() as replica, other.events("patch") as events:
            before = await bot.get_canvas()
            ink = await bot.stroke([(1000, 1000), (1100, 1050)], 50, "green")
            assert not same(await bot.get_canvas(), before)
            seq = await bot.undo(ink)
            patch = await anext(events)
            assert isinstance(patch, Operation)
            assert (patch.seq, patch.author) == (seq, bot.author)
            await replica.reaches(seq=seq)
            assert same(await bot.get_canvas(), before)
            assert same(replica.image(), before)
        with pytest.raises(TooLate):
            await bot.undo(ink)
        with pytest.raises(TooLate):
            await other.undo(ink)


async def test_others_see_where_one_points(quiet_server: Server) -> None:
    async with (
        AsyncClient(quiet_server.url) as bot,
        AsyncClient(quiet_server.url) as other,
        other.events("cursor") as events,
    ):
        await bot.cursor(10.4, 20, down=True, color="red", name="Robbie")
        assert await anext(events) == Cursor(bot.author, 10, 20, True, 0xFF0000, "Robbie")


async def test_events_are_those_named_and_ones_own_only_where_asked_for(quiet_server: Server) -> None:
    async with AsyncClient(quiet_server.url) as bot:
        async with bot.events("status") as status, bot.events("paint", own=True) as own, bot.events() as rest:
            ink = await bot.paint(3, 3, 3, 3)
            assert [event.seq for event in [await anext(own)] if isinstance(event, Operation)] == [ink.seq]
            with Socket(quiet_server.ws_url) as other:
                seq = other.paint(dabs=[dab(1, 1)]).seq
            event = await following(rest, Operation)
            assert isinstance(event, Operation)
            assert event.seq == seq
            assert isinstance(await anext(status), Status)
        with pytest.raises(InvalidParams, match="'pain' is no event"):
            bot.events("pain")


def test_the_client_without_asyncio(quiet_server: Server) -> None:
    with Client(quiet_server.url) as bot, Client(quiet_server.url) as other, other.replica() as replica:
        events = bot.events("paint", own=True)
        ink = bot.stroke([(800, 800), (900, 850)], size=30, color="navy")
        first = next(events)
        assert isinstance(first, Operation)
        assert first.author == bot.author
        replica.reaches(seq=ink.seq)
        assert same(replica.image(), bot.get_canvas())
        assert replica.version.seq >= ink.seq
        assert bot.info().version
        assert bot.limits.dabs_per_call == 256
        assert other.status.dreamer == "OFF"


def test_it_has_to_be_entered() -> None:
    with pytest.raises(RuntimeError, match="enter the client first"):
        Client().info()


async def test_the_live_copy_is_exact_over_dreams(server: Server) -> None:
    async with AsyncClient(server.url) as bot, AsyncClient(server.url) as other, bot.replica() as replica:
        async with other.events("canvas") as events:
            start = replica.version.dream
            ink = await bot.stroke([(200, 900), (800, 950)], 90, "orange")
            dream = await following(events, Dream)
            assert isinstance(dream, Dream)
            while dream.dream_seq < ink.seq or dream.dream <= start:
                dream = await following(events, Dream)
                assert isinstance(dream, Dream)
            await other.stroke([(300, 300), (900, 500)], 60, "purple")
            await replica.reaches(dream=dream.dream)
        while True:  # until no dream came between both
            picture = await other.picture()
            await replica.reaches(seq=picture.seq, dream=picture.dream)
            if replica.version.dream == picture.dream:
                assert same(replica.image(), picture.image)
                return


async def test_the_live_copy_begins_with_a_picture_that_is_older_than_what_came(quiet_server: Server) -> None:
    async with AsyncClient(quiet_server.url) as bot, AsyncClient(quiet_server.url) as other:
        async with other.events("paint") as events:
            for n in range(12):  # uses up what a server makes anew at once
                await bot.paint(50 * n, 300, 40, "purple")
                await other.get_canvas()
            ink = await bot.stroke([(300, 300), (900, 500)], 60, "teal")
            older = await other.picture()
            async with other.replica() as replica:
                await replica.reaches(seq=ink.seq)
                part = await other.get_canvas(0, 0, 1536, 768)
                assert older.seq <= ink.seq
                assert same(replica.crop(0, 0, 1536, 768), part)
            seen = [await anext(events) for _ in range(20)]
        numbers = [event.seq for event in seen if isinstance(event, Operation)]
        assert numbers == list(range(numbers[0], numbers[0] + 20)), "the others' queues have each once"


async def test_drops_and_restarts_lose_nothing_and_double_nothing(canvas: Server) -> None:
    storm = await weather(canvas, seed=1, drops=10, restarts=1)
    assert storm.drops >= 10
    assert storm.connections > 10


async def test_a_session_is_the_same_author_in_a_later_run(quiet_server: Server) -> None:
    secret = random.Random(4).randbytes(16)
    async with AsyncClient(quiet_server.url, session=secret) as bot:
        author, first = bot.author, await bot.paint(1, 1, 1, 1)
    async with AsyncClient(quiet_server.url, session=secret) as bot:
        second = await bot.paint(1, 1, 1, 1)
        assert bot.author == author
        assert second.stroke > first.stroke
        assert second.seq > first.seq


async def test_a_rate_limit_is_waited_out(canvas: Server) -> None:
    async with AsyncClient(canvas.url, timeout=5) as bot, bot.events("paint", own=True) as events:
        dabs = [Dab(n, n, 1, n) for n in range(500)]
        ink = await bot.dabs(dabs)
        came = [await anext(events) for _ in dabs]
        assert [event.mark for event in came if isinstance(event, Operation)] == dabs
        last = came[-1]
        assert isinstance(last, Operation)
        assert last.seq == ink.seq
    metrics = canvas.get("/metrics").decode()
    limited = [line for line in metrics.splitlines() if 'limit="dabs"' in line and not line.startswith("#")]
    assert limited, "the limit was met"


async def test_a_reader_that_is_away_for_too_long_is_told(canvas: Server, tmp_path: Path) -> None:
    async with AsyncClient(canvas.url) as bot, bot.events("paint") as events, bot.replica() as replica:
        arguments, canvas.arguments = canvas.arguments, ("--no-dream", "--replay-operations", "5")
        canvas.kill()
        await asyncio.to_thread(canvas.start)
        try:
            with Socket(canvas.ws_url) as other:
                other.paint(dabs=[dab(n, n) for n in range(50)])
                resync = await following(events, Resync)
                assert isinstance(resync, Resync)
                seq = other.paint(dabs=[dab(9, 9)]).seq
            await replica.reaches(seq=seq)
            assert same(replica.image(), await bot.get_canvas())
        finally:
            canvas.arguments = arguments
            canvas.kill()
            await asyncio.to_thread(canvas.start)


async def test_a_queue_that_nobody_empties_is_bounded() -> None:
    session = Session("http://127.0.0.1:1", token=None, secret=bytes(16), timeout=1, rng=random.Random(1))
    events = Events(session, frozenset({"paint"}), own=True, capacity=3)
    async with asyncio.timeout(5):
        session._queues.add(events)
        for seq in range(1, 6):
            events.put(Operation(seq, 0, 1, 0, Dab(1, 1, 1, 1)))
        assert await anext(events) == Resync(4)
        second = await anext(events)
        assert isinstance(second, Operation)
        assert second.seq == 5


async def test_errors_are_those_of_the_contract(quiet_server: Server) -> None:
    async with AsyncClient(quiet_server.url) as bot:
        with pytest.raises(InvalidParams, match="size is 125, but has to be 1 to 124") as raised:
            await bot.paint(1, 1, 125, 0)
        assert raised.value.field == "dabs[0].size"
        with pytest.raises(InvalidParams, match="width") as raised:
            await bot.get_canvas(1500, 0, 100, 1)
        assert raised.value.field == "width"
        with pytest.raises(InvalidParams, match="format is 'GIF'"):
            await bot.get_canvas(format="GIF")
        with pytest.raises(MethodNotFound):
            await bot.call("dance", pb.InfoRequest(), pb.InfoResponse)


def test_a_bot_with_a_token_has_its_own_quota(canvas: Server) -> None:
    command = ("-m", "dreamcanvas", "tokens", "add", "painter", "--data-dir", str(canvas.data_dir))
    quota = ("--dabs-per-second", "2000", "--dabs-burst", "5000")
    added = subprocess.run([sys.executable, *command, *quota], capture_output=True, text=True, check=True)
    token = added.stdout.split()[-1]
    dabs = [Dab(n, n, 1, n) for n in range(2000)]

    def drawn() -> bool:
        try:
            with Client(canvas.url, token=token, timeout=5) as bot:
                return bot.dabs(dabs).seq > 0
        except Unauthenticated:
            return False

    wait_until(drawn, what="the token, which a server takes in within seconds,")


async def test_a_token_that_is_wrong(quiet_server: Server) -> None:
    with pytest.raises(Unauthenticated):
        await AsyncClient(quiet_server.url, token="nobody's").__aenter__()  # noqa: S106


async def test_a_session_that_the_server_refuses(quiet_server: Server) -> None:
    with pytest.raises(InvalidParams, match="session has 3 bytes, not 16 to 32"):
        await AsyncClient(quiet_server.url, session=b"abc").__aenter__()


async def test_a_websocket_that_the_server_refuses(quiet_server: Server) -> None:
    with pytest.raises(MethodNotFound, match="websockets are at /rpc"):
        await AsyncClient(f"{quiet_server.url}/elsewhere").__aenter__()


async def test_nobody_answers() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(Unreachable, match=r"no answer from http.* within 2 s \(.*Errno"):
            await AsyncClient(url, timeout=2).__aenter__()
        with pytest.raises(TimeoutError), Client(url, timeout=2):
            pass


async def test_a_server_that_goes_away(tmp_path: Path) -> None:
    with Server(tmp_path, "--no-dream") as server:
        async with AsyncClient(server.url, timeout=3) as bot:
            server.kill()
            with pytest.raises(Unreachable):
                await bot.paint(1, 1, 1, 1)


@pytest.mark.parametrize(
    ("url", "websocket"),
    [
        ("http://127.0.0.1:4242", "ws://127.0.0.1:4242/rpc"),
        ("127.0.0.1:4242", "ws://127.0.0.1:4242/rpc"),
        ("https://canvas.example/", "wss://canvas.example/rpc"),
        ("wss://canvas.example/rpc", "wss://canvas.example/rpc"),
        ("https://canvas.example/below", "wss://canvas.example/below/rpc"),
    ],
)
def test_addresses(url: str, websocket: str) -> None:
    assert websocket_url(url) == websocket


@pytest.mark.parametrize(
    "url",
    [
        *("ftp://canvas.example", "http://", "", None, 4242, "http://127.0.0.1:99999", "127.0.0.1:65536"),
        *("http://canvas.example:0", "http://canvas.example:-1", "http://canvas.example:http"),
        *("http://[::1", "http://[canvas]", "http://two names", "http://canvas\x00.example"),
        *("http://canvas..example", f"http://{'a' * 64}.example", "http://:4242", "wss://"),
    ],
)
def test_what_is_no_address(url: Any) -> None:
    with pytest.raises(ConfigError, match=r"url is .*has to be like"):
        websocket_url(url)
    for kind in (AsyncClient, Client):
        with pytest.raises(ConfigError, match="url is"):
            kind(url)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"token": "two\nlines"}, "token"),
        ({"token": "gehe\u00efm"}, "token"),
        ({"token": b"bytes"}, "token"),
        ({"session": "text that is long enough"}, "session"),
        ({"timeout": 0}, "timeout"),
        ({"timeout": float("nan")}, "timeout"),
        ({"timeout": "long"}, "timeout"),
    ],
)
def test_what_no_client_can_be_made_with(given: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError, match=f"^{named} "):
        AsyncClient(**given)


async def test_what_is_asked_for_is_checked_before_it_is_sent(quiet_server: Server) -> None:
    async with AsyncClient(quiet_server.url) as bot:
        way: Any = np.array([[100.0, 100.0], [160.0, 120.0], [20, 0]])
        ink = await bot.stroke(way[:2], way[2, 0], np.array([0, 0, 9]))
        stroke: Any = np.int64(ink.stroke)
        await bot.undo(stroke)
        for call, field in (
            (bot.undo(-1), "stroke"),
            (bot.undo("first"), "stroke"),  # type: ignore[arg-type]
            (bot.cursor(float("nan"), 0), "pos.x"),
            (bot.cursor(0, 1e12), "pos.y"),
            (bot.cursor(0, 0, color=-1), "color"),
            (bot.cursor(0, 0, name="\ud800"), "name"),
            (bot.cursor(0, 0, name="\u3164"), "name"),
            (bot.get_canvas(-1), "offset.x"),
            (bot.get_canvas(0, 2**40), "offset.y"),
            (bot.get_canvas(100, 0, 1500), "width"),
            (bot.get_canvas(height=-5), "height"),
            (bot.stroke(np.array([[1.0, float("nan")]]), 20, 0), "points[0].y"),
        ):
            with pytest.raises(InvalidParams) as raised:
                await call
            assert raised.value.field == field


def test_pauses_double_to_a_bound_and_are_jittered() -> None:
    rng = random.Random(1)
    for attempt, full in [(0, 0.25), (1, 0.5), (4, 4), (5, 5), (1000, 5)]:
        pauses = [pause(attempt, rng) for _ in range(200)]
        assert full / 2 <= min(pauses) < max(pauses) <= full
        assert len(set(pauses)) > 100
