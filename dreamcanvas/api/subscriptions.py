"""Which websockets get which events: operations and status of the broadcast, and the others' cursors."""

from dreamcanvas.broadcast.broadcast import Broadcast, Past, Subscription
from dreamcanvas.broadcast.cursors import Cursors
from dreamcanvas.rpc.endpoint import Websocket


class Subscriptions:
    """The subscriptions of websockets, passed on to the broadcast and the cursors, which send the events."""

    def __init__(self, broadcast: Broadcast, cursors: Cursors) -> None:
        self._broadcast = broadcast
        self._cursors = cursors

    def begin(
        self,
        websocket: Websocket,
        subscription: Subscription,
        *,
        since: int | None = None,
        past: Past | None = None,
    ) -> None:
        """Send a websocket these events from now on, in place of those before.

        With `since` and `past` the operations after `since` come first.
        """
        self._broadcast.subscribe(websocket, subscription, since=since, past=past)
        if "cursor" in subscription.events:
            self._cursors.watch(websocket, text=subscription.text)
        else:
            self._cursors.unwatch(websocket)

    def end(self, websocket: Websocket) -> None:
        """Send a websocket no more events."""
        self._broadcast.unsubscribe(websocket)
        self._cursors.unwatch(websocket)

    def drained(self, websocket: Websocket) -> None:
        """Tell a slow reader that has caught up what it missed."""
        self._broadcast.drained(websocket)
