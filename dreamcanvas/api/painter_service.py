"""The service DreamPainter: checks requests and their limits, and has other parts carry them out."""

from collections.abc import Coroutine
from functools import partial
from typing import Any, Final

from dreamcanvas import __version__
from dreamcanvas.access.moderation import Moderation
from dreamcanvas.access.quotas import Client, Quotas, token_of
from dreamcanvas.api import history_messages
from dreamcanvas.api.event_names import event_names
from dreamcanvas.api.server_info import ServerInfo
from dreamcanvas.api.status import Status
from dreamcanvas.api.subscriptions import Subscriptions
from dreamcanvas.api.validation import MAX_COLOR, check_call, dabs_of, visible_name, within
from dreamcanvas.broadcast.broadcast import Broadcast, Subscription
from dreamcanvas.broadcast.cursors import Cursors
from dreamcanvas.canvas.brush import MAX_SIZE
from dreamcanvas.canvas.encoding import Format, encode
from dreamcanvas.canvas.model import POSITION_BOUND, SIDE, bounds
from dreamcanvas.config import Config
from dreamcanvas.errors import InvalidParams, InvalidRequest
from dreamcanvas.history.catalogue import DEFAULT_LIMIT, MOST_WINDOWS, Catalogue
from dreamcanvas.painting.painter import Painter
from dreamcanvas.painting.snapshots import EncodedSnapshot, Snapshots
from dreamcanvas.painting.stroke_undo import StrokeUndo
from dreamcanvas.proto import dreamcanvas_pb2 as pb
from dreamcanvas.rpc.endpoint import Websocket
from dreamcanvas.rpc.service import Caller, Later, Then
from dreamcanvas.store.journal import Author, Journal, Receipt
from dreamcanvas.text.plural import counted

SESSION_BYTES: Final = (16, 32)
UNDO_DABS: Final = 100  # what an undo costs at least, in dabs of the caller's rate
UNDO_PIXELS: Final = 1000  # of its patch, which cost one dab more
# What a call costs, in units of work of about a millisecond each
SUBSCRIBE_WORK: Final = 1
OPERATIONS_PER_WORK: Final = 5000  # of a replay
PICTURE_WORK: Final = 2
WHOLE_WORK: Final = 20
FRAME_WORK: Final = 2
HISTORY_WORK: Final = 2
WINDOWS_PER_WORK: Final = 25
UNDO_WORK: Final = 10
_FORMATS: Final = {pb.CanvasRequest.JPEG: "jpg", pb.CanvasRequest.PNG: "png", pb.CanvasRequest.WEBP: "webp"}


class PainterService:
    """The handlers of everybody's methods. `started` is when the server started, in ms since 1970.

    They check a request and take its cost before anything is done, and raise what `told` knows.
    """

    def __init__(
        self,
        config: Config,
        *,
        quotas: Quotas,
        moderation: Moderation,
        status: Status,
        subscriptions: Subscriptions,
        painter: Painter,
        journal: Journal,
        broadcast: Broadcast,
        snapshots: Snapshots,
        catalogue: Catalogue,
        stroke_undo: StrokeUndo,
        cursors: Cursors,
        info: ServerInfo,
        started: int,
    ) -> None:
        self._config = config
        self._quotas = quotas
        self._moderation = moderation
        self._status = status
        self._subscriptions = subscriptions
        self._painter = painter
        self._journal = journal
        self._broadcast = broadcast
        self._snapshots = snapshots
        self._catalogue = catalogue
        self._stroke_undo = stroke_undo
        self._cursors = cursors
        self._info = info
        self._started = started

    def paint(self, caller: Caller[Client], request: pb.PaintRequest) -> Later:
        """Draw one dab or several. Raises InvalidParams, NotAllowed, TooFast, NotNow.

        The reply is sent when they are durable.
        """
        client = caller.peer
        check_call(client.author, request.call)
        dabs = dabs_of(request, self._config.dabs_per_call)
        self._moderation.check(client)
        self._quotas.spend_dabs(client, len(dabs))
        settled = self._painter.paint(
            client.author, dabs, stroke=request.stroke, call=request.call, origin=client.websocket
        )
        return Later(settled, paint_response)

    def undo(self, caller: Caller[Client], request: pb.UndoRequest) -> Later:
        """Take back a stroke of the caller's. Raises InvalidParams, NotAllowed, TooFast, NotNow.

        How large the patch is, is known only when it is made: its cost is taken then.
        """
        client = caller.peer
        check_call(client.author, request.call)
        stroke = within("stroke", request.stroke, 1, 2**32 - 1)
        self._moderation.check(client)
        self._quotas.spend_work(client, UNDO_WORK)
        self._quotas.spend_dabs(client, UNDO_DABS)
        settled = self._stroke_undo.undo(
            client.author,
            stroke,
            call=request.call,
            afford=lambda patch: self._quotas.spend_undone(client, len(patch.image)),
        )
        return Later(settled, partial(self._undone, client))

    def _undone(self, client: Client, receipt: Receipt) -> pb.UndoResponse:
        for operation in receipt.operations:
            self._quotas.owe_dabs(client, bounds(operation.mark).area // UNDO_PIXELS)
        self._broadcast.flush()  # the patch comes before the reply, also to who asked for it
        return pb.UndoResponse(seq=receipt.seq)

    def cursor(self, caller: Caller[Client], request: pb.CursorRequest) -> pb.CursorResponse:
        """Show the caller's pointer to the others. Raises InvalidRequest without a websocket, InvalidParams.

        A cursor that comes too fast is dropped without an error: the next one replaces it anyway.
        """
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
        if self._config.cursors and self._may_point(caller.peer):
            self._cursors.moved(event, websocket)
        return pb.CursorResponse()

    def _may_point(self, client: Client) -> bool:
        """Return whether a caller's cursor may be passed on, and count it; never while it is banned."""
        banned = self._moderation.ban_of(client.author.number, client.address) is not None
        return not banned and self._quotas.may_point(client)

    def get_canvas(
        self, caller: Caller[Client], request: pb.CanvasRequest
    ) -> Coroutine[Any, Any, pb.CanvasResponse | Then]:
        """Return the picture, or a part of it, as a file. Raises InvalidParams, TooFast; later NotNow."""
        left = within("offset.x", request.offset.x, 0, SIDE - 1)
        top = within("offset.y", request.offset.y, 0, SIDE - 1)
        width = within("width", request.width, 1, SIDE - left)
        height = within("height", request.height, 1, SIDE - top)
        format_ = _FORMATS[request.format]
        share = width * height / (SIDE * SIDE)
        self._quotas.spend_work(caller.peer, PICTURE_WORK + WHOLE_WORK * share)
        self._quotas.spend_canvas(caller.peer, share)
        return self._picture(caller.peer, (left, top, width, height), format_)

    async def _picture(
        self, client: Client, part: tuple[int, int, int, int], format_: Format
    ) -> pb.CanvasResponse | Then:
        # Room is given back when the picture is sent: who does not read fills no memory with pictures
        sent = await self._snapshots.encoders.room(client.household)
        try:
            view = await self._view(part, format_, client.household)
            response = pb.CanvasResponse(
                timestamp=view.time % 2**32,
                image=view.data,
                seq=view.version.seq,
                dream=view.version.dream,
                time=view.time,
            )
        except BaseException:
            sent()
            raise
        websocket = client.websocket
        if websocket is None:
            sent()
            return response
        return Then(response, lambda: websocket.when_sent(sent), gone=sent)

    async def _view(
        self, part: tuple[int, int, int, int], format_: Format, household: str
    ) -> EncodedSnapshot:
        """Return a part of the picture (left, top, width, height in pixels) as a file. Raises NotNow."""
        if part[2] == part[3] == SIDE:
            return await self._snapshots.get(format_)
        encoders = self._snapshots.encoders
        async with encoders.turn(household):
            crop = await self._painter.crop(*part)
            return EncodedSnapshot(await encoders.run(encode, crop.image, format_), crop.version, crop.time)

    def subscribe(self, caller: Caller[Client], request: pb.SubscribeRequest) -> Later:
        """Choose the events of a websocket, and name its session, if one is given.

        With `since` the operations after that number come first, where they are still kept. Raises
        InvalidRequest without a websocket, InvalidParams, TooFast, NotNow.
        """
        client, websocket = caller.peer, caller.peer.websocket
        if websocket is None:
            raise InvalidRequest("events need a websocket: subscribe there")
        events = event_names(request.events)
        former = client.author
        behind = max(0, self._painter.version.seq - request.since) if request.HasField("since") else 0
        kept = min(behind, self._config.replay_operations or behind)
        self._quotas.spend_work(client, SUBSCRIBE_WORK + kept / OPERATIONS_PER_WORK)
        if request.HasField("session"):
            low, high = SESSION_BYTES
            if not low <= len(request.session) <= high:
                length = counted(len(request.session), "byte")
                raise InvalidParams(f"session has {length}, not {low} to {high}", field="session")
            token = token_of(client.identity)
            client.becomes(self._journal.session(request.session, client.address, token))
        subscription = Subscription(events, text=caller.text, batch=request.batch)
        since = request.since if request.HasField("since") else None
        # The reply's `seq` and `last_call` hold what was painted before on this connection or in this
        # session: so it waits for both authors' operations
        settled = self._painter.introduce(client.author, former)
        author = client.author
        return Later(settled, lambda _: self._subscribed(author, websocket, subscription, since), alone=True)

    def _subscribed(
        self, author: Author, websocket: Websocket, subscription: Subscription, since: int | None
    ) -> Then:
        self._broadcast.flush()  # events of the former subscription come before the reply
        if since is not None and not self._painter.keeps(since):
            since, resync = None, True
        else:
            resync = False
        version = self._painter.version
        response = pb.SubscribeResponse(
            seq=version.seq,
            width=SIDE,
            height=SIDE,
            brush_size=MAX_SIZE,
            status=self._status.event(),
            resync=resync,
            limits=self._info.limits(),
            version=__version__,
            author=author.number,
            dream=version.dream,
            dream_seq=self._painter.dream_seq,
            last_call=author.last_call,
        )
        return Then(
            response,
            lambda: self._subscriptions.begin(websocket, subscription, since=since, past=self._painter.since),
        )

    def get_info(self, caller: Caller[Client], request: pb.InfoRequest) -> pb.InfoResponse:
        """Return what the server is and costs, and its limits."""
        response = pb.InfoResponse(
            version=__version__,
            started=self._started,
            network=self._config.network if self._config.dream else "",
            limits=self._info.limits(),
            read_only=self._moderation.read_only,
        )
        self._info.tell(response)
        return response

    def get_history(
        self, caller: Caller[Client], request: pb.HistoryRequest
    ) -> Coroutine[Any, Any, pb.HistoryResponse]:
        """Return recorded windows, newest first. Raises TooFast; later InvalidParams."""
        limit = min(request.limit, MOST_WINDOWS) or DEFAULT_LIMIT
        self._quotas.spend_work(caller.peer, HISTORY_WORK + limit / WINDOWS_PER_WORK)
        return self._history(request)

    async def _history(self, request: pb.HistoryRequest) -> pb.HistoryResponse:
        limit = within("limit", request.limit or DEFAULT_LIMIT, 1, MOST_WINDOWS)
        windows = await self._catalogue.windows(before=request.before, limit=limit)
        root = self._config.root_path
        return pb.HistoryResponse(windows=[history_messages.window(window, root) for window in windows])

    def get_frame(
        self, caller: Caller[Client], request: pb.FrameRequest
    ) -> Coroutine[Any, Any, pb.FrameResponse]:
        """Return one dream of the past. Raises TooFast; later what the catalogue raises."""
        self._quotas.spend_work(caller.peer, FRAME_WORK)
        return self._frame(request)

    async def _frame(self, request: pb.FrameRequest) -> pb.FrameResponse:
        frame = await self._catalogue.frame(dream=request.dream, time=request.time)
        return history_messages.frame(frame, self._config.root_path)


def paint_response(receipt: Receipt) -> pb.PaintResponse:
    """Return the answer to a call whose operations are durable."""
    return pb.PaintResponse(
        timestamp=receipt.time % 2**32, seq=receipt.seq, duplicate=receipt.duplicate, time=receipt.time
    )
