"""Counters for `/metrics`, in Prometheus' text format.

Their labels are bounded: methods and codes that exist.
"""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from dreamcanvas.errors import RpcError

KNOWN_METHODS: Final = frozenset(
    ("paint", "getCanvas", "subscribe", "undo", "cursor", "getInfo", "getHistory", "getFrame", "rpc.discover")
)


class Metrics:
    """All counters of a server, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        prefix = "dreamcanvas_"
        self.connections = Gauge(f"{prefix}connections", "Open websockets.", registry=self.registry)
        self.operations = Gauge(
            f"{prefix}operations", "Number of the newest operation.", registry=self.registry
        )
        self.dreams = Gauge(f"{prefix}dreams", "Number of the newest dream.", registry=self.registry)
        self.dream_seconds = Histogram(
            f"{prefix}dream_seconds",
            "How long a dream took.",
            buckets=(0.25, 0.5, 1, 1.5, 2, 3, 5, 10, 30),
            registry=self.registry,
        )
        self.limits = Counter(f"{prefix}limited", "Refused by a limit.", ("limit",), registry=self.registry)
        self.calls = Counter(
            f"{prefix}calls", "Answered calls.", ("method", "result"), registry=self.registry
        )

    def limited(self, limit: str) -> None:
        """Counts what a limit refused."""
        self.limits.labels(limit).inc()

    def called(self, method: str, error: RpcError | None) -> None:
        """Counts an answered call."""
        name = method if method in KNOWN_METHODS else method[:1].lower() + method[1:]
        label = name if name in KNOWN_METHODS else "unknown"
        self.calls.labels(label, "OK" if error is None else error.name).inc()

    def text(self) -> bytes:
        """The metrics in the text format."""
        return generate_latest(self.registry)
