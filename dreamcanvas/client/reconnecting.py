"""A websocket that connects again by itself: calls are awaited, events go to a listener."""

import asyncio
import itertools
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Final, TypeVar, cast

from google.protobuf.message import DecodeError, Message
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidProxy, InvalidStatus, WebSocketException
from websockets.proxy import get_proxy, parse_proxy
from websockets.uri import parse_uri

from dreamcanvas.client.wire import Failure, RawEvent, Result, decode, encode_request
from dreamcanvas.errors import ConfigError, Forbidden, Internal, MethodNotFound, RpcError, Unauthenticated

log = logging.getLogger(__name__)

M = TypeVar("M", bound=Message)

FIRST_PAUSE: Final = 0.25
LONGEST_PAUSE: Final = 5.0
OPEN_TIMEOUT: Final = 10.0
PING_SECONDS: Final = 10.0
# A handshake that is refused with one of these (RFC 6455, 4.1) would be refused again
_REFUSALS: Final[dict[int, type[RpcError]]] = {401: Unauthenticated, 403: Forbidden, 404: MethodNotFound}


class Lost(Exception):
    """The connection broke before the answer came. The server may have carried out the call, or not."""


def pause(attempt: int, rng: random.Random) -> float:
    """Return how many seconds to wait before attempt `attempt`, which counts from 0.

    The wait doubles with each attempt, up to `LONGEST_PAUSE`. A random part of up to half is taken
    off, so that the clients of a server that restarts do not all come back at the same moment.
    """
    full = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(attempt, 30))
    return full * (0.5 + 0.5 * rng.random())


def _look(future: "asyncio.Future[Any]") -> None:
    """Mark a future's error as seen: else asyncio warns where nobody waits for the future any more."""
    if not future.cancelled():
        future.exception()


def _check_proxy(url: str) -> None:
    """Raise ConfigError where the environment names a proxy that cannot be used.

    It is checked once, before connecting: no later attempt would find another proxy.
    """
    try:
        name = get_proxy(parse_uri(url))
        proxy = None if name is None else parse_proxy(name)
    except (InvalidProxy, ValueError) as error:  # a port of 99999 is a bare ValueError
        raise ConfigError(f"the environment names a proxy that cannot be used: {error}") from error
    if proxy is not None and proxy.scheme.startswith("socks") and find_spec("python_socks") is None:
        raise ConfigError(f"the environment names a proxy that needs python-socks installed: {name}")


@dataclass(frozen=True, slots=True)
class _Call:
    future: "asyncio.Future[Any]"
    settle: Callable[[bytes], Any]


class ReconnectingSocket:
    """A connection to the websocket address `url`, opened again whenever it breaks.

    `greet` is awaited on each new connection before other calls may use it. `heard` gets every
    event. With `direct` no proxy is used. `reason` says in words why there is no connection.
    `refused` is the error with which `run` ended, None before. Raises ConfigError where the proxy
    of the environment cannot be used.
    """

    def __init__(
        self,
        url: str,
        *,
        headers: dict[str, str],
        greet: Callable[[], Awaitable[None]],
        heard: Callable[[RawEvent], None],
        rng: random.Random,
        direct: bool = False,
    ) -> None:
        if not direct:
            _check_proxy(url)
        self._url = url
        self._direct = direct
        self._headers = headers
        self._greet = greet
        self._heard = heard
        self._rng = rng
        self._socket: ClientConnection | None = None
        self._calls: dict[int, _Call] = {}
        self._seq = itertools.count(1)
        self._changed = asyncio.Condition()
        self._greeted = False
        self.refused: Exception | None = None
        self.reason = "not connected yet"
        self.connections = 0

    async def run(self) -> None:
        """Keep a connection until cancelled. Raises RpcError where the server refuses it for good."""
        attempt = 0
        try:
            while True:
                try:
                    await self._connected()
                    attempt = 0
                except InvalidStatus as error:
                    refusal = _REFUSALS.get(error.response.status_code)
                    body = (error.response.body or b"").decode(errors="replace").strip()
                    self.reason = body or f"status {error.response.status_code}"
                    if refusal is not None:
                        raise refusal(self.reason) from error
                except (OSError, WebSocketException, TimeoutError, EOFError) as error:
                    self.reason = str(error) or type(error).__name__
                await asyncio.sleep(pause(attempt, self._rng))
                attempt += 1
        except Exception as error:
            self.refused = error
            raise
        finally:
            await self._notify()

    async def _connected(self) -> None:
        """Open a connection, greet, and read until it ends.

        Raises OSError, TimeoutError or WebSocketException where it could not be opened, and what
        `_introduce` raises.
        """
        async with connect(
            self._url,
            additional_headers=self._headers,
            proxy=None if self._direct else True,
            compression=None,
            max_size=None,
            open_timeout=OPEN_TIMEOUT,
            ping_interval=PING_SECONDS,
            ping_timeout=PING_SECONDS,
            close_timeout=1,
        ) as socket:
            self._socket = socket
            self.connections += 1
            greeting = asyncio.create_task(self._introduce(socket))
            greeting.add_done_callback(_look)
            try:
                async for data in socket:
                    if isinstance(data, bytes):
                        self._receive(data)
            except ConnectionClosed:
                pass
            finally:
                self._lose(f"the connection was closed: {socket.close_code} {socket.close_reason}".rstrip())
            await greeting

    async def _introduce(self, socket: ClientConnection) -> None:
        """Greet the server, and let other calls use the connection.

        Raises RpcError where the server refuses for good, ConnectionError where another attempt may
        succeed.
        """
        try:
            await self._greet()
        except Lost as error:
            raise ConnectionError(str(error)) from error
        except RpcError as error:
            await socket.close()
            if error.retry_after_ms is not None or isinstance(error, Internal):
                raise ConnectionError(str(error)) from error
            raise
        self._greeted = self._socket is socket
        await self._notify()

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    def _lose(self, reason: str) -> None:
        self._socket = None
        self._greeted = False
        self.reason = reason
        calls, self._calls = self._calls, {}
        for call in calls.values():
            if not call.future.done():
                call.future.set_exception(Lost(reason))

    def _receive(self, data: bytes) -> None:
        message = decode(data)
        if isinstance(message, RawEvent):
            try:
                self._heard(message)
            except DecodeError:
                log.warning("undecodable event", extra={"event": message.name})
        elif message is not None:
            call = self._calls.pop(message.seq, None)
            if call is None or call.future.done():
                return
            if isinstance(message, Failure):
                call.future.set_exception(message.error)
            else:
                self._settle(call, message)

    def _settle(self, call: _Call, result: Result) -> None:
        try:
            call.future.set_result(call.settle(result.payload))
        except DecodeError as error:
            call.future.set_exception(Internal(f"the server's answer cannot be read: {error}"))

    async def ready(self) -> None:
        """Wait for a connection that was greeted. Raises the error with which the server refused it."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._greeted or self.refused is not None)
        if self.refused is not None:
            raise self.refused

    async def call(
        self, method: str, request: Message, reply: type[M], then: Callable[[M], None] | None = None
    ) -> M:
        """Call a method on the present connection, and return its response, a `reply`.

        `then` is called with the response before the next message is read. Raises Lost where the
        connection breaks or there is none, RpcError where the call failed.
        """
        socket = self._socket
        if socket is None:
            raise Lost(self.reason)

        def settle(payload: bytes) -> M:
            message = reply()
            message.ParseFromString(payload)
            if then is not None:
                then(message)
            return message

        seq = next(self._seq) % 2**32
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        future.add_done_callback(_look)
        self._calls[seq] = _Call(future, settle)
        try:
            await socket.send(encode_request(method, seq, request.SerializeToString()))
            return cast(M, await future)
        except ConnectionClosed as error:
            self._greeted = False  # so that `ready` waits for the next connection
            raise Lost(str(error)) from error
        finally:
            self._calls.pop(seq, None)
