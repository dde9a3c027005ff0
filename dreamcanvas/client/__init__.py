"""Python clients for bots: `AsyncClient`, and `Client` for programs without asyncio.

    with Client("http://127.0.0.1:4242") as client:
        ink = client.stroke([(100, 100), (500, 300)], size=40, color="teal")
        client.undo(ink)
        client.get_canvas().save("canvas.png")

When the connection breaks or the server restarts, they connect again by themselves, and what was
being drawn is drawn once. When the server tells them to wait, they wait. The errors are in
`dreamcanvas.errors`.
"""

from dreamcanvas.canvas.model import Dab, Operation, Patch, Version
from dreamcanvas.client.async_client import AsyncClient
from dreamcanvas.client.blocking import Client, LiveReplica
from dreamcanvas.client.drawing import Color, DabLike, Ink, dabs_along
from dreamcanvas.client.events import Cursor, Dream, Event, Events, Resync, Status
from dreamcanvas.client.replica import Replica

__all__ = [
    "AsyncClient",
    "Client",
    "Color",
    "Cursor",
    "Dab",
    "DabLike",
    "Dream",
    "Event",
    "Events",
    "Ink",
    "LiveReplica",
    "Operation",
    "Patch",
    "Replica",
    "Resync",
    "Status",
    "Version",
    "dabs_along",
]
