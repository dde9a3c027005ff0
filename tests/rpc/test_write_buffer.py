"""What waits to be written: in order, and no more of it with the transport than it takes at once."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from dreamcanvas.rpc.write_buffer import PIECE, WriteBuffer


class Transport(asyncio.Transport):
    """Takes `room` bytes, then says to pause; `drain` has it sent."""

    def __init__(self, room: int = 2 * PIECE) -> None:
        super().__init__()
        self.write_buffer: WriteBuffer
        self.room = room
        self.buffer = 0
        self.most = 0
        self.sent = b""
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.closed
        self.sent += bytes(data)
        self.buffer += len(data)
        self.most = max(self.most, self.buffer)
        if self.buffer > self.room:
            self.write_buffer.pause()

    def drain(self) -> None:
        full, self.buffer = self.buffer > self.room, 0
        if full:
            self.write_buffer.resume()

    def get_write_buffer_size(self) -> int:
        return self.buffer

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True


def made(room: int = 2 * PIECE) -> tuple[Transport, WriteBuffer, list[bool]]:
    transport, changes = Transport(room), list[bool]()
    write_buffer = transport.write_buffer = WriteBuffer(transport, changes.append)
    return transport, write_buffer, changes


def test_a_little_is_written_at_once() -> None:
    transport, write_buffer, changes = made()
    write_buffer.write(b"a")
    write_buffer.write(b"b")
    assert (transport.sent, changes) == (b"ab", [])


def test_a_lot_is_written_as_the_transport_takes_it() -> None:
    transport, write_buffer, changes = made()
    data = bytes(range(256)) * 4096
    write_buffer.write(data)
    assert changes == [True]
    assert write_buffer.unsent == len(data)
    assert transport.most <= 3 * PIECE
    while write_buffer.full:
        transport.drain()
    assert transport.sent == data
    assert transport.most <= 3 * PIECE
    assert changes == [True, False]


@given(st.lists(st.integers(0, 3 * PIECE), max_size=8), st.integers(1, 3 * PIECE))
def test_what_is_written_comes_in_its_order(lengths: list[int], room: int) -> None:
    transport, write_buffer, changes = made(room)
    written = [bytes((i,)) * length for i, length in enumerate(lengths)]
    for number, data in enumerate(written):
        write_buffer.write(data)
        if number % 2:
            transport.drain()
    for _ in range(100):
        transport.drain()
    assert transport.sent == b"".join(written)
    assert not write_buffer.full
    assert changes == [True, False] * (len(changes) // 2)


def test_it_ends_behind_what_waits() -> None:
    transport, write_buffer, _ = made()
    write_buffer.write(bytes(5 * PIECE))
    write_buffer.end(transport.close)
    for closed in (False, True):
        assert transport.closed is closed
        transport.drain()
    assert len(transport.sent) == 5 * PIECE
    write_buffer.write(b"too late")
    assert len(transport.sent) == 5 * PIECE


def test_who_waits_for_it_hears_when_it_is_sent() -> None:
    transport, write_buffer, _ = made()
    heard: list[str] = []
    write_buffer.when_sent(lambda: heard.append("at once"))
    assert heard == ["at once"]
    write_buffer.write(bytes(9 * PIECE))
    write_buffer.when_sent(lambda: heard.append("sent"))
    transport.drain()
    assert heard == ["at once"]
    while write_buffer.full:
        transport.drain()
    assert heard == ["at once", "sent"]


def test_who_waits_hears_of_a_loss_too() -> None:
    _, write_buffer, _ = made()
    heard: list[str] = []
    write_buffer.write(bytes(5 * PIECE))
    write_buffer.when_sent(lambda: heard.append("lost"))
    write_buffer.lose()
    assert heard == ["lost"]
    assert write_buffer.unsent <= 3 * PIECE
