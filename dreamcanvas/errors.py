"""Every error that this package raises on purpose.

DreamcanvasError
├── ConfigError          a setting that is wrong; ends the start with its sentence
├── DreamError           the dreamer: a network, style or picture that cannot be dreamt
│   └── UnknownNetwork   a network that there is none of; a ConfigError too
├── MovieError           a movie that cannot be made or found
├── ProcessError         a child process, or its parent, sent what is no frame
├── StoreError           the data directory: locked, unreadable, of a newer version
├── AdminError           `dreamcanvas admin`: the server was not reached, or refused
├── Unreachable          a client: no answer within its time-out
└── RpcError             what a caller is told, with a code of PROTOCOL.md
    ├── ParseError, InvalidRequest, MethodNotFound, InvalidParams, Internal      JSON-RPC's own
    └── RateLimited, Unauthenticated, Forbidden, Unavailable, TooLate            this service's
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


class AdminError(DreamcanvasError):
    """A call of the host's failed: the server was not reached, or refused."""


class Unreachable(DreamcanvasError, TimeoutError):
    """A client's server cannot be reached, or does not answer, within the client's time-out."""


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
