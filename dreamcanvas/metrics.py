"""Counters for `/metrics`, in Prometheus' text format.

Their labels are bounded: methods and codes that exist.
"""

from collections.abc import Callable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from dreamcanvas.errors import RpcError

KNOWN_CODES: Final = frozenset((1000, 1001, 1002, 1007, 1008, 1009, 1011, 1013))
PREFIX: Final = "dreamcanvas_"
KNOWN_METHODS: Final = frozenset(
    ("paint", "getCanvas", "subscribe", "undo", "cursor", "getInfo", "getHistory", "getFrame", "rpc.discover")
)


class Metrics:
    """All counters of a server, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._limits = self._counter("limited", "Refused by a limit.", ("limit",))
        self._calls = self._counter("calls", "Answered calls.", ("method", "result"))
        self._dabs = self._counter("dabs", "Dabs that were drawn.", ())
        self._closes = self._counter("closed", "Websockets that ended, by the close code sent.", ("code",))
        self._seconds = self._histogram(
            "call_seconds",
            "From a call to its answer.",
            (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3),
            ("method",),
        )
        self._commits = self._histogram(
            "commit_seconds", "How long a transaction took.", (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3)
        )
        self._batches = self._histogram(
            "commit_entries", "Calls in a transaction.", (1, 3, 10, 30, 100, 300, 1000)
        )
        self._dreams = self._histogram(
            "dream_seconds", "How long a dream took.", (0.25, 0.5, 1, 1.5, 2, 3, 5, 10, 30)
        )

    def _counter(self, name: str, help_: str, labels: tuple[str, ...]) -> Counter:
        return Counter(PREFIX + name, help_, labels, registry=self.registry)

    def _histogram(
        self, name: str, help_: str, buckets: tuple[float, ...], labels: tuple[str, ...] = ()
    ) -> Histogram:
        return Histogram(PREFIX + name, help_, labels, buckets=buckets, registry=self.registry)

    def watch(self, name: str, help_: str, value: Callable[[], float]) -> None:
        """Has a gauge show what `value` returns when it is asked for."""
        Gauge(PREFIX + name, help_, registry=self.registry).set_function(value)

    def dreamt(self, seconds: float) -> None:
        """Counts a dream."""
        self._dreams.observe(seconds)

    def painted(self, dabs: int) -> None:
        """Counts dabs."""
        self._dabs.inc(dabs)

    def committed(self, seconds: float, entries: int) -> None:
        """Counts a transaction."""
        self._commits.observe(seconds)
        self._batches.observe(entries)

    def closed(self, code: int) -> None:
        """Counts a websocket that ended."""
        self._closes.labels(str(code) if code in KNOWN_CODES else "other" if code else "none").inc()

    def limited(self, limit: str) -> None:
        """Counts what a limit refused."""
        self._limits.labels(limit).inc()

    def called(self, method: str, error: RpcError | None, seconds: float) -> None:
        """Counts an answered call."""
        name = method if method in KNOWN_METHODS else method[:1].lower() + method[1:]
        label = name if name in KNOWN_METHODS else "admin" if name.startswith("admin.") else "unknown"
        self._calls.labels(label, "OK" if error is None else error.name).inc()
        self._seconds.labels(label).observe(seconds)

    def text(self) -> bytes:
        """The metrics in the text format."""
        return generate_latest(self.registry)
