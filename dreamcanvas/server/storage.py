"""The parts that store things in a data directory, for a server and for `dreamcanvas history encode`."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from dreamcanvas.config import Config
from dreamcanvas.history.history import History
from dreamcanvas.store import layout
from dreamcanvas.store.budget import Budget
from dreamcanvas.store.checkpoints import Checkpoints
from dreamcanvas.store.dreams import Dreams
from dreamcanvas.store.journal import Journal
from dreamcanvas.store.maintenance import HOUR_MS, Keeping, Maintenance


@dataclass(frozen=True, slots=True)
class Storage:
    """The parts that store operations, dreams, checkpoints and movies, and the one that deletes old ones."""

    journal: Journal
    dreams: Dreams
    checkpoints: Checkpoints
    maintenance: Maintenance
    history: History


@contextlib.contextmanager
def storage(
    config: Config,
    *,
    clock: Callable[[], int],
    committed: Callable[[float, int], None] = lambda _seconds, _entries: None,
) -> Iterator[Storage]:
    """Open the parts, and close them at the end. Raises StoreError where the directory cannot be used.

    `clock` gives ms since 1970. `committed` is called after each transaction with the seconds that it took
    and the number of its entries.
    """
    path = config.data_dir / layout.DATABASE
    with contextlib.closing(Journal(path, clock=clock, committed=committed)) as journal:
        dreams = Dreams(config.data_dir / layout.FRAMES, journal)
        checkpoints = Checkpoints(
            config.data_dir / layout.CHECKPOINTS, journal, keep_ms=round(2000 * config.undo_seconds)
        )
        budget = Budget(
            config.data_dir,
            journal,
            limit=round(config.max_data_gb * 1e9),
            # an undo may begin with the picture of any frame of its time
            keep_ms=round(max(config.keep_frames_minutes * 60, 2 * config.undo_seconds) * 1000),
            clock=clock,
        )
        maintenance = Maintenance(journal, budget, _keeping(config), clock=clock, checkpoints=checkpoints)
        with contextlib.closing(History(config, journal, budget, maintenance, clock=clock)) as history:
            yield Storage(journal, dreams, checkpoints, maintenance, history)


def _keeping(config: Config) -> Keeping:
    return Keeping(
        config.keep_operations_hours,
        config.replay_operations,
        at_least_ms=2000 * config.undo_seconds or HOUR_MS,
        sessions_ms=round(config.keep_sessions_days * 24 * HOUR_MS),
    )
