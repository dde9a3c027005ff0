"""What a host and its websockets know of each other."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeVar

from dreamcanvas.errors import RpcError
from dreamcanvas.rpc.fair_scheduler import FairScheduler, Share
from dreamcanvas.rpc.service import Service

P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class Settings:
    """Bounds of a connection. Times in seconds, sizes in bytes; 0 is no limit."""

    message_bytes: int = 65536
    batch_calls: int = 50
    calls_in_flight: int = 256
    tasks_in_flight: int = 4
    protocol_errors: int = 20
    write_buffer: int = 262144
    slow_reader_timeout: float = 30.0
    ping_interval: float = 20.0
    ping_timeout: float = 20.0
    close_timeout: float = 2.0


def joined(lines: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Headers by their lower-case names. Lines of one name are one list, in their order (RFC 9110, 5.3)."""
    headers: dict[str, str] = {}
    for name, value in lines:
        key = name.lower()
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    return headers


@dataclass(frozen=True, slots=True)
class Handshake:
    """The HTTP request that opens a websocket. `target` is path and query, `headers` are `joined`."""

    target: str
    headers: dict[str, str]
    address: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """An HTTP response in place of a websocket."""

    status: int
    text: str


class Websocket(Protocol):
    """A websocket, as its host sees it. `slow` says that what was sent is not being read."""

    address: str
    slow: bool

    @property
    def backlog(self) -> int:
        """Bytes that were written and are not sent yet."""

    def send(self, frames: bytes) -> None:
        """Writes framed messages, after the answers that are ready."""

    def stream(self, frames: Iterator[bytes]) -> None:
        """Writes framed messages as the peer reads them; no call is carried out until there are no more."""

    def when_sent(self, done: Callable[[], None]) -> None:
        """Calls `done` when the peer has read nearly all that was written until now, or is gone."""

    def close(self, code: int, reason: str = "") -> None:
        """Begins the closing handshake."""


class Endpoint(Protocol[P]):
    """What a host does with its peers. `P` is what it knows a peer as: its handlers are called with that."""

    service: Service[P]
    settings: Settings
    turns: FairScheduler

    def admit(self, handshake: Handshake) -> Refusal | None:
        """Says whether a websocket may be opened."""

    def opened(self, websocket: Websocket, handshake: Handshake) -> P:
        """A websocket is open."""

    def share(self, peer: P) -> Share:
        """What a peer's address has of the event loop."""

    def closed(self, peer: P, code: int) -> None:
        """A websocket that was open is gone; `code` is the close code that it was sent, 0 where none was."""

    def drained(self, peer: P) -> None:
        """A peer that had been too slow has read all but a little of what was sent to it."""

    def rpc_error(self, method: str, error: BaseException) -> RpcError:
        """What to tell the caller of an exception that a handler raised."""

    def called(self, method: str, error: RpcError | None, seconds: float) -> None:
        """A call was answered, `seconds` after it came."""
