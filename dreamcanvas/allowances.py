"""Callers, and what each may spend: by connection and by address, or by the quota of its token."""

from collections.abc import Callable
from dataclasses import dataclass

from dreamcanvas import addresses
from dreamcanvas.access import Identity
from dreamcanvas.config import Config
from dreamcanvas.errors import RateLimited
from dreamcanvas.limits import Bucket, Buckets
from dreamcanvas.metrics import Metrics
from dreamcanvas.rpc.endpoint import Websocket
from dreamcanvas.store.journal import Author


@dataclass(slots=True, eq=False)
class Client:
    """A caller: a websocket, or an address that posts (then `websocket` is None).

    `dabs` and `canvases` are what it may spend, beside what its `household` may: its address, or its token;
    `cursors` is what is passed on.
    """

    address: str
    household: str
    author: Author
    identity: Identity | None
    dabs: Bucket
    canvases: Bucket
    cursors: Bucket
    websocket: Websocket | None = None


def household_of(address: str, identity: Identity | None) -> str:
    """What limits per address count as one. A token stands for itself, wherever it is used."""
    return addresses.household(address) if identity is None else f"token {identity.name}"


def token_of(identity: Identity | None) -> str | None:
    """The name of a caller's token."""
    return identity.name if identity is not None else None


class Allowances:
    """The buckets. `now` is a monotonic clock in seconds."""

    def __init__(self, config: Config, metrics: Metrics, *, now: Callable[[], float]) -> None:
        self._config = config
        self._metrics = metrics
        self._now = now
        self._dabs = Buckets(*self._dab_rate())
        self._canvases = Buckets(*self._canvas_rate())
        self._undone = Buckets(*self._undo_rate())
        self._quotas: dict[Identity, Bucket] = {}

    def _dab_rate(self) -> tuple[float, float]:
        config = self._config
        return (config.dabs_per_second, config.dabs_burst) if config.rate_limits else (0, 0)

    def _canvas_rate(self) -> tuple[float, float]:
        per_minute = self._config.canvas_per_minute if self._config.rate_limits else 0
        return per_minute / 60, per_minute

    def _undo_rate(self) -> tuple[float, float]:
        config = self._config
        return (config.undo_bytes_per_second, config.undo_bytes_burst) if config.rate_limits else (0, 0)

    def connections(self, identity: Identity | None) -> int:
        """How many websockets an address or a token may have open; 0 is no limit."""
        if not self._config.rate_limits:
            return 0
        return self._config.connections_per_address if identity is None else identity.connections

    def client(self, author: Author, identity: Identity | None, websocket: Websocket | None) -> Client:
        """A new caller."""
        cursors = self._config.cursors_per_second
        return Client(
            address=author.address,
            household=household_of(author.address, identity),
            author=author,
            identity=identity,
            dabs=Bucket(*self._dab_rate()) if identity is None else Bucket(0, 0),
            canvases=Bucket(*self._canvas_rate()),
            cursors=Bucket(cursors, cursors),
            websocket=websocket,
        )

    def spend_dabs(self, client: Client, count: int) -> None:
        """Takes dabs from what a caller and its address, or its token, may draw. Raises RateLimited."""
        now = self._now()
        self._spend(client.dabs, self._shared_dabs(client, now), now, count, "dabs")

    def owe_dabs(self, client: Client, count: int) -> None:
        """Takes dabs for something that was done already: what comes next waits for it."""
        now = self._now()
        client.dabs.take(now, count)
        self._shared_dabs(client, now).take(now, count)

    def _shared_dabs(self, client: Client, now: float) -> Bucket:
        identity = client.identity
        if identity is None:
            return self._dabs.get(client.household, now)
        limited = self._config.rate_limits
        quota = Bucket(identity.dabs_per_second if limited else 0, identity.dabs_burst)
        return self._quotas.setdefault(identity, quota)

    def spend_canvas(self, client: Client, share: float) -> None:
        """Takes a share of a canvas from what a caller and its address may fetch. Raises RateLimited."""
        now = self._now()
        self._spend(client.canvases, self._canvases.get(client.household, now), now, share, "canvas")

    def spend_undone(self, client: Client, count: int) -> None:
        """Takes bytes of a patch from what an address, or a token, may have undone. Raises RateLimited."""
        now = self._now()
        bucket = self._undone.get(client.household, now)
        self._spend(bucket, Bucket(0, 0), now, count, "undo_bytes")

    def may_point(self, client: Client) -> bool:
        """Whether a caller's cursor is to be passed on; takes one from what may be."""
        now = self._now()
        if client.cursors.wait(now, 1):
            return False
        client.cursors.take(now, 1)
        return True

    def _spend(self, own: Bucket, shared: Bucket, now: float, cost: float, limit: str) -> None:
        wait = max(own.wait(now, cost), shared.wait(now, cost))
        if wait:
            self._metrics.limited(limit)
            wait_ms = int(1000 * wait) + 1
            raise RateLimited(f"too fast: try again in {wait_ms} ms", retry_after_ms=wait_ms)
        own.take(now, cost)
        shared.take(now, cost)
