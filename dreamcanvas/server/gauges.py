"""What `/metrics` shows of the parts as they are, beside what it counts."""

from dreamcanvas.api.connections import Visitors
from dreamcanvas.broadcast.broadcast import Broadcast
from dreamcanvas.painting.painter import Painter
from dreamcanvas.store.journal import Journal
from dreamcanvas.telemetry.metrics import Metrics


def watch_all(
    metrics: Metrics, painter: Painter, journal: Journal, broadcast: Broadcast, visitors: Visitors
) -> None:
    """Has gauges and counters show them."""
    watch, count = metrics.watch, metrics.count
    journal.committed = metrics.committed
    watch("connections", "Open websockets.", visitors.users)
    watch("operations", "Number of the newest operation.", lambda: painter.version.seq)
    watch("dreams", "Number of the newest dream.", lambda: painter.version.dream)
    watch("ink_dabs", "Dabs that dreams spare as they are fresh.", lambda: painter.ink.spots)
    count("ink_dabs_dropped", "Fresh dabs that were too many to be spared.", lambda: painter.ink.forgotten)
    count("journal_commits", "Transactions since the start.", lambda: journal.commits)
    watch("journal_failing", "1 while the journal cannot be written.", lambda: journal.failing is not None)
    count("event_writes", "Writes of events to connections since the start.", lambda: broadcast.delivered)
    watch("slow_readers", "Readers that get no events until they have caught up.", lambda: broadcast.behind)
    count("resyncs", "Slow readers that had to fetch the picture.", lambda: broadcast.resyncs)
    dreaming = visitors.dreaming
    if dreaming is not None:
        count("dream_failures", "Dreams that failed since the start.", lambda: dreaming.failures)
        count("dreamer_restarts", "Starts of the dreamer after a failure.", lambda: dreaming.restarts)
        watch("dreamer_asleep", "1 while the dreamer has no process.", lambda: dreaming.asleep)
        count("dreamer_wakes", "Starts of the dreamer as somebody came or drew.", lambda: dreaming.wakes)
