"""The past over HTTP and RPC, from a real server that makes movies on a fast schedule."""

import http.client
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from PIL import Image

from dreamcanvas.proto import dreamcanvas_pb2 as pb
from tests.history.killer import FAST, MarkedServer, windows
from tests.history.marks import read
from tests.live_server import Server, wait_until
from tests.socket_client import CallError, Socket, dab

pytestmark = pytest.mark.timeout(400)  # the movies are made by a process that has no precedence at all

ATOM = "{http://www.w3.org/2005/Atom}"


def encoded(server: Server) -> list[dict[str, Any]]:
    return [window for window in windows(server) if window["state"] == "ENCODED"]


def has_a_past(server: Server) -> bool:
    """Two movies, one of them of three dreams, and so many dreams that the first need no frames any more."""
    frames = [window["frames"] for window in encoded(server)]
    return len(frames) >= 2 and max(frames) >= 3 and sum(frames) >= 20


def third_frame(server: Server) -> Path:
    return server.data_dir / "frames" / "000000" / "000000003.jpg"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Two windows at least, with movies; then it dreams no more."""
    with MarkedServer(tmp_path_factory.mktemp("history"), *FAST, "--timezone", "Europe/Berlin") as server:
        with Socket(server.ws_url) as socket:
            socket.paint(dabs=[dab(700, 1300, 9)] * 5)
        wait_until(lambda: has_a_past(server), what="two movies", timeout=110)
        server.stop()
        server.arguments = (*server.arguments, "--no-dream")
        server.start()
        wait_until(lambda: len(encoded(server)) == len(windows(server)), what="all movies", timeout=110)
        wait_until(lambda: not third_frame(server).exists(), what="the end of the first frames", timeout=110)
        yield server


@pytest.fixture(scope="module")
def past(server: Server) -> list[dict[str, Any]]:
    """The windows, oldest first."""
    return windows(server)


@pytest.fixture
def socket(server: Server) -> Iterator[Socket]:
    with Socket(server.ws_url) as socket:
        yield socket


def ask(server: Server, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        connection.request(method, path, headers={k.replace("_", "-"): v for k, v in headers.items()})
        response = connection.getresponse()
        return response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()
    finally:
        connection.close()


def name(window: dict[str, Any]) -> str:
    return str(window["poster"]).removeprefix("/movies/").removesuffix(".jpg")


# What there is


def test_all_days_and_a_page_of_windows(server: Server, past: list[dict[str, Any]]) -> None:
    status, headers, body = ask(server, "/history.json")
    found = json.loads(body)
    assert (status, headers["content-type"], headers["cache-control"]) == (
        200,
        "application/json",
        "no-cache",
    )
    assert {key: found[key] for key in ("timezone", "windowSeconds", "fps", "thumbnails")} == {
        "timezone": "Europe/Berlin",
        "windowSeconds": 2,
        "fps": 30,
        "thumbnails": 100,
    }
    assert found["windows"] == past[::-1]
    day = found["days"][0]
    assert sum(one["windows"] for one in found["days"]) == len(past)
    assert sum(one["frames"] for one in found["days"]) == sum(window["frames"] for window in past)
    assert (day["state"], day["renditions"], day["movieFrames"]) == ("RECORDING", [], 0)
    assert day["start"] <= past[-1]["start"] < day["end"]
    assert sum(window["dabs"] for window in past) == 5


def test_windows_by_pages(server: Server, past: list[dict[str, Any]]) -> None:
    page = json.loads(server.get(f"/history.json?limit=1&before={past[-1]['start']}"))["windows"]
    assert page == [past[-2]]
    assert json.loads(server.get("/history.json?before=1"))["windows"] == []


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "limit=x", "before=-1", "before=1e3", "limit="])
def test_a_query_out_of_bounds_is_400_and_says_what(server: Server, query: str) -> None:
    status, _, body = ask(server, f"/history.json?{query}")
    assert status == 400
    assert body.decode().startswith(query.partition("=")[0] + " is ")


def test_who_has_it_gets_304(server: Server, past: list[dict[str, Any]]) -> None:
    for path in ("/history.json", "/history.atom", f"/history/{name(past[0])}.json", past[0]["sprite"]):
        etag = ask(server, path)[1]["etag"]
        status, headers, body = ask(server, path, If_None_Match=etag)
        assert (status, headers["etag"], body) == (304, etag, b"")


def test_the_details_of_a_window(server: Server, past: list[dict[str, Any]]) -> None:
    for window in past:
        told = json.loads(server.get(f"/history/{name(window)}.json"))
        assert told["window"] == window
        assert len(told["dreams"]) == len(told["times"]) == window["frames"]
        assert told["times"] == sorted(told["times"])
        assert all(window["start"] <= time < window["end"] for time in told["times"])
        assert sum(told["dabsPerMinute"]) == window["dabs"]


@pytest.mark.parametrize(
    "path",
    [
        *("/history/20200101T000000Z.json", "/history/2020-01-01.json", "/history/x.json"),
        *("/movies/20200101T000000Z-768.mp4", "/movies/2020-01-01.jpg", "/movies/partial", "/movies/"),
        *("/movies/..%2Fdreamcanvas.db", "/movies/%2e%2e/dreamcanvas.db"),
    ],
)
def test_what_there_is_not(server: Server, path: str) -> None:
    assert ask(server, path)[0] == 404


def test_a_size_that_there_is_not(server: Server, past: list[dict[str, Any]]) -> None:
    assert ask(server, f"/movies/{name(past[0])}-999.mp4")[0] == 404


def test_a_day_without_a_movie_yet(server: Server) -> None:
    day = json.loads(server.get("/history.json"))["days"][0]["day"]
    told = json.loads(server.get(f"/history/{day}.json"))
    assert (told["day"]["day"], told["dreams"], told["times"]) == (day, [], [])


# Files


def test_a_movie_with_its_headers(server: Server, past: list[dict[str, Any]]) -> None:
    for rendition in past[0]["renditions"]:
        status, headers, body = ask(server, rendition["url"])
        assert (status, len(body)) == (200, rendition["bytes"])
        assert headers["content-type"] == "video/mp4"
        assert headers["accept-ranges"] == "bytes"
        assert headers["cache-control"] == "public, max-age=31536000, immutable"
        assert ask(server, rendition["url"], "HEAD")[1]["content-length"] == str(rendition["bytes"])


def test_a_part_of_a_movie(server: Server, past: list[dict[str, Any]]) -> None:
    url = past[0]["renditions"][1]["url"]
    _, headers, whole = ask(server, url)
    status, part, body = ask(server, url, Range="bytes=100-199", If_Range=headers["etag"])
    assert (status, body, part["content-range"]) == (206, whole[100:200], f"bytes 100-199/{len(whole)}")
    assert ask(server, url, Range="bytes=-10")[2] == whole[-10:]
    assert ask(server, url, Range="bytes=100-", If_Range='"another"')[0] == 200
    assert ask(server, url, Range=f"bytes={len(whole)}-")[0] == 416


def test_poster_and_sprite(server: Server, past: list[dict[str, Any]]) -> None:
    told = json.loads(server.get(f"/history/{name(past[0])}.json"))
    with Image.open(io.BytesIO(server.get(past[0]["poster"]))) as poster:
        assert poster.size == (768, 768)
        assert read(poster) in told["dreams"]
    with Image.open(io.BytesIO(server.get(past[0]["sprite"]))) as sprite:
        assert sprite.size == (1600, 1600)


def test_the_feed_leads_to_the_movies(server: Server, past: list[dict[str, Any]]) -> None:
    _, headers, body = ask(server, "/history.atom")
    assert headers["content-type"].startswith("application/atom+xml")
    feed = ET.fromstring(body)  # noqa: S314 - our own
    entries = feed.findall(f"{ATOM}entry")
    assert len(entries) == min(30, len(past))
    for tag in ("id", "title", "updated", "author"):
        assert feed.find(f"{ATOM}{tag}") is not None
    newest = entries[0]
    [enclosure] = [link for link in newest.findall(f"{ATOM}link") if link.get("rel") == "enclosure"]
    assert enclosure.get("href") == server.url + past[-1]["renditions"][0]["url"]
    assert enclosure.get("length") == str(past[-1]["renditions"][0]["bytes"])
    assert len({entry.findtext(f"{ATOM}id") for entry in entries}) == len(entries)


def test_a_dream_whose_frame_has_gone_comes_out_of_its_movie(server: Server) -> None:
    assert not third_frame(server).exists()
    for side in (1536, 768):
        path = "/dreams/3.jpg" if side == 1536 else "/dreams/3-768.jpg"
        status, headers, body = ask(server, path)
        assert (status, headers["cache-control"]) == (200, "public, max-age=31536000, immutable")
        with Image.open(io.BytesIO(body)) as image:
            assert (image.size, read(image.convert("RGB"))) == ((side, side), 3)
    assert ask(server, "/dreams/999999.jpg")[0] == 404


# RPC


def history(socket: Socket, **fields: Any) -> list[pb.Window]:
    request = pb.HistoryRequest(**fields)
    return list(socket.reply(socket.send("getHistory", request), pb.HistoryResponse).windows)


def frame(socket: Socket, **fields: Any) -> pb.FrameResponse:
    return socket.reply(socket.send("getFrame", pb.FrameRequest(**fields)), pb.FrameResponse)


def test_get_history_is_what_the_page_sees(socket: Socket, past: list[dict[str, Any]]) -> None:
    found = history(socket)
    assert [window.start for window in found] == [window["start"] for window in past[::-1]][:24]
    newest = found[0]
    assert newest.state == pb.Window.ENCODED
    assert newest.frames == past[-1]["frames"]
    assert newest.seconds == pytest.approx(newest.frames / 30)
    assert [rendition.width for rendition in newest.renditions] == [1536, 768]
    assert all(newest.HasField(field) for field in ("start", "end", "state", "poster", "sprite", "dabs"))
    text = socket.json({"jsonrpc": "2.0", "id": 1, "method": "getHistory", "params": {"limit": 1}})
    assert text["result"]["windows"] == [past[-1]]


def test_get_history_page_by_page(socket: Socket, past: list[dict[str, Any]]) -> None:
    starts: list[int] = []
    before = 0
    while found := history(socket, before=before, limit=1):
        starts.append(found[0].start)
        before = found[0].start
    assert starts[::-1] == [window["start"] for window in past]
    with pytest.raises(CallError, match="limit is 501, but has to be 1 to 500"):
        history(socket, limit=501)


def test_get_frame_by_number_and_by_time(socket: Socket, server: Server, past: list[dict[str, Any]]) -> None:
    longest = max(past, key=lambda window: window["frames"])
    told = json.loads(server.get(f"/history/{name(longest)}.json"))
    dream, time = told["dreams"][1], told["times"][1]
    found = frame(socket, dream=dream)
    assert (found.dream, found.time, found.url) == (dream, time, f"/dreams/{dream}.jpg")
    assert found.style in {span["style"] for span in longest["styles"]}
    assert frame(socket, time=time) == found
    assert frame(socket, time=told["times"][2] - 1) == found
    last = json.loads(server.get("/readyz"))["dream"]
    assert frame(socket).dream == last
    assert frame(socket, time=2**64 - 1).dream == last


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"dream": 99999}, "dream", "dream is 99999, but has to be 1 to "),
        ({"dream": 2**64 - 1}, "dream", "but has to be 1 to "),
        ({"time": 5}, "time", "time is 5, but the first dream was at "),
    ],
)
def test_a_frame_that_there_is_not(socket: Socket, fields: dict[str, int], field: str, words: str) -> None:
    with pytest.raises(CallError, match=words) as caught:
        frame(socket, **fields)
    assert (caught.value.error.name, caught.value.error.field) == ("INVALID_PARAMS", field)


def test_before_the_first_dream(quiet_server: Server) -> None:
    with Socket(quiet_server.ws_url) as socket:
        assert history(socket) == []
        with pytest.raises(CallError, match="there is no dream yet"):
            frame(socket)
    assert json.loads(quiet_server.get("/history.json"))["days"] == []
    assert ET.fromstring(quiet_server.get("/history.atom")).findall(f"{ATOM}entry") == []  # noqa: S314


def test_its_metrics(server: Server) -> None:
    text = server.get("/metrics").decode()
    for metric in (
        "movies_total",
        "movies_waiting",
        "movies_failing",
        "movie_frames",
        "encoders",
        "data_bytes",
    ):
        assert f"\ndreamcanvas_{metric} " in text
