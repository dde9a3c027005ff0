"""A session with a server, which outlives its connections: calls, and events in order, each once."""

import asyncio
import logging
import random
import weakref
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from google.protobuf.message import Message

from dreamcanvas.canvas.model import Dab, Operation
from dreamcanvas.client.events import (
    Dream,
    Event,
    Events,
    Resync,
    Source,
    cursor_of,
    operations,
    status_of,
)
from dreamcanvas.client.ordering import Ordering
from dreamcanvas.client.reconnecting import Lost, ReconnectingSocket
from dreamcanvas.client.route import check_token, goes_direct, parse
from dreamcanvas.client.wire import RawEvent
from dreamcanvas.errors import DreamcanvasError, RateLimited, RpcError, Unreachable
from dreamcanvas.proto import dreamcanvas_pb2 as pb

log = logging.getLogger(__name__)

M = TypeVar("M", bound=Message)
T = TypeVar("T")

GAP_SECONDS: Final = 3.0
_OPERATIONS: Final = frozenset({"paint", "patch"})


class Session(Source):
    """One author's session with a server. It connects again, repeats lost calls, and fetches what is missing.

    `welcome` is the server's newest answer to `subscribe`, with the newest status in it.
    `last_call` is the number of the session's last call. `timeout` is in seconds. Raises
    ConfigError where `url` cannot be used, or where the token would cross the network over plain
    HTTP.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None,
        secret: bytes,
        timeout: float,
        rng: random.Random,
        insecure: bool = False,
    ) -> None:
        server = parse(url)
        check_token(server, token, insecure=insecure)
        self._url = url
        self._secret = secret
        self.timeout = timeout
        self._rng = rng
        self._socket = ReconnectingSocket(
            server.url("ws", "/rpc"),
            direct=goes_direct(server),
            headers={"Authorization": f"Bearer {token}"} if token is not None else {},
            greet=self._subscribe,
            heard=self._heard,
            rng=rng,
        )
        self._running: asyncio.Task[None] | None = None
        self._jobs: set[asyncio.Task[None]] = set()
        self._ordering = Ordering()
        self._gap_due: asyncio.TimerHandle | None = None
        self._queues: weakref.WeakSet[Events] = weakref.WeakSet()
        self._subscribed: frozenset[str] = frozenset()
        self._dream: int | None = None
        self.welcome = pb.SubscribeResponse()
        self.last_call = 0

    async def open(self) -> None:
        """Connect. Raises Unreachable, or the RpcError with which the server refuses the connection."""
        self._running = asyncio.create_task(self._run())
        try:
            async with asyncio.timeout(self.timeout):
                await self._socket.ready()
        except TimeoutError:
            await self.close()
            raise self._unreachable() from None
        except RpcError:
            await self.close()
            raise

    async def close(self) -> None:
        """Disconnect, and cancel what is still being fetched."""
        tasks = [task for task in (self._running, *self._jobs) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._gap_due is not None:
            self._gap_due.cancel()

    @property
    def connections(self) -> int:
        """How many connections there have been, with the present one."""
        return self._socket.connections

    # Calls

    def next_call(self) -> int:
        """Return a new number, for the session's next call. A repeated call keeps its number."""
        self.last_call += 1
        return self.last_call

    async def call(
        self, method: str, request: Message, reply: type[M], then: Callable[[M], None] | None = None
    ) -> M:
        """Call a method, and return its response, a `reply`.

        The call is repeated where the connection broke, or where the server said to wait. Raises
        Unreachable after `timeout` without an answer, RpcError where the call failed.
        """
        return await self._persist(lambda: self._socket.call(method, request, reply, then))

    async def _persist(self, attempt: Callable[[], Awaitable[T]]) -> T:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.timeout
        while True:
            try:
                async with asyncio.timeout_at(deadline):
                    await self._socket.ready()
                    return await attempt()
            except Lost:
                continue
            except TimeoutError:
                raise self._unreachable() from None
            except RpcError as error:
                if error.retry_after_ms is None:
                    raise
                wait = error.retry_after_ms / 1000 * (1 + 0.1 * self._rng.random())
                if isinstance(error, RateLimited):
                    deadline += wait
                elif loop.time() + wait > deadline:
                    raise
                await asyncio.sleep(wait)

    def _unreachable(self) -> Unreachable:
        return Unreachable(f"no answer from {self._url} within {self.timeout:g} s ({self._socket.reason})")

    # Events

    async def watch(self, events: Events) -> None:
        """Fill a queue from now on. Raises what `call` raises, where that needs a new subscription."""
        if events in self._queues:
            return
        self._queues.add(events)
        events.begin(self._ordering.seq)
        if not events.names <= self._subscribed:
            await self.catch_up()

    def unwatch(self, events: Events) -> None:
        """Fill a queue no more."""
        self._queues.discard(events)

    async def rewind(self, events: Events, seq: int) -> None:
        """Empty a queue, and fill it with the operations after `seq` and all that follow."""
        events.restart(seq)
        if self._ordering.seq is not None and self._ordering.seq > seq:
            self._ordering.start(seq)  # other queues ignore the operations that they had
            await self.catch_up()

    async def catch_up(self) -> None:
        """Subscribe again, to all that is wanted now, and get the operations that are missing."""
        await self._persist(self._subscribe)

    async def _subscribe(self) -> None:
        names = frozenset[str]({"status"}).union(*(events.names for events in self._queues))
        if names & _OPERATIONS:
            names |= _OPERATIONS  # their numbers are one sequence
        else:
            self._ordering.stop()
        request = pb.SubscribeRequest(events=sorted(names), batch=True, session=self._secret)
        if self._ordering.seq is not None:
            request.since = self._ordering.seq

        def welcome(reply: pb.SubscribeResponse) -> None:
            self.welcome = reply
            self.last_call = max(self.last_call, reply.last_call)
            self._subscribed = names
            if names & _OPERATIONS and (self._ordering.seq is None or reply.resync):
                lost = self._ordering.seq is not None
                self._ordering.start(reply.seq)
                if lost:
                    self._tell("paint", Resync(reply.seq))
            for events in self._queues:
                if events.seq is None:
                    events.begin(self._ordering.seq)
            if self._dream is not None and reply.dream > self._dream:
                url = f"/dreams/{reply.dream}.jpg"
                self._tell("canvas", Dream(reply.dream, reply.dream_seq, 0, reply.status.style, url))
            self._dream = reply.dream

        await self._socket.call("subscribe", request, pb.SubscribeResponse, welcome)

    def _heard(self, event: RawEvent) -> None:
        if event.name in ("paint", "paints", "patch"):
            for operation in operations(event):
                self.deliver(operation)
        elif event.name == "canvas":
            self._heard_canvas(pb.CanvasEvent.FromString(event.payload))
        elif event.name == "status":
            self.welcome.status.ParseFromString(event.payload)
            self._tell("status", status_of(self.welcome.status))
        elif event.name == "cursor":
            self._tell("cursor", cursor_of(event.payload))

    def _heard_canvas(self, canvas: pb.CanvasEvent) -> None:
        if canvas.resync:
            self._catch_up_soon()  # this client read too slowly; the server may still have the operations
        if canvas.dream > (self._dream or 0):
            self._dream = canvas.dream
            self._tell("canvas", Dream(canvas.dream, canvas.dream_seq, canvas.time, canvas.style, canvas.url))

    def deliver(self, operation: Operation) -> None:
        """Take in an operation that came as an event, or one's own that a reply has numbered."""
        for ready in self._ordering.push(operation):
            name = "paint" if isinstance(ready.mark, Dab) else "patch"
            self._tell(name, ready)
        if self._ordering.gap and self._gap_due is None:
            self._gap_due = asyncio.get_running_loop().call_later(GAP_SECONDS, self._gap, self._ordering.seq)

    def _gap(self, seq: int | None) -> None:
        self._gap_due = None
        if self._ordering.gap and self._ordering.seq == seq:
            self._catch_up_soon()

    def _tell(self, name: str, event: Event) -> None:
        own = isinstance(event, Operation) and event.author == self.welcome.author
        for events in list(self._queues):
            wanted = name in events.names or (isinstance(event, Resync) and events.names & _OPERATIONS)
            if wanted and (events.own or not own):
                events.put(event)

    async def _run(self) -> None:
        try:
            await self._socket.run()
        except Exception as error:
            for events in list(self._queues):
                events.fail(error)
            raise

    def _catch_up_soon(self) -> None:
        task = asyncio.create_task(self._try_to_catch_up())
        self._jobs.add(task)
        task.add_done_callback(self._jobs.discard)

    async def _try_to_catch_up(self) -> None:
        try:
            await self.catch_up()
        except DreamcanvasError as error:
            log.warning("operations are missing", extra={"error": str(error)})


def websocket_url(url: str) -> str:
    """Return the address of a server's websockets. Raises ConfigError where `url` is no server's address."""
    return parse(url).url("ws", "/rpc")
