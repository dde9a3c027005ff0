"""The methods, over real sockets, binary and text."""

import base64
import io
import os
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from dreamcanvas import __version__
from dreamcanvas.canvas import brush
from dreamcanvas.proto import dreamcanvas_pb2 as pb
from dreamcanvas.text.plural import counted
from tests.live_server import Server
from tests.socket_client import CallError, Socket, dab


@pytest.fixture
def socket(quiet_server: Server) -> Iterator[Socket]:
    with Socket(quiet_server.ws_url) as socket:
        yield socket


@pytest.fixture(scope="module")
def leisurely(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with long ticks that keeps few operations."""
    options = ("--no-dream", "--replay-operations", "8", "--tick-ms", "1000")
    with Server(tmp_path_factory.mktemp("leisurely"), *options) as server:
        yield server


@pytest.fixture
def other(quiet_server: Server) -> Iterator[Socket]:
    with Socket(quiet_server.ws_url) as socket:
        yield socket


def call(method: str, params: Any = None, number: Any = 1) -> dict[str, Any]:
    request = {"jsonrpc": "2.0", "id": number, "method": method}
    return request if params is None else {**request, "params": params}


def newest(socket: Socket) -> int:
    """The number of the newest operation."""
    return socket.canvas(width=1, height=1).seq


def at(x: int, y: int, **more: Any) -> dict[str, Any]:
    return {"pos": pb.Position(x=x, y=y), **more}


# paint


def test_a_dab_gets_the_next_number(socket: Socket) -> None:
    before = newest(socket)
    reply = socket.paint(**at(10, 10, size=4, color=0xFF))
    assert reply.seq == before + 1
    assert {field.name for field, _ in reply.ListFields()} == {"timestamp", "seq", "duplicate", "time"}
    assert reply.timestamp == reply.time % 2**32
    assert not reply.duplicate


def test_the_dabs_of_a_call_have_consecutive_numbers(socket: Socket) -> None:
    before = newest(socket)
    assert socket.paint(dabs=[dab(n, 10) for n in range(5)]).seq == before + 5


def test_absent_coordinates_and_colour_are_0(socket: Socket, other: Socket) -> None:
    other.subscribe(events=["paint"])
    socket.paint(pos=pb.Position(), size=1)
    event = other.event("paint")
    assert (event.pos.x, event.pos.y, event.size, event.color) == (0, 0, 1, 0)


@pytest.mark.parametrize(
    "fields",
    [
        at(65535, -65535, size=124, color=0xFFFFFF),
        at(-65535, 65535, size=1),
        {"dabs": [dab(0, 0, 1)] * 256},
    ],
)
def test_the_bounds_themselves_are_fine(socket: Socket, fields: dict[str, Any]) -> None:
    assert socket.paint(**fields).seq


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({}, "pos", "pos is missing"),
        ({"size": 5}, "pos", "pos is missing"),
        (at(0, 0), "size", "size is missing: 1 to 124"),
        (at(0, 0, size=0), "size", "size is 0, but has to be 1 to 124"),
        (at(0, 0, size=125), "size", "size is 125, but has to be 1 to 124"),
        (at(65536, 0, size=1), "pos.x", "pos.x is 65536, but has to be -65535 to 65535"),
        (at(0, -65536, size=1), "pos.y", "pos.y is -65536, but has to be -65535 to 65535"),
        (at(-(2**31), 0, size=1), "pos.x", "pos.x is -2147483648"),
        (at(0, 0, size=1, color=0x1000000), "color", "color is 16777216, but has to be 0 to 16777215"),
        ({"dabs": [dab(0, 0), dab(0, 0, 125)]}, "dabs[1].size", "dabs[1].size is 125"),
        ({"dabs": [dab(0, 70000)]}, "dabs[0].pos.y", "dabs[0].pos.y is 70000"),
        ({"dabs": [pb.Dab(size=1)]}, "dabs[0].pos", "dabs[0].pos is missing"),
        ({"dabs": [dab(0, 0)] * 257}, "dabs", "dabs has 257 items, at most 256"),
        ({"dabs": [dab(0, 0)], "size": 5}, "dabs", "leave these out"),
        ({"dabs": [dab(0, 0)], "color": 0}, "dabs", "leave these out"),
        (at(0, 0, size=1, call=1), "call", "needs a session"),
    ],
)
def test_a_dab_out_of_bounds_names_field_and_bounds_and_nothing_is_applied(
    socket: Socket, fields: dict[str, Any], field: str, words: str
) -> None:
    before = newest(socket)
    with pytest.raises(CallError) as caught:
        socket.paint(**fields)
    error = caught.value.error
    assert (error.code, error.name, error.field) == (-32602, "INVALID_PARAMS", field)
    assert caught.value.text.startswith("INVALID_PARAMS: ")
    assert words in caught.value.text
    assert newest(socket) == before


def test_an_error_in_text_has_the_field_too(socket: Socket) -> None:
    answer = socket.json(call("paint", {"dabs": [{"pos": {}, "size": 1}, {"pos": {"x": 1}, "size": 999}]}))
    assert answer["error"] == {
        "code": -32602,
        "message": "dabs[1].size is 999, but has to be 1 to 124",
        "data": {"name": "INVALID_PARAMS", "field": "dabs[1].size"},
    }
    assert socket.json(call("paint", []))["error"]["code"] == -32602
    assert socket.json(call("paint", {"colour": 1}))["error"]["data"]["field"] == "colour"


def test_an_undecodable_payload_is_invalid_params(socket: Socket) -> None:
    socket.connection.send(bytes.fromhex("0801 120e 0a057061696e74 1005 1a03 0a05ff"))
    with pytest.raises(CallError, match="the payload is not a PaintRequest"):
        socket.reply(5, pb.PaintResponse)


def test_a_method_that_there_is_not(socket: Socket) -> None:
    with pytest.raises(CallError, match="METHOD_NOT_FOUND: there is no method draw"):
        socket.reply(socket.send("draw", pb.InfoRequest()), pb.PaintResponse)


def test_the_description_is_for_json_only(socket: Socket) -> None:
    with pytest.raises(CallError, match="METHOD_NOT_FOUND"):
        socket.reply(socket.send("rpc.discover", pb.InfoRequest()), pb.InfoResponse)


def test_the_first_letter_of_a_method_may_be_upper_case(socket: Socket) -> None:
    assert socket.reply(socket.send("Paint", pb.PaintRequest(**at(1, 1, size=1))), pb.PaintResponse).seq


def test_pipelined_calls_apply_in_their_order(socket: Socket) -> None:
    sent = [socket.send("paint", pb.PaintRequest(**at(n, 5, size=2))) for n in range(50)]
    found = [socket.reply(seq, pb.PaintResponse).seq for seq in sent]
    assert found == list(range(found[0], found[0] + 50))


# Sessions and calls


def test_a_call_is_applied_once_also_from_another_connection(socket: Socket, other: Socket) -> None:
    session = os.urandom(16)
    author = socket.subscribe(session=session).author
    first = socket.paint(**at(3, 3, size=3, call=7))
    again = socket.paint(**at(3, 3, size=3, call=7))
    assert (again.seq, again.duplicate, again.time) == (first.seq, True, first.time)
    found = other.subscribe(session=session)
    assert (found.author, found.last_call) == (author, 7)
    assert other.paint(**at(3, 3, size=3, call=5)).duplicate
    assert not other.paint(**at(3, 3, size=3, call=9)).duplicate
    assert newest(socket) == first.seq + 1


def test_a_refused_call_leaves_no_trace(socket: Socket) -> None:
    session = os.urandom(32)
    socket.subscribe(session=session)
    with pytest.raises(CallError):
        socket.paint(**at(3, 3, size=0, call=4))
    assert socket.subscribe(session=session).last_call == 0
    assert not socket.paint(**at(3, 3, size=3, call=4)).duplicate


def test_authors_have_numbers_of_their_own(socket: Socket, other: Socket) -> None:
    numbers = [
        socket.subscribe().author,
        other.subscribe().author,
        socket.subscribe(session=os.urandom(16)).author,
    ]
    assert len(set(numbers)) == 3
    assert socket.subscribe().author == numbers[2], "a session holds until another is given"


def test_one_s_own_number_is_in_one_s_operations(socket: Socket, other: Socket) -> None:
    author = socket.subscribe(session=os.urandom(20)).author
    other.subscribe()
    socket.paint(**at(3, 3, size=3, stroke=77))
    event = other.event("paint")
    assert (event.author, event.stroke) == (author, 77)


@pytest.mark.parametrize("length", [0, 1, 15, 33])
def test_a_session_has_16_to_32_bytes(socket: Socket, length: int) -> None:
    with pytest.raises(CallError, match=f"session has {counted(length, 'byte')}, not 16 to 32") as caught:
        socket.subscribe(session=bytes(length))
    assert caught.value.error.field == "session"


# getCanvas


def test_the_picture_shows_every_operation_up_to_its_number(socket: Socket) -> None:
    part = {"offset": pb.Position(x=790, y=780), "width": 20, "height": 40, "format": pb.CanvasRequest.PNG}
    expected = Image.open(io.BytesIO(socket.canvas(**part).image)).convert("RGB")
    brush.draw(expected, 10, 20, 100, 0x0000FF)
    socket.paint(**at(800, 800, size=100, color=0x0000FF))
    reply = socket.canvas(**part)
    image = Image.open(io.BytesIO(reply.image))
    assert (image.format, image.size) == ("PNG", (20, 40))
    assert image.convert("RGB").tobytes() == expected.tobytes()
    assert {field.name for field, _ in reply.ListFields()} == {"timestamp", "image", "seq", "dream", "time"}
    assert (reply.seq, reply.dream) == (newest(socket), 0)
    assert reply.timestamp == reply.time % 2**32


@pytest.mark.parametrize(
    ("format_", "name"), [("JPEG", "JPEG"), ("PNG", "PNG"), ("WEBP", "WEBP"), (None, "JPEG")]
)
def test_formats(socket: Socket, format_: str | None, name: str) -> None:
    params = {"width": 8, "height": 8, **({"format": format_} if format_ else {})}
    result = socket.json(call("getCanvas", params))["result"]
    assert Image.open(io.BytesIO(base64.b64decode(result["image"]))).format == name
    assert isinstance(result["seq"], int)


def test_the_whole_canvas(socket: Socket) -> None:
    reply = socket.canvas(width=1536, height=1536)
    assert Image.open(io.BytesIO(reply.image)).size == (1536, 1536)


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({}, "width", "width is 0, but has to be 1 to 1536"),
        ({"width": 1}, "height", "height is 0, but has to be 1 to 1536"),
        ({"width": 1537, "height": 1}, "width", "width is 1537, but has to be 1 to 1536"),
        (
            {"width": 10, "height": 1, "offset": pb.Position(x=1530)},
            "width",
            "width is 10, but has to be 1 to 6",
        ),
        (
            {"width": 1, "height": 9, "offset": pb.Position(y=1535)},
            "height",
            "height is 9, but has to be 1 to 1",
        ),
        (
            {"width": 1, "height": 1, "offset": pb.Position(x=-1)},
            "offset.x",
            "offset.x is -1, but has to be 0 to 1535",
        ),
        ({"width": 1, "height": 1, "offset": pb.Position(y=1536)}, "offset.y", "offset.y is 1536"),
    ],
)
def test_a_part_beyond_the_canvas_names_field_and_bounds(
    socket: Socket, fields: dict[str, Any], field: str, words: str
) -> None:
    with pytest.raises(CallError) as caught:
        socket.canvas(**fields)
    assert (caught.value.error.code, caught.value.error.field) == (-32602, field)
    assert words in caught.value.text


def test_an_unlisted_format_is_an_error(socket: Socket) -> None:
    request = pb.CanvasRequest.FromString(bytes.fromhex("1001 1801 5007"))
    with pytest.raises(CallError, match=r"format is one of JPEG \(0\), PNG \(1\), WEBP \(2\)"):
        socket.reply(socket.send("getCanvas", request), pb.CanvasResponse)


# subscribe


def test_the_reply_tells_all_that_a_client_needs(socket: Socket) -> None:
    reply = socket.subscribe()
    assert {field.name for field, _ in reply.ListFields()} == {
        field.name for field in pb.SubscribeResponse.DESCRIPTOR.fields
    }
    assert (reply.width, reply.height, reply.brush_size, reply.version) == (1536, 1536, 124, __version__)
    assert (reply.resync, reply.dream, reply.dream_seq, reply.last_call) == (False, 0, 0, 0)
    assert reply.seq == newest(socket)
    assert reply.limits.dabs_per_call == 256
    assert {field.name for field, _ in reply.limits.ListFields()} == {
        f.name for f in pb.Limits.DESCRIPTOR.fields
    }
    assert reply.status.users >= 1
    assert (reply.status.dreamer, reply.status.layer) == (pb.StatusEvent.OFF, "")


def test_since_brings_the_operations_after_it_then_live_ones(socket: Socket, other: Socket) -> None:
    start = newest(socket)
    for n in range(3):
        socket.paint(**at(n, n, size=2))
    reply = socket.subscribe(since=start + 1)
    assert (reply.seq, reply.resync) == (start + 3, False)
    other.paint(**at(9, 9, size=2))
    assert [socket.event("paint").seq for _ in range(3)] == [start + 2, start + 3, start + 4]


def test_a_replay_in_bunches(socket: Socket) -> None:
    start = newest(socket)
    socket.paint(dabs=[dab(n, 1) for n in range(10)])
    socket.subscribe(since=start, batch=True)
    seqs: list[int] = []
    while len(seqs) < 10:
        seqs += [paint.seq for paint in socket.event("paints").paints]
    assert seqs == list(range(start + 1, start + 11))


def test_no_repeat_when_one_subscribes_again_while_a_tick_is_under_way(leisurely: Server) -> None:
    with Socket(leisurely.ws_url) as socket, Socket(leisurely.ws_url) as other:
        known = socket.subscribe(events=["paint"]).seq
        other.paint(**at(1, 1, size=1))
        assert socket.event("paint").seq == known + 1
        other.paint(**at(2, 2, size=1))
        # What was due to the subscription before comes before the reply; the replay and nothing else after it
        reply = socket.subscribe(events=["paint"], since=known)
        assert [event.seq for _, event in socket.events] == [known + 2]
        socket.events.clear()
        assert reply.seq == known + 2
        other.paint(**at(3, 3, size=1))
        assert [socket.event("paint").seq for _ in range(3)] == [known + 1, known + 2, known + 3]


@pytest.mark.parametrize("ahead", [1, 1000, 2**40])
def test_a_since_in_the_future_is_a_resync(socket: Socket, ahead: int) -> None:
    reply = socket.subscribe(since=newest(socket) + ahead)
    assert reply.resync
    assert reply.seq == newest(socket)


def test_a_since_too_long_ago_is_a_resync(leisurely: Server) -> None:
    with Socket(leisurely.ws_url) as socket:
        last = socket.paint(dabs=[dab(n, n) for n in range(9)]).seq
        assert socket.subscribe(since=last - 9).resync
        reply = socket.subscribe(since=last - 8)
        assert not reply.resync
        assert [socket.event("paint").seq for _ in range(8)] == list(range(last - 7, last + 1))


def test_one_s_own_operations_come_with_a_replay_but_not_live(socket: Socket, other: Socket) -> None:
    start = socket.subscribe(events=["paint"]).seq
    socket.paint(**at(1, 1, size=1))
    other.paint(**at(2, 2, size=1))
    assert socket.event("paint").seq == start + 2
    socket.subscribe(events=["paint"], since=start)
    assert [socket.event("paint").seq for _ in range(2)] == [start + 1, start + 2]


@pytest.mark.parametrize("name", ["paints", "Paint", ""])
def test_an_unknown_event_is_named_with_those_that_there_are(socket: Socket, name: str) -> None:
    with pytest.raises(CallError, match="paint, patch, canvas, status, cursor") as caught:
        socket.subscribe(events=["paint", name])
    assert caught.value.error.field == "events[1]"


def test_an_event_name_that_is_no_text_is_invalid_params(socket: Socket) -> None:
    socket.connection.send(bytes.fromhex("0801 1213 0a09737562736372696265 1009 1a04 0a02fffe"))
    with pytest.raises(CallError) as caught:
        socket.reply(9, pb.SubscribeResponse)
    assert caught.value.error.name == "INVALID_PARAMS"


def test_events_have_the_encoding_of_the_last_subscribe(socket: Socket, other: Socket) -> None:
    answer = socket.json(call("subscribe", {"events": ["paint"]}))
    assert isinstance(answer["result"]["seq"], int)
    other.paint(**at(4, 5, size=6, color=7))
    message = socket.connection.recv(10)
    assert isinstance(message, str)
    assert '"method":"paint"' in message
    socket.subscribe(events=["paint"])
    other.paint(**at(4, 5, size=6, color=7))
    assert socket.event("paint").color == 7


def test_a_stock_client_is_subscribed_as_it_opens(quiet_server: Server, other: Socket) -> None:
    origin = quiet_server.ws_url.removesuffix("/rpc")
    with Socket(f"{origin}/") as bare, Socket(f"{origin}/rpc?subscribe=paint,status") as asked:
        other.paint(**at(4, 5, size=6))
        assert bare.event("paint").size == 6
        while len(asked.events) < 2:  # in whichever order they come
            asked.receive()
        assert {name for name, _ in asked.events} == {"paint", "status"}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/nowhere", 404),
        ("//[", 404),
        ("/rpc/", 404),
        ("/rpc?subscribe=nothing", 400),
        ("/rpc?subscribe=%FF", 400),
    ],
)
def test_a_websocket_elsewhere_is_refused(quiet_server: Server, path: str, status: int) -> None:
    with pytest.raises(InvalidStatus) as caught, connect(quiet_server.ws_url.removesuffix("/rpc") + path):
        pass
    assert caught.value.response.status_code == status


@pytest.mark.parametrize("origin", ["http://elsewhere.example", "null", "http://[", ""])
def test_a_foreign_origin_is_refused(quiet_server: Server, origin: str) -> None:
    with (
        pytest.raises(InvalidStatus) as caught,
        connect(quiet_server.ws_url, additional_headers={"Origin": origin}),
    ):
        pass
    assert caught.value.response.status_code == 403


def test_our_own_origin_is_fine(quiet_server: Server) -> None:
    with connect(quiet_server.ws_url, additional_headers={"Origin": quiet_server.url}):
        pass


# getInfo and the status


def test_get_info(socket: Socket) -> None:
    result = socket.json(call("getInfo"))["result"]
    assert result["version"] == __version__
    assert result["network"] == ""
    assert result["readOnly"] is False
    assert result["limits"] == {
        "messageBytes": 65536,
        "dabsPerCall": 256,
        "dabsPerSecond": 600,
        "dabsBurst": 2000,
        "canvasPerMinute": 120,
        "connectionsPerAddress": 64,
        "batchCalls": 50,
        "replayOperations": 20000,
        "undoSeconds": 60,
        "cursorsPerSecond": 10,
    }


def test_the_status_counts_open_websockets(quiet_server: Server, socket: Socket) -> None:
    users = socket.subscribe(events=["status"]).status.users
    with Socket(quiet_server.ws_url):
        while socket.event("status").users != users + 1:
            pass
    while socket.event("status").users != users:
        pass


def test_a_batch_in_text(socket: Socket) -> None:
    answers = socket.json([call("getInfo", number="a"), call("paint", {"pos": {}, "size": 1}, 2), {"x": 1}])
    assert {answer["id"] for answer in answers} == {"a", 2, None}


# undo, cursor


def test_an_undo_sends_its_patch_to_all_also_to_who_asked_for_it_and_before_the_reply(
    socket: Socket, other: Socket
) -> None:
    socket.subscribe(events=["paint", "patch"])
    other.subscribe(events=["paint", "patch"])
    socket.paint(**at(300, 300, size=60, color=0xFF0000), stroke=7)
    before = newest(socket)
    reply = socket.reply(socket.send("undo", pb.UndoRequest(stroke=7)), pb.UndoResponse)
    assert reply.seq == before + 1
    name, event = socket.events.popleft()
    assert (name, event.seq) == ("patch", reply.seq)
    assert other.event("patch").image == event.image
    with Image.open(io.BytesIO(event.image)) as image:
        assert image.mode == "RGBA"


def test_a_pointer_is_shown_to_the_others(socket: Socket, other: Socket) -> None:
    socket.subscribe(events=["cursor"])
    other.subscribe(events=["cursor"])
    request = pb.CursorRequest(pos=pb.Position(x=-3, y=2000), down=True, color=0xABCDEF, name="👩\u200d🎨 Ü")
    socket.reply(socket.send("cursor", request), pb.CursorResponse)
    event = other.event("cursor")
    assert (event.pos, event.down, event.color, event.name) == (
        request.pos,
        True,
        0xABCDEF,
        "👩\u200d🎨 Ü",
    )
    assert not socket.events
