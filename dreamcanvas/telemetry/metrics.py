"""Counters for `/metrics`, in Prometheus' text format.

Their labels are bounded: methods and codes that exist.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from dreamcanvas.errors import RpcError
from dreamcanvas.proto import dreamcanvas_pb2 as pb

KNOWN_CODES: Final = frozenset((1000, 1001, 1002, 1007, 1008, 1009, 1011, 1013))
PREFIX: Final = "dreamcanvas_"
KNOWN_METHODS: Final = frozenset(
    {method.name for method in pb.DESCRIPTOR.services_by_name["DreamPainter"].methods} | {"rpc.discover"}
)
"""Callers can name any others: these make no labels."""

CALL_SECONDS: Final = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)


class _Calls(Collector):
    """Answered calls and how long they took: prometheus_client's own counters cost a sixth of a paint."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], int] = {}
        self._buckets: dict[str, list[int]] = {}
        self._seconds: dict[str, float] = {}

    def count(self, method: str, result: str, seconds: float) -> None:
        key = method, result
        self._counts[key] = self._counts.get(key, 0) + 1
        if method not in self._buckets:
            self._buckets[method] = [0] * (len(CALL_SECONDS) + 1)
            self._seconds[method] = 0.0
        self._buckets[method][bisect_left(CALL_SECONDS, seconds)] += 1
        self._seconds[method] += seconds

    def collect(self) -> Iterator[CounterMetricFamily | HistogramMetricFamily]:
        calls = CounterMetricFamily(PREFIX + "calls", "Answered calls.", labels=("method", "result"))
        for labels, count in self._counts.items():
            calls.add_metric(labels, count)
        times = HistogramMetricFamily(
            PREFIX + "call_seconds", "From a call to its answer.", labels=("method",)
        )
        bounds = [*map(str, CALL_SECONDS), "+Inf"]
        for method, buckets in self._buckets.items():
            upto = zip(bounds, accumulate(buckets), strict=True)
            times.add_metric((method,), buckets=list(upto), sum_value=self._seconds[method])
        yield calls
        yield times


class _Count(Collector):
    """A counter that another part keeps."""

    def __init__(self, name: str, help_: str, value: Callable[[], float]) -> None:
        self._name = name
        self._help = help_
        self._value = value

    def collect(self) -> Iterator[CounterMetricFamily]:
        yield CounterMetricFamily(self._name, self._help, value=self._value())


class Metrics:
    """All counters of a server, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._limits = self._counter("limited", "Refused by a limit.", ("limit",))
        self._calls = _Calls()
        self.registry.register(self._calls)
        self._dabs = self._counter("dabs", "Dabs that were drawn.", ())
        self._closes = self._counter("closed", "Websockets that ended, by the close code sent.", ("code",))
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
        """Show in a gauge what `value` returns when the metrics are asked for."""
        Gauge(PREFIX + name, help_, registry=self.registry).set_function(value)

    def count(self, name: str, help_: str, value: Callable[[], float]) -> None:
        """Show in a counter what `value` returns, which only grows. Its name gets `_total`."""
        self.registry.register(_Count(PREFIX + name, help_, value))

    def dreamt(self, seconds: float) -> None:
        """Count a dream."""
        self._dreams.observe(seconds)

    def painted(self, dabs: int) -> None:
        """Count dabs."""
        self._dabs.inc(dabs)

    def committed(self, seconds: float, entries: int) -> None:
        """Count a transaction."""
        self._commits.observe(seconds)
        self._batches.observe(entries)

    def closed(self, code: int) -> None:
        """Count a websocket that ended."""
        self._closes.labels(str(code) if code in KNOWN_CODES else "other" if code else "none").inc()

    def limited(self, limit: str) -> None:
        """Count what a limit refused."""
        self._limits.labels(limit).inc()

    def called(self, method: str, error: RpcError | None, seconds: float) -> None:
        """Count an answered call."""
        name = method if method in KNOWN_METHODS else method[:1].lower() + method[1:]
        label = name if name in KNOWN_METHODS else "admin" if name.startswith("admin.") else "unknown"
        self._calls.count(label, "OK" if error is None else error.name, seconds)

    def text(self) -> bytes:
        """Write all metrics in the text format."""
        return generate_latest(self.registry)
