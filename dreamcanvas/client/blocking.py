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
    """An event loop that runs in a thread of its own until `close`."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="dreamcanvas", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine; return or raise what it does. It is cancelled where the wait is interrupted."""
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
    """A bot's connection to the server at `url`. Enter it with `with`.

    The arguments and the methods are those of AsyncClient, and raise the same errors. A method
    raises RuntimeError where the client was not entered.
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
        """The number that everybody sees as the author of this client's operations."""
        return self._client.author

    @property
    def size(self) -> tuple[int, int]:
        """The width and height of the canvas, in pixels."""
        return self._client.size

    @property
    def limits(self) -> pb.Limits:
        """The limits that the server sets for its clients."""
        return self._client.limits

    @property
    def status(self) -> Status:
        """The newest status that the server sent."""
        return self._client.status

    def paint(self, x: float, y: float, size: int, color: Color) -> Ink:
        """Draw one dab of `size` pixels, 1 to 124, with its middle at (x, y). Return when it is stored."""
        return self._run(self._client.paint(x, y, size, color))

    def stroke(self, points: Iterable[PointLike], size: int, color: Color) -> Ink:
        """Draw a stroke of `size` pixels along straight lines between points in canvas pixels."""
        return self._run(self._client.stroke(points, size, color))

    def dabs(self, dabs: Iterable[DabLike]) -> Ink:
        """Draw dabs in their order, each once, as one stroke. Return when they are stored."""
        return self._run(self._client.dabs(dabs))

    def undo(self, ink: Ink | int) -> int:
        """Take back a stroke. Return the patch's operation number. Raises TooLate."""
        return self._run(self._client.undo(ink))

    def cursor(self, x: float, y: float, *, down: bool = False, color: Color = 0, name: str = "") -> None:
        """Show the others this client's pointer at (x, y) in canvas pixels."""
        self._run(self._client.cursor(x, y, down=down, color=color, name=name))

    def get_canvas(
        self, x: int = 0, y: int = 0, width: int | None = None, height: int | None = None, format: str = "PNG"
    ) -> Image.Image:
        """Return the picture as RGB, or a part of it in pixels. PNG is exact, JPEG and WEBP are smaller."""
        return self._run(self._client.get_canvas(x, y, width, height, format))

    def info(self) -> pb.InfoResponse:
        """Return what the server says of itself."""
        return self._run(self._client.info())

    def events(self, *names: str, own: bool = False) -> Iterator[Event]:
        """Return an endless iterator of the events from now on: `for event in client.events("paint"): …`.

        The names and `own` are as in `AsyncClient.events`.
        """
        events = self._client.events(*names, own=own)
        self._run(events.__aenter__())
        return self._each(events)

    def _each(self, events: Events) -> Iterator[Event]:
        while True:
            yield self._run(events.__anext__())

    def replica(self) -> "LiveReplica":
        """Return a live local copy of the picture, exact to the pixel. Enter it with `with`."""
        return LiveReplica(self._client.replica(), self._run)


class LiveReplica:
    """A live local copy of the picture, for programs without asyncio. Enter it with `with`."""

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
        """The version that the copy shows: (dream, seq)."""
        return self._replica.version

    def image(self) -> Image.Image:
        """Return a copy of the picture, as RGB."""
        image: Image.Image = self._run(self._image())
        return image

    async def _image(self) -> Image.Image:
        return self._replica.image()  # in the loop's thread, which also draws: so no dab is half drawn

    def reaches(self, *, seq: int = 0, dream: int = 0) -> None:
        """Wait until the copy shows operation `seq`, and dream `dream` or a later one.

        Raises the error that ended the connection for good. There is no timeout.
        """
        self._run(self._replica.reaches(seq=seq, dream=dream))
