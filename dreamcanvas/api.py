"""The service DreamPainter: validates what callers ask for, and has the painter do it.

Also the host's side of a websocket: who may open one, and what it is subscribed to from the start.
"""

import asyncio
import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final
from urllib.parse import parse_qs, urlsplit

from dreamcanvas import __version__
from dreamcanvas.broadcast import EVENTS, Broadcast, Subscription
from dreamcanvas.brush import MAX_SIZE
from dreamcanvas.canvas import SIDE, Dab
from dreamcanvas.config import Config
from dreamcanvas.dreaming import Dreaming
from dreamcanvas.errors import Internal, InvalidParams, InvalidRequest, RpcError
from dreamcanvas.metrics import Metrics
from dreamcanvas.painter import Painter
from dreamcanvas.pictures import Pictures, encode
from dreamcanvas.proto import dreamcanvas_pb2 as pb
from dreamcanvas.rpc.protocol import Handshake, Refusal, RpcProtocol, Settings
from dreamcanvas.rpc.service import Caller, Later, Service, Then
from dreamcanvas.store.journal import Author, Journal, Receipt

log = logging.getLogger(__name__)

POSITION_BOUND: Final = 65535
MAX_COLOR: Final = 0xFFFFFF
SESSION_BYTES: Final = (16, 32)
STATUS_INTERVAL: Final = 0.1
_FORMATS: Final = {pb.CanvasRequest.JPEG: "jpg", pb.CanvasRequest.PNG: "png", pb.CanvasRequest.WEBP: "webp"}


@dataclass(slots=True, eq=False)
class Client:
    """A caller: a websocket, or an address that posts (then `websocket` is None)."""

    address: str
    author: Author
    websocket: "RpcProtocol[Client] | None" = None


class Api:
    """The handlers of the methods, and the endpoint of the websockets."""

    def __init__(
        self,
        config: Config,
        *,
        painter: Painter,
        journal: Journal,
        broadcast: Broadcast,
        pictures: Pictures,
        metrics: Metrics,
        started: int,
    ) -> None:
        self._config = config
        self._painter = painter
        self._journal = journal
        self._broadcast = broadcast
        self._pictures = pictures
        self._metrics = metrics
        self._started = started
        self._status_due: asyncio.TimerHandle | None = None
        self._clients: set[Client] = set()
        self.dreaming: Dreaming | None = None
        self.settings = Settings(
            message_bytes=config.message_bytes,
            batch_calls=config.batch_calls,
            calls_in_flight=config.calls_in_flight,
            write_buffer=config.client_buffer,
            ping_interval=config.ping_interval,
            ping_timeout=config.ping_timeout,
        )
        self.service: Service[Client] = Service(pb.DESCRIPTOR.services_by_name["DreamPainter"])
        self.service.implement("paint", self.paint)
        self.service.implement("getCanvas", self.get_canvas)
        self.service.implement("subscribe", self.subscribe)
        self.service.implement("getInfo", self.get_info)

    # Methods

    def paint(self, caller: Caller[Client], request: pb.PaintRequest) -> Later:
        """Draws one dab or several."""
        client = caller.peer
        if request.call and client.author.session is None:
            raise InvalidParams("call needs a session: subscribe with one first", field="call")
        dabs = _dabs(request, self._config.dabs_per_call)
        settled = self._painter.paint(
            client.author, dabs, stroke=request.stroke, call=request.call, origin=client.websocket
        )
        return Later(settled, _paint_response)

    async def get_canvas(self, caller: Caller[Client], request: pb.CanvasRequest) -> pb.CanvasResponse:
        """The picture, or a part of it, as a file."""
        left = _within("offset.x", request.offset.x, 0, SIDE - 1)
        top = _within("offset.y", request.offset.y, 0, SIDE - 1)
        width = _within("width", request.width, 1, SIDE - left)
        height = _within("height", request.height, 1, SIDE - top)
        format_ = _FORMATS[request.format]
        snapshot = self._painter.crop(left, top, width, height)
        key = ("crop", snapshot.version, left, top, width, height, format_)
        image = await self._pictures.get(key, partial(encode, snapshot.image, format_))
        return pb.CanvasResponse(
            timestamp=snapshot.time % 2**32,
            image=image,
            seq=snapshot.version.seq,
            dream=snapshot.version.dream,
            time=snapshot.time,
        )

    def subscribe(self, caller: Caller[Client], request: pb.SubscribeRequest) -> Later:
        """Chooses the events of a websocket."""
        client, websocket = caller.peer, caller.peer.websocket
        if websocket is None:
            raise InvalidRequest("events need a websocket: subscribe there")
        events = _event_names(request.events)
        if request.HasField("session"):
            low, high = SESSION_BYTES
            if not low <= len(request.session) <= high:
                raise InvalidParams(
                    f"session has {len(request.session)} bytes, not {low} to {high}", field="session"
                )
            client.author = self._journal.session(request.session, client.address)
        subscription = Subscription(events, text=caller.text, batch=request.batch)
        since = request.since if request.HasField("since") else None
        # What was painted before on this connection is applied before, and a new session is known from now on
        settled = self._painter.introduce(client.author)
        return Later(settled, lambda _: self._subscribed(client, websocket, subscription, since))

    def _subscribed(
        self, client: Client, websocket: "RpcProtocol[Client]", subscription: Subscription, since: int | None
    ) -> Then:
        replay = [] if since is None else self._painter.since(since)
        version = self._painter.version
        response = pb.SubscribeResponse(
            seq=version.seq,
            width=SIDE,
            height=SIDE,
            brush_size=MAX_SIZE,
            status=self.status(),
            resync=replay is None,
            limits=self.limits(),
            version=__version__,
            author=client.author.number,
            dream=version.dream,
            dream_seq=self._painter.dream_seq,
            last_call=client.author.last_call,
        )
        return Then(response, lambda: self._broadcast.subscribe(websocket, subscription, replay or ()))

    def get_info(self, caller: Caller[Client], request: pb.InfoRequest) -> pb.InfoResponse:
        """What server this is."""
        return pb.InfoResponse(
            version=__version__,
            started=self._started,
            network=self._config.network if self.dreaming is not None else "",
            limits=self.limits(),
            read_only=False,
        )

    # Answers

    def status(self) -> pb.StatusEvent:
        """The state of affairs."""
        status = pb.StatusEvent(
            layer="", style="", network="", dreamer=pb.StatusEvent.OFF, next_dream=0, dream_ms=0
        )
        if self.dreaming is not None:
            status = self.dreaming.status()
        status.users = len(self._clients)
        status.read_only = False
        return status

    def limits(self) -> pb.Limits:
        """The bounds that clients should know."""
        config = self._config
        rates = config.rate_limits
        return pb.Limits(
            message_bytes=config.message_bytes,
            dabs_per_call=config.dabs_per_call,
            dabs_per_second=config.dabs_per_second if rates else 0,
            dabs_burst=config.dabs_burst if rates else 0,
            canvas_per_minute=config.canvas_per_minute if rates else 0,
            connections_per_address=config.connections_per_address if rates else 0,
            batch_calls=config.batch_calls,
            replay_operations=config.replay_operations,
            undo_seconds=config.undo_seconds,
            cursors_per_second=config.cursors_per_second,
        )

    def users(self) -> int:
        """How many websockets are open."""
        return len(self._clients)

    def announce(self) -> None:
        """Sends the status to everyone, soon: many changes at once become one event."""
        if self._status_due is None:
            self._status_due = asyncio.get_running_loop().call_later(STATUS_INTERVAL, self._announce)

    def _announce(self) -> None:
        self._status_due = None
        self._broadcast.event("status", self.status())

    # The endpoint of websockets

    def admit(self, handshake: Handshake) -> Refusal | None:
        """Says whether a websocket may be opened."""
        if urlsplit(handshake.target).path not in ("/", "/rpc"):
            return Refusal(404, "Not found: websockets are at /rpc.\n")
        if not self.origin_is_ours(handshake.headers.get("origin"), handshake.headers.get("host", "")):
            return Refusal(403, "Forbidden: pages of other origins may not connect.\n")
        try:
            _stock_events(handshake.target)
        except InvalidParams as error:
            return Refusal(400, f"{error.sentence}\n")
        return None

    def origin_is_ours(self, origin: str | None, host: str) -> bool:
        """Whether a browser's Origin header, if any, names this server or an allowed origin."""
        if origin is None or origin in self._config.allowed_origins:
            return True
        return bool(host) and urlsplit(origin).netloc.lower() == host.lower()

    def opened(self, websocket: RpcProtocol[Client], handshake: Handshake) -> Client:
        """A websocket is open. A stock client's is subscribed from the start."""
        client = Client(websocket.address, self._journal.anonymous(websocket.address), websocket)
        self._clients.add(client)
        self._metrics.connections.set(len(self._clients))
        events = _stock_events(handshake.target)
        if events is not None:
            self._broadcast.subscribe(websocket, Subscription(events, stock=True))
        if self.dreaming is not None:
            self.dreaming.active()
        self.announce()
        return client

    def closed(self, peer: Client) -> None:
        """A websocket is gone."""
        if peer.websocket is not None:
            self._broadcast.unsubscribe(peer.websocket)
        self._clients.discard(peer)
        self._metrics.connections.set(len(self._clients))
        self.announce()

    def drained(self, peer: Client) -> None:
        """A slow reader has caught up."""
        if peer.websocket is not None:
            self._broadcast.drained(peer.websocket)

    def rpc_error(self, method: str, error: BaseException) -> RpcError:
        """What a caller is told of an exception: of a bug no more than an id, which the log explains."""
        if isinstance(error, RpcError):
            return error
        incident = secrets.token_hex(4)
        log.error("incident", extra={"incident": incident, "method": method[:80]}, exc_info=error)
        return Internal(f"incident {incident}")

    def called(self, method: str, error: RpcError | None) -> None:
        """A call was answered."""
        self._metrics.called(method, error)


def _stock_events(target: str) -> frozenset[str] | None:
    """What a websocket's address subscribes it to as it opens, or None. Raises InvalidParams."""
    parts = urlsplit(target)
    query = parse_qs(parts.query, keep_blank_values=True)
    if "subscribe" in query:
        return _event_names([name for names in query["subscribe"] for name in names.split(",") if name])
    return frozenset(EVENTS) if parts.path == "/" else None


def _event_names(names: Sequence[str]) -> frozenset[str]:
    for index, name in enumerate(names):
        if name not in EVENTS:
            raise InvalidParams(f"events[{index}] is one of {', '.join(EVENTS)}", field=f"events[{index}]")
    return frozenset(names or EVENTS)


def _dabs(request: pb.PaintRequest, most: int) -> list[Dab]:
    if not request.dabs:
        return [_dab(request, "")]
    if request.HasField("pos") or request.HasField("size") or request.HasField("color"):
        raise InvalidParams("dabs stands in place of pos, size and color: leave these out", field="dabs")
    if len(request.dabs) > most:
        raise InvalidParams(f"dabs has {len(request.dabs)} items, at most {most} are allowed", field="dabs")
    return [_dab(dab, f"dabs[{index}].") for index, dab in enumerate(request.dabs)]


def _dab(dab: pb.Dab | pb.PaintRequest, place: str) -> Dab:
    if not dab.HasField("pos"):
        raise InvalidParams(f"{place}pos is missing: the middle of the dab", field=f"{place}pos")
    if not dab.HasField("size"):
        raise InvalidParams(f"{place}size is missing: 1 to {MAX_SIZE} pixels", field=f"{place}size")
    x, y, size, color = dab.pos.x, dab.pos.y, dab.size, dab.color
    if not (
        abs(x) <= POSITION_BOUND and abs(y) <= POSITION_BOUND and 1 <= size <= MAX_SIZE and color <= MAX_COLOR
    ):
        _within(f"{place}pos.x", x, -POSITION_BOUND, POSITION_BOUND)
        _within(f"{place}pos.y", y, -POSITION_BOUND, POSITION_BOUND)
        _within(f"{place}size", size, 1, MAX_SIZE)
        _within(f"{place}color", color, 0, MAX_COLOR)
    return Dab(x, y, size, color)


def _within(name: str, value: int, low: int, high: int) -> int:
    if not low <= value <= high:
        raise InvalidParams(f"{name} is {value}, but has to be {low} to {high}", field=name)
    return value


def _paint_response(receipt: Receipt) -> pb.PaintResponse:
    return pb.PaintResponse(
        timestamp=receipt.time % 2**32, seq=receipt.seq, duplicate=receipt.duplicate, time=receipt.time
    )
