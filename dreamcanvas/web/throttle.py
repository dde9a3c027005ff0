"""How many HTTP requests of an address are answered, how fast, and how much is kept for it."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dreamcanvas.access.rate_limit import Buckets

PIECE: Final = 65536  # of a body: the rest stays what it is, the same bytes for all who are sent it
BURST_SECONDS: Final = 2
AT_ONCE: Final = 16  # requests of an address between their arrival and the head of their answer
# However many may come in a while, they are begun one after the other: a request takes half a millisecond
PEAK_PER_SECOND: Final = 300
PEAK_BURST: Final = 16
LONGEST_WAIT: Final = 10.0
COSTS: Final = (
    ("/metrics", 20),
    ("/history.", 20),
    ("/history/", 20),
    ("/rpc", 2),
    ("/dreams/", 2),
    ("/canvas.", 2),
)


@dataclass(slots=True)
class _House:
    """What is under way for an address: requests, and how often each body is being sent."""

    under_way: int = 0
    answering: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    bodies: Counter[int] = field(default_factory=Counter)
    held: int = 0


class Throttle:
    """Let requests in. `household` says by its peer and X-Forwarded-For whose one is, or None: no limit.

    `rate` is in requests a second, `most` the responses that are under way at once, `held` the bytes of
    bodies that they may hold; 0 is no limit. `limited` counts what was held up or refused.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        household: Callable[[str, str], str | None],
        rate: float,
        most: int,
        held: int,
        limited: Callable[[str], None],
    ) -> None:
        self._app = app
        self._household = household
        self._most = most
        self._held = held
        self._limited = limited
        self._rates = Buckets(rate, BURST_SECONDS * rate)
        self._peaks = Buckets(max(PEAK_PER_SECOND, rate) if rate else 0, PEAK_BURST)
        self._houses: dict[str, _House] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, later where it came too early; answer 503 where too many are under way."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        client = scope.get("client")
        forwarded_for = ", ".join(Headers(scope=scope).getlist("x-forwarded-for"))
        household = self._household(client[0] if client else "", forwarded_for)
        if household is None:
            await self._app(scope, receive, _in_pieces(send))
            return
        house = self._houses.setdefault(household, _House())
        if self._most and house.under_way >= self._most:
            await self._refuse("responses", scope, receive, send)
            return
        house.under_way += 1
        try:
            await self._let_in(household, house, scope, receive, send)
        finally:
            house.under_way -= 1
            if not house.under_way:
                del self._houses[household]

    async def _let_in(
        self, household: str, house: _House, scope: Scope, receive: Receive, send: Send
    ) -> None:
        now = asyncio.get_running_loop().time()
        cost = next((cost for path, cost in COSTS if scope["path"].startswith(path)), 1)
        rate, peak = self._rates.get(household, now), self._peaks.get(household, now)
        wait = rate.wait(now, cost)
        if wait > LONGEST_WAIT:
            await self._refuse("requests", scope, receive, send)
            return
        if wait:
            self._limited("requests_waited")
        wait = max(wait, peak.wait(now, cost))
        rate.take(now, cost)
        peak.take(now, cost)
        if wait:
            await asyncio.sleep(wait)
        answer = _Answer(self, house, scope, receive, _in_pieces(send))
        await house.answering.acquire()
        try:
            await self._app(scope, receive, answer.send)
        finally:
            answer.end()

    async def _refuse(self, limit: str, scope: Scope, receive: Receive, send: Send) -> None:
        self._limited(limit)
        headers = {"Retry-After": "1", "Connection": "close"}
        text = "Too many requests of your address are under way: try again later.\n"
        await PlainTextResponse(text, 503, headers=headers)(scope, receive, send)

    def hold(self, house: _House, body: bytes) -> bool:
        """Note that a body is being sent. False, and nothing is noted, where there is no room for it."""
        new = id(body) not in house.bodies
        if new and self._held and house.held + len(body) > self._held:
            return False
        house.bodies[id(body)] += 1
        house.held += len(body) * new
        return True

    def let_go(self, house: _House, body: bytes) -> None:
        """Note that a body was sent."""
        house.bodies[id(body)] -= 1
        if not house.bodies[id(body)]:
            del house.bodies[id(body)]
            house.held -= len(body)

    async def refuse_body(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 503 where there is no room for a body."""
        await self._refuse("response_bytes", scope, receive, send)


class _Answer:
    """An answer on its way. Its head is kept until its body is there: where that has no room, it is a 503."""

    def __init__(self, gate: Throttle, house: _House, scope: Scope, receive: Receive, send: Send) -> None:
        self._gate = gate
        self._house = house
        self._scope = scope
        self._receive = receive
        self._send = send
        self._head: Message | None = None
        self._body: bytes | None = None
        self._answering = True
        self._refused = False

    async def send(self, message: Message) -> None:
        """Send a part of the answer, the head together with the first of the body."""
        if self._refused:
            return
        if message["type"] == "http.response.start":
            self._head = message
            return
        if self._head is not None:
            head, self._head = self._head, None
            self._begin()
            body = message.get("body", b"")
            if len(body) > PIECE:
                if not self._gate.hold(self._house, body):
                    self._refused = True
                    await self._gate.refuse_body(self._scope, self._receive, self._send)
                    return
                self._body = body
            await self._send(head)
        await self._send(message)

    def _begin(self) -> None:
        if self._answering:
            self._answering = False
            self._house.answering.release()

    def end(self) -> None:
        """End the answer, which is sent, or was given up."""
        self._begin()
        if self._body is not None:
            self._gate.let_go(self._house, self._body)
            self._body = None


def _in_pieces(send: Send) -> Send:
    """Send bodies piece by piece: each waits until there is room for it."""

    async def send_pieces(message: Message) -> None:
        body = message.get("body", b"")
        if message["type"] != "http.response.body" or len(body) <= PIECE:
            await send(message)
            return
        view = memoryview(body)
        for start in range(0, len(body), PIECE):
            last = start + PIECE >= len(body)
            more = message.get("more_body", False) or not last
            await send({**message, "body": bytes(view[start : start + PIECE]), "more_body": more})

    return send_pieces
