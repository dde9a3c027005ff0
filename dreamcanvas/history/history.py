"""The history of a data directory: its parts put together, and what the jobs have them do."""

import logging
from collections.abc import Callable
from typing import TypeAlias

from dreamcanvas.config import Config
from dreamcanvas.history.catalogue import Catalogue
from dreamcanvas.history.encoder import Encoder
from dreamcanvas.history.recording import Recording, Shape
from dreamcanvas.history.windows import days_left
from dreamcanvas.store.budget import Budget
from dreamcanvas.store.dream_queries import DreamQueries, Reader
from dreamcanvas.store.file_state import FileState
from dreamcanvas.store.journal import Journal
from dreamcanvas.store.maintenance import Maintenance
from dreamcanvas.store.movies import Movies

log = logging.getLogger(__name__)

WARNING_DAYS = 7
GIGABYTE = 10**9


Watch: TypeAlias = Callable[[str, str, Callable[[], float]], None]


class History:
    """`catalogue` answers questions, `recording` makes movies; `run` has them made when it is time."""

    def __init__(
        self,
        config: Config,
        journal: Journal,
        budget: Budget,
        maintenance: Maintenance,
        *,
        clock: Callable[[], int],
    ) -> None:
        length, zone = config.history_window * 1000, config.zone()
        self._config = config
        self._budget = budget
        self._maintenance = maintenance
        self._clock = clock
        self._reader = Reader(journal.path)
        queries = DreamQueries(self._reader)
        self._movies = Movies(journal, self._reader)
        self._encoder = Encoder()
        self.recording = Recording(
            config.data_dir,
            queries,
            self._movies,
            self._encoder,
            Shape(length, zone, config.movie_crf, config.movie_preset, config.movie_threads),
            clock=clock,
        )
        self.catalogue = Catalogue(
            config.data_dir,
            queries,
            self._movies,
            self._encoder,
            length=length,
            zone=zone,
            clock=clock,
        )

    async def run(self) -> None:
        """Make movies until cancelled."""
        from dreamcanvas.history.jobs import Jobs  # noqa: PLC0415 - a server is up before it loads APScheduler

        config = self._config
        await Jobs(self.look, self.warn, window=config.history_window, zone=config.zone()).run()

    async def look(self) -> None:
        """Make the movies that are due, then delete their frames. Raises OSError, sqlite3.Error."""
        if await self.recording.catch_up():
            await self._maintenance.once()

    async def warn(self) -> float | None:
        """Log when the oldest movies will be deleted within a week, and return in how many days.

        Not where that is the rule already: then what is deleted is logged as it goes. Raises sqlite3.Error.
        """
        totals = await self._movies.totals()
        limit = round(self._config.max_data_gb * GIGABYTE)
        sizes = [(total.until, total.bytes) for total in totals]
        days = days_left(sizes, now=self._clock(), used=self._budget.used, limit=limit)
        full = days is not None and days < 1 and any(total.file == FileState.GONE for total in totals)
        if days is None or days >= WARNING_DAYS or full:
            return None
        log.warning(
            "the oldest movies will be deleted soon for want of room",
            extra={"in_days": round(days, 1), "used": self._budget.used, "limit": limit},
        )
        return days

    def watch(self, watch: Watch, count: Watch) -> None:
        """Show its state in the metrics."""
        recording = self.recording
        count("movies", "Movies made since the start.", lambda: recording.made)
        watch("movies_waiting", "Windows that wait for their movie.", lambda: recording.waiting)
        watch("movies_failing", "1 while a movie could not be made.", lambda: recording.failing is not None)
        watch("movie_frames", "Frames done of the movie that is being made.", lambda: recording.progress[0])
        watch("encoders", "Processes at work on movies and pictures.", lambda: self._encoder.running)
        watch("data_bytes", "Bytes that count for the disk budget.", lambda: self._budget.used)

    def close(self) -> None:
        """Close what is open."""
        self._reader.close()
