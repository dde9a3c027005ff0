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

CALL_SECONDS: Final = 0.0001  # processor time of a usual call, for calls whose time is not measured
BURST_SECONDS: Final = 2  # a burst of calls, bytes and processor time is as much as this long at the rate
WORK_BURST_SECONDS: Final = 5


class Pace:
    """The limit on how fast an address's calls are carried out: processor time, calls and kilobytes.

    There is a bucket for each of the three; the address waits for the slowest of them.
    """

    def __init__(self, key: Hashable, seconds: Buckets, calls: Buckets, kilobytes: Buckets) -> None:
        self._key = key
        self._seconds = seconds
        self._calls = calls
        self._kilobytes = kilobytes

    def wait(self, now: float) -> float:
        """Return the seconds until the next call may be carried out, 0 where it may be now."""
        all_ = self._seconds, self._calls, self._kilobytes
        return max(buckets.get(self._key, now).wait(now, 0) for buckets in all_)

    def take(self, now: float, calls: int, size: int, seconds: float) -> None:
        """Count work that was done: `calls`, `size` in bytes, `seconds` of processor time."""
        self._seconds.get(self._key, now).take(now, seconds)
        self._calls.get(self._key, now).take(now, calls)
        self._kilobytes.get(self._key, now).take(now, size / 1000)


@dataclass(slots=True, eq=False)
class Client:
    """A caller: a websocket, or an address that posts (then `websocket` is None).

    `household` is its address or its token, which all its connections share. `dabs` and `canvases` limit
    this one caller, beside the limits of its household; `cursors` limits which cursors are passed on.
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
    """Return the name under which limits count a caller: of its token if it has one, else of its address.

    A token counts as one wherever it is used.
    """
    return addresses.household(address) if identity is None else f"{BOTS}{identity.name}"


BOTS: Final = "token "  # how the household of a token begins; no address has a space
OPERATOR: Final = f"{BOTS}admin"  # the household of the operator's token


def token_of(identity: Identity | None) -> str | None:
    """Return the name of a caller's token, or None where it has none."""
    return identity.name if identity is not None else None


class Quotas:
    """The buckets of all households, one kind for each limit. `now` is a monotonic clock in seconds.

    All limits but that of cursors are off where `rate_limits` is off.
    """

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
        """Return the limit on how fast a household's calls are carried out, or None where there is none."""
        if not self._config.rate_limits or household == OPERATOR or not isinstance(household, str):
            return None
        if household.startswith(BOTS):  # the operator chose its quota: only its processor time is limited
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
        """Return how many websockets an address or a token may have open; 0 is no limit."""
        if not self._config.rate_limits:
            return 0
        return self._config.connections_per_address if identity is None else identity.connections

    def client(self, author: Author, identity: Identity | None, websocket: Websocket | None) -> Client:
        """Return a new caller, with full buckets of its own."""
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
        """Take dabs from what a caller and its address, or its token, may draw. Raises TooFast."""
        now = self._now()
        self._spend(client.dabs, self._shared_dabs(client, now), now, count, "dabs")

    def owe_dabs(self, client: Client, count: int) -> None:
        """Take dabs for work that is already done, though there may be too few: the next calls wait."""
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
        """Take a share of a canvas, 0 to 1, from what a caller and its address may fetch. Raises TooFast."""
        now = self._now()
        self._spend(client.canvases, self._canvases.get(client.household, now), now, share, "canvas")

    def spend_undone(self, client: Client, count: int) -> None:
        """Take `count` bytes of a patch from what an address, or a token, may undo. Raises TooFast."""
        now = self._now()
        bucket = self._undone.get(client.household, now)
        self._spend(bucket, Bucket(0, 0), now, count, "undo_bytes")

    async def pass_calls(self, client: Client, calls: int, size: int) -> None:
        """Wait until a message of a caller without a websocket may be carried out: `calls`, `size` in bytes.

        They are counted before the wait, so that messages that come meanwhile wait for their own turn.
        """
        pace = self.pace(client.household)
        if pace is not None:
            now = self._now()
            wait = pace.wait(now)
            pace.take(now, calls, size, calls * CALL_SECONDS)
            if wait:
                await asyncio.sleep(wait)

    def spend_work(self, client: Client, units: float) -> None:
        """Take units of work, about a millisecond each, for an expensive call. Raises TooFast."""
        if client.household != OPERATOR:
            now = self._now()
            shared = self._work.get(client.household, now)
            self._spend(shared, shared, now, units, "work")

    def may_point(self, client: Client) -> bool:
        """Return whether a caller's cursor may be passed on, and count it if so."""
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
