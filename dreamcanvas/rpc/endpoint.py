"""The interface between a host and its websockets: what each may ask of the other."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeVar

from dreamcanvas.errors import RpcError
from dreamcanvas.rpc.fair_scheduler import FairScheduler, Share
from dreamcanvas.rpc.service import Service

P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class Settings:
    """The bounds of a connection. Times are in seconds, sizes in bytes; 0 is no limit."""

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
    """Return headers by their lower-case names. Lines of one name are joined by commas (RFC 9110, 5.3)."""
    headers: dict[str, str] = {}
    for name, value in lines:
        key = name.lower()
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    return headers


@dataclass(frozen=True, slots=True)
class Handshake:
    """The HTTP request that opens a websocket (RFC 6455, 4.2.1).

    `target` is path and query, `headers` are as `joined` returns them, `address` is the peer's.
    """

    target: str
    headers: dict[str, str]
    address: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """The HTTP response to a peer that gets no websocket (RFC 6455, 4.2.2)."""

    status: int
    text: str


class Websocket(Protocol):
    """A websocket, as its host sees it. `slow` is true while the peer does not read what it is sent."""

    address: str
    slow: bool

    @property
    def backlog(self) -> int:
        """Return how many bytes were written and are not sent yet."""

    def send(self, frames: bytes) -> None:
        """Write framed messages, after the answers that are ready. Does nothing when it is not open."""

    def stream(self, frames: Iterator[bytes]) -> None:
        """Write framed messages as the peer reads them. Until the last one, no call is carried out."""

    def when_sent(self, done: Callable[[], None]) -> None:
        """Call `done` when the peer has read nearly all that was written until now, or is gone."""

    def close(self, code: int, reason: str = "") -> None:
        """Begin the closing handshake (RFC 6455, 7.1.2). Does nothing when it is not open."""


class Endpoint(Protocol[P]):
    """What a host does with its peers. `P` is the host's type for a peer; its handlers are called with it."""

    service: Service[P]
    settings: Settings
    turns: FairScheduler

    def admit(self, handshake: Handshake) -> Refusal | None:
        """Return None where a websocket may be opened, else the response that refuses it."""

    def opened(self, websocket: Websocket, handshake: Handshake) -> P:
        """Take in a websocket that has just been opened. Return the peer that it belongs to."""

    def share(self, peer: P) -> Share:
        """Return the share of the event loop that the peer's address has."""

    def closed(self, peer: P, code: int) -> None:
        """Forget a peer whose websocket has closed. `code` is the close code it was sent, 0 for none."""

    def drained(self, peer: P) -> None:
        """Note that a peer which was slow has now read nearly all that was sent to it."""

    def rpc_error(self, method: str, error: BaseException) -> RpcError:
        """Return the error to send to the caller for an exception that a handler raised."""

    def called(self, method: str, error: RpcError | None, seconds: float) -> None:
        """Count a call that was answered `seconds` after it came. `error` is None where it succeeded."""
