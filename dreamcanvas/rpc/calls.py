"""The calls of one websocket: the host's handlers carry them out, the sans-I/O core gets the results."""

import asyncio
import inspect
from collections.abc import Callable
from time import monotonic
from typing import Any, Generic, Protocol, TypeVar, cast

from dreamcanvas.rpc.connection import Call, Connection
from dreamcanvas.rpc.dispatcher import Dispatcher
from dreamcanvas.rpc.endpoint import Endpoint
from dreamcanvas.rpc.service import Answer, Later, Then

P = TypeVar("P")


class Line(Protocol):
    """The part of a connection that its calls need."""

    def answered(self) -> None:
        """Note that an answer is ready. It is written soon, together with others that become ready."""

    def flush(self) -> bool:
        """Write the answers that are ready. Return whether the peer is still there."""

    def busy(self, busy: bool) -> None:
        """Stop reading because too many calls are unanswered, or read again because there are few."""


class Calls(Generic[P]):
    """The calls of one connection that are being carried out.

    A task costs more than most calls do, so only a call whose handler is a coroutine gets one.
    """

    def __init__(self, endpoint: Endpoint[P], connection: Connection, line: Line) -> None:
        self._service = endpoint.service
        self._dispatcher = Dispatcher(endpoint, connection)
        self._line = line
        self._limit = endpoint.settings.calls_in_flight
        self._task_limit = endpoint.settings.tasks_in_flight
        self._loop = asyncio.get_running_loop()
        self._in_flight = 0
        self._busy = False
        self._alone: Call | None = None
        self._tasks: set[asyncio.Task[Answer]] = set()

    def carry_out(self, peer: P, call: Call) -> None:
        """Call the handler, and answer now or later. What the handler raises becomes the answer."""
        came = monotonic()
        try:
            answer = self._service.call(peer, call)
        except Exception as error:  # noqa: BLE001 - a bug in a handler must not end the connection
            self._fail(call, came, error)
            return
        if isinstance(answer, Later):
            if answer.alone:
                self._alone = call
            self._wait(call, came, answer.future, answer.respond)
        elif inspect.iscoroutine(answer):
            task = self._loop.create_task(answer)
            self._tasks.add(task)
            self._wait(call, came, task, None)
        else:
            self._succeed(call, came, cast(Answer, answer))

    def cancel(self) -> None:
        """Cancel the tasks of handlers that are coroutines: nobody waits for their answers any more."""
        for task in self._tasks:
            task.cancel()

    def _look(self) -> None:
        """Tell the line whether it may carry out more calls, where that has changed.

        It may not while too many calls or tasks are unanswered, or while a call with `alone` is.
        """
        # Busy at the limit, free again at half of it: else each answer would stop and start the
        # reading
        most = self._limit // 2 + 1 if self._busy else self._limit
        busy = (
            self._alone is not None
            or bool(self._limit and self._in_flight >= most)
            or bool(self._task_limit and len(self._tasks) >= self._task_limit)
        )
        if busy is not self._busy:
            self._busy = busy
            self._line.busy(busy)

    def _wait(
        self, call: Call, came: float, future: asyncio.Future[Any], respond: Callable[[Any], Answer] | None
    ) -> None:
        self._in_flight += 1
        self._look()

        def done(future: asyncio.Future[Any]) -> None:
            self._in_flight -= 1
            if self._alone is call:
                self._alone = None
            if isinstance(future, asyncio.Task):
                self._tasks.discard(future)
            if not future.cancelled():
                try:
                    answer = future.result() if respond is None else respond(future.result())
                except Exception as error:  # noqa: BLE001 - as in carry_out
                    self._fail(call, came, error)
                else:
                    self._succeed(call, came, answer)
            self._look()

        future.add_done_callback(done)

    def _succeed(self, call: Call, came: float, answer: Answer) -> None:
        self._dispatcher.succeed(call, came, answer)
        if isinstance(answer, Then):
            (answer.then if self._line.flush() else answer.gone)()
        self._line.answered()

    def _fail(self, call: Call, came: float, error: BaseException) -> None:
        self._dispatcher.fail(call, came, error)
        self._line.answered()
