"""What is kept, put together for a server: the canvas with journal, dreams and history; and its upkeep."""

import contextlib
from collections.abc import AsyncIterator, Callable

from dreamcanvas.broadcast.broadcast import Broadcast
from dreamcanvas.canvas.ink import Ink
from dreamcanvas.config import Config
from dreamcanvas.history.history import History
from dreamcanvas.painting.painter import Painter
from dreamcanvas.server.tasks import beside
from dreamcanvas.store import layout
from dreamcanvas.store.budget import Budget
from dreamcanvas.store.checkpoints import Checkpoints
from dreamcanvas.store.dreams import Dreams
from dreamcanvas.store.journal import Journal
from dreamcanvas.store.maintenance import HOUR_MS, Keeping, Maintenance


@contextlib.asynccontextmanager
async def storage(
    config: Config, *, clock: Callable[[], int]
) -> AsyncIterator[tuple[Journal, Painter, Broadcast, Dreams, History]]:
    """The parts, while they are needed. Raises StoreError where the data directory cannot be used."""
    journal = Journal(config.data_dir / layout.DATABASE, clock=clock)
    try:
        dreams = Dreams(config.data_dir / layout.FRAMES, journal)
        checkpoints = Checkpoints(
            config.data_dir / layout.CHECKPOINTS, journal, keep_ms=round(2000 * config.undo_seconds)
        )
        broadcast = Broadcast(tick=config.tick_ms / 1000)
        painter = Painter(
            journal=journal,
            dreams=dreams,
            broadcast=broadcast,
            replay_operations=config.replay_operations,
            clock=clock,
            ink=Ink(most=config.ink_dabs),
            root=config.root_path,
            checkpoints=checkpoints,
            checkpoint_operations=config.checkpoint_operations,
        )
        await painter.recover()
        budget = Budget(
            config.data_dir,
            journal,
            limit=round(config.max_data_gb * 1e9),
            keep_ms=round(max(config.keep_frames_minutes * 60, 2 * config.undo_seconds) * 1000),
            clock=clock,
        )
        maintenance = Maintenance(journal, budget, _keeping(config), clock=clock, checkpoints=checkpoints)
        with contextlib.closing(History(config, journal, budget, maintenance, clock=clock)) as history:
            async with beside(maintenance.run()):
                yield journal, painter, broadcast, dreams, history
    finally:
        journal.close()


def _keeping(config: Config) -> Keeping:
    return Keeping(
        config.keep_operations_hours,
        config.replay_operations,
        at_least_ms=2000 * config.undo_seconds or HOUR_MS,
        sessions_ms=round(config.keep_sessions_days * 24 * HOUR_MS),
    )
