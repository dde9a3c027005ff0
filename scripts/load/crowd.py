"""Who takes part in a load test: watchers, slow readers, painters, those who fetch pictures."""

import asyncio
import random
import secrets
import socket
import time
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import SplitResult

from google.protobuf.message import Message

from dreamcanvas.proto import dreamcanvas_pb2 as pb
from dreamcanvas.proto import wsrpc_pb2 as envelope
from load.record import Record
from load.watchers import Watcher, Watchers, slow_reader
from load.wire import Socket, connect, messages, request

ANSWER_SECONDS = 10.0
SIDE = 1536


@dataclass(slots=True)
class Plan:
    """What is to be done; rates per second, times in seconds."""

    url: SplitResult
    painters: int
    rate: float
    dabs: int
    size: int
    watchers: int
    batch: bool
    slow: int
    canvas_rate: float
    dream_viewers: int
    ramp: float
    seconds: float


class Caller(Socket):
    """Sends calls and gets their answers."""

    def __init__(self, record: Record) -> None:
        super().__init__()
        self.record = record
        self.waiting: dict[int, asyncio.Future[envelope.Response]] = {}
        self._seq = 0

    def call(self, method: str, payload: Message) -> "asyncio.Future[envelope.Response]":
        self._seq += 1
        answer = self.waiting[self._seq] = asyncio.get_running_loop().create_future()
        self.send(request(method, self._seq, payload))
        return answer

    def received(self, frames: bytes) -> None:
        for opcode, payload in messages(frames):
            if not self.control(opcode, payload):
                response = envelope.Message.FromString(payload).response
                answer = self.waiting.pop(response.seq, None)
                if answer is not None and not answer.done():
                    answer.set_result(response)

    async def subscribe(self, **fields: object) -> pb.SubscribeResponse:
        response = await self.call("subscribe", pb.SubscribeRequest(**fields))  # type: ignore[arg-type]
        return pb.SubscribeResponse.FromString(response.payload)


@dataclass(slots=True)
class Crowd:
    """Those who take part, connected one after the other; then `act` has the painters paint."""

    plan: Plan
    record: Record
    watchers: Watchers
    slow: list[socket.socket] = field(default_factory=list)
    painters: list[Caller] = field(default_factory=list)
    painted: int = 0

    @property
    def connections(self) -> int:
        """How many there are."""
        return len(self.watchers.members) + len(self.slow) + len(self.painters)

    async def gather(self) -> None:
        """Connects all, `ramp` a second."""
        plan, started = self.plan, time.monotonic()
        kinds = ["watch"] * plan.watchers + ["slow"] * plan.slow + ["paint"] * plan.painters
        for number, kind in enumerate(kinds):
            await asyncio.sleep(started + number / plan.ramp - time.monotonic())
            await self._join(kind)

    async def _join(self, kind: str) -> None:
        plan = self.plan
        if kind == "paint":
            painter = Caller(self.record)
            await connect(plan.url, painter)
            self.painters.append(painter)
        elif kind == "slow":
            self.slow.append(await slow_reader(plan.url, batch=plan.batch))
        else:
            await self.watchers.join(plan.url, ["paint", "canvas"], batch=plan.batch)

    async def act(self) -> None:
        """Paints, and fetches pictures, until the time is over."""
        begin = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for number, painter in enumerate(self.painters):
                group.create_task(self._paint(painter, number, begin))
            if self.plan.canvas_rate:
                group.create_task(self._fetch_canvases(begin))
            for watcher in self.watchers.members[: self.plan.dream_viewers]:
                group.create_task(self._fetch_dreams(watcher, begin + self.plan.seconds))

    async def _paint(self, painter: Caller, number: int, begin: float) -> None:
        """Draws a wandering line; author and `stroke` tell the watchers which call it is."""
        rng, plan, record = random.Random(number), self.plan, self.record
        told = await painter.subscribe(events=["status"], session=secrets.token_bytes(16))
        x, y = rng.uniform(200, SIDE - 200), rng.uniform(200, SIDE - 200)
        due = begin + rng.random() / plan.rate
        stroke = 0
        answers: list[asyncio.Future[envelope.Response]] = []
        while due < begin + plan.seconds and not painter.closed.done():
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            stroke += 1
            marks = []
            for _ in range(plan.dabs):
                x, y = (min(max(value + rng.uniform(-12, 12), 0), SIDE - 1) for value in (x, y))
                position = pb.Position(x=round(x), y=round(y))
                marks.append(pb.Dab(pos=position, size=plan.size, color=rng.getrandbits(24)))
            paint = pb.PaintRequest(dabs=marks, stroke=stroke)
            record.sent[told.author, stroke] = due
            answer = painter.call("paint", paint)
            answer.add_done_callback(partial(self._answered, due))
            answers.append(answer)
            due += 1 / plan.rate
        _, unanswered = await asyncio.wait(answers, timeout=ANSWER_SECONDS) if answers else ((), ())
        record.errors += len(unanswered)

    def _answered(self, due: float, answer: "asyncio.Future[envelope.Response]") -> None:
        if answer.cancelled():
            return
        if answer.result().ok:
            now = time.monotonic()
            self.record.acks.append((now, now - due))
            self.painted += self.plan.dabs
        else:
            self.record.errors += 1

    async def _fetch_canvases(self, begin: float) -> None:
        caller = Caller(self.record)
        await connect(self.plan.url, caller)
        due, fetching = begin, set[asyncio.Task[None]]()

        async def fetch(due: float) -> None:
            response = await caller.call("getCanvas", pb.CanvasRequest(width=SIDE, height=SIDE))
            self.record.errors += not response.ok
            self.record.pictures.append(time.monotonic() - due)
            self.record.picture_bytes += len(response.payload)

        while due < begin + self.plan.seconds:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            fetching.add(asyncio.create_task(fetch(due)))
            due += 1 / self.plan.canvas_rate
        _, unanswered = await asyncio.wait(fetching, timeout=ANSWER_SECONDS)
        self.record.errors += len(unanswered)
        caller.transport.abort()

    async def _fetch_dreams(self, watcher: Watcher, end: float) -> None:
        """Fetches the newest dream, again and again; who is late leaves some out, as the page does."""
        shown = ""
        while time.monotonic() < end:
            if watcher.dream in ("", shown):
                await asyncio.sleep(0.02)
                continue
            shown, began = watcher.dream, time.monotonic()
            reader, writer = await asyncio.open_connection(self.plan.url.hostname, self.plan.url.port or 80)
            writer.write(
                f"GET {shown} HTTP/1.1\r\nHost: {self.plan.url.netloc}\r\nConnection: close\r\n\r\n".encode()
            )
            answer = await reader.read(-1)
            writer.close()
            self.record.errors += not answer.startswith(b"HTTP/1.1 200 ")
            self.record.dreams.append(time.monotonic() - began)
            self.record.picture_bytes += len(answer)

    def disperse(self) -> None:
        """Ends all connections; notes which the server had ended."""
        codes = [watcher.code for watcher in self.watchers.members]
        codes += [painter.closed.result() if painter.closed.done() else None for painter in self.painters]
        for code in codes:
            if code is not None:
                self.record.closed[code] = self.record.closed.get(code, 0) + 1
        self.watchers.disperse()
        for connection in self.slow:
            connection.close()
        for painter in self.painters:
            painter.transport.abort()
