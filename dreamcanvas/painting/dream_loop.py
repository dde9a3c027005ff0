"""The loop between the canvas and the dreamer: when the server dreams, and of what."""

import asyncio
import logging
import random
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Final

from dreamcanvas.canvas.model import SIDE
from dreamcanvas.dream.dreamer import Dreamer, DreamerState, DreamRequest
from dreamcanvas.dream.network import network_info
from dreamcanvas.dream.schedule import Programme
from dreamcanvas.dream.styles import Style
from dreamcanvas.errors import DreamError
from dreamcanvas.painting.painter import Painter

log = logging.getLogger(__name__)

RETRY_SECONDS: Final = 1.0
RETRY_MOST_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Timetable:
    """When the dream loop does what, in seconds.

    `interval` is from dream to dream, `style_interval` from style to style. It rests when nobody was there
    for `rest_after` (0: never), and ends the worker after `sleep_after` more (0: never).
    """

    interval: float
    style_interval: float
    rest_after: float
    sleep_after: float = 0


class Activity(Enum):
    """What the dreamer does, as the status tells everyone."""

    STARTING = "starting"
    WAITING = "waiting"
    DREAMING = "dreaming"
    RESTING = "resting"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class DreamStatus:
    """What is dreamt now, when the next dream comes, and how long the last one took.

    `next_dream` is in ms since 1970, 0 where none is to come; `dream_ms` is in ms.
    """

    layer: str
    style: str
    network: str
    activity: Activity
    next_dream: int
    dream_ms: int


class DreamLoop:
    """The loop that takes the picture to the dreamer, and the dream to the painter, at the right times.

    It waits while the canvas is white paper, and rests while nobody is there. After a while of either without
    visitors it ends the worker's process; the next one who comes or draws has it started again.

    With `held` it rests, whoever comes, from the next dream on. `users` counts the open websockets. `changed`
    is called when `status` changes, `dreamt` with the seconds that a dream took. `clock` gives ms since 1970.
    """

    def __init__(
        self,
        painter: Painter,
        dreamer: Dreamer,
        styles: Sequence[Style],
        *,
        network: str,
        timetable: Timetable,
        users: Callable[[], int],
        changed: Callable[[], None],
        dreamt: Callable[[float], None],
        clock: Callable[[], int],
        rng: random.Random,
        held: bool = False,
    ) -> None:
        self._painter = painter
        self._dreamer = dreamer
        self._network = network
        self._timetable = timetable
        self._users = users
        self._changed = changed
        self._dreamt = dreamt
        self._clock = clock
        self._rng = rng
        self._programme = Programme(styles, network_info(network), rng=rng, interval=timetable.style_interval)
        self._activity = asyncio.Event()
        self._active_at = 0.0
        self._begun = 0
        self._rested = 0.0
        self._resting = False
        self._idle_since: float | None = None
        self._drowsy_since: float | None = None
        self.held = held
        self._next_dream = 0
        self._dream_ms = 0
        self.dreams = 0
        self.failures = 0
        dreamer.observe(self._dreamer_changed)

    @property
    def style(self) -> Style:
        """The style that is dreamt now."""
        return self._programme.style

    @property
    def restarts(self) -> int:
        """How often the worker was started again after a failure."""
        return self._dreamer.restarts

    def next_style(self) -> None:
        """Begin to change to another style with the next dream."""
        style = self._programme.next_style(self._now())
        log.info("style", extra={"style": style.name, "layer": style.expression})
        self._changed()

    def hold(self, held: bool) -> None:
        """Stop the dreams after the present one, or begin them again."""
        self.held = held
        self._activity.set()

    @property
    def asleep(self) -> bool:
        """Whether the worker's process was ended because nobody needs it."""
        return self._dreamer.state is DreamerState.ASLEEP

    @property
    def wakes(self) -> int:
        """How often the worker was started again for somebody who came or drew."""
        return self._dreamer.wakes

    def active(self) -> None:
        """Take notice that somebody came, left, or drew: it does not rest for a while from now on."""
        self._active_at = asyncio.get_running_loop().time()
        self._activity.set()

    def status(self) -> DreamStatus:
        """Return the status as it is now."""
        works = self._dreamer.state in (DreamerState.READY, DreamerState.DREAMING)
        return DreamStatus(
            layer=self.style.expression,
            style=self.style.name,
            network=self._network,
            activity=self._doing(),
            next_dream=self._next_dream if works else 0,
            dream_ms=self._dream_ms,
        )

    def _doing(self) -> Activity:
        match self._dreamer.state:
            case DreamerState.STARTING:
                return Activity.STARTING
            case DreamerState.FAILED:
                return Activity.FAILED
            case DreamerState.DREAMING:
                return Activity.DREAMING
            case DreamerState.READY:
                return Activity.RESTING if self._resting else Activity.WAITING
            case DreamerState.ASLEEP:
                return Activity.RESTING

    def _dreamer_changed(self) -> None:
        self._activity.set()
        self._changed()

    def _now(self) -> float:
        """Return the seconds of the programme's clock, which stands still while the loop rests."""
        now = asyncio.get_running_loop().time() if self._idle_since is None else self._idle_since
        return now - self._rested

    async def run(self) -> None:
        """Run the worker and dream until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._dreamer.run())
            group.create_task(self._dream_on())

    async def _dream_on(self) -> None:
        loop = asyncio.get_running_loop()
        self._active_at = due = loop.time()
        self._begun = self._painter.dream_seq
        self._programme.begin(self._now())
        pause = RETRY_SECONDS
        while True:
            await self._until(due)
            if self._programme.due(self._now()):
                self.next_style()
            due = loop.time() + self._timetable.interval
            self._next_dream = self._clock() + round(self._timetable.interval * 1000)
            if await self._dream():
                pause = RETRY_SECONDS
            else:  # a full disk, say: a dream that cannot be kept is not worth a processor
                due = max(due, loop.time() + pause)
                pause = min(2 * pause, RETRY_MOST_SECONDS)

    async def _until(self, due: float) -> None:
        """Wait until it is time, the worker is ready, and there is somebody and something to dream for.

        Everything that may change one of these sets `_activity`, and then all of them are checked again.
        """
        loop = asyncio.get_running_loop()
        announced = False
        while True:
            self._activity.clear()  # before the checks: what changes after them ends the wait below
            if self._idle():
                announced = False
                patience = self._rest()
            else:
                patience = self._rouse()
                if self._dreamer.state is DreamerState.READY:
                    left = max(due - loop.time(), 0)
                    if not announced:
                        announced = True
                        self._announce(left)
                    if not left:
                        return
                    patience = left if patience is None else min(patience, left)
            with suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    await self._activity.wait()

    def _announce(self, delay: float) -> None:
        self._next_dream = self._clock() + round(delay * 1000)
        self._changed()

    def _idle(self) -> bool:
        """Return whether to rest: the operator says so, nobody was here for a while, or nothing is drawn."""
        now, rest_after = asyncio.get_running_loop().time(), self._timetable.rest_after
        if self._users():
            self._active_at = now
        quiet = bool(rest_after) and now - self._active_at >= rest_after and not self._owes()
        return self.held or quiet or self._painter.blank

    def _owes(self) -> bool:
        """Return whether no dream of the newest operation has begun yet.

        It does not rest before: a worker may take longer to start than `rest_after`.
        """
        return self._painter.version.seq > self._begun

    def _rest(self) -> float | None:
        """Rest, and end the worker's process where nobody needed it for `sleep_after`.

        Return the seconds until then, or None where it will not end.
        """
        now, sleep_after = asyncio.get_running_loop().time(), self._timetable.sleep_after
        resting = self.held or not self._painter.blank
        if self._idle_since is None or resting is not self._resting:
            self._idle_since = self._idle_since or now
            self._resting = resting
            self._next_dream = 0
            log.info("resting" if resting else "waiting for ink", extra={"dreams": self.dreams})
            self._changed()
        if self._users() and not self.held:  # they look at white paper, and may draw any moment
            self._drowsy_since = None
            self._wake()
            return None
        if self._drowsy_since is None:
            self._drowsy_since = now
        left = self._drowsy_since + sleep_after - now
        if not sleep_after or self.asleep:
            return None
        if left <= 0:
            log.info("asleep", extra={"dreams": self.dreams})
            self._dreamer.sleep()
        return max(left, 0)

    def _rouse(self) -> float | None:
        """Stop resting. Return the seconds after which to rest if nothing changes, or None."""
        loop = asyncio.get_running_loop()
        if self._idle_since is not None:
            self._rested += loop.time() - self._idle_since
            self._idle_since = self._drowsy_since = None
            self._resting = False
        self._wake()
        if not self._timetable.rest_after or self._users() or self._owes():
            return None
        return self._active_at + self._timetable.rest_after - loop.time()

    def _wake(self) -> None:
        if self.asleep:
            log.info("woken", extra={"dreams": self.dreams})
            self._dreamer.wake()

    async def _dream(self) -> bool:
        snapshot = await self._painter.begin_dream()
        self._begun = snapshot.version.seq
        style, plan = self.style, self._programme.plan(self._now())
        try:
            pixels, mask = await asyncio.to_thread(snapshot.planes)
            result = await self._dreamer.dream(
                DreamRequest(
                    pixels=pixels,
                    width=SIDE,
                    height=SIDE,
                    expression=plan.expression,
                    seed=self._rng.getrandbits(31),
                    before=plan.before,
                    progress=plan.progress,
                    regions=plan.regions,
                    mask=mask,
                )
            )
            self._dream_ms = round(result.seconds * 1000)
            dream = await self._painter.end_dream(
                result.jpeg,
                style=style.name,
                layer=style.expression,
                network=self._network,
                ms=self._dream_ms,
                users=self._users(),
            )
        except (DreamError, OSError, sqlite3.Error) as error:
            self.failures += 1
            self._painter.abandon_dream()
            log.error("no dream", extra={"style": style.name, "error": str(error)})
            return False
        self.dreams += 1
        self._programme.dreamt()
        self._dreamt(result.seconds)
        log.debug("dreamt", extra={"dream": dream.dream, "style": style.name, "ms": self._dream_ms})
        return True
