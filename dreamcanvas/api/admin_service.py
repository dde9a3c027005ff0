"""The service DreamAdmin: what the operator of a server may do, with the operator's token."""

import sqlite3
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, TypeVar

from google.protobuf.message import Message

from dreamcanvas.access.moderation import Moderation
from dreamcanvas.access.quotas import Client
from dreamcanvas.api.clients import Clients
from dreamcanvas.api.status import Status
from dreamcanvas.api.validation import visible_line, within
from dreamcanvas.canvas.model import SIDE, WHOLE, Dab, Region
from dreamcanvas.errors import InvalidParams, NotNow, Unauthenticated, Unavailable
from dreamcanvas.painting.dream_loop import DreamLoop
from dreamcanvas.painting.painter import Painter
from dreamcanvas.painting.restore import Restorer, Wanted
from dreamcanvas.proto import admin_pb2 as pb
from dreamcanvas.rpc import jsonmap
from dreamcanvas.rpc.service import Caller
from dreamcanvas.store import moderation_log as store

R = TypeVar("R", bound=Message)

LINE_LENGTH: Final = 200
DAY_SECONDS: Final = 86_400
MOST_SECONDS: Final = 10 * 365 * DAY_SECONDS
ACTS: Final = 100
MOST_ACTS: Final = 10_000


class AdminService:
    """The handlers of the operator's methods.

    They raise RpcError, or sqlite3.Error where nothing can be saved. `clock` gives ms since 1970. Without a
    `dream_loop` the server does not dream.
    """

    def __init__(
        self,
        *,
        moderation: Moderation,
        restorer: Restorer,
        painter: Painter,
        status: Status,
        clients: Clients,
        dream_loop: DreamLoop | None,
        clock: Callable[[], int],
    ) -> None:
        self._status = status
        self._clients = clients
        self._dream_loop = dream_loop
        self._moderation = moderation
        self._restorer = restorer
        self._painter = painter
        self._clock = clock

    async def state(self, request: pb.StateRequest) -> pb.StateResponse:
        """Return the settings, the style, the newest numbers, and how many are here."""
        status = self._status.event()
        return pb.StateResponse(
            read_only=self._moderation.read_only,
            resting=self._moderation.resting,
            style=status.style,
            announcement=self._moderation.announcement,
            announced_until=self._moderation.announced_until,
            dream=self._painter.version.dream,
            seq=self._painter.version.seq,
            users=status.users,
        )

    async def read_only(self, request: pb.ReadOnlyRequest) -> pb.StateResponse:
        """Make the canvas read-only, or let everybody draw again, and return the new state."""
        await self._moderation.set("readOnly", read_only=_given(request, "on"))
        return await self.state(pb.StateRequest())

    async def next_style(self, request: pb.NextStyleRequest) -> pb.StateResponse:
        """Begin another style with the next dream. Raises Unavailable where the server does not dream."""
        if self._dream_loop is None:
            raise Unavailable("this server does not dream")
        await self._moderation.record("nextStyle", {})
        self._dream_loop.next_style()
        return await self.state(pb.StateRequest())

    async def rest(self, request: pb.RestRequest) -> pb.StateResponse:
        """Stop the dreams, or begin them again, and return the new state."""
        on = _given(request, "on")
        await self._moderation.set("rest", resting=on)
        if self._dream_loop is not None:
            self._dream_loop.hold(on)
        return await self.state(pb.StateRequest())

    async def announce(self, request: pb.AnnounceRequest) -> pb.StateResponse:
        """Show a line to everyone for `seconds`, 0 until it is replaced; an empty one removes it."""
        text = _line("text", request.text)
        seconds = within("seconds", request.seconds, 0, MOST_SECONDS)
        until = self._clock() + 1000 * seconds if seconds and text else 0
        await self._moderation.set("announce", announcement=text, announced_until=until)
        return await self.state(pb.StateRequest())

    async def who(self, request: pb.WhoRequest) -> pb.WhoResponse:
        """Return who painted in a region in the `seconds` before `time`. Raises NotKept, NotNow.

        A region without a size is one pixel; without `seconds` it is a day, without `time` until now.
        """
        x, y = within("x", request.x, 0, SIDE - 1), within("y", request.y, 0, SIDE - 1)
        width = within("width", request.width, 0, SIDE - x) or 1
        height = within("height", request.height, 0, SIDE - y) or 1
        seconds = within("seconds", request.seconds, 0, MOST_SECONDS) or DAY_SECONDS
        time = min(request.time or self._clock(), 2**62)  # SQLite's integers end at 2**63 - 1
        region = Region(x, y, x + width, y + height)
        found = await self._restorer.who(region, since=max(0, time - 1000 * seconds), time=time)
        return pb.WhoResponse(
            painted=[
                pb.Painted(
                    author=painter.author,
                    address=painter.address,
                    token=painter.token or "",
                    dabs=painter.dabs,
                    first_time=painter.first.time,
                    last_time=painter.last.time,
                    color=painter.last.mark.color if isinstance(painter.last.mark, Dab) else 0,
                    banned=self._moderation.ban_of(painter.author, painter.address) is not None,
                )
                for painter in found
            ]
        )

    async def restore(self, request: pb.RestoreRequest) -> pb.RestoreResponse:
        """Put a region, or some authors' drawing, back as it was before. Raises NotKept, NotNow.

        The change is a patch like any other, so that all clients see it.
        """
        theirs = bool(request.authors) or bool(request.address)
        if request.HasField("time") and request.HasField("dream"):
            raise InvalidParams("dream stands in place of time: leave one out", field="dream")
        if not theirs and not (request.HasField("time") or request.HasField("dream")):
            raise InvalidParams(
                "time is missing: how it was when? Or a dream, or whose drawing", field="time"
            )
        wanted = Wanted(
            region=_region(request.region) if request.HasField("region") else WHOLE,
            authors=tuple(request.authors),
            address=self._place(request.address) if request.address else None,
            time=min(request.time, 2**62) if request.HasField("time") else None,
            dream=min(request.dream, 2**62) if request.HasField("dream") else None,
        )
        details: dict[str, Any] = jsonmap.to_json(request)
        if request.address:
            details["address"] = wanted.address
        restored = await self._restorer.restore(wanted, details)
        return pb.RestoreResponse(
            seq=restored.seq,
            dabs=restored.dabs,
            region=pb.Region(
                x=restored.region.left,
                y=restored.region.top,
                width=restored.region.width,
                height=restored.region.height,
            ),
        )

    async def ban(self, request: pb.BanRequest) -> pb.Ban:
        """Ban an author, an address, or both for `seconds`.

        An author's address is banned, too, unless `author_only` says otherwise.
        """
        if not request.author and not request.address:
            raise InvalidParams("author is missing: whom to ban, or an address", field="author")
        seconds = within("seconds", request.seconds, 1, MOST_SECONDS)
        if not request.reason:
            raise InvalidParams("reason is missing: they are told it", field="reason")
        reason = _line("reason", request.reason)
        place = self._place(request.address) if request.address else None
        if request.author and not request.author_only:
            place = place or await self._place_of(request.author)
        ban = await self._moderation.ban(request.author or None, place, seconds=seconds, reason=reason)
        return _ban(ban)

    def _place(self, address: str) -> str:
        try:
            return self._moderation.place(address)
        except ValueError as error:
            shown = jsonmap.shown(address)
            raise InvalidParams(f"address is {shown}, which {error}", field="address") from None

    async def _place_of(self, author: int) -> str | None:
        """Return the place where an author is now, else where it was first seen, or None."""
        address = self._clients.address_of(author)
        return await self._moderation.address_of(author) if address is None else self._place(address)

    async def unban(self, request: pb.UnbanRequest) -> pb.BansResponse:
        """End a ban, and return those that are left. Raises InvalidParams where it is not in force."""
        if not await self._moderation.unban(request.ban):
            raise InvalidParams(f"there is no ban {request.ban} in force", field="ban")
        return await self.bans(pb.BansRequest())

    async def bans(self, request: pb.BansRequest) -> pb.BansResponse:
        """Return the bans in force."""
        return pb.BansResponse(bans=map(_ban, self._moderation.bans))

    async def acts(self, request: pb.ActsRequest) -> pb.ActsResponse:
        """Return what the operator did, newest first, `limit` acts or 100."""
        acts = await self._moderation.acts(within("limit", request.limit, 0, MOST_ACTS) or ACTS)
        return pb.ActsResponse(
            acts=[
                pb.Act(act=act.act, time=act.time, what=act.what, details=act.details, seq=act.seq or 0)
                for act in acts
            ]
        )


def guarded(
    handler: Callable[[Any], Awaitable[R]],
) -> Callable[[Caller[Client], Any], Coroutine[Any, Any, R]]:
    """Return a handler that lets only callers with the operator's token through.

    It raises Unauthenticated for others, and NotNow where the database cannot be used.
    """

    def check_and_begin(caller: Caller[Client], request: Any) -> Coroutine[Any, Any, R]:
        identity = caller.peer.identity
        if identity is None or not identity.admin:  # checked before a coroutine exists: no task is made
            raise Unauthenticated("this needs the host's token, from the file admin-token")
        return carried_out(request)

    async def carried_out(request: Any) -> R:
        try:
            return await handler(request)
        except sqlite3.Error as error:
            raise NotNow("nothing can be saved at the moment") from error

    return check_and_begin


def _ban(ban: store.Ban) -> pb.Ban:
    return pb.Ban(
        ban=ban.ban,
        author=ban.author or 0,
        address=ban.address or "",
        until=ban.until,
        reason=ban.reason,
        created=ban.created,
    )


def _region(region: pb.Region) -> Region:
    left = within("region.x", region.x, 0, SIDE - 1)
    top = within("region.y", region.y, 0, SIDE - 1)
    width = within("region.width", region.width, 1, SIDE - left)
    height = within("region.height", region.height, 1, SIDE - top)
    return Region(left, top, left + width, top + height)


def _given(request: Message, name: str) -> bool:
    if not request.HasField(name):
        raise InvalidParams(f"{name} is missing: true or false", field=name)
    return bool(getattr(request, name))


def _line(name: str, text: str) -> str:
    line = text.strip()
    if len(line) > LINE_LENGTH:
        raise InvalidParams(f"{name} has {len(line)} characters, at most {LINE_LENGTH}", field=name)
    visible_line(name, line or text)  # a text of spaces only is refused, not taken as empty
    return line
