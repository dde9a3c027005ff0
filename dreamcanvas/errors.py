"""Every error that this package raises on purpose.

DreamcanvasError
├── ConfigError          a setting that is wrong; ends the start with its sentence
├── DreamError           the dreamer: a network, style or picture that cannot be dreamt
│   └── UnknownNetwork   a network that there is none of; a ConfigError too
├── MovieError           a movie that cannot be made or found
├── ProcessError         a child process, or its parent, sent what is no frame
├── StoreError           the data directory: locked, unreadable, of a newer version
├── NotNow               the canvas cannot do it at the moment: full, overloaded or closing; nothing changed
├── NotKept              the past that is asked for is not there: never was, or is not kept
├── UndoError            a stroke stays: too old, too much work
│   └── UnknownStroke    it is not the caller's, or was taken back
├── AccessError          the caller may not
│   ├── TooFast          it has spent what it may
│   ├── NotAllowed       it is banned, or the canvas is read-only
│   └── UnknownToken     its token is wrong
├── AdminError           `dreamcanvas admin`: the server was not reached, or refused
├── Unreachable          a client: no answer within its time-out
└── RpcError             what a caller is told, with a code of PROTOCOL.md
    ├── ParseError, InvalidRequest, MethodNotFound, InvalidParams, Internal      JSON-RPC's own
    └── RateLimited, Unauthenticated, Forbidden, Unavailable, TooLate            this service's

`api/rpc_errors.py` alone turns the others into RpcErrors. Below api/ nobody raises one, but rpc/ itself.
"""

from typing import ClassVar


class DreamcanvasError(Exception):
    """Root of the tree."""


class ConfigError(DreamcanvasError):
    """A setting is wrong. The message names it and its bounds."""


class DreamError(DreamcanvasError):
    """A dream cannot be dreamt: unknown network or layer, unreadable weights, a worker that failed."""


class UnknownNetwork(DreamError, ConfigError):
    """There is no network of that name. The message names those there are."""


class MovieError(DreamcanvasError):
    """A movie cannot be made: the encoder died, or its answer was wrong; or there is none."""


class ProcessError(DreamcanvasError):
    """A child process, or its parent, sent bytes that are no frame."""


class StoreError(DreamcanvasError):
    """The data directory cannot be used."""


class NotNow(DreamcanvasError):
    """Something cannot be done at the moment; nothing was changed.

    The caller may ask again after `wait` seconds.
    """

    def __init__(self, sentence: str, *, wait: float = 1.0) -> None:
        super().__init__(sentence)
        self.wait = wait


class NotKept(DreamcanvasError):
    """The past that was asked for is not kept. `asked_by` says by what: a dream, a time, authors."""

    def __init__(self, sentence: str, *, asked_by: str) -> None:
        super().__init__(sentence)
        self.asked_by = asked_by


class UndoError(DreamcanvasError):
    """A stroke cannot be taken back: what was there before is not kept, or it is too much work."""


class UnknownStroke(UndoError):
    """The author has no such stroke, or it was taken back already."""


class AccessError(DreamcanvasError):
    """A caller may not do this, or not now."""


class TooFast(AccessError):
    """A caller has used up its quota; it may go on after `wait_ms` milliseconds."""

    def __init__(self, sentence: str, *, wait_ms: int) -> None:
        super().__init__(sentence)
        self.wait_ms = wait_ms


class NotAllowed(AccessError):
    """A caller is banned, or nobody may draw."""


class UnknownToken(AccessError):
    """A token is not known, or was revoked."""


class AdminError(DreamcanvasError):
    """A call of the operator's failed: the server was not reached, or refused it."""


class Unreachable(DreamcanvasError, TimeoutError):
    """A client's server cannot be reached, or does not answer, within the client's time-out."""


# From here on docstrings are part of the OpenRPC document, which callers read (rpc/openrpc).


class RpcError(DreamcanvasError):
    """An error that a caller is told.

    `field` names the field at fault (`dabs[3].size`); `retry_after_ms` is given where waiting helps.
    """

    code: ClassVar[int]
    name: ClassVar[str]

    def __init__(self, sentence: str, *, field: str | None = None, retry_after_ms: int | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.field = field
        self.retry_after_ms = retry_after_ms


class ParseError(RpcError):
    """The text is not JSON."""

    code = -32700
    name = "PARSE_ERROR"


class InvalidRequest(RpcError):
    """The JSON is not a request."""

    code = -32600
    name = "INVALID_REQUEST"


class MethodNotFound(RpcError):
    """There is no such method, or not yet."""

    code = -32601
    name = "METHOD_NOT_FOUND"


class InvalidParams(RpcError):
    """The request message is undecodable or out of bounds."""

    code = -32602
    name = "INVALID_PARAMS"


class Internal(RpcError):
    """A bug; the sentence is no more than an incident id that the log explains."""

    code = -32603
    name = "INTERNAL"


class RateLimited(RpcError):
    """Too many, too fast."""

    code = -32001
    name = "RATE_LIMITED"


class Unauthenticated(RpcError):
    """A token is missing where one is needed, or wrong."""

    code = -32002
    name = "UNAUTHENTICATED"


class Forbidden(RpcError):
    """Banned, or the canvas is read-only."""

    code = -32003
    name = "FORBIDDEN"


class Unavailable(RpcError):
    """Shutting down, or the storage is full or failing; nothing was applied."""

    code = -32004
    name = "UNAVAILABLE"


class TooLate(RpcError):
    """The stroke to take back is too old, or not this session's."""

    code = -32005
    name = "TOO_LATE"
