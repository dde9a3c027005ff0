"""Where the others point: passed on, never stored, and the first thing that is dropped.

The newest of each author goes out with the next tick, encoded once for all. A watcher to whom anything is
still unsent gets none; where there are many watchers, fewer cursors go out in a tick, those first that have
waited longest; a tick that comes late, since the server has other things to do, sends none.
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
EVENTS_PER_TICK: Final = 20_000


class Cursors:
    """Those who watch, and where each author was last since the last tick, `tick` seconds ago at the most."""

    def __init__(self, *, tick: float = TICK) -> None:
        self._tick = tick
        self._watchers: dict[Websocket, bool] = {}
        self._due: dict[int, tuple[pb.CursorEvent, Websocket]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self.dropped = 0

    def watch(self, websocket: Websocket, *, text: bool) -> None:
        """Sends a websocket the others' cursors from now on, as JSON text or binary."""
        self._watchers[websocket] = text

    def unwatch(self, websocket: Websocket) -> None:
        """Sends it none any more."""
        self._watchers.pop(websocket, None)

    def moved(self, event: pb.CursorEvent, origin: Websocket) -> None:
        """Passes a cursor on with the next tick, in place of the author's one before."""
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
    """Whose cursors a websocket need not be sent."""
    own: dict[Websocket, set[int]] = {}
    for author, (_, origin) in sent.items():
        own.setdefault(origin, set()).add(author)
    return own
