"""A live local copy of the picture: the newest dream, with the later operations drawn on it."""

import asyncio
from dataclasses import dataclass
from typing import Protocol, Self

from PIL import Image

from dreamcanvas.canvas.model import Canvas, Operation, Region, Version
from dreamcanvas.client.events import Dream, Event, Events, Resync
from dreamcanvas.errors import DreamcanvasError


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as RGB, the number of the dream under it, and the number of the newest operation in it."""

    image: Image.Image
    dream: int
    seq: int


class Origin(Protocol):
    """The interface of what a replica is made from: a client."""

    def events(self, *names: str, own: bool = False) -> Events:
        """Return a queue of the events named."""

    async def picture(self) -> Picture:
        """Return the whole picture, exact to the pixel."""

    async def rewind(self, events: Events, seq: int) -> None:
        """Empty the queue, and fill it with the operations after `seq` and all that follow."""


class Replica:
    """A live local copy of the picture, with this client's own strokes. Enter it with `async with`.

    For each dream the whole picture is fetched as PNG: some megabytes.
    """

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._canvas = Canvas()
        self._running: asyncio.Task[None] | None = None
        self._changed = asyncio.Condition()
        self._failure: DreamcanvasError | None = None

    async def __aenter__(self) -> Self:
        events = await self._origin.events("paint", "patch", "canvas", own=True).__aenter__()
        await self._load(events)
        self._running = asyncio.create_task(self._run(events))
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    @property
    def version(self) -> Version:
        """The version that the copy shows: (dream, seq)."""
        return self._canvas.version

    def image(self) -> Image.Image:
        """Return a copy of the picture, as RGB."""
        return self._canvas.snapshot()

    def crop(self, left: int, top: int, right: int, bottom: int) -> Image.Image:
        """Return a copy of a part of the picture, in pixels; `right` and `bottom` are just outside of it."""
        return self._canvas.crop(Region(left, top, right, bottom))

    async def reaches(self, *, seq: int = 0, dream: int = 0) -> None:
        """Wait until the copy shows operation `seq`, and dream `dream` or a later one.

        Raises the error that ended the connection for good. There is no timeout.
        """
        async with self._changed:
            await self._changed.wait_for(lambda: self._failure is not None or self._reached(seq, dream))
        if self._failure is not None and not self._reached(seq, dream):
            raise self._failure

    def _reached(self, seq: int, dream: int) -> bool:
        return self._canvas.seq >= seq and self._canvas.dream >= dream

    async def _run(self, events: Events) -> None:
        try:
            async for event in events:
                await self._take(event, events)
                await self._notify()
                await asyncio.sleep(0)  # lets other tasks run where many events wait
        except DreamcanvasError as error:
            self._failure = error
            await self._notify()

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _take(self, event: Event, events: Events) -> None:
        match event:
            case Operation() if event.seq <= self._canvas.seq:
                pass  # the fetched picture already shows it
            case Operation() if event.seq == self._canvas.seq + 1:
                self._canvas.apply(event)
            case Dream() if event.dream <= self._canvas.dream:
                pass
            case Operation() | Dream() | Resync():
                await self._load(events)
            case _:
                pass

    async def _load(self, events: Events) -> None:
        picture = await self._origin.picture()
        self._canvas = Canvas(picture.image, picture.dream, picture.seq)
        await self._origin.rewind(events, picture.seq)  # the picture may be older than events already read
