"""The host's hand, over HTTP with the host's token: who may draw, who did, and how it was before."""

import http.client
import io
import json
import os
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from dreamcanvas.canvas import brush
from dreamcanvas.proto import dreamcanvas_pb2 as pb
from dreamcanvas.store.tokens import TokenFile
from tests.live_server import Server, wait_until
from tests.socket_client import CallError, Socket, dab


@pytest.fixture(scope="module")
def hosted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    flags = ("--no-dream", "--trusted-proxies", "127.0.0.1", "--connections-per-address", "3")
    with Server(tmp_path_factory.mktemp("hosted"), *flags) as server:
        yield server


class Refused(Exception):
    """An error of JSON-RPC: its name and its field."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error["message"])
        self.name = error["data"]["name"]
        self.field = error["data"].get("field")


def token_of(server: Server) -> str:
    return (server.data_dir / "admin-token").read_text().strip()


def post(server: Server, method: str, token: str | None, **params: Any) -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
    with closing(http.client.HTTPConnection("127.0.0.1", server.port)) as connection:
        connection.request("POST", "/rpc", body, headers)
        answer = json.load(connection.getresponse())
    if "error" in answer:
        raise Refused(answer["error"])
    return answer["result"]


def host(server: Server, method: str, **params: Any) -> Any:
    return post(server, f"admin.{method}", token_of(server), **params)


class Visitor(Socket):
    """A websocket from an address, as a proxy says, with a session or a token."""

    def __init__(self, server: Server, address: str = "192.0.2.1", token: str | None = None) -> None:
        super().__init__(server.ws_url)
        self.connection.close()
        headers = {"X-Forwarded-For": address} | ({"Authorization": f"Bearer {token}"} if token else {})
        self.connection = self._stack.enter_context(
            connect(server.ws_url, compression=None, max_size=None, additional_headers=headers)
        )
        self.author = self.subscribe(events=["patch", "status"], session=os.urandom(16)).author

    def __enter__(self) -> "Visitor":
        return self

    def dab(self, x: int, y: int, color: int = 0xFF0000, size: int = 40, stroke: int = 1) -> int:
        return self.paint(dabs=[dab(x, y, size, color)], stroke=stroke).seq


def picture(server: Server) -> Image.Image:
    with Image.open(io.BytesIO(server.png())) as image:
        return image.convert("RGB")


def same(one: Image.Image, other: Image.Image) -> bool:
    return ImageChops.difference(one, other).getbbox() is None


# Tokens


@pytest.mark.parametrize("token", [None, "admin.wrong"])
def test_without_the_hosts_token_nothing_is_done(hosted: Server, token: str | None) -> None:
    with pytest.raises(Refused) as caught:
        post(hosted, "admin.readOnly", token, on=True)
    assert caught.value.name == "UNAUTHENTICATED"
    assert host(hosted, "state")["readOnly"] is False


def test_a_bots_token_is_not_the_hosts(hosted: Server) -> None:
    bot = added(hosted, "curious")
    with pytest.raises(Refused) as caught:
        post(hosted, "admin.state", bot)
    assert caught.value.name == "UNAUTHENTICATED"


def added(server: Server, name: str, **quota: int) -> str:
    """A token that the server knows."""
    quota = {"dabs_per_second": 1000, "dabs_burst": 1000, "connections": 2, **quota}
    with closing(TokenFile(server.data_dir, clock=lambda: time.time_ns() // 1_000_000)) as file:
        token = file.add(name, **quota)

    def known() -> bool:
        try:
            post(server, "getInfo", token)
        except Refused:
            return False
        return True

    wait_until(known, what="the token")
    return token


def test_a_wrong_token_is_refused_for_any_call_also_at_the_handshake(hosted: Server) -> None:
    with pytest.raises(Refused) as caught:
        post(hosted, "getInfo", "painter.wrong")
    assert caught.value.name == "UNAUTHENTICATED"
    with pytest.raises(Exception, match="401"):
        connect(hosted.ws_url, additional_headers={"Authorization": "Bearer painter.wrong"}, compression=None)


def test_a_bot_has_its_own_quota_and_name(hosted: Server) -> None:
    token = added(hosted, "painter", dabs_per_second=1, dabs_burst=5)
    with Visitor(hosted, token=token) as one, Visitor(hosted, "198.51.100.9", token=token) as other:
        one.paint(dabs=[dab(5, 5)] * 5)
        with pytest.raises(CallError, match="RATE_LIMITED"):
            other.dab(5, 5)
        with Visitor(hosted) as anybody:  # of the same address
            anybody.dab(5, 5)
            anybody.subscribe(events=["cursor"])
            one.reply(one.send("cursor", pb.CursorRequest(pos=pb.Position(x=1, y=1))), pb.CursorResponse)
            assert anybody.event("cursor").name == "painter"
        painted = host(hosted, "who", x=5, y=5)["painted"]
        assert {found["token"] for found in painted} == {"painter", ""}
        with pytest.raises(Exception, match="429"):
            Visitor(hosted, "203.0.113.7", token=token)


def test_who_has_a_revoked_token_is_shown_out(hosted: Server) -> None:
    token = added(hosted, "brief")
    with Visitor(hosted, token=token) as bot, closing(TokenFile(hosted.data_dir, clock=lambda: 1)) as file:
        file.revoke("brief")
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                bot.receive()
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1008, "the token was revoked")


# Who may draw


def test_read_only_is_told_to_all_and_nobody_draws_but_the_host(hosted: Server) -> None:
    with Visitor(hosted) as visitor:
        seq = visitor.dab(10, 10)
        assert host(hosted, "readOnly", on=True)["readOnly"] is True
        while not visitor.event("status").read_only:
            pass
        with pytest.raises(CallError, match="FORBIDDEN: nobody may draw"):
            visitor.dab(10, 10)
        with pytest.raises(CallError, match="FORBIDDEN: nobody may draw"):
            undo(visitor, 1)
        assert post(hosted, "getInfo", None)["readOnly"] is True
        params = {"pos": {"x": 1, "y": 1}, "size": 3}
        assert post(hosted, "paint", token_of(hosted), **params)["seq"] == seq + 1
        host(hosted, "readOnly", on=False)
        assert visitor.dab(10, 10) == seq + 2


def undo(visitor: Visitor, stroke: int) -> int:
    return visitor.reply(visitor.send("undo", pb.UndoRequest(stroke=stroke)), pb.UndoResponse).seq


def test_a_ban_is_told_with_its_reason_until_it_ends(hosted: Server) -> None:
    with Visitor(hosted, "203.0.113.5") as vandal, Visitor(hosted, "192.0.2.44") as other:
        vandal.dab(10, 10)
        ban = host(hosted, "ban", author=vandal.author, seconds=3600, reason="Scribbling over others")
        with pytest.raises(CallError, match=r"FORBIDDEN: banned until .* UTC: Scribbling over others"):
            vandal.dab(10, 10)
        assert other.dab(10, 10)
        assert ban["ban"] in bans(hosted)
        host(hosted, "unban", ban=ban["ban"])
        assert vandal.dab(10, 10)
        with pytest.raises(Refused):
            host(hosted, "unban", ban=ban["ban"])


def bans(server: Server) -> list[int]:
    """The numbers of those in force."""
    return [ban["ban"] for ban in host(server, "bans").get("bans", ())]


def test_who_is_banned_points_unseen_and_in_a_read_only_canvas_one_may_point(hosted: Server) -> None:
    with Visitor(hosted, "192.0.2.61") as vandal, Visitor(hosted, "192.0.2.62") as other:
        other.subscribe(events=["cursor"])
        host(hosted, "ban", author=vandal.author, seconds=60, reason="Rude names")
        host(hosted, "readOnly", on=True)
        with Visitor(hosted, "192.0.2.63") as guest:
            for visitor in (vandal, guest):
                request = pb.CursorRequest(pos=pb.Position(x=1, y=1))
                visitor.reply(visitor.send("cursor", request), pb.CursorResponse)
            assert other.event("cursor").author == guest.author
        host(hosted, "readOnly", on=False)


def test_an_address_is_banned_whatever_session_comes_from_it(hosted: Server) -> None:
    address = "2001:db8::1"
    with Visitor(hosted, address) as vandal:
        vandal.dab(700, 10)
        (found,) = host(hosted, "who", x=700, y=10)["painted"]
        assert found["address"] == address
        ban = host(hosted, "ban", address=address, seconds=2, reason="Enough")
        assert ban["address"].startswith("#")
        assert address not in json.dumps(host(hosted, "acts"))
        assert host(hosted, "who", x=700, y=10)["painted"][0]["banned"] is True
    with Visitor(hosted, "2001:db8::2") as again:  # of the same /64
        with pytest.raises(CallError, match="FORBIDDEN: banned"):
            again.dab(10, 10)
        wait_until(lambda: ban["ban"] not in bans(hosted), what="the end of the ban")
        assert again.dab(10, 10)


def test_what_was_set_lasts_over_a_restart(tmp_path: Path) -> None:
    with Server(tmp_path, "--no-dream") as server:
        host(server, "readOnly", on=True)
        host(server, "announce", text="Back at nine", seconds=3600)
        host(server, "ban", address="192.0.2.1", seconds=3600, reason="Enough")
        server.restart()
        state = host(server, "state")
        assert (state["readOnly"], state["announcement"]) == (True, "Back at nine")
        assert len(host(server, "bans")["bans"]) == 1


def test_a_line_is_shown_to_all_until_it_is_taken_away(hosted: Server) -> None:
    with Visitor(hosted) as visitor:
        host(hosted, "announce", text="Tea at five ☕")
        while visitor.event("status").announcement != "Tea at five ☕":
            pass
        host(hosted, "announce")
        while visitor.event("status").HasField("announcement"):
            pass


@pytest.mark.parametrize(
    ("method", "params", "field"),
    [
        ("readOnly", {}, "on"),
        ("announce", {"text": "x" * 201}, "text"),
        ("announce", {"text": "a\nb"}, "text"),
        ("who", {"x": 1536, "y": 0}, "x"),
        ("ban", {"seconds": 5, "reason": "x"}, "author"),
        ("ban", {"author": 1, "reason": "x"}, "seconds"),
        ("ban", {"author": 1, "seconds": 5}, "reason"),
        ("ban", {"author": 1, "seconds": 5, "reason": "  "}, "reason"),
        ("ban", {"author": 1, "seconds": 5, "reason": "\u3164\u2800"}, "reason"),
        ("announce", {"text": "   "}, "text"),
        ("announce", {"text": "\u115f \u0301"}, "text"),
        ("restore", {}, "time"),
        ("restore", {"time": 1, "dream": 1}, "dream"),
        ("restore", {"dream": 99}, "dream"),
        ("restore", {"time": 1, "region": {"x": 1500, "width": 37, "height": 1}}, "region.width"),
        ("restore", {"authors": [999999]}, "authors"),
        ("acts", {"limit": 10001}, "limit"),
    ],
)
def test_what_is_wrong_is_named(hosted: Server, method: str, params: dict[str, Any], field: str) -> None:
    before = host(hosted, "state")["seq"]
    with pytest.raises(Refused) as caught:
        host(hosted, method, **params)
    assert (caught.value.name, caught.value.field) == ("INVALID_PARAMS", field)
    assert host(hosted, "state")["seq"] == before


# Who did, and how it was


def test_who_painted_here_the_last_first(hosted: Server) -> None:
    with Visitor(hosted, "192.0.2.20") as ann, Visitor(hosted, "192.0.2.21") as bob:
        ann.dab(900, 900, 0x112233)
        ann.dab(915, 900, 0x112233)
        bob.dab(900, 910, 0x445566)
        bob.dab(960, 900)
        found = host(hosted, "who", x=900, y=900)["painted"]
        assert [(one["author"], one["address"], one["dabs"], one["color"]) for one in found] == [
            (bob.author, "192.0.2.21", 1, 0x445566),
            (ann.author, "192.0.2.20", 2, 0x112233),
        ]
        region = host(hosted, "who", x=850, y=850, width=150, height=100)["painted"]
        assert [(one["author"], one["dabs"]) for one in region] == [(bob.author, 2), (ann.author, 2)]
        assert "painted" not in host(hosted, "who", x=872, y=872, width=5, height=5)
        before = found[1]["firstTime"]
        earlier = host(hosted, "who", x=900, y=900, time=before - 1)
        assert "painted" not in earlier


def test_what_an_author_drew_is_taken_back_and_others_later_ink_stays(hosted: Server) -> None:
    with (
        Visitor(hosted, "192.0.2.30") as ann,
        Visitor(hosted, "192.0.2.31") as vandal,
        Visitor(hosted, "192.0.2.32") as bob,
    ):
        ann.dab(300, 600, 0x008800, size=100)
        earlier = picture(hosted)
        for x in range(250, 360, 10):
            vandal.dab(x, 600, 0, size=120, stroke=x)
        undo(vandal, 300)
        last = bob.dab(310, 610, 0x0000FF)
        done = host(hosted, "restore", authors=[vandal.author])
        assert (done["seq"], done["dabs"]) == (last + 1, 11)
        expected = earlier.copy()
        brush.draw(expected, 310, 610, 40, 0x0000FF)
        assert same(picture(hosted), expected)
        event = bob.event("patch")
        while event.seq != done["seq"]:
            event = bob.event("patch")
        assert event.author == 0
        undo(bob, 1)
        assert same(picture(hosted), earlier)


def test_of_an_author_since_a_time_and_inside_a_region_only(hosted: Server) -> None:
    with Visitor(hosted, "192.0.2.33") as vandal:
        vandal.dab(1000, 1000, 0)
        time.sleep(0.01)
        kept, moment = picture(hosted), time.time_ns() // 1_000_000
        time.sleep(0.01)
        vandal.dab(1010, 1000, 0xFF0000)
        vandal.dab(1200, 1000, 0xFF0000)
        all_of_it = picture(hosted)
        region = {"x": 900, "y": 900, "width": 200, "height": 200}
        done = host(hosted, "restore", authors=[vandal.author], time=moment, region=region)
        assert done["dabs"] == 1
        box = (900, 900, 1100, 1100)
        assert same(picture(hosted).crop(box), kept.crop(box))
        assert same(picture(hosted).crop((1100, 900, 1300, 1100)), all_of_it.crop((1100, 900, 1300, 1100)))


def test_what_came_from_an_address_is_taken_back(hosted: Server) -> None:
    before = picture(hosted)
    with Visitor(hosted, "2001:db8:1::5") as one, Visitor(hosted, "2001:db8:1::6") as other:
        one.dab(1300, 300)
        other.dab(1310, 300)
    assert host(hosted, "restore", address="2001:db8:1::7")["dabs"] == 2
    assert same(picture(hosted), before)


def test_a_region_or_all_is_as_it_was_at_a_time(hosted: Server) -> None:
    with Visitor(hosted, "192.0.2.50") as ann:
        ann.dab(100, 1300, 0x990099, size=100)
        time.sleep(0.01)
        before, moment = picture(hosted), time.time_ns() // 1_000_000
        time.sleep(0.01)
        ann.dab(120, 1300, 0, size=100)
        ann.dab(700, 1300, 0, size=100)
        region = {"x": 0, "y": 1200, "width": 300, "height": 300}
        host(hosted, "restore", region=region, time=moment)
        box = (0, 1200, 300, 1500)
        assert same(picture(hosted).crop(box), before.crop(box))
        assert not same(picture(hosted), before)
        host(hosted, "restore", time=moment)
        assert same(picture(hosted), before)
        host(hosted, "restore", dream=0, region=region)
        assert picture(hosted).crop(box).getcolors() == [(90000, (255, 255, 255))]


def test_every_act_is_written_down(hosted: Server) -> None:
    newest = host(hosted, "acts", limit=1)["acts"][0]["act"]
    host(hosted, "readOnly", on=False)
    seq = host(hosted, "restore", dream=0, region={"x": 5, "y": 5, "width": 1, "height": 1})["seq"]
    restore, read_only = host(hosted, "acts", limit=2)["acts"]
    assert (read_only["act"], read_only["what"], json.loads(read_only["details"])) == (
        newest + 1,
        "readOnly",
        {"read_only": False},
    )
    assert (restore["what"], restore["seq"]) == ("restore", seq)
    assert json.loads(restore["details"])["region"] == {"x": 5, "y": 5, "width": 1, "height": 1}


# Addresses


def test_addresses_are_hashed_when_they_are_old_and_still_lead_to_who_it_was(tmp_path: Path) -> None:
    with Server(
        tmp_path, "--no-dream", "--keep-addresses-hours", "0", "--trusted-proxies", "127.0.0.1"
    ) as server:
        with Visitor(server, "203.0.113.99") as visitor:
            visitor.dab(50, 50)

        def address() -> str:
            found: str = host(server, "who", x=50, y=50)["painted"][0]["address"]
            return found

        wait_until(lambda: address().startswith("#"), what="the hash")
        host(server, "ban", address=address(), seconds=60, reason="Enough")
        with Visitor(server, "203.0.113.99") as again, pytest.raises(CallError, match="banned"):
            again.dab(50, 50)
        assert host(server, "restore", address="203.0.113.99")["dabs"] == 1
    assert b"203.0.113.99" not in (tmp_path / "dreamcanvas.db").read_bytes()  # with all of its WAL now


# Who loads the page anew


def refusals(server: Server, address: str) -> list[str]:
    """What a new author is told by websocket and by POST; nothing where it may draw."""
    told = []
    with Visitor(server, address) as anew:
        try:
            anew.dab(900, 900)
        except CallError as error:
            told.append(error.text)
    with closing(http.client.HTTPConnection("127.0.0.1", server.port)) as connection:
        dab_ = {"pos": {"x": 900, "y": 900}, "size": 3}
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "paint", "params": dab_})
        connection.request("POST", "/rpc", body, {"X-Forwarded-For": address})
        answer = json.load(connection.getresponse())
    return [*told, *([answer["error"]["message"]] if "error" in answer else [])]


@pytest.mark.parametrize("here", [True, False])
@pytest.mark.parametrize("address", ["192.0.2.77", "2001:db8:77::1"])
def test_a_ban_of_an_author_is_one_of_its_address(hosted: Server, here: bool, address: str) -> None:
    with Visitor(hosted, address) as vandal:
        vandal.dab(900, 900)
        if not here:
            vandal.connection.close()
        ban = host(hosted, "ban", author=vandal.author, seconds=60, reason="Scribbles")
    assert ban["address"].startswith("#")
    assert len(refusals(hosted, address)) == 2
    assert refusals(hosted, "192.0.2.78") == []
    host(hosted, "unban", ban=ban["ban"])
    assert refusals(hosted, address) == []


def test_a_ban_covers_where_an_author_is_now_not_where_it_once_was(hosted: Server) -> None:
    session = os.urandom(16)
    with Visitor(hosted, "192.0.2.80") as first:
        first.subscribe(events=["status"], session=session)
        first.dab(900, 900)
    with Visitor(hosted, "192.0.2.81") as moved:
        author = moved.subscribe(events=["status"], session=session).author
        ban = host(hosted, "ban", author=author, seconds=60, reason="Scribbles")
        with pytest.raises(CallError, match="FORBIDDEN"):
            moved.dab(900, 900)
    assert (len(refusals(hosted, "192.0.2.81")), refusals(hosted, "192.0.2.80")) == (2, [])
    host(hosted, "unban", ban=ban["ban"])


def test_a_ban_may_be_of_the_author_alone(hosted: Server) -> None:
    with Visitor(hosted, "192.0.2.90") as one:
        ban = host(hosted, "ban", author=one.author, author_only=True, seconds=60, reason="Scribbles")
        with pytest.raises(CallError, match="FORBIDDEN"):
            one.dab(900, 900)
    assert ban["address"] == ""
    assert refusals(hosted, "192.0.2.90") == []
    host(hosted, "unban", ban=ban["ban"])


def test_what_was_drawn_from_a_network_is_put_back(hosted: Server) -> None:
    with Visitor(hosted, "198.51.100.200") as one, Visitor(hosted, "198.51.101.1") as other:
        one.dab(1200, 900)
        before = picture(hosted).getpixel((1300, 900))
        other.dab(1300, 900)
    done = host(hosted, "restore", address="198.51.100.0/24")
    assert done["dabs"] == 1
    assert picture(hosted).getpixel((1200, 900)) == (255, 255, 255)
    assert picture(hosted).getpixel((1300, 900)) != before
