"""Who is here: which websockets may be opened, what each caller may spend, the status that all hear of."""

import asyncio
import logging
import secrets
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs

from dreamcanvas import addresses
from dreamcanvas.broadcast import EVENTS, Broadcast, Subscription
from dreamcanvas.canvas import Operation
from dreamcanvas.config import Config
from dreamcanvas.cursors import Cursors
from dreamcanvas.dreaming import Dreaming
from dreamcanvas.errors import Internal, InvalidParams, RateLimited, RpcError
from dreamcanvas.limits import Bucket, Buckets
from dreamcanvas.metrics import Metrics
from dreamcanvas.proto import dreamcanvas_pb2 as pb
from dreamcanvas.rpc.endpoint import Handshake, Refusal, Settings, Websocket
from dreamcanvas.rpc.service import Service
from dreamcanvas.store.journal import Author, Journal

log = logging.getLogger(__name__)

STATUS_INTERVAL: Final = 0.1
KEPT_POSTERS: Final = 4096


@dataclass(slots=True, eq=False)
class Client:
    """A caller: a websocket, or an address that posts (then `websocket` is None).

    `dabs` and `canvases` are what it may spend, beside what its `household` may (see `addresses.household`);
    `cursors` what is passed on.
    """

    address: str
    household: str
    author: Author
    dabs: Bucket
    canvases: Bucket
    cursors: Bucket
    websocket: Websocket | None = None


class Visitors:
    """The endpoint of the websockets. `now` is a monotonic clock in seconds."""

    def __init__(
        self,
        config: Config,
        *,
        journal: Journal,
        broadcast: Broadcast,
        metrics: Metrics,
        now: Callable[[], float],
        cursors: Cursors | None = None,
    ) -> None:
        self._config = config
        self._journal = journal
        self._broadcast = broadcast
        self._cursors = cursors or Cursors()
        self._metrics = metrics
        self._now = now
        self._trusted = addresses.networks(config.trusted_proxies)
        self._clients: set[Client] = set()
        self._households: Counter[str] = Counter()
        self._posters: OrderedDict[str, Client] = OrderedDict()
        self._dabs = Buckets(*self._dab_rate())
        self._canvases = Buckets(*self._canvas_rate())
        self._status_due: asyncio.TimerHandle | None = None
        self.dreaming: Dreaming | None = None
        self.service: Service[Client] = Service(pb.DESCRIPTOR.services_by_name["DreamPainter"])
        self.settings = Settings(
            message_bytes=config.message_bytes,
            batch_calls=config.batch_calls,
            calls_in_flight=config.calls_in_flight,
            write_buffer=config.client_buffer,
            ping_interval=config.ping_interval,
            ping_timeout=config.ping_timeout,
        )

    # What is told

    def users(self) -> int:
        """How many websockets are open."""
        return len(self._clients)

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

    def announce(self) -> None:
        """Sends the status to everyone, soon: many changes at once become one event."""
        if self._status_due is None:
            self._status_due = asyncio.get_running_loop().call_later(STATUS_INTERVAL, self._announce)

    def _announce(self) -> None:
        self._status_due = None
        self._broadcast.event("status", self.status())

    # What is allowed

    def _dab_rate(self) -> tuple[float, float]:
        config = self._config
        return (config.dabs_per_second, config.dabs_burst) if config.rate_limits else (0, 0)

    def _canvas_rate(self) -> tuple[float, float]:
        per_minute = self._config.canvas_per_minute if self._config.rate_limits else 0
        return per_minute / 60, per_minute

    def spend_dabs(self, client: Client, count: int) -> None:
        """Takes dabs from what a caller and its address may draw. Raises RateLimited."""
        self._spend(client.dabs, self._dabs, client.household, count, "dabs")

    def spend_canvas(self, client: Client, share: float) -> None:
        """Takes a share of a canvas from what a caller and its address may fetch. Raises RateLimited."""
        self._spend(client.canvases, self._canvases, client.household, share, "canvas")

    def _spend(self, own: Bucket, buckets: Buckets, household: str, cost: float, limit: str) -> None:
        now = self._now()
        shared = buckets.get(household, now)
        wait = max(own.wait(now, cost), shared.wait(now, cost))
        if wait:
            self._metrics.limited(limit)
            wait_ms = int(1000 * wait) + 1
            raise RateLimited(f"too fast: try again in {wait_ms} ms", retry_after_ms=wait_ms)
        own.take(now, cost)
        shared.take(now, cost)

    def may_point(self, client: Client) -> bool:
        """Whether a caller's cursor is to be passed on; takes one from what may be."""
        now = self._now()
        if client.cursors.wait(now, 1):
            return False
        client.cursors.take(now, 1)
        return True

    def subscribe(
        self, websocket: Websocket, subscription: Subscription, replay: Sequence[Operation] = ()
    ) -> None:
        """Sends a websocket these events from now on, after those of `replay`."""
        self._broadcast.subscribe(websocket, subscription, replay)
        if "cursor" in subscription.events:
            self._cursors.watch(websocket, text=subscription.text)
        else:
            self._cursors.unwatch(websocket)

    def address(self, peer: str, forwarded_for: str) -> str:
        """Where a caller is: `peer`, or what a trusted proxy says of it."""
        return addresses.client_address(peer, forwarded_for, self._trusted) if self._trusted else peer

    def origin_is_ours(self, origin: str | None, host: str) -> bool:
        """Whether a browser's Origin header, if any, names this server or an allowed origin."""
        if origin is None or origin in self._config.allowed_origins:
            return True
        return bool(host) and origin.partition("://")[2].lower() == host.lower()

    def poster(self, address: str) -> Client:
        """A caller without a socket: known by its address, and kept for a while."""
        client = self._posters.pop(address, None) or self._client(address, None)
        self._posters[address] = client
        if len(self._posters) > KEPT_POSTERS:
            self._posters.popitem(last=False)
        return client

    def _client(self, address: str, websocket: Websocket | None) -> Client:
        author = self._journal.anonymous(address)
        cursors = self._config.cursors_per_second
        return Client(
            address,
            addresses.household(address),
            author,
            Bucket(*self._dab_rate()),
            Bucket(*self._canvas_rate()),
            Bucket(cursors, cursors),
            websocket,
        )

    # The endpoint of websockets

    def admit(self, handshake: Handshake) -> Refusal | None:
        """Says whether a websocket may be opened."""
        headers = handshake.headers
        if handshake.target.partition("?")[0] not in ("/", "/rpc"):
            return Refusal(404, "Not found: websockets are at /rpc.\n")
        if not self.origin_is_ours(headers.get("origin"), headers.get("host", "")):
            return Refusal(403, "Forbidden: pages of other origins may not connect.\n")
        try:
            stock_events(handshake.target)
        except InvalidParams as error:
            return Refusal(400, f"{error.sentence}\n")
        config = self._config
        if config.connections and len(self._clients) >= config.connections:
            self._metrics.limited("connections")
            return Refusal(503, f"Full: {config.connections} connections are open; try again later.\n")
        household = addresses.household(self._address_of(handshake))
        most = config.connections_per_address if config.rate_limits else 0
        if most and self._households[household] >= most:
            self._metrics.limited("connections_per_address")
            return Refusal(429, f"Too many: {most} connections of your address are open.\n")
        return None

    def _address_of(self, handshake: Handshake) -> str:
        return self.address(handshake.address, handshake.headers.get("x-forwarded-for", ""))

    def opened(self, websocket: Websocket, handshake: Handshake) -> Client:
        """A websocket is open. A stock client's is subscribed from the start."""
        client = self._client(self._address_of(handshake), websocket)
        self._clients.add(client)
        self._households[client.household] += 1
        events = stock_events(handshake.target)
        if events is not None:
            self.subscribe(websocket, Subscription(events, stock=True))
        if self.dreaming is not None:
            self.dreaming.active()
        self.announce()
        return client

    def closed(self, peer: Client, code: int) -> None:
        """A websocket is gone."""
        self._metrics.closed(code)
        if peer.websocket is not None:
            self._broadcast.unsubscribe(peer.websocket)
            self._cursors.unwatch(peer.websocket)
        self._clients.discard(peer)
        self._households[peer.household] -= 1
        if not self._households[peer.household]:
            del self._households[peer.household]
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

    def called(self, method: str, error: RpcError | None, seconds: float) -> None:
        """A call was answered."""
        self._metrics.called(method, error, seconds)


def stock_events(target: str) -> frozenset[str] | None:
    """What a websocket's address subscribes it to as it opens, or None. Raises InvalidParams."""
    path, _, text = target.partition("?")
    query = parse_qs(text, keep_blank_values=True)
    if "subscribe" in query:
        return event_names([name for names in query["subscribe"] for name in names.split(",") if name])
    return frozenset(EVENTS) if path == "/" else None


def event_names(names: Sequence[str]) -> frozenset[str]:
    """The events that are named, all where none is. Raises InvalidParams."""
    for index, name in enumerate(names):
        if name not in EVENTS:
            raise InvalidParams(f"events[{index}] is one of {', '.join(EVENTS)}", field=f"events[{index}]")
    return frozenset(names or EVENTS)
