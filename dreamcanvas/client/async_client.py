"""A client for bots that use asyncio."""

import asyncio
import io
import random
import secrets
from collections.abc import Iterable
from typing import Final, Self, TypeVar

from google.protobuf.message import Message
from PIL import Image

from dreamcanvas.canvas.model import POSITION_BOUND, Dab, Operation
from dreamcanvas.client.drawing import (
    Color,
    DabLike,
    Ink,
    PointLike,
    bounded,
    checked,
    dabs_along,
    message,
    number,
    rgb,
    shown,
)
from dreamcanvas.client.events import Events, Status, names_of, status_of
from dreamcanvas.client.replica import Picture, Replica
from dreamcanvas.client.session import Session
from dreamcanvas.errors import ConfigError, InvalidParams
from dreamcanvas.proto import dreamcanvas_pb2 as pb

M = TypeVar("M", bound=Message)

SESSION_BYTES: Final = 16
RETRY_SECONDS: Final = 0.25
RETRIES: Final = 20
_ENVELOPE: Final = 64  # bytes of a message around its dabs
_DAB_BYTES: Final = 24  # the most that a dab takes
_FORMATS: Final = {
    "PNG": pb.CanvasRequest.PNG,
    "JPEG": pb.CanvasRequest.JPEG,
    "WEBP": pb.CanvasRequest.WEBP,
}


class AsyncClient:
    """A bot's connection to the server at `url`, an address as in a browser. Enter it with `async with`.

    `token` is the bot's token, where it has one. It is sent over HTTPS, or to this machine; with
    `insecure` also over plain HTTP to others. `session` is a secret of 16 to 32 bytes: with the
    same one, a later run is the same author. By default each client has a random one. `timeout` is
    how many seconds a call may wait for its answer, connecting included; waiting because of a rate
    limit does not count.

    Methods raise Unreachable after `timeout`, and an RpcError where the server refuses the call;
    both are in `dreamcanvas.errors`. Raises ConfigError where an argument cannot be used.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:4242",
        *,
        token: str | None = None,
        session: bytes | None = None,
        timeout: float = 30.0,
        rng: random.Random | None = None,
        insecure: bool = False,
    ) -> None:
        self._session = Session(
            url,
            token=_token(token),
            secret=_secret(session),
            timeout=_span(timeout),
            rng=rng or random.Random(),  # noqa: S311 - jitter, no secrets
            insecure=insecure,
        )
        self._order = asyncio.Lock()
        self._drawn = 0

    async def __aenter__(self) -> Self:
        """Connect. Raises Unreachable, or the RpcError with which the server refuses the connection."""
        await self._session.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    # What is known

    @property
    def author(self) -> int:
        """The number that everybody sees as the author of this client's operations."""
        return self._session.welcome.author

    @property
    def size(self) -> tuple[int, int]:
        """The width and height of the canvas, in pixels."""
        return self._session.welcome.width, self._session.welcome.height

    @property
    def limits(self) -> pb.Limits:
        """The limits that the server sets for its clients."""
        return self._session.welcome.limits

    @property
    def status(self) -> Status:
        """The newest status that the server sent."""
        return status_of(self._session.welcome.status)

    @property
    def connections(self) -> int:
        """How many connections there have been, with the present one."""
        return self._session.connections

    # Drawing

    async def paint(self, x: float, y: float, size: int, color: Color) -> Ink:
        """Draw one dab of `size` pixels, 1 to 124, with its middle at (x, y). Return when it is stored.

        Raises as `dabs` does.
        """
        return await self.dabs([(x, y, size, color)])

    async def stroke(self, points: Iterable[PointLike], size: int, color: Color) -> Ink:
        """Draw a stroke of `size` pixels, 1 to 124, along straight lines between points in canvas pixels.

        Return when it is stored. Raises as `dabs` does.
        """
        return await self.dabs(dabs_along(points, size, color))

    async def dabs(self, dabs: Iterable[DabLike]) -> Ink:
        """Draw dabs in their order, each once, as one stroke. Return when they are stored.

        They are sent in as many calls as the server's limits need, as fast as the server takes
        them. Raises InvalidParams, before anything is drawn, where a dab is out of bounds. With any
        other error, a part of the dabs may be drawn.
        """
        whole = checked(dabs)
        most = self._most()
        ink = Ink(stroke=0, seq=0, time=0)
        async with self._order:
            for first in range(0, len(whole), most):
                call = self._session.next_call()
                stroke = ink.stroke or call  # the number of the stroke's first call: no other stroke has it
                reply = await self._paint(whole[first : first + most], stroke, call)
                ink = Ink(stroke, reply.seq, reply.time)
                self._drawn = reply.seq
        return ink

    def _most(self) -> int:
        """Return how many dabs a call may have, by the server's limits."""
        limits = self.limits
        bounds = (limits.dabs_per_call, limits.dabs_burst, (limits.message_bytes - _ENVELOPE) // _DAB_BYTES)
        return max(1, min((bound for bound in bounds if bound > 0), default=256))

    async def _paint(self, dabs: list[Dab], stroke: int, call: int) -> pb.PaintResponse:
        request = pb.PaintRequest(dabs=map(message, dabs), stroke=stroke, call=call)

        def drawn(reply: pb.PaintResponse) -> None:
            if not reply.duplicate:  # a duplicate's dabs come to this connection as events
                first = reply.seq - len(dabs) + 1
                for seq, dab in enumerate(dabs, first):
                    self._session.deliver(Operation(seq, reply.time, self.author, stroke, dab))

        return await self._session.call("paint", request, pb.PaintResponse, drawn)

    async def undo(self, ink: Ink | int) -> int:
        """Take back a stroke: put back what was under its dabs. Return the patch's operation number.

        `ink` is what drawing returned, or the stroke's number. Raises TooLate where the server can
        no longer take it back.
        """
        stroke = ink.stroke if isinstance(ink, Ink) else bounded("stroke", ink, 1, 2**32 - 1)
        async with self._order:
            request = pb.UndoRequest(stroke=stroke, call=self._session.next_call())
            reply = await self._session.call("undo", request, pb.UndoResponse)
            self._drawn = reply.seq
        return reply.seq

    async def cursor(
        self, x: float, y: float, *, down: bool = False, color: Color = 0, name: str = ""
    ) -> None:
        """Show the others this client's pointer at (x, y) in canvas pixels. Raises InvalidParams.

        `down` says that it draws, `color` in which colour; `name` is shown beside it.
        """
        pos = pb.Position(
            x=bounded("pos.x", x, -POSITION_BOUND, POSITION_BOUND),
            y=bounded("pos.y", y, -POSITION_BOUND, POSITION_BOUND),
        )
        request = pb.CursorRequest(pos=pos, down=bool(down), color=rgb(color), name=_text("name", name))
        await self._session.call("cursor", request, pb.CursorResponse)

    async def call(self, method: str, request: Message, reply: type[M]) -> M:
        """Call any method of the service, and return its response, a `reply`.

        The call is sent again where the connection broke before the answer came. Raises RpcError or
        Unreachable.
        """
        return await self._session.call(method, request, reply)

    # Looking

    async def get_canvas(
        self, x: int = 0, y: int = 0, width: int | None = None, height: int | None = None, format: str = "PNG"
    ) -> Image.Image:
        """Return the picture, or a part of it in pixels, as RGB. PNG is exact, JPEG and WEBP are smaller.

        It waits up to 5 seconds for a picture that shows what this client has drawn. In the whole
        picture, others' strokes of the last seconds may be missing: a server makes it again only
        every few seconds. In a part of the picture they are not missing. Raises InvalidParams.
        """
        picture = await self.picture(x, y, width, height, format)
        return picture.image

    async def picture(
        self, x: int = 0, y: int = 0, width: int | None = None, height: int | None = None, format: str = "PNG"
    ) -> Picture:
        """Return the picture as `get_canvas` does, with its version. Raises InvalidParams."""
        if format not in _FORMATS:
            raise InvalidParams(
                f"format is {format!r}, but has to be one of {', '.join(_FORMATS)}", field="format"
            )
        whole = self.size
        left, top = bounded("offset.x", x, 0, whole[0] - 1), bounded("offset.y", y, 0, whole[1] - 1)
        right, bottom = whole[0] - left, whole[1] - top
        request = pb.CanvasRequest(
            offset=pb.Position(x=left, y=top),
            width=right if width is None else bounded("width", width, 1, right),
            height=bottom if height is None else bounded("height", height, 1, bottom),
            format=_FORMATS[format],
        )
        reply = await self._session.call("getCanvas", request, pb.CanvasResponse)
        for _ in range(RETRIES):  # a server makes the whole picture again only every few seconds
            if reply.seq >= self._drawn:
                break
            await asyncio.sleep(RETRY_SECONDS)
            reply = await self._session.call("getCanvas", request, pb.CanvasResponse)
        image = await asyncio.to_thread(_decode, reply.image)
        return Picture(image, reply.dream, reply.seq)

    async def rewind(self, events: Events, seq: int) -> None:
        """Empty a queue, and fill it with the operations after `seq` and all that follow.

        This is for a local copy of the picture that starts again at `seq`.
        """
        await self._session.rewind(events, seq)

    def replica(self) -> Replica:
        """Return a live local copy of the picture, exact to the pixel. Enter it with `async with`."""
        return Replica(self)

    async def info(self) -> pb.InfoResponse:
        """Return what the server says of itself."""
        return await self._session.call("getInfo", pb.InfoRequest(), pb.InfoResponse)

    def events(self, *names: str, own: bool = False) -> Events:
        """Return a queue of the events named: paint, patch, canvas, status, cursor; of all by default.

        Operations come in the order of their numbers, each once and without a gap, also when the
        connection broke. Where some are lost, a Resync comes in their place. With `own`, this
        client's own operations come too. Raises InvalidParams where there is no event of a name.
        """
        return Events(self._session, names_of(names), own=own)


def _decode(data: bytes) -> Image.Image:
    with Image.open(io.BytesIO(data)) as image:
        return image.convert("RGB")


def _token(token: str | None) -> str | None:
    """Return the token. Raises ConfigError where an HTTP header cannot hold it."""
    if token is not None and not (isinstance(token, str) and token.isascii() and token.isprintable()):
        raise ConfigError("token is none: it has to be printable ASCII characters")
    return token


def _secret(session: bytes | None) -> bytes:
    """Return the session's bytes, random ones for None. Raises ConfigError where they are not bytes.

    The server checks how many they are.
    """
    if session is None:
        return secrets.token_bytes(SESSION_BYTES)
    if not isinstance(session, bytes | bytearray):
        raise ConfigError("session has to be bytes, 16 to 32")
    return bytes(session)


def _span(timeout: float) -> float:
    """Return the timeout in seconds. Raises ConfigError where it is no number above 0."""
    try:
        seconds = number("timeout", timeout)
    except InvalidParams as error:
        raise ConfigError(error.sentence) from None
    if seconds <= 0:
        raise ConfigError(f"timeout is {shown(timeout)}, but has to be above 0 seconds")
    return seconds


def _text(name: str, text: str) -> str:
    """Return the text. Raises InvalidParams where it is no text, or cannot be UTF-8."""
    try:
        text.encode()
    except (AttributeError, UnicodeEncodeError):
        raise InvalidParams(f"{name} is {shown(text)}, but has to be a text", field=name) from None
    return text
