"""Who is here: which websockets may be opened, what each caller may spend, the status that all hear of."""

import asyncio
import logging
import secrets
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Final

from dreamcanvas.access.moderation import Moderation
from dreamcanvas.access.quotas import Client, Quotas, household_of, token_of
from dreamcanvas.access.site import site_of
from dreamcanvas.access.tokens import Access, Identity
from dreamcanvas.broadcast.broadcast import Broadcast, Past, Subscription
from dreamcanvas.broadcast.cursors import Cursors
from dreamcanvas.broadcast.event_names import stock_events
from dreamcanvas.config import Config
from dreamcanvas.errors import Internal, InvalidParams, RpcError, Unauthenticated
from dreamcanvas.net.addresses import Seen, household
from dreamcanvas.net.origins import below
from dreamcanvas.painting.dream_loop import DreamLoop
from dreamcanvas.proto import dreamcanvas_pb2 as pb
from dreamcanvas.rpc.connection import POLICY_VIOLATION
from dreamcanvas.rpc.endpoint import Handshake, Refusal, Settings, Websocket
from dreamcanvas.rpc.fair_scheduler import FairScheduler, Share
from dreamcanvas.rpc.service import Service
from dreamcanvas.store.journal import Journal
from dreamcanvas.telemetry.metrics import Metrics
from dreamcanvas.text.plural import counted, form

log = logging.getLogger(__name__)

STATUS_INTERVAL: Final = 0.1
KEPT_POSTERS: Final = 4096


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
        cursors: Cursors,
        access: Access,
        moderation: Moderation,
    ) -> None:
        self._config = config
        self._journal = journal
        self._broadcast = broadcast
        self._cursors = cursors
        self._access = access
        self.moderation = moderation
        moderation.changed = self._moderated
        self._metrics = metrics
        self.site = site_of(config)
        self._clients: set[Client] = set()
        self._households: Counter[str] = Counter()
        self._posters: OrderedDict[object, tuple[tuple[str, int] | None, Client]] = OrderedDict()
        self._quotas = Quotas(config, metrics, now=now)
        self.turns = FairScheduler(self._quotas.pace)
        self._status_due: asyncio.TimerHandle | None = None
        self.dreaming: DreamLoop | None = None
        self.service: Service[Client] = Service(pb.DESCRIPTOR.services_by_name["DreamPainter"])
        self.service.most_items = config.dabs_per_call
        self.settings = Settings(
            message_bytes=config.message_bytes,
            batch_calls=config.batch_calls,
            calls_in_flight=config.calls_in_flight,
            write_buffer=config.client_buffer,
            ping_interval=config.ping_interval,
            ping_timeout=config.ping_timeout,
        )

    # What is told

    def address_of(self, author: int) -> str | None:
        """Where an author is now; None where it is not connected."""
        here = (client.address for client in self._clients if client.author.number == author)
        return next(here, None)

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
        status.read_only = self.moderation.read_only
        if self.moderation.announcement:
            status.announcement = self.moderation.announcement
        return status

    def check(self, client: Client) -> None:
        """Raises Forbidden where a caller may not draw."""
        self.moderation.check(client)

    def limits(self) -> pb.Limits:
        """The bounds that clients should know."""
        return self._quotas.limits()

    def announce(self) -> None:
        """Sends the status to everyone, soon: many changes at once become one event."""
        if self._status_due is None:
            self._status_due = asyncio.get_running_loop().call_later(STATUS_INTERVAL, self._announce)

    def _announce(self) -> None:
        self._status_due = None
        self._broadcast.event("status", self.status())

    # What is allowed

    def spend_dabs(self, client: Client, count: int) -> None:
        """Takes dabs from what a caller may draw. Raises RateLimited."""
        self._quotas.spend_dabs(client, count)

    def owe_dabs(self, client: Client, count: int) -> None:
        """Takes dabs for something that was done already."""
        self._quotas.owe_dabs(client, count)

    def spend_canvas(self, client: Client, share: float) -> None:
        """Takes a share of a canvas from what a caller may fetch. Raises RateLimited."""
        self._quotas.spend_canvas(client, share)

    def spend_undone(self, client: Client, count: int) -> None:
        """Takes bytes of a patch from what a caller may have undone. Raises RateLimited."""
        self._quotas.spend_undone(client, count)

    def spend_work(self, client: Client, units: float) -> None:
        """Takes units of work for a call that is dear. Raises RateLimited."""
        self._quotas.spend_work(client, units)

    async def pass_calls(self, client: Client, calls: int, size: int) -> None:
        """Waits until the calls of a caller without a websocket may be carried out."""
        await self._quotas.pass_calls(client, calls, size)

    def may_point(self, client: Client) -> bool:
        """Whether a caller's cursor is to be passed on; takes one from what may be. Not while banned."""
        banned = self.moderation.ban_of(client.author.number, client.address) is not None
        return not banned and self._quotas.may_point(client)

    def subscribe(
        self,
        websocket: Websocket,
        subscription: Subscription,
        *,
        since: int | None = None,
        past: Past | None = None,
    ) -> None:
        """Sends a websocket these events from now on, after the operations since a number, out of `past`."""
        self._broadcast.subscribe(websocket, subscription, since=since, past=past)
        if "cursor" in subscription.events:
            self._cursors.watch(websocket, text=subscription.text)
        else:
            self._cursors.unwatch(websocket)

    def identify(self, authorization: str | None) -> Identity | None:
        """Who a caller is by its Authorization header. Raises Unauthenticated."""
        return self._access.identify(authorization)

    def poster(
        self, address: str, identity: Identity | None = None, connection: tuple[str, int] | None = None
    ) -> Client:
        """A caller without a socket: known by its token, else by the connection it posts on (the very tuple),
        else not: others may have its address. Kept for a while.
        """
        key = (address, identity, connection if identity is None else None)
        known, client = self._posters.pop(key, (None, None))
        if client is None or (identity is None and (connection is None or known is not connection)):
            author = self._journal.anonymous(address, token_of(identity))
            client = self._quotas.client(author, identity, None)
        if identity is not None or connection is not None:
            self._posters[key] = connection, client
            if len(self._posters) > KEPT_POSTERS:
                self._posters.popitem(last=False)
        return client

    def _moderated(self) -> None:
        """Tells all, and closes the websockets of bots whose tokens have been revoked."""
        self.announce()
        for client in tuple(self._clients):
            websocket, identity = client.websocket, client.identity
            if websocket is not None and identity is not None and not self._access.is_valid(identity):
                websocket.close(POLICY_VIOLATION, "the token was revoked")

    # The endpoint of websockets

    def _unfit(self, handshake: Handshake) -> Refusal | None:
        """What is wrong with a handshake, if anything is."""
        headers, target = handshake.headers, self._target(handshake)
        if target.partition("?")[0] not in ("/", "/rpc"):
            return Refusal(404, "Not found: websockets are at /rpc.\n")
        host = self._seen(handshake).host
        if not self.site.origins.knows(host):
            return Refusal(403, "Forbidden: this server is not known by that name.\n")
        if not self.site.origins.is_ours(headers.get("origin"), host):
            return Refusal(403, "Forbidden: pages of other origins may not connect.\n")
        try:
            stock_events(target)
            self._access.identify(headers.get("authorization"))
        except InvalidParams as error:
            return Refusal(400, f"{error.sentence}\n")
        except Unauthenticated as error:
            return Refusal(401, f"{error.name}: {error.sentence}\n")
        return None

    def admit(self, handshake: Handshake) -> Refusal | None:
        """Says whether a websocket may be opened."""
        refusal = self._unfit(handshake)
        if refusal is not None:
            return refusal
        config = self._config
        identity = self._access.identify(handshake.headers.get("authorization"))
        if config.connections and len(self._clients) >= config.connections:
            self._metrics.limited("connections")
            full = counted(config.connections, "connection is", "connections are")
            return Refusal(503, f"Full: {full} open; try again later.\n")
        household = household_of(self._seen(handshake).address, identity)
        most = self._quotas.connections(identity)
        if most and self._households[household] >= most:
            self._metrics.limited("connections_per_address")
            whose = "address" if identity is None else "token"
            many = f"{counted(most, 'connection')} of your {whose} {form(most, 'is', 'are')} open"
            return Refusal(429, f"Too many: {many}.\n")
        return None

    def _seen(self, handshake: Handshake) -> Seen:
        return self.site.proxies.seen(handshake.address, handshake.headers)

    def _target(self, handshake: Handshake) -> str:
        return below(self.site.root, handshake.target)

    def opened(self, websocket: Websocket, handshake: Handshake) -> Client:
        """A websocket is open. A stock client's is subscribed from the start."""
        identity = self._access.identify(handshake.headers.get("authorization"))
        author = self._journal.anonymous(self._seen(handshake).address, token_of(identity))
        client = self._quotas.client(author, identity, websocket)
        self._clients.add(client)
        self._households[client.household] += 1
        events = stock_events(self._target(handshake))
        if events is not None:
            self.subscribe(websocket, Subscription(events, stock=True))
        if self.dreaming is not None:
            self.dreaming.active()
        self.announce()
        return client

    def share(self, peer: Client) -> Share:
        """What a caller's address, or its token, has of the event loop."""
        return self.turns.share(peer.household)

    def share_of(self, peer: str) -> Share:
        """What an address has of the event loop before it is known who speaks; a proxy speaks for many."""
        return self.turns.share((peer,) if self.is_proxy(peer) else household(peer))

    def is_proxy(self, peer: str) -> bool:
        """Whether an address is a trusted proxy's."""
        return self.site.proxies.trusts(peer)

    def household(self, peer: str, forwarded_for: str) -> str | None:
        """Whose limits hold for an HTTP request; None where none do."""
        if not self._config.rate_limits:
            return None
        return household(self.site.proxies.seen(peer, {"x-forwarded-for": forwarded_for}).address)

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
        if self.dreaming is not None:
            self.dreaming.active()
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
