"""A protobuf service descriptor and the handlers of its methods.

A handler is called with the caller and the typed request. It returns the response, or a coroutine
that returns it. A task for each call costs much, so it may also return a `Later`: a future, and a
function that makes the response of the future's result. A response in a `Then` comes with a
function that is called right after the response was written.
"""

import asyncio
import inspect
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeAlias, TypeVar, cast

from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from dreamcanvas.errors import MethodNotFound
from dreamcanvas.rpc import jsonmap, payloads
from dreamcanvas.rpc.connection import Call, TextCall
from dreamcanvas.rpc.jsonrpc import Encoded, Json

P = TypeVar("P")
DISCOVER: Final = "rpc.discover"


@dataclass(frozen=True, slots=True)
class Caller(Generic[P]):
    """Who calls, as the host knows them, and whether the call came as text (JSON-RPC)."""

    peer: P
    text: bool


@dataclass(frozen=True, slots=True)
class Then:
    """A response, and the function that is called right after it was written.

    `gone` is called in place of `then` where the peer has gone.
    """

    response: Message
    then: Callable[[], None]
    gone: Callable[[], None] = lambda: None


Answer: TypeAlias = Message | Then | dict[str, Json] | Encoded


@dataclass(frozen=True, slots=True)
class Later:
    """A response that `respond` makes of a future's result. The connection never cancels the future.

    Where `alone`, the connection's next call is not carried out before this one is answered.
    """

    future: "asyncio.Future[Any]"
    respond: Callable[[Any], Answer]
    alone: bool = False

    async def wait(self) -> Answer:
        """Wait for the response. Raises what the future or `respond` raises."""
        return self.respond(await asyncio.shield(self.future))


Handler: TypeAlias = Callable[[Caller[P], Any], Answer | Later | Coroutine[Any, Any, Answer]]


@dataclass(frozen=True, slots=True)
class Method(Generic[P]):
    """One method: its name, the classes of its messages, and its handler."""

    name: str
    request_type: type[Message]
    response_type: type[Message]
    handler: Handler[P]

    def decode(self, payload: bytes | Json, most_items: int = 0) -> Message:
        """Return the typed request for serialised bytes or JSON params. Raises InvalidParams.

        `most_items` is how many items a list of JSON params may have, 0 for any number.
        """
        if isinstance(payload, bytes):
            return payloads.from_bytes(payload, self.request_type)
        return jsonmap.from_json(payload, self.request_type, most_items)


class Service(Generic[P]):
    """The methods of a service that have handlers, by their names in the descriptor.

    `discover` answers `rpc.discover`, to JSON-RPC calls only. `most_items` is how many items a list
    of JSON params may have, 0 for any number. The methods of a `mounted` service are called as
    `PREFIX.METHOD`, and are not among `methods`. Raises KeyError where the descriptor has no method
    of a handler's name.
    """

    def __init__(
        self,
        descriptor: ServiceDescriptor,
        handlers: Mapping[str, Handler[P]],
        *,
        discover: Callable[[P], dict[str, Json] | Encoded] | None = None,
        most_items: int = 0,
        mounted: "Mapping[str, Service[P]] | None" = None,
    ) -> None:
        self.descriptor = descriptor
        self._discover = discover
        self._most_items = most_items
        self._methods = {name: self._method(name, handler) for name, handler in handlers.items()}
        self._mounted = dict(mounted or {})

    def _method(self, name: str, handler: Handler[P]) -> Method[P]:
        method = self.descriptor.methods_by_name[name]
        return Method(name, GetMessageClass(method.input_type), GetMessageClass(method.output_type), handler)

    @property
    def methods(self) -> tuple[Method[P], ...]:
        """Return the methods that have handlers, in the order in which these were given."""
        return tuple(self._methods.values())

    def method(self, name: str) -> Method[P]:
        """Return the method of that name, which may begin with a capital. Raises MethodNotFound."""
        method = self._methods.get(name) or self._methods.get(name[:1].lower() + name[1:])
        if method is None:
            prefix, dot, rest = name.partition(".")
            if dot and prefix in self._mounted:
                return self._mounted[prefix].method(rest)
            raise MethodNotFound(f"there is no method {jsonmap.shown(name)}")
        return method

    def call(self, peer: P, call: Call) -> Answer | Later | Coroutine[Any, Any, Answer]:
        """Carry out a call. Raises MethodNotFound, InvalidParams, and what the handler raises."""
        # JSON-RPC reserves names that begin with `rpc.` for extensions (its section 8); this is
        # OpenRPC's
        if self._discover is not None and call.method == DISCOVER and isinstance(call, TextCall):
            return self._discover(peer)
        method = self.method(call.method)
        return method.handler(
            Caller(peer, isinstance(call, TextCall)), method.decode(call.payload, self._most_items)
        )

    async def answer(self, peer: P, call: Call) -> Answer:
        """Carry out a call and wait for its response. Raises what `call` raises."""
        answer = self.call(peer, call)
        if isinstance(answer, Later):
            return await answer.wait()
        return await answer if inspect.iscoroutine(answer) else cast(Answer, answer)
