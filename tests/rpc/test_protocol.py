"""The websocket, hosted by a real uvicorn on loopback with a small service."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.protocol import State

from dreamcanvas.errors import Internal, RpcError
from dreamcanvas.proto import dreamcanvas_pb2 as pb
from dreamcanvas.proto import wsrpc_pb2 as envelope
from dreamcanvas.rpc.connection import encode_event
from dreamcanvas.rpc.endpoint import Handshake, Refusal, Settings, Websocket
from dreamcanvas.rpc.fair_scheduler import FairScheduler, Share
from dreamcanvas.rpc.frames import frame
from dreamcanvas.rpc.protocol import RpcProtocol
from dreamcanvas.rpc.service import Caller, Later, Service, Then

DEADLINE = 10
QUIET = {"ping_interval": 0.0}
Peer = Websocket


class Host:
    """An endpoint: getInfo answers at once, paint when the test says so, getCanvas with that many bytes,
    subscribe with an event behind its answer; undo has a bug."""

    def __init__(self, **settings: Any) -> None:
        self.settings = Settings(**{**QUIET, **settings})
        self.turns = FairScheduler()
        self.service: Service[Peer] = Service(
            pb.DESCRIPTOR.services_by_name["DreamPainter"],
            {
                "getInfo": self.get_info,
                "paint": self.paint,
                "getCanvas": self.get_canvas,
                "subscribe": self.subscribe,
                "undo": self.undo,
            },
        )
        self.port = 0
        self.state = ServerState()
        self.shut_down: Callable[[], None] = lambda: None
        self.painted: list[asyncio.Future[int]] = []
        self.hold = False
        self.calls: list[str] = []
        self.results: list[tuple[str, str | None]] = []
        self.handshakes: list[Handshake] = []
        self.peers: list[Peer] = []
        self.gone: asyncio.Queue[Peer] = asyncio.Queue()
        self.caught_up: asyncio.Queue[Peer] = asyncio.Queue()
        self.called_event = asyncio.Event()

    # The service

    def get_info(self, caller: Caller[Peer], request: pb.InfoRequest) -> pb.InfoResponse:
        self._note("getInfo")
        return pb.InfoResponse(version="1", started=len(self.calls))

    def paint(self, caller: Caller[Peer], request: pb.PaintRequest) -> Later:
        self._note("paint")
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.painted.append(future)
        if not self.hold:
            asyncio.get_running_loop().call_soon(future.set_result, len(self.painted))
        return Later(future, lambda seq: pb.PaintResponse(seq=seq))

    async def get_canvas(self, caller: Caller[Peer], request: pb.CanvasRequest) -> pb.CanvasResponse:
        self._note("getCanvas")
        await asyncio.sleep(0)
        return pb.CanvasResponse(image=bytes(request.width))

    def subscribe(self, caller: Caller[Peer], request: pb.SubscribeRequest) -> Then:
        self._note("subscribe")
        event = frame(encode_event("status", pb.StatusEvent(users=7), text=caller.text))
        return Then(pb.SubscribeResponse(seq=1), lambda: caller.peer.send(event))

    def undo(self, caller: Caller[Peer], request: pb.UndoRequest) -> pb.UndoResponse:
        raise ZeroDivisionError

    def _note(self, name: str) -> None:
        self.calls.append(name)
        self.called_event.set()

    def has_painted(self, count: int) -> bool:
        return len(self.painted) == count

    # The endpoint

    def admit(self, handshake: Handshake) -> Refusal | None:
        self.handshakes.append(handshake)
        if handshake.target == "/forbidden":
            return Refusal(403, "Not you.\n")
        return None if handshake.target.startswith("/rpc") else Refusal(404, "Not here.\n")

    def opened(self, websocket: Peer, handshake: Handshake) -> Peer:
        self.peers.append(websocket)
        return websocket

    def share(self, peer: Peer) -> Share:
        return self.turns.share(peer.address)

    def closed(self, peer: Peer, code: int) -> None:
        self.gone.put_nowait(peer)

    def drained(self, peer: Peer) -> None:
        self.caught_up.put_nowait(peer)

    def rpc_error(self, method: str, error: BaseException) -> RpcError:
        return error if isinstance(error, RpcError) else Internal(f"a bug in {method}")

    def called(self, method: str, error: RpcError | None, seconds: float) -> None:
        self.results.append((method, error.name if error is not None else None))


class Uvicorn(uvicorn.Server):
    """Leaves the signals to pytest."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def no_pages(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@contextlib.asynccontextmanager
async def serving(**settings: Any) -> AsyncIterator[Host]:
    host = Host(**settings)
    listener = socket.create_server(("127.0.0.1", 0))
    host.port = listener.getsockname()[1]
    config = uvicorn.Config(
        no_pages,
        ws=partial(RpcProtocol, endpoint=host),  # type: ignore[arg-type]
        http="h11",
        lifespan="off",
        log_config=None,
        timeout_graceful_shutdown=5,
    )
    server = Uvicorn(config)
    host.state = server.server_state
    host.shut_down = partial(setattr, server, "should_exit", True)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield host
    finally:
        host.shut_down()
        await task


@pytest.fixture
async def host() -> AsyncIterator[Host]:
    async with serving() as host:
        yield host


def opening(host: Host, target: str = "/rpc", **options: Any) -> connect:
    settings = {"compression": None, "max_size": None, "ping_interval": None, "close_timeout": 5, **options}
    return connect(f"ws://127.0.0.1:{host.port}{target}", **settings)


def binary(method: str, seq: int = 0, payload: bytes = b"") -> bytes:
    request = envelope.Request(method=method, seq=seq, payload=payload)
    return envelope.Message(type=envelope.Message.REQUEST, request=request).SerializeToString()


def text(method: str, number: int = 0) -> str:
    return json.dumps({"jsonrpc": "2.0", "method": method, "id": number})


def masked(opcode: Opcode, data: bytes = b"", *, fin: bool = True) -> bytes:
    return Frame(opcode, data, fin).serialize(mask=True)


def write(client: ClientConnection, *frames: bytes) -> None:
    """Puts frames on the wire in one piece, as they are, past the client's own checks."""
    client.transport.write(b"".join(frames))


async def receive(client: ClientConnection) -> Any:
    return await asyncio.wait_for(client.recv(), DEADLINE)


async def response(client: ClientConnection) -> envelope.Response:
    message = await receive(client)
    assert isinstance(message, bytes)
    return envelope.Message.FromString(message).response


async def closing(client: ClientConnection) -> tuple[int, str]:
    """Waits for the close frame of the server."""
    with pytest.raises(ConnectionClosed) as caught:
        while True:
            await receive(client)
    assert caught.value.rcvd is not None
    return caught.value.rcvd.code, caught.value.rcvd.reason


async def overtaken(host: Host) -> None:
    """Waits for the answer to a call on another connection: what was sent before would have its own, too."""
    async with opening(host) as other:
        await other.send(binary("getInfo", 1))
        await asyncio.wait_for(response(other), DEADLINE)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(DEADLINE):
        while not condition():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.005)


# The handshake


async def test_a_websocket_opens_and_the_host_knows_its_request(host: Host) -> None:
    async with opening(host, "/rpc?a=b", origin="http://here", additional_headers={"X-Test": "Yes"}):
        [handshake] = host.handshakes
        assert handshake.target == "/rpc?a=b"
        assert handshake.address == "127.0.0.1"
        assert handshake.headers["origin"] == "http://here"
        assert handshake.headers["x-test"] == "Yes"


@pytest.mark.parametrize(
    ("target", "status", "body"), [("/forbidden", 403, "Not you.\n"), ("/x", 404, "Not here.\n")]
)
async def test_a_refused_websocket_is_an_http_response(
    host: Host, target: str, status: int, body: str
) -> None:
    with pytest.raises(InvalidStatus) as caught:
        await opening(host, target)
    assert caught.value.response.status_code == status
    assert caught.value.response.body == body.encode()
    assert host.peers == []


async def test_a_handshake_without_a_key_is_400_and_the_host_is_not_asked(host: Host) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", host.port)
    writer.write(b"GET /rpc HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
    answer = await asyncio.wait_for(reader.read(), DEADLINE)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert host.handshakes == []
    writer.close()


async def test_http_stays_http(host: Host) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", host.port)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert (await asyncio.wait_for(reader.read(), DEADLINE)).startswith(b"HTTP/1.1 204 ")
    writer.close()


# Calls


async def test_a_reply_has_its_request_s_encoding_and_seq(host: Host) -> None:
    async with opening(host) as client:
        await client.send(binary("getInfo", 41))
        found = await response(client)
        assert (found.seq, found.ok) == (41, True)
        await client.send(text("getInfo", 42))
        answer = json.loads(await receive(client))
        assert (answer["id"], answer["result"]["version"]) == (42, "1")


async def test_pipelined_calls_are_answered_in_one_write_in_their_order(host: Host) -> None:
    async with opening(host) as client:
        write(client, *(masked(Opcode.BINARY, binary("getInfo", seq)) for seq in range(100)))
        assert [(await response(client)).seq for _ in range(100)] == list(range(100))


async def test_later_answers_come_as_they_are_ready(host: Host) -> None:
    host.hold = True
    async with opening(host) as client:
        for seq in range(3):
            await client.send(binary("paint", seq))
        await until(lambda: len(host.painted) == 3)
        for index in (2, 0, 1):
            host.painted[index].set_result(index)
            assert (await response(client)).seq == index


async def test_a_coroutine_s_answer(host: Host) -> None:
    async with opening(host) as client:
        await client.send(binary("getCanvas", 1, b"\x10\x05"))
        assert pb.CanvasResponse.FromString((await response(client)).payload).image == bytes(5)


async def test_what_follows_an_answer_comes_right_behind_it(host: Host) -> None:
    async with opening(host) as client:
        write(
            client, *(masked(Opcode.BINARY, binary(name, 1)) for name in ("getInfo", "subscribe", "getInfo"))
        )
        found = [envelope.Message.FromString(await receive(client)) for _ in range(4)]
        assert [message.type for message in found] == [2, 2, 3, 2]


async def test_a_bug_in_a_handler_is_answered_and_the_connection_goes_on(host: Host) -> None:
    async with opening(host) as client:
        await client.send(binary("undo", 1))
        found = await response(client)
        assert (found.ok, found.error) == (False, "INTERNAL: a bug in undo")
        host.hold = True
        await client.send(binary("paint", 2))
        await until(lambda: host.painted)
        host.painted[0].set_exception(RuntimeError("later"))
        assert (await response(client)).error == "INTERNAL: a bug in paint"
        await client.send(binary("draw", 3))
        assert (await response(client)).error == "METHOD_NOT_FOUND: there is no method draw"
        assert host.results == [("undo", "INTERNAL"), ("paint", "INTERNAL"), ("draw", "METHOD_NOT_FOUND")]


async def test_calls_in_flight_have_a_limit_beyond_which_it_does_not_read() -> None:
    async with serving(calls_in_flight=4) as host, opening(host) as client:
        host.hold = True
        for seq in range(4):
            await client.send(binary("paint", seq))
            await until(partial(host.has_painted, seq + 1))
        for seq in range(4, 6):
            await client.send(binary("paint", seq))
        await overtaken(host)
        assert len(host.painted) == 4
        host.painted[0].set_result(0)
        await overtaken(host)
        assert len(host.painted) == 4
        host.painted[1].set_result(1)
        await until(lambda: len(host.painted) == 6)
        for seq in range(2, 6):
            host.painted[seq].set_result(seq)
        assert [(await response(client)).seq for _ in range(6)] == list(range(6))


# Frames


async def test_a_message_may_come_in_fragments_with_a_ping_between(host: Host) -> None:
    message = binary("getInfo", 9)
    async with opening(host) as client:
        write(client, masked(Opcode.BINARY, message[:1], fin=False))
        write(client, masked(Opcode.CONT, b"", fin=False), masked(Opcode.PING, b"hello"))
        write(client, masked(Opcode.CONT, message[1:]))
        assert (await response(client)).seq == 9
        parts = [text("getInfo")[:7], text("getInfo")[7:]]
        await client.send(parts)
        assert json.loads(await receive(client))["id"] == 0


async def test_a_character_may_be_cut_by_fragments(host: Host) -> None:
    data = json.dumps({"jsonrpc": "2.0", "method": "Zoë", "id": 1}, ensure_ascii=False).encode()
    cut = data.index(b"\xab")
    async with opening(host) as client:
        write(client, masked(Opcode.TEXT, data[:cut], fin=False), masked(Opcode.CONT, data[cut:]))
        assert json.loads(await receive(client))["error"]["message"] == "there is no method Zoë"


async def test_a_ping_is_answered(host: Host) -> None:
    async with opening(host) as client:
        await asyncio.wait_for(await client.ping(b"1234"), DEADLINE)


async def test_text_that_is_not_utf_8_closes_with_1007(host: Host) -> None:
    async with opening(host) as client:
        write(client, masked(Opcode.TEXT, b'{"\xff"}'))
        assert (await closing(client))[0] == 1007


async def test_a_message_over_the_limit_closes_with_1009() -> None:
    async with serving(message_bytes=100) as host:
        async with opening(host) as client:
            await client.send(b"?" * 100)
            await client.send(binary("getInfo", 1))
            assert (await response(client)).seq == 1
            await client.send(b"?" * 101)
            assert (await closing(client))[0] == 1009
        async with opening(host) as client:
            for _ in range(3):
                write(client, masked(Opcode.BINARY if _ == 0 else Opcode.CONT, b"?" * 40, fin=False))
            assert (await closing(client))[0] == 1009


async def test_without_a_limit_a_message_may_be_large() -> None:
    async with serving(message_bytes=0) as host, opening(host) as client:
        await client.send(binary("getInfo", 1, bytes([0x7A, 0x80, 0x80, 0x40]) + bytes(2**20)))
        assert (await response(client)).ok


async def test_the_20th_undecodable_message_closes_with_1008(host: Host) -> None:
    async with opening(host) as client:
        for _ in range(19):
            await client.send(b"\xff")
        await client.send(binary("getInfo", 5))
        assert (await response(client)).seq == 5
        await client.send(b"\xff")
        assert (await closing(client))[0] == 1008


async def test_what_comes_in_the_same_piece_after_that_is_not_carried_out(host: Host) -> None:
    async with opening(host) as client:
        junk = [masked(Opcode.BINARY, b"\xff")] * 20
        write(client, *junk, masked(Opcode.BINARY, binary("getInfo")))
        assert (await closing(client))[0] == 1008
    assert host.calls == []


@pytest.mark.parametrize(
    "data",
    [
        Frame(Opcode.BINARY, b"x").serialize(mask=False),
        masked(Opcode.CONT, b"x"),
        b"\x83\x80\0\0\0\0",
        masked(Opcode.PING, b"x", fin=True)[:1].replace(b"\x89", b"\x09") + b"\x80\0\0\0\0",
    ],
    ids=["not masked", "a continuation of nothing", "an unknown opcode", "a fragmented ping"],
)
async def test_what_is_no_websocket_frame_closes_with_1002(host: Host, data: bytes) -> None:
    async with opening(host) as client:
        write(client, data)
        assert (await closing(client))[0] == 1002
    await asyncio.wait_for(host.gone.get(), DEADLINE)


# The end


async def test_a_client_s_close_is_answered_with_its_code(host: Host) -> None:
    async with opening(host) as client:
        await client.close(4000, "bye")
        assert (client.close_code, client.close_reason) == (4000, "bye")
    await asyncio.wait_for(host.gone.get(), DEADLINE)
    assert host.gone.empty()


async def test_what_was_sent_before_a_close_is_carried_out(host: Host) -> None:
    async with opening(host) as client:
        call, close = masked(Opcode.BINARY, binary("getInfo")), masked(Opcode.CLOSE, b"\x03\xe8")
        write(client, call, call, close, call)
        await asyncio.wait_for(client.wait_closed(), DEADLINE)
    assert host.calls == ["getInfo", "getInfo"]


async def test_a_connection_that_breaks_off_is_gone_once(host: Host) -> None:
    client = await opening(host)
    host.hold = True
    await client.send(binary("paint", 1))
    await until(lambda: host.painted)
    client.transport.abort()
    peer = await asyncio.wait_for(host.gone.get(), DEADLINE)
    host.painted[0].set_result(1)
    peer.send(frame(b"nobody hears this"))
    peer.close(1000)
    await asyncio.sleep(0)
    assert host.gone.empty()
    assert host.results == [("paint", None)]


async def test_a_handler_s_task_ends_with_its_connection(host: Host) -> None:
    cancelled = asyncio.Event()

    async def forever(caller: Caller[Peer], request: pb.CanvasRequest) -> pb.CanvasResponse:
        host.called_event.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        raise AssertionError

    host.service = Service(host.service.descriptor, {"getCanvas": forever})
    client = await opening(host)
    await client.send(binary("getCanvas", 1))
    await asyncio.wait_for(host.called_event.wait(), DEADLINE)
    client.transport.abort()
    await asyncio.wait_for(cancelled.wait(), DEADLINE)


async def test_the_host_may_close(host: Host) -> None:
    async with opening(host) as client:
        await until(lambda: host.peers)
        host.peers[0].close(4001, "enough")
        assert await closing(client) == (4001, "enough")
    await asyncio.wait_for(host.gone.get(), DEADLINE)
    assert host.gone.empty()


async def test_a_client_that_does_not_answer_a_close_is_cut_off() -> None:
    async with serving(close_timeout=0.05) as host, raw(host) as (reader, _):
        host.peers[0].close(4001)
        assert (await asyncio.wait_for(reader.read(), DEADLINE)) == b"\x88\x02\x0f\xa1"


async def test_a_shutdown_closes_with_1001_after_the_answers_that_are_ready(host: Host) -> None:
    async with opening(host) as client, opening(host) as idle:
        host.hold = True
        await client.send(binary("paint", 3))
        await until(lambda: host.painted)
        host.painted[0].set_result(1)
        host.shut_down()
        assert (await response(client)).seq == 3
        assert (await closing(client))[0] == 1001
        assert (await closing(idle))[0] == 1001


@contextlib.asynccontextmanager
async def raw(host: Host) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A websocket on a plain stream, of which the test reads what it likes, and answers nothing by itself."""
    buffers = socket.socket()
    buffers.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    buffers.setblocking(False)
    await asyncio.get_running_loop().sock_connect(buffers, ("127.0.0.1", host.port))
    reader, writer = await asyncio.open_connection(sock=buffers, limit=65536)
    writer.write(
        b"GET /rpc HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), DEADLINE)
    assert head.startswith(b"HTTP/1.1 101 ")
    yield reader, writer
    writer.transport.abort()


# Keepalive


async def test_it_pings_and_a_client_that_answers_stays() -> None:
    async with serving(ping_interval=0.02, ping_timeout=5) as host, opening(host) as client:
        pongs: list[bytes] = []
        original = client.protocol.send_frame

        def noting(frame: Frame) -> None:
            if frame.opcode is Opcode.PONG:
                pongs.append(bytes(frame.data))
            original(frame)

        client.protocol.send_frame = noting  # type: ignore[method-assign]
        await until(lambda: len(set(pongs)) >= 3)
        assert client.state is State.OPEN


async def test_a_client_that_answers_no_ping_is_closed_with_1011() -> None:
    settings = {"ping_interval": 0.02, "ping_timeout": 0.05, "close_timeout": 0.05}
    async with serving(**settings) as host, raw(host) as (reader, _):
        data = await asyncio.wait_for(reader.read(), DEADLINE)
        assert data[0] == 0x89
        assert b"\x88\x18\x03\xf3keepalive ping timeout" in data
        await asyncio.wait_for(host.gone.get(), DEADLINE)


# Slow readers

LARGE = frame(bytes(2**23))


def assert_slow(peer: Peer) -> None:
    assert peer.slow


async def test_a_reader_that_does_not_read_is_slow_and_not_read_from_until_it_does(host: Host) -> None:
    async with raw(host) as (reader, writer):
        peer = host.peers[0]
        assert not peer.slow
        peer.send(LARGE)
        assert_slow(peer)
        writer.write(masked(Opcode.BINARY, binary("getInfo", 3)))
        await overtaken(host)
        assert host.calls == ["getInfo"]  # the other's
        await asyncio.wait_for(reader.readexactly(len(LARGE)), DEADLINE)
        assert await asyncio.wait_for(host.caught_up.get(), DEADLINE) is peer
        assert not peer.slow
        await until(lambda: host.calls == ["getInfo", "getInfo"])
        assert b"\x08\x02" in await asyncio.wait_for(reader.read(100), DEADLINE)


async def test_what_is_written_for_who_does_not_read_is_bounded_in_the_kernel_too() -> None:
    """Left alone it keeps megabytes for each."""
    async with serving(write_buffer=65536) as host, raw(host):
        peer, written, chunk = host.peers[0], 0, frame(bytes(1021))
        while not peer.slow:
            peer.send(chunk)
            written += len(chunk)
            await asyncio.sleep(0)
        assert 65536 < written < 2**19, "unsent, and in the receiver's buffers"


async def test_a_reader_that_stays_slow_is_closed_with_1013() -> None:
    async with serving(slow_reader_timeout=0.02, close_timeout=30) as host, raw(host) as (reader, _):
        host.peers[0].send(LARGE)
        await asyncio.wait_for(host.gone.get(), DEADLINE)
        await asyncio.wait_for(reader.readexactly(len(LARGE)), DEADLINE)
        assert await asyncio.wait_for(reader.readexactly(4), DEADLINE) == b"\x88\x0a\x03\xf5"


async def test_a_slow_reader_whose_pongs_are_not_read_is_closed_with_1013_too() -> None:
    settings = {"ping_interval": 0.02, "ping_timeout": 0.02, "close_timeout": 30}
    async with serving(**settings) as host, raw(host) as (reader, _):
        host.peers[0].send(LARGE)
        await asyncio.wait_for(host.gone.get(), DEADLINE)
        data = await asyncio.wait_for(reader.readexactly(6 + len(LARGE) + 12), DEADLINE)  # with a ping
        assert data.endswith(b"\x88\x0a\x03\xf5too slow")


async def test_a_slow_reader_that_never_reads_is_cut_off() -> None:
    async with serving(slow_reader_timeout=0.02, close_timeout=0.02) as host, raw(host) as (reader, _):
        host.peers[0].send(LARGE)
        await asyncio.wait_for(host.gone.get(), DEADLINE)
        await until(lambda: not host.state.connections)
        with contextlib.suppress(ConnectionError):
            rest = await asyncio.wait_for(reader.read(), DEADLINE)
            assert len(rest) < len(LARGE)


def test_all_readers_can_share_a_frame() -> None:
    assert frame(b"\x01") == b"\x82\x01\x01"
    assert frame("é") == b"\x81\x02\xc3\xa9"
    for size, head in ((125, "827d"), (126, "827e007e"), (2**16, "827f0000000000010000")):
        assert frame(bytes(size)) == bytes.fromhex(head) + bytes(size)
