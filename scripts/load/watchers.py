"""Those who watch. There are many of them, and they do little: one loop reads what came for all of them."""

import asyncio
import select
import socket
import time
from dataclasses import dataclass, field
from urllib.parse import SplitResult

from dreamcanvas.proto import dreamcanvas_pb2 as pb
from load.record import Read, Record
from load.wire import handshake, masked, request, whole

READ_BYTES = 262144


@dataclass(slots=True)
class Watcher:
    """Notes when each dab arrives, and that none is missing or comes twice.

    `code` is the close code, 0 where it was closed without one, None while it is open.
    """

    connection: socket.socket
    record: Record
    subscribed: "asyncio.Future[int]"
    tail: bytes = b""
    seq: int = 0
    dream: str = ""
    code: int | None = None

    def received(self, frames: bytes, now: float) -> None:
        """Whole frames came."""
        read = self.record.read(frames)
        read.arrivals.append(now)
        if read.seqs or read.resync:
            self._follow(read)
        if read.special:
            self._notice(read)

    def _notice(self, read: Read) -> None:
        if read.dream:
            self.dream = read.dream
        if read.subscribed_at is not None and not self.subscribed.done():
            self.seq = read.subscribed_at
            self.subscribed.set_result(self.seq)
        for opcode, payload in read.controls:
            if opcode == 9:
                self.connection.send(masked(payload, 0x8A))
            elif opcode == 8:
                self.code = int.from_bytes(payload[:2], "big")

    def _follow(self, read: Read) -> None:
        if read.resync:
            self.record.resyncs += 1
            self.seq = max([read.resync, *read.seqs])
        elif read.even and read.seqs[0] == self.seq + 1:
            self.seq = read.seqs[-1]
        else:
            for seq in read.seqs:
                self.record.lost += max(0, seq - self.seq - 1)
                self.record.repeated += seq <= self.seq
                self.seq = max(self.seq, seq)


@dataclass(slots=True)
class Watchers:
    """All of them. (A reader of asyncio's own for each would take three times as long.)"""

    record: Record
    members: list[Watcher] = field(default_factory=list)
    _by_number: dict[int, Watcher] = field(default_factory=dict)
    _epoll: select.epoll = field(default_factory=select.epoll)

    async def join(self, url: SplitResult, events: list[str], *, batch: bool) -> Watcher:
        """Connects and subscribes another."""
        loop = asyncio.get_running_loop()
        connection, rest = await handshake(url)
        watcher = Watcher(connection, self.record, loop.create_future(), rest)
        if not self.members:
            loop.add_reader(self._epoll.fileno(), self._drain)
        self.members.append(watcher)
        self._by_number[connection.fileno()] = watcher
        self._epoll.register(connection.fileno(), select.EPOLLIN)
        subscribe = pb.SubscribeRequest(events=events, batch=batch)
        await loop.sock_sendall(connection, masked(request("subscribe", 1, subscribe)))
        await watcher.subscribed
        return watcher

    def _drain(self) -> None:
        for number, _ in self._epoll.poll(0, 4096):
            watcher = self._by_number[number]
            try:
                data = watcher.connection.recv(READ_BYTES)
            except BlockingIOError:
                continue
            except OSError:
                data = b""
            if not data:
                self._epoll.unregister(number)
                watcher.code = watcher.code or 0
                continue
            if watcher.tail:
                data = watcher.tail + data
            end = len(data) if data in self.record.known else whole(data)
            watcher.tail = data[end:]
            if end:
                watcher.received(data[:end] if watcher.tail else data, time.monotonic())

    def disperse(self) -> None:
        """Ends all connections."""
        if self.members:
            asyncio.get_running_loop().remove_reader(self._epoll.fileno())
        self._epoll.close()
        for watcher in self.members:
            watcher.connection.close()


async def slow_reader(url: SplitResult, *, batch: bool) -> socket.socket:
    """One that subscribes, and reads nothing."""
    connection, _ = await handshake(url, slow=True)
    subscribe = pb.SubscribeRequest(events=["paint", "canvas"], batch=batch)
    await asyncio.get_running_loop().sock_sendall(connection, masked(request("subscribe", 1, subscribe)))
    return connection
