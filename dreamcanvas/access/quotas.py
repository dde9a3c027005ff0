"""Callers, and what each may spend: by connection and by address, or by the quota of its token."""

import asyncio
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Final

from dreamcanvas.access.rate_limit import Bucket, Buckets
from dreamcanvas.access.tokens import Identity
from dreamcanvas.config import Config
from dreamcanvas.errors import TooFast
from dreamcanvas.net import addresses
from dreamcanvas.rpc.endpoint import Websocket
from dreamcanvas.store.journal import Author
from dreamcanvas.telemetry.metrics import Metrics

CALL_SECONDS: Final = 0.0001  # that a call takes by and large, where it is not measured
BURST_SECONDS: Final = 2  # of calls, bytes and time beyond the lasting rate
WORK_BURST_SECONDS: Final = 5


class Pace:
    """How fast the calls of an address are carried out: the slowest of its buckets says when it goes on."""

    def __init__(self, key: Hashable, seconds: Buckets, calls: Buckets, kilobytes: Buckets) -> None:
        self._key = key
        self._seconds = seconds
        self._calls = calls
        self._kilobytes = kilobytes

    def wait(self, now: float) -> float:
        """Seconds until it may go on: until what it owes has come in."""
        all_ = self._seconds, self._calls, self._kilobytes
        return max(buckets.get(self._key, now).wait(now, 0) for buckets in all_)

    def take(self, now: float, calls: int, size: int, seconds: float) -> None:
        """Takes what was done: calls, bytes, processor seconds."""
        self._seconds.get(self._key, now).take(now, seconds)
        self._calls.get(self._key, now).take(now, calls)
        self._kilobytes.get(self._key, now).take(now, size / 1000)


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

    def becomes(self, author: Author) -> None:
        """Draw as another author from now on: a session has been named."""
        self.author = author


def household_of(address: str, identity: Identity | None) -> str:
    """What limits per address count as one. A token stands for itself, wherever it is used."""
    return addresses.household(address) if identity is None else f"{BOTS}{identity.name}"


BOTS: Final = "token "  # begins the household of a token
OPERATOR: Final = f"{BOTS}admin"  # the household of who has the operator's token


def token_of(identity: Identity | None) -> str | None:
    """The name of a caller's token."""
    return identity.name if identity is not None else None


class Quotas:
    """The buckets. `now` is a monotonic clock in seconds."""

    def __init__(self, config: Config, metrics: Metrics, *, now: Callable[[], float]) -> None:
        self._config = config
        self._metrics = metrics
        self._now = now
        self._dabs = Buckets(*self._dab_rate())
        self._canvases = Buckets(*self._canvas_rate())
        self._undone = Buckets(*self._undo_rate())
        self._work = self._buckets(config.work_per_second, WORK_BURST_SECONDS)
        self._busy = self._buckets(config.busy_percent / 100)
        self._calls = self._buckets(config.calls_per_second)
        self._kilobytes = self._buckets(config.kilobytes_per_second)
        self._unlimited = Buckets(0, 0)
        self._quotas: dict[Identity, Bucket] = {}

    def _buckets(self, rate: float, burst_seconds: float = BURST_SECONDS) -> Buckets:
        limited = rate if self._config.rate_limits else 0
        return Buckets(limited, burst_seconds * limited)

    def pace(self, household: Hashable) -> Pace | None:
        """How fast the calls of an address, its name, are carried out; None where that is not limited."""
        if not self._config.rate_limits or household == OPERATOR or not isinstance(household, str):
            return None
        if household.startswith(BOTS):  # whose quota is the operator's to choose
            return Pace(household, self._busy, self._unlimited, self._unlimited)
        return Pace(household, self._busy, self._calls, self._kilobytes)

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
        """Takes dabs from what a caller and its address, or its token, may draw. Raises TooFast."""
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
        """Takes a share of a canvas from what a caller and its address may fetch. Raises TooFast."""
        now = self._now()
        self._spend(client.canvases, self._canvases.get(client.household, now), now, share, "canvas")

    def spend_undone(self, client: Client, count: int) -> None:
        """Takes bytes of a patch from what an address, or a token, may have undone. Raises TooFast."""
        now = self._now()
        bucket = self._undone.get(client.household, now)
        self._spend(bucket, Bucket(0, 0), now, count, "undo_bytes")

    async def pass_calls(self, client: Client, calls: int, size: int) -> None:
        """Waits until the calls of a caller without a websocket may be carried out."""
        pace = self.pace(client.household)
        if pace is not None:
            now = self._now()
            wait = pace.wait(now)
            pace.take(now, calls, size, calls * CALL_SECONDS)
            if wait:
                await asyncio.sleep(wait)

    def spend_work(self, client: Client, units: float) -> None:
        """Takes units of work, about a millisecond each, for a call that is dear. Raises TooFast."""
        if client.household != OPERATOR:
            now = self._now()
            shared = self._work.get(client.household, now)
            self._spend(shared, shared, now, units, "work")

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
            raise TooFast(f"too fast: try again in {wait_ms} ms", wait_ms=wait_ms)
        own.take(now, cost)
        if shared is not own:
            shared.take(now, cost)
