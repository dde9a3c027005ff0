"""A client for bots without asyncio: an AsyncClient on an event loop in a thread of its own."""

import asyncio
import random
import threading
from collections.abc import Coroutine, Iterable, Iterator
from typing import Any, Self, TypeVar

from PIL import Image

from dreamcanvas.canvas.model import Version
from dreamcanvas.client.async_client import AsyncClient
from dreamcanvas.client.drawing import Color, DabLike, Ink, PointLike
from dreamcanvas.client.events import Event, Events, Status
from dreamcanvas.client.replica import Replica
from dreamcanvas.proto import dreamcanvas_pb2 as pb

T = TypeVar("T")


class _Loop:
    """An event loop in a thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="dreamcanvas", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What the coroutine returns or raises. Where the wait for it is interrupted, it is cancelled."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Client:
    """A bot's connection to the server at `url`. Enter it with `with`; the rest is as of AsyncClient."""

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
        self._client = AsyncClient(
            url, token=token, session=session, timeout=timeout, rng=rng, insecure=insecure
        )
        self._loop: _Loop | None = None

    def __enter__(self) -> Self:
        self._loop = _Loop()
        try:
            self._run(self._client.__aenter__())
        except BaseException:
            self._loop.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        assert self._loop is not None
        self._run(self._client.__aexit__())
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        if self._loop is None:
            work.close()
            raise RuntimeError("enter the client first: with Client(…) as client")
        return self._loop.run(work)

    @property
    def author(self) -> int:
        """The public number under which one's operations appear."""
        return self._client.author

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the canvas in pixels."""
        return self._client.size

    @property
    def limits(self) -> pb.Limits:
        """The bounds that the server keeps."""
        return self._client.limits

    @property
    def status(self) -> Status:
        """The state of affairs, as last heard of."""
        return self._client.status

    def paint(self, x: float, y: float, size: int, color: Color) -> Ink:
        """Draws one dab of `size` pixels, 1 to 124, with its middle at (x, y). Returns when it is durable."""
        return self._run(self._client.paint(x, y, size, color))

    def stroke(self, points: Iterable[PointLike], size: int, color: Color) -> Ink:
        """Draws a stroke along straight lines between points in canvas pixels."""
        return self._run(self._client.stroke(points, size, color))

    def dabs(self, dabs: Iterable[DabLike]) -> Ink:
        """Draws dabs, in order, each once. Returns when they are durable."""
        return self._run(self._client.dabs(dabs))

    def undo(self, ink: Ink | int) -> int:
        """Takes back what was drawn. Gives the number of the patch. Raises TooLate."""
        return self._run(self._client.undo(ink))

    def cursor(self, x: float, y: float, *, down: bool = False, color: Color = 0, name: str = "") -> None:
        """Shows the others where one's pointer is."""
        self._run(self._client.cursor(x, y, down=down, color=color, name=name))

    def get_canvas(
        self, x: int = 0, y: int = 0, width: int | None = None, height: int | None = None, format: str = "PNG"
    ) -> Image.Image:
        """The picture, or a part of it in pixels, RGB. PNG is exact, JPEG and WEBP are smaller."""
        return self._run(self._client.get_canvas(x, y, width, height, format))

    def info(self) -> pb.InfoResponse:
        """What server this is."""
        return self._run(self._client.info())

    def events(self, *names: str, own: bool = False) -> Iterator[Event]:
        """What happens from now on, as AsyncClient's: `for event in client.events("paint"): …`."""
        events = self._client.events(*names, own=own)
        self._run(events.__aenter__())
        return self._each(events)

    def _each(self, events: Events) -> Iterator[Event]:
        while True:
            yield self._run(events.__anext__())

    def replica(self) -> "LiveReplica":
        """A live local copy of the picture, exact to the pixel. Enter it with `with`."""
        return LiveReplica(self._client.replica(), self._run)


class LiveReplica:
    """A Replica for programs without asyncio."""

    def __init__(self, replica: Replica, run: Any) -> None:
        self._replica = replica
        self._run = run

    def __enter__(self) -> Self:
        self._run(self._replica.__aenter__())
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._replica.__aexit__())

    @property
    def version(self) -> Version:
        """(dream, seq): what the copy shows."""
        return self._replica.version

    def image(self) -> Image.Image:
        """A copy of the picture, RGB."""
        image: Image.Image = self._run(self._image())
        return image

    async def _image(self) -> Image.Image:
        return self._replica.image()  # in the thread that draws

    def reaches(self, *, seq: int = 0, dream: int = 0) -> None:
        """Waits until the copy shows operation `seq`, and dream `dream` or a later one."""
        self._run(self._replica.reaches(seq=seq, dream=dream))
