"""The calls of a connection: has the host carry them out, and gives their results to the sans-I/O core."""

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
    """The connection, as its calls see it."""

    def answered(self) -> None:
        """An answer is ready, and more may be soon."""

    def flush(self) -> bool:
        """Writes the answers that are ready. Says whether the peer is still there."""

    def busy(self, busy: bool) -> None:
        """So many calls are unanswered that no more should be read, or they are few again."""


class Calls(Generic[P]):
    """No task is made for a call, but where its handler is a coroutine."""

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
        """Calls the handler, and answers now or later."""
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
        """Ends the tasks: nobody waits for their answers."""
        for task in self._tasks:
            task.cancel()

    def _look(self) -> None:
        """Says whether more may come: not while too many wait, or too many whose answers are long."""
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
