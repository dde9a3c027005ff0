"""Gauges and counters that `/metrics` reads from the parts when it is asked."""

from collections.abc import Callable

from dreamcanvas.broadcast.broadcast import Broadcast
from dreamcanvas.broadcast.cursors import Cursors
from dreamcanvas.painting.dream_loop import DreamLoop
from dreamcanvas.painting.painter import Painter
from dreamcanvas.painting.snapshots import Snapshots
from dreamcanvas.store.journal import Journal
from dreamcanvas.telemetry.metrics import Metrics


def watch_canvas(
    metrics: Metrics, painter: Painter, journal: Journal, broadcast: Broadcast, *, users: Callable[[], int]
) -> None:
    """Add gauges and counters of the canvas and its readers."""
    watch, count = metrics.watch, metrics.count
    watch("connections", "Open websockets.", users)
    watch("operations", "Number of the newest operation.", lambda: painter.version.seq)
    watch("dreams", "Number of the newest dream.", lambda: painter.version.dream)
    watch("ink_dabs", "Dabs that dreams spare as they are fresh.", lambda: painter.ink.spots)
    count("ink_dabs_dropped", "Fresh dabs that were too many to be spared.", lambda: painter.ink.forgotten)
    count("journal_commits", "Transactions since the start.", lambda: journal.commits)
    watch("journal_failing", "1 while the journal cannot be written.", lambda: journal.failing is not None)
    count("event_writes", "Writes of events to connections since the start.", lambda: broadcast.delivered)
    watch("slow_readers", "Readers that get no events until they have caught up.", lambda: broadcast.behind)
    count("resyncs", "Slow readers that had to fetch the picture.", lambda: broadcast.resyncs)


def watch_dreams(metrics: Metrics, dream_loop: DreamLoop) -> None:
    """Add gauges and counters of the dreamer."""
    watch, count = metrics.watch, metrics.count
    count("dream_failures", "Dreams that failed since the start.", lambda: dream_loop.failures)
    count("dreamer_restarts", "Starts of the dreamer after a failure.", lambda: dream_loop.restarts)
    watch("dreamer_asleep", "1 while the dreamer has no process.", lambda: dream_loop.asleep)
    count("dreamer_wakes", "Starts of the dreamer as somebody came or drew.", lambda: dream_loop.wakes)


def watch_pictures(metrics: Metrics, cursors: Cursors, snapshots: Snapshots) -> None:
    """Add gauges and counters of the cursors and of the pictures that are encoded."""
    watch, count, encoders = metrics.watch, metrics.count, snapshots.encoders
    count("cursors_dropped", "Cursors that were not passed on.", lambda: cursors.dropped)
    count("views", "Pictures that were encoded since the start.", lambda: snapshots.encoded)
    watch("pictures_waiting", "Pictures that wait to be encoded.", lambda: encoders.waiting)
    count("pictures_refused", "Pictures that were refused.", lambda: encoders.refused)
