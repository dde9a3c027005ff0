"""The service DreamPainter: validates what callers ask for, and has the painter do it."""

import asyncio
from functools import cache, partial
from importlib import resources
from typing import Final

from google.protobuf.descriptor_pb2 import FileDescriptorSet

from dreamcanvas import __version__
from dreamcanvas.about import About
from dreamcanvas.allowances import Client, token_of
from dreamcanvas.broadcast import Broadcast, Subscription
from dreamcanvas.brush import MAX_SIZE
from dreamcanvas.canvas import SIDE
from dreamcanvas.config import Config
from dreamcanvas.cursors import Cursors
from dreamcanvas.errors import InvalidParams, InvalidRequest
from dreamcanvas.history.catalogue import DEFAULT_LIMIT, Catalogue
from dreamcanvas.painter import Painter
from dreamcanvas.pictures import encode
from dreamcanvas.proto import dreamcanvas_pb2 as pb
from dreamcanvas.rpc import openrpc
from dreamcanvas.rpc.endpoint import Websocket
from dreamcanvas.rpc.jsonrpc import Json
from dreamcanvas.rpc.service import Caller, Later, Then
from dreamcanvas.store.journal import Author, Journal, Receipt
from dreamcanvas.undo import bounds
from dreamcanvas.undoing import Undoing
from dreamcanvas.validation import MAX_COLOR, POSITION_BOUND, check_call, dabs_of, visible_name, within
from dreamcanvas.views import View, Views
from dreamcanvas.visitors import Visitors, event_names

SESSION_BYTES: Final = (16, 32)
UNDO_DABS: Final = 100  # an undo costs so many dabs of the rate, and one more for each so many pixels
UNDO_PIXELS: Final = 1000
_FORMATS: Final = {pb.CanvasRequest.JPEG: "jpg", pb.CanvasRequest.PNG: "png", pb.CanvasRequest.WEBP: "webp"}


class Api:
    """The handlers of the methods."""

    def __init__(
        self,
        config: Config,
        *,
        visitors: Visitors,
        painter: Painter,
        journal: Journal,
        broadcast: Broadcast,
        views: Views,
        catalogue: Catalogue,
        undoing: Undoing,
        cursors: Cursors,
        about: About,
        started: int,
    ) -> None:
        self._config = config
        self._visitors = visitors
        self._painter = painter
        self._journal = journal
        self._broadcast = broadcast
        self._views = views
        self._catalogue = catalogue
        self._undoing = undoing
        self._cursors = cursors
        self._about = about
        self._started = started
        service = visitors.service
        service.implement("paint", self.paint)
        service.implement("getCanvas", self.get_canvas)
        service.implement("subscribe", self.subscribe)
        service.implement("undo", self.undo)
        service.implement("cursor", self.cursor)
        service.implement("getInfo", self.get_info)
        service.implement("getHistory", self.get_history)
        service.implement("getFrame", self.get_frame)
        service.discover = self.discover

    def discover(self) -> dict[str, Json]:
        """The service's OpenRPC document."""
        methods = tuple(method.name for method in self._visitors.service.methods)
        return _document(methods, self._config.dabs_per_call)

    # Methods

    def paint(self, caller: Caller[Client], request: pb.PaintRequest) -> Later:
        """Draws one dab or several."""
        client = caller.peer
        check_call(client.author, request.call)
        dabs = dabs_of(request, self._config.dabs_per_call)
        self._visitors.check(client)
        self._visitors.spend_dabs(client, len(dabs))
        settled = self._painter.paint(
            client.author, dabs, stroke=request.stroke, call=request.call, origin=client.websocket
        )
        return Later(settled, paint_response)

    def undo(self, caller: Caller[Client], request: pb.UndoRequest) -> Later:
        """Takes back a stroke of one's own."""
        client = caller.peer
        check_call(client.author, request.call)
        stroke = within("stroke", request.stroke, 1, 2**32 - 1)
        self._visitors.check(client)
        self._visitors.spend_dabs(client, UNDO_DABS)
        settled = self._undoing.undo(
            client.author,
            stroke,
            call=request.call,
            afford=lambda patch: self._visitors.spend_undone(client, len(patch.image)),
        )
        return Later(settled, partial(self._undone, client))

    def _undone(self, client: Client, receipt: Receipt) -> pb.UndoResponse:
        for operation in receipt.operations:
            left, top, right, bottom = bounds(operation.mark)
            self._visitors.owe_dabs(client, (right - left) * (bottom - top) // UNDO_PIXELS)
        self._broadcast.flush()  # the patch comes before the reply, also to who asked for it
        return pb.UndoResponse(seq=receipt.seq)

    def cursor(self, caller: Caller[Client], request: pb.CursorRequest) -> pb.CursorResponse:
        """Shows the others where one's pointer is."""
        websocket, identity = caller.peer.websocket, caller.peer.identity
        if websocket is None:
            raise InvalidRequest("cursor needs a websocket")
        if not request.HasField("pos"):
            raise InvalidParams("pos is missing: where the pointer is", field="pos")
        event = pb.CursorEvent(
            author=caller.peer.author.number,
            pos=pb.Position(
                x=within("pos.x", request.pos.x, -POSITION_BOUND, POSITION_BOUND),
                y=within("pos.y", request.pos.y, -POSITION_BOUND, POSITION_BOUND),
            ),
            down=request.down,
            color=within("color", request.color, 0, MAX_COLOR),
            name=visible_name(request.name) or (identity.name if identity is not None else ""),
        )
        if self._config.cursors and self._visitors.may_point(caller.peer):
            self._cursors.moved(event, websocket)
        return pb.CursorResponse()

    async def get_canvas(self, caller: Caller[Client], request: pb.CanvasRequest) -> pb.CanvasResponse:
        """The picture, or a part of it, as a file."""
        left = within("offset.x", request.offset.x, 0, SIDE - 1)
        top = within("offset.y", request.offset.y, 0, SIDE - 1)
        width = within("width", request.width, 1, SIDE - left)
        height = within("height", request.height, 1, SIDE - top)
        format_ = _FORMATS[request.format]
        self._visitors.spend_canvas(caller.peer, width * height / (SIDE * SIDE))
        if width == height == SIDE:
            view = await self._views.get(format_)
        else:
            part = await self._painter.crop(left, top, width, height)
            view = View(await asyncio.to_thread(encode, part.image, format_), part.version, part.time)
        return pb.CanvasResponse(
            timestamp=view.time % 2**32,
            image=view.data,
            seq=view.version.seq,
            dream=view.version.dream,
            time=view.time,
        )

    def subscribe(self, caller: Caller[Client], request: pb.SubscribeRequest) -> Later:
        """Chooses the events of a websocket."""
        client, websocket = caller.peer, caller.peer.websocket
        if websocket is None:
            raise InvalidRequest("events need a websocket: subscribe there")
        events = event_names(request.events)
        former = client.author
        if request.HasField("session"):
            low, high = SESSION_BYTES
            if not low <= len(request.session) <= high:
                raise InvalidParams(
                    f"session has {len(request.session)} bytes, not {low} to {high}", field="session"
                )
            token = token_of(client.identity)
            client.author = self._journal.session(request.session, client.address, token)
        subscription = Subscription(events, text=caller.text, batch=request.batch)
        since = request.since if request.HasField("since") else None
        # What was painted before on this connection is applied before
        settled = self._painter.introduce(client.author, former)
        author = client.author
        return Later(settled, lambda _: self._subscribed(author, websocket, subscription, since))

    def _subscribed(
        self, author: Author, websocket: Websocket, subscription: Subscription, since: int | None
    ) -> Then:
        self._broadcast.flush()  # what is due to the subscription before comes before the reply
        replay = [] if since is None else self._painter.since(since)
        version = self._painter.version
        response = pb.SubscribeResponse(
            seq=version.seq,
            width=SIDE,
            height=SIDE,
            brush_size=MAX_SIZE,
            status=self._visitors.status(),
            resync=replay is None,
            limits=self._visitors.limits(),
            version=__version__,
            author=author.number,
            dream=version.dream,
            dream_seq=self._painter.dream_seq,
            last_call=author.last_call,
        )
        return Then(response, lambda: self._visitors.subscribe(websocket, subscription, replay or ()))

    def get_info(self, caller: Caller[Client], request: pb.InfoRequest) -> pb.InfoResponse:
        """What server this is."""
        response = pb.InfoResponse(
            version=__version__,
            started=self._started,
            network=self._config.network if self._visitors.dreaming is not None else "",
            limits=self._visitors.limits(),
            read_only=self._visitors.status().read_only,
        )
        self._about.tell(response)
        return response

    async def get_history(self, caller: Caller[Client], request: pb.HistoryRequest) -> pb.HistoryResponse:
        """The recorded windows, newest first."""
        windows = await self._catalogue.windows(before=request.before, limit=request.limit or DEFAULT_LIMIT)
        return pb.HistoryResponse(windows=windows)

    async def get_frame(self, caller: Caller[Client], request: pb.FrameRequest) -> pb.FrameResponse:
        """One dream of the past."""
        return await self._catalogue.frame(dream=request.dream, time=request.time)


@cache
def _document(methods: tuple[str, ...], dabs_per_call: int) -> dict[str, Json]:
    schema = resources.files("dreamcanvas.proto").joinpath("dreamcanvas.binpb").read_bytes()
    return openrpc.document(
        FileDescriptorSet.FromString(schema),
        service="DreamPainter",
        methods=methods,
        title="Dreamcanvas",
        version=__version__,
        limits={"dabs_per_call": dabs_per_call},
    )


def paint_response(receipt: Receipt) -> pb.PaintResponse:
    """The answer to a call whose operations are durable."""
    return pb.PaintResponse(
        timestamp=receipt.time % 2**32, seq=receipt.seq, duplicate=receipt.duplicate, time=receipt.time
    )
