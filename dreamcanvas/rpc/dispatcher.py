"""The end of every call, by websocket or by POST: its answer goes to the core, and it is counted."""

from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Generic, TypeVar

from dreamcanvas.rpc.connection import Call, Connection
from dreamcanvas.rpc.endpoint import Endpoint
from dreamcanvas.rpc.service import Answer, Then

P = TypeVar("P")


class Dispatcher(Generic[P]):
    """Answers the calls of one connection, or of one POST. `came` is when a call came: `time.monotonic()`."""

    def __init__(self, endpoint: Endpoint[P], connection: Connection) -> None:
        self._endpoint = endpoint
        self._connection = connection

    async def answer(self, call: Call, caller: Callable[[], Awaitable[P]]) -> None:
        """Carry out a call, and wait until it is answered.

        `caller` returns who calls. What it or the handler raises becomes the answer.
        """
        came = monotonic()
        try:
            answer = await self._endpoint.service.answer(await caller(), call)
        except Exception as error:  # noqa: BLE001 - a bug in a handler is answered, not raised
            self.fail(call, came, error)
        else:
            self.succeed(call, came, answer)

    def succeed(self, call: Call, came: float, answer: Answer) -> None:
        """Answer a call with its response, and count it. The functions in a `Then` are left to the caller."""
        self._connection.succeed(call, answer.response if isinstance(answer, Then) else answer)
        self._endpoint.called(call.method, None, monotonic() - came)

    def fail(self, call: Call, came: float, error: BaseException) -> None:
        """Answer a call with the error that its caller may see for an exception, and count it."""
        told = self._endpoint.rpc_error(call.method, error)
        self._connection.fail(call, told)
        self._endpoint.called(call.method, told, monotonic() - came)
