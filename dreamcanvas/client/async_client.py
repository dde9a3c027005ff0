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

    `token` is a bot's own, where it has one. `session`, 16 to 32 bytes and a secret, makes a later run the
    same author; by default each has a random one. `timeout` is for how many seconds a call may go without an
    answer, connection and reconnection included; waiting because of a rate limit does not count. Over plain
    HTTP a token goes to this machine only, elsewhere where it may be `insecure`.

    Methods raise the errors of `dreamcanvas.errors`: RpcError's, and Unreachable. Raises ConfigError where
    one of the arguments is none.
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
        """Connects. Raises Unreachable, or what the server refuses the connection with."""
        await self._session.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    # What is known

    @property
    def author(self) -> int:
        """The public number under which one's operations appear."""
        return self._session.welcome.author

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the canvas in pixels."""
        return self._session.welcome.width, self._session.welcome.height

    @property
    def limits(self) -> pb.Limits:
        """The bounds that the server keeps."""
        return self._session.welcome.limits

    @property
    def status(self) -> Status:
        """The state of affairs, as last heard of."""
        return status_of(self._session.welcome.status)

    @property
    def connections(self) -> int:
        """How many connections there have been, the present one included."""
        return self._session.connections

    # Drawing

    async def paint(self, x: float, y: float, size: int, color: Color) -> Ink:
        """Draws one dab of `size` pixels, 1 to 124, with its middle at (x, y). Returns when it is durable."""
        return await self.dabs([(x, y, size, color)])

    async def stroke(self, points: Iterable[PointLike], size: int, color: Color) -> Ink:
        """Draws a stroke along straight lines between points in canvas pixels."""
        return await self.dabs(dabs_along(points, size, color))

    async def dabs(self, dabs: Iterable[DabLike]) -> Ink:
        """Draws dabs, in order, each once. Returns when they are durable.

        They go in as many calls as the server's limits ask for, as fast as it lets them in.
        Raises InvalidParams before anything is drawn; another error may come after part of it.
        """
        whole = checked(dabs)
        most = self._most()
        ink = Ink(stroke=0, seq=0, time=0)
        async with self._order:
            for first in range(0, len(whole), most):
                call = self._session.next_call()
                stroke = ink.stroke or call  # the number of its first call: no other stroke has it
                reply = await self._paint(whole[first : first + most], stroke, call)
                ink = Ink(stroke, reply.seq, reply.time)
                self._drawn = reply.seq
        return ink

    def _most(self) -> int:
        """How many dabs a call may have."""
        limits = self.limits
        bounds = (limits.dabs_per_call, limits.dabs_burst, (limits.message_bytes - _ENVELOPE) // _DAB_BYTES)
        return max(1, min((bound for bound in bounds if bound > 0), default=256))

    async def _paint(self, dabs: list[Dab], stroke: int, call: int) -> pb.PaintResponse:
        request = pb.PaintRequest(dabs=map(message, dabs), stroke=stroke, call=call)

        def drawn(reply: pb.PaintResponse) -> None:
            if not reply.duplicate:  # else they come as events to this connection
                first = reply.seq - len(dabs) + 1
                for seq, dab in enumerate(dabs, first):
                    self._session.deliver(Operation(seq, reply.time, self.author, stroke, dab))

        return await self._session.call("paint", request, pb.PaintResponse, drawn)

    async def undo(self, ink: Ink | int) -> int:
        """Takes back what was drawn: where its dabs covered, what was there before is put back.

        Gives the number of the patch. Raises TooLate.
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
        """Shows the others where one's pointer is."""
        pos = pb.Position(
            x=bounded("pos.x", x, -POSITION_BOUND, POSITION_BOUND),
            y=bounded("pos.y", y, -POSITION_BOUND, POSITION_BOUND),
        )
        request = pb.CursorRequest(pos=pos, down=bool(down), color=rgb(color), name=_text("name", name))
        await self._session.call("cursor", request, pb.CursorResponse)

    async def call(self, method: str, request: Message, reply: type[M]) -> M:
        """Calls any method of the service by its messages; repeats it over lost connections."""
        return await self._session.call(method, request, reply)

    # Looking

    async def get_canvas(
        self, x: int = 0, y: int = 0, width: int | None = None, height: int | None = None, format: str = "PNG"
    ) -> Image.Image:
        """The picture, or a part of it in pixels, RGB. PNG is exact, JPEG and WEBP are smaller.

        It waits some seconds for one that shows what one drew oneself. Of others' strokes those of the last
        seconds may be missing in the whole picture, which a server makes anew only so often; not in a part.
        """
        picture = await self.picture(x, y, width, height, format)
        return picture.image

    async def picture(
        self, x: int = 0, y: int = 0, width: int | None = None, height: int | None = None, format: str = "PNG"
    ) -> Picture:
        """The same with its version."""
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
        for _ in range(RETRIES):  # a server makes the whole picture anew only so often
            if reply.seq >= self._drawn:
                break
            await asyncio.sleep(RETRY_SECONDS)
            reply = await self._session.call("getCanvas", request, pb.CanvasResponse)
        image = await asyncio.to_thread(_decode, reply.image)
        return Picture(image, reply.dream, reply.seq)

    async def rewind(self, events: Events, seq: int) -> None:
        """Fills a queue with the operations after `seq` and what follows: for a copy that begins anew."""
        await self._session.rewind(events, seq)

    def replica(self) -> Replica:
        """A live local copy of the picture, exact to the pixel. Enter it with `async with`."""
        return Replica(self)

    async def info(self) -> pb.InfoResponse:
        """What server this is."""
        return await self._session.call("getInfo", pb.InfoRequest(), pb.InfoResponse)

    def events(self, *names: str, own: bool = False) -> Events:
        """What happens: of paint, patch, canvas, status and cursor those named, or all.

        Operations come in the order of their numbers, without a gap and none twice, also over a lost
        connection; where that was not possible, a Resync says so. `own` gives one's own operations, too.
        """
        return Events(self._session, names_of(names), own=own)


def _decode(data: bytes) -> Image.Image:
    with Image.open(io.BytesIO(data)) as image:
        return image.convert("RGB")


def _token(token: str | None) -> str | None:
    """What a header can hold. Raises ConfigError."""
    if token is not None and not (isinstance(token, str) and token.isascii() and token.isprintable()):
        raise ConfigError("token is none: it has to be printable ASCII characters")
    return token


def _secret(session: bytes | None) -> bytes:
    """The session's bytes, random ones by default; the server judges how many. Raises ConfigError."""
    if session is None:
        return secrets.token_bytes(SESSION_BYTES)
    if not isinstance(session, bytes | bytearray):
        raise ConfigError("session has to be bytes, 16 to 32")
    return bytes(session)


def _span(timeout: float) -> float:
    """Seconds. Raises ConfigError."""
    try:
        seconds = number("timeout", timeout)
    except InvalidParams as error:
        raise ConfigError(error.sentence) from None
    if seconds <= 0:
        raise ConfigError(f"timeout is {shown(timeout)}, but has to be above 0 seconds")
    return seconds


def _text(name: str, text: str) -> str:
    """What UTF-8 can hold. Raises InvalidParams."""
    try:
        text.encode()
    except (AttributeError, UnicodeEncodeError):
        raise InvalidParams(f"{name} is {shown(text)}, but has to be a text", field=name) from None
    return text
