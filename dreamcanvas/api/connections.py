"""The endpoint of the websockets: which may be opened, who their callers are, what is done at their end."""

from collections.abc import Callable

from dreamcanvas.access.quotas import Client, Quotas, household_of, token_of
from dreamcanvas.access.site import Site
from dreamcanvas.access.tokens import Access
from dreamcanvas.api.clients import Clients
from dreamcanvas.api.event_names import stock_events
from dreamcanvas.api.rpc_errors import told
from dreamcanvas.api.subscriptions import Subscriptions
from dreamcanvas.broadcast.broadcast import Subscription
from dreamcanvas.config import Config
from dreamcanvas.errors import InvalidParams, RpcError, UnknownToken
from dreamcanvas.net.addresses import Seen, household
from dreamcanvas.net.origins import below
from dreamcanvas.rpc.connection import POLICY_VIOLATION
from dreamcanvas.rpc.endpoint import Handshake, Refusal, Settings, Websocket
from dreamcanvas.rpc.fair_scheduler import FairScheduler, Share
from dreamcanvas.rpc.service import Service
from dreamcanvas.store.journal import Journal
from dreamcanvas.telemetry.metrics import Metrics
from dreamcanvas.text.plural import counted, form


class Connections:
    """The endpoint that all websockets share. `visited` is called when somebody has come or left."""

    def __init__(
        self,
        config: Config,
        *,
        service: Service[Client],
        site: Site,
        clients: Clients,
        quotas: Quotas,
        access: Access,
        journal: Journal,
        subscriptions: Subscriptions,
        metrics: Metrics,
        visited: Callable[[], None],
    ) -> None:
        self._config = config
        self._site = site
        self._clients = clients
        self._quotas = quotas
        self._access = access
        self._journal = journal
        self._subscriptions = subscriptions
        self._metrics = metrics
        self._visited = visited
        self.service = service
        self.turns = FairScheduler(quotas.pace)
        self.settings = Settings(
            message_bytes=config.message_bytes,
            batch_calls=config.batch_calls,
            calls_in_flight=config.calls_in_flight,
            write_buffer=config.client_buffer,
            ping_interval=config.ping_interval,
            ping_timeout=config.ping_timeout,
        )

    # Opening

    def _unfit(self, handshake: Handshake) -> Refusal | None:
        """Return the refusal of a handshake that is wrong in itself, or None where it is right."""
        headers, target = handshake.headers, self._target(handshake)
        if target.partition("?")[0] not in ("/", "/rpc"):
            return Refusal(404, "Not found: websockets are at /rpc.\n")
        host = self._seen(handshake).host
        if not self._site.origins.knows(host):
            return Refusal(403, "Forbidden: this server is not known by that name.\n")
        if not self._site.origins.is_ours(headers.get("origin"), host):
            return Refusal(403, "Forbidden: pages of other origins may not connect.\n")
        try:
            stock_events(target)
            self._access.identify(headers.get("authorization"))
        except InvalidParams as error:
            return Refusal(400, f"{error.sentence}\n")
        except UnknownToken as error:
            refused = told("", error)
            return Refusal(401, f"{refused.name}: {refused.sentence}\n")
        return None

    def admit(self, handshake: Handshake) -> Refusal | None:
        """Return None where a websocket may be opened, or the refusal to answer with."""
        refusal = self._unfit(handshake)
        if refusal is not None:
            return refusal
        most_of_all = self._config.connections
        identity = self._access.identify(handshake.headers.get("authorization"))
        if most_of_all and self._clients.count() >= most_of_all:
            self._metrics.limited("connections")
            full = counted(most_of_all, "connection is", "connections are")
            return Refusal(503, f"Full: {full} open; try again later.\n")
        most = self._quotas.connections(identity)
        if most and self._clients.of_household(household_of(self._seen(handshake).address, identity)) >= most:
            self._metrics.limited("connections_per_address")
            whose = "address" if identity is None else "token"
            many = f"{counted(most, 'connection')} of your {whose} {form(most, 'is', 'are')} open"
            return Refusal(429, f"Too many: {many}.\n")
        return None

    def _seen(self, handshake: Handshake) -> Seen:
        return self._site.proxies.seen(handshake.address, handshake.headers)

    def _target(self, handshake: Handshake) -> str:
        return below(self._site.root, handshake.target)

    def opened(self, websocket: Websocket, handshake: Handshake) -> Client:
        """Return the new caller of a websocket that has been opened.

        Where its address names events, as a stock client's does, it is subscribed to them at once.
        """
        identity = self._access.identify(handshake.headers.get("authorization"))
        author = self._journal.anonymous(self._seen(handshake).address, token_of(identity))
        client = self._quotas.client(author, identity, websocket)
        self._clients.add(client)
        events = stock_events(self._target(handshake))
        if events is not None:
            self._subscriptions.begin(websocket, Subscription(events, stock=True))
        self._visited()
        return client

    # Whose turn it is

    def share(self, peer: Client) -> Share:
        """Return the share of the event loop that a caller's address, or its token, has."""
        return self.turns.share(peer.household)

    def share_of(self, peer: str) -> Share:
        """Return the share of the event loop that a connection has before its caller is known.

        A proxy speaks for many visitors: its connections do not count as a visitor's address.
        """
        return self.turns.share((peer,) if self.is_proxy(peer) else household(peer))

    def is_proxy(self, peer: str) -> bool:
        """Return whether an address is a trusted proxy's."""
        return self._site.proxies.trusts(peer)

    def household(self, peer: str, forwarded_for: str) -> str | None:
        """Return the household whose limits hold for an HTTP request, or None where there are no limits."""
        if not self._config.rate_limits:
            return None
        return household(self._site.proxies.seen(peer, {"x-forwarded-for": forwarded_for}).address)

    # Closing

    def close_revoked(self) -> None:
        """Close the websockets of bots whose tokens have been revoked."""
        for client in self._clients:
            websocket, identity = client.websocket, client.identity
            if websocket is not None and identity is not None and not self._access.is_valid(identity):
                websocket.close(POLICY_VIOLATION, "the token was revoked")

    def closed(self, peer: Client, code: int) -> None:
        """Forget the caller of a websocket that is gone, and count the close code."""
        self._metrics.closed(code)
        if peer.websocket is not None:
            self._subscriptions.end(peer.websocket)
        self._clients.remove(peer)
        self._visited()

    def drained(self, peer: Client) -> None:
        """Tell a slow reader that has caught up what it missed."""
        if peer.websocket is not None:
            self._subscriptions.drained(peer.websocket)

    # Calls

    def rpc_error(self, method: str, error: BaseException) -> RpcError:
        """Return the error that a caller is sent for an exception."""
        return told(method, error)

    def called(self, method: str, error: RpcError | None, seconds: float) -> None:
        """Count a call that was answered."""
        self._metrics.called(method, error, seconds)
