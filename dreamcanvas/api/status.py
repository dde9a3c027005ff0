"""The status that everyone is told: who is here, what is dreamt, what the operator has set."""

import asyncio
from collections.abc import Callable
from typing import Final

from dreamcanvas.access.moderation import Moderation
from dreamcanvas.broadcast.broadcast import Broadcast
from dreamcanvas.painting.dream_loop import Activity, DreamLoop, DreamStatus
from dreamcanvas.proto import dreamcanvas_pb2 as pb

STATUS_INTERVAL: Final = 0.1  # s
_DREAMERS: Final = {
    Activity.STARTING: pb.StatusEvent.STARTING,
    Activity.WAITING: pb.StatusEvent.WAITING,
    Activity.DREAMING: pb.StatusEvent.DREAMING,
    Activity.RESTING: pb.StatusEvent.RESTING,
    Activity.FAILED: pb.StatusEvent.FAILED,
}


class Status:
    """The status, put together from the other parts, and broadcast when it changes.

    `users` counts the open websockets; without a `dream_loop` the server does not dream.
    """

    def __init__(
        self,
        *,
        broadcast: Broadcast,
        moderation: Moderation,
        users: Callable[[], int],
        dream_loop: DreamLoop | None,
    ) -> None:
        self._broadcast = broadcast
        self._moderation = moderation
        self._users = users
        self._dream_loop = dream_loop
        self._due: asyncio.TimerHandle | None = None

    def event(self) -> pb.StatusEvent:
        """Return the status as it is now."""
        status = dream_event(self._dream_loop.status() if self._dream_loop is not None else None)
        status.users = self._users()
        status.read_only = self._moderation.read_only
        if self._moderation.announcement:
            status.announcement = self._moderation.announcement
        return status

    def announce(self) -> None:
        """Send the status to everyone, soon: many changes at once become one event."""
        if self._due is None:
            self._due = asyncio.get_running_loop().call_later(STATUS_INTERVAL, self._announce)

    def _announce(self) -> None:
        self._due = None
        self._broadcast.event("status", self.event())


def dream_event(status: DreamStatus | None) -> pb.StatusEvent:
    """Return a status event with its fields about dreams filled; None is a server that does not dream."""
    if status is None:
        return pb.StatusEvent(
            layer="", style="", network="", dreamer=pb.StatusEvent.OFF, next_dream=0, dream_ms=0
        )
    return pb.StatusEvent(
        layer=status.layer,
        style=status.style,
        network=status.network,
        dreamer=_DREAMERS[status.activity],
        next_dream=status.next_dream,
        dream_ms=status.dream_ms,
    )
