"""The others' cursors: passed on, never stored, and the first thing to be dropped under load.

The newest cursor of each author is sent with the next tick, encoded once for all watchers. A watcher with
unsent data gets none. Where there are many watchers, fewer cursors are sent in a tick, first those that have
waited longest. A late tick sends none: the server is busy with more important things.
"""

import asyncio
from collections.abc import Mapping
from typing import Final

from dreamcanvas.proto import dreamcanvas_pb2 as pb
from dreamcanvas.rpc.connection import encode_event
from dreamcanvas.rpc.endpoint import Websocket
from dreamcanvas.rpc.frames import frame

TICK: Final = 0.05  # s
LATE: Final = 0.1  # s beyond which a tick is late
CURSORS_PER_TICK: Final = 64
EVENTS_PER_TICK: Final = 20_000  # cursors times watchers


class Cursors:
    """The watchers, and the newest cursor of each author that is not sent yet. `tick` is in seconds."""

    def __init__(self, *, tick: float = TICK) -> None:
        self._tick = tick
        self._watchers: dict[Websocket, bool] = {}
        self._due: dict[int, tuple[pb.CursorEvent, Websocket]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self.dropped = 0

    def watch(self, websocket: Websocket, *, text: bool) -> None:
        """Send a websocket the others' cursors from now on, as JSON text or binary."""
        self._watchers[websocket] = text

    def unwatch(self, websocket: Websocket) -> None:
        """Send a websocket no more cursors; it need not have watched."""
        self._watchers.pop(websocket, None)

    def moved(self, event: pb.CursorEvent, origin: Websocket) -> None:
        """Send a cursor with the next tick, in place of an unsent one of the same author.

        `origin`, from which it came, is not sent it.
        """
        self._due[event.author] = (event, origin)
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._tick, self._flush, loop.time() + self._tick)

    def _flush(self, due_at: float) -> None:
        loop = asyncio.get_running_loop()
        self._timer = None
        if loop.time() - due_at > LATE:
            self.dropped += len(self._due)
            self._due.clear()
            return
        most = min(CURSORS_PER_TICK, max(1, EVENTS_PER_TICK // max(1, len(self._watchers))))
        sent = {author: self._due.pop(author) for author in list(self._due)[:most]}
        if self._due:
            self._timer = loop.call_later(self._tick, self._flush, loop.time() + self._tick)
        frames: dict[bool, dict[int, bytes]] = {}
        everything: dict[bool, bytes] = {}
        for text in set(self._watchers.values()):
            frames[text] = {
                author: frame(encode_event("cursor", event, text=text)) for author, (event, _) in sent.items()
            }
            everything[text] = b"".join(frames[text].values())
        own = _by_origin(sent)
        for websocket, text in tuple(self._watchers.items()):
            if websocket.slow or websocket.backlog:
                self.dropped += len(sent)
            elif websocket not in own:
                websocket.send(everything[text])
            else:
                mine = own[websocket]
                others = b"".join(data for author, data in frames[text].items() if author not in mine)
                if others:
                    websocket.send(others)


def _by_origin(sent: Mapping[int, tuple[pb.CursorEvent, Websocket]]) -> dict[Websocket, set[int]]:
    """Return for each websocket the authors whose cursors came from it: it is not sent them."""
    own: dict[Websocket, set[int]] = {}
    for author, (_, origin) in sent.items():
        own.setdefault(origin, set()).add(author)
    return own
