"""HTTP: the page, the picture, the dreams, health, metrics, and POST /rpc."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from importlib import resources
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from dreamcanvas.access.quotas import Client
from dreamcanvas.access.site import Site
from dreamcanvas.api.posters import Posters
from dreamcanvas.api.status import Status
from dreamcanvas.canvas import encoding
from dreamcanvas.canvas.model import Version
from dreamcanvas.errors import MovieError, NotNow
from dreamcanvas.net import addresses
from dreamcanvas.painting.painter import Painter
from dreamcanvas.painting.picture_cache import PictureCache
from dreamcanvas.painting.snapshots import Snapshots
from dreamcanvas.rpc.connection import Connection
from dreamcanvas.rpc.dispatcher import Dispatcher
from dreamcanvas.rpc.endpoint import Endpoint
from dreamcanvas.rpc.jsonrpc import Encoded
from dreamcanvas.store.dreams import Dreams, decode
from dreamcanvas.store.journal import Journal
from dreamcanvas.telemetry.metrics import Metrics
from dreamcanvas.web.caching import IMMUTABLE, REVALIDATED, has, not_modified
from dreamcanvas.web.middleware import CONNECTION, Front, Headers
from dreamcanvas.web.pages import Pages
from dreamcanvas.web.static_files import PackedFiles

PACKED: Final = Middleware(GZipMiddleware, minimum_size=1024)


class Web:
    """The handlers of the paths.

    `connections` answers the calls that are posted, `document` returns the OpenRPC document of them.
    `further` are the routes of other modules. `past` returns the JPEG of a dream whose frame file has been
    deleted, out of its movie, or raises MovieError, NotNow or OSError.
    """

    def __init__(
        self,
        *,
        connections: Endpoint[Client],
        posters: Posters,
        status: Status,
        document: Callable[[], Encoded],
        painter: Painter,
        journal: Journal,
        dreams: Dreams,
        pictures: PictureCache,
        snapshots: Snapshots,
        metrics: Metrics,
        page: Path,
        message_bytes: int,
        batch_calls: int,
        site: Site | None = None,
        further: Sequence[Route] = (),
        past: Callable[[int], Awaitable[bytes]] | None = None,
    ) -> None:
        self._connections = connections
        self._posters = posters
        self._status = status
        self._document = document
        self._painter = painter
        self._journal = journal
        self._dreams = dreams
        self._pictures = pictures
        self._snapshots = snapshots
        self._metrics = metrics
        self._page = page
        self._message_bytes = message_bytes
        self._batch_calls = batch_calls
        self._site = site or Site()
        self._pages = Pages(page, root=self._site.root)
        self._further = further
        self._past = past

    def app(self) -> Starlette:
        """Make the ASGI application."""
        routes: list[BaseRoute] = [
            Route("/", self.index, middleware=[PACKED]),
            Route("/history", self.history_page, middleware=[PACKED]),
            Route("/admin", self.admin_page, middleware=[PACKED]),
            Route("/rpc", self.rpc, methods=["POST"]),
            Route("/canvas.{format}", self.canvas),
            Route("/dreams/{name}.jpg", self.dream),
            Route("/livez", self.livez),
            Route("/readyz", self.readyz),
            Route("/metrics", self.metrics),
            Route("/openrpc.json", self.openrpc),
            Route("/proto/{name}.proto", self.proto),
            *self._further,
            *self._files(),
        ]
        front = Middleware(Front, routes=routes, site=self._site)
        return Starlette(routes=routes, middleware=[Middleware(Headers, root=self._site.root), front])

    def _files(self) -> list[Mount]:
        """Mount the page's other files where it is built: a StaticFiles without its directory answers 500."""
        mounts = (("/assets", self._page / "assets"), ("/", self._page))
        return [Mount(path, PackedFiles(directory=folder)) for path, folder in mounts if folder.is_dir()]

    async def index(self, request: Request) -> Response:
        """Answer with the drawing page."""
        return self._pages.answer(request, "index.html")

    async def history_page(self, request: Request) -> Response:
        """Answer with the page of the history."""
        return self._pages.answer(request, "history.html")

    async def admin_page(self, request: Request) -> Response:
        """Answer with the operator's page. It asks for what it shows with the operator's token."""
        return self._pages.answer(request, "admin.html")

    async def canvas(self, request: Request) -> Response:
        """Answer with the picture as it is now. Its version is its ETag."""
        format_ = request.path_params["format"]
        if format_ not in encoding.MEDIA_TYPES:
            return PlainTextResponse("Not found: the picture is at /canvas.jpg, .png and .webp.\n", 404)
        known = not_modified(request, _version_headers(self._painter.version))
        if known is not None:
            return known
        view = await self._snapshots.get(
            format_, lambda version: has(request, _version_headers(version)["ETag"])
        )
        headers = _version_headers(view.version)
        media_type = encoding.MEDIA_TYPES[format_]
        return not_modified(request, headers) or Response(view.data, headers=headers, media_type=media_type)

    async def dream(self, request: Request) -> Response:
        """Answer with a dream in delivery quality (`N.jpg`, or `N-768.jpg`), 404 where there is none."""
        number, dash, side = request.path_params["name"].partition("-")
        plain = number.isascii() and number.isdecimal() and len(number) <= 9 and str(int(number)) == number
        if not plain or dash + side not in ("", "-768"):
            return PlainTextResponse("Not found: a dream is at /dreams/N.jpg or /dreams/N-768.jpg.\n", 404)
        missing = PlainTextResponse(f"Not found: there is no picture of dream {number}.\n", 404)
        if not 1 <= int(number) <= self._painter.version.dream:
            return missing  # a file beyond the newest dream is one that is not recorded yet, or never was
        headers = {"Cache-Control": IMMUTABLE, "ETag": f'"{number}-{side or encoding.DELIVERY_SIDES[0]}"'}
        known = not_modified(request, headers)
        if known is not None:
            return known

        encoders, key = self._snapshots.encoders, ("dream", number, side)
        household = addresses.household(_address(request))

        async def make() -> bytes:
            width = int(side or encoding.DELIVERY_SIDES[0])
            try:
                async with encoders.turn(household, key):
                    frame = await self._dreams.read(int(number))
                    return await encoders.run(_delivery, frame, width)
            except OSError:
                if self._past is None:
                    raise
                frame = await self._past(int(number))  # which has a queue of its own
            async with encoders.turn(household, key):
                return await encoders.run(_delivery, frame, width)

        try:
            encoders.also(household, key)
            data = await self._pictures.fetch(key, make)
        except NotNow as busy:
            seconds = str(max(1, int(busy.wait)))
            return PlainTextResponse(f"{busy}.\n", 503, headers={"Retry-After": seconds})
        except (OSError, MovieError):
            return missing
        return Response(data, headers=headers, media_type="image/jpeg")

    async def rpc(self, request: Request) -> Response:
        """Carry out the JSON-RPC calls of who has no websocket."""
        origins, headers = self._site.origins, request.headers
        if not origins.is_ours(headers.get("origin"), headers.get("host", "")):
            return PlainTextResponse("Forbidden: pages of other origins may not call.\n", 403)
        body = bytearray()
        try:
            async for chunk in request.stream():
                body += chunk
                if self._message_bytes and len(body) > self._message_bytes:
                    return PlainTextResponse(
                        f"Too large: a message has at most {self._message_bytes} bytes.\n", 413
                    )
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is there to read it
        connection = Connection(batch_calls=self._batch_calls)
        calls = connection.receive(_text(bytes(body)))
        poster = _Poster(self._posters, request, calls=len(calls), size=len(body))
        dispatcher = Dispatcher(self._connections, connection)
        for call in calls:
            await dispatcher.answer(call, poster.pass_call)
        sent = "".join(str(message) for message in connection.messages_to_send())
        return Response(sent, media_type="application/json") if sent else Response(status_code=204)

    async def livez(self, request: Request) -> Response:
        """Say that the process is up."""
        return PlainTextResponse("ok\n")

    async def readyz(self, request: Request) -> Response:
        """Say whether one can paint: 503 where the storage fails."""
        status = self._status.event()
        failing = self._journal.failing
        body = {
            "ready": failing is None,
            "storage": failing or "ok",
            "frames": self._dreams.failing or "ok",
            "dreamer": type(status).Dreamer.Name(status.dreamer),
            "seq": self._painter.version.seq,
            "dream": self._painter.version.dream,
        }
        return JSONResponse(body, 200 if failing is None else 503)

    async def metrics(self, request: Request) -> Response:
        """Answer with the metrics in Prometheus' text format."""
        return Response(self._metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    async def openrpc(self, request: Request) -> Response:
        """Answer with the OpenRPC document."""
        return Response(self._document().text, media_type="application/json")

    async def proto(self, request: Request) -> Response:
        """Answer with a schema, as a .proto file."""
        name = request.path_params["name"]
        if name not in ("wsrpc", "dreamcanvas"):
            return PlainTextResponse("Not found: /proto/wsrpc.proto and /proto/dreamcanvas.proto.\n", 404)
        text = resources.files("dreamcanvas.proto").joinpath(f"{name}.proto").read_text("utf-8")
        return PlainTextResponse(text)


class _Poster:
    """Who posts so many calls in a body of so many bytes."""

    def __init__(self, posters: Posters, request: Request, *, calls: int, size: int) -> None:
        self._posters = posters
        self._request = request
        self._calls = calls
        self._size = size
        self._client: Client | None = None

    async def pass_call(self) -> Client:
        """Return who posts, when its next call has its turn. Raises UnknownToken."""
        if self._client is None:
            authorization = self._request.headers.get("authorization")
            connection = self._request.scope.get(CONNECTION)
            self._client = self._posters.identify(_address(self._request), authorization, connection)
            await self._posters.pass_calls(self._client, self._calls, self._size)
        await asyncio.sleep(0)  # between those of a batch others have their turn
        return self._client


def _delivery(frame: bytes, side: int) -> bytes:
    return encoding.encode_delivery(decode(frame), side)


def _version_headers(version: Version) -> dict[str, str]:
    return {
        "ETag": f'"{version}"',
        "Cache-Control": REVALIDATED,
        "X-Canvas-Dream": str(version.dream),
        "X-Canvas-Seq": str(version.seq),
    }


def _text(body: bytes) -> str:
    """Decode a message; where it is not UTF-8, return a text that is no JSON either."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        return ""


def _address(request: Request) -> str:
    """Return the caller's address, as `middleware.Front` has found it."""
    return request.client.host if request.client else ""
