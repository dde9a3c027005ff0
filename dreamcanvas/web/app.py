"""HTTP: the page, the picture, the dreams, health, metrics, and POST /rpc."""

import asyncio
import html
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from importlib import resources
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from dreamcanvas.access.quotas import Client
from dreamcanvas.access.site import Site
from dreamcanvas.api.connections import Visitors
from dreamcanvas.api.painter_service import PainterService
from dreamcanvas.canvas import encoding
from dreamcanvas.canvas.model import Version
from dreamcanvas.errors import MovieError, Unavailable
from dreamcanvas.net import addresses
from dreamcanvas.net.origins import rooted
from dreamcanvas.painting.painter import Painter
from dreamcanvas.painting.picture_cache import PictureCache
from dreamcanvas.painting.snapshots import Snapshots
from dreamcanvas.rpc.connection import Connection
from dreamcanvas.rpc.service import Then
from dreamcanvas.store.dreams import Dreams, decode
from dreamcanvas.store.journal import Journal
from dreamcanvas.telemetry.metrics import Metrics
from dreamcanvas.web.history import IMMUTABLE, matches
from dreamcanvas.web.middleware import CONNECTION, Front, Headers
from dreamcanvas.web.static_files import PackedFiles

PACKED: Final = Middleware(GZipMiddleware, minimum_size=1024)
_PREVIEW: Final = re.compile(r'content="\.?/og\.jpg"')
NO_CACHE: Final = {"Cache-Control": "no-cache"}
NOT_BUILT: Final = (
    "The page has not been built: start the server with scripts/serve, or run `npm run build` in client/.\n"
)


class Web:
    """The handlers of the paths.

    `further` are the paths of other modules, `past` gives the JPEG of a dream whose frame file has gone, or
    raises MovieError, Unavailable or OSError.
    """

    def __init__(
        self,
        *,
        api: PainterService,
        visitors: Visitors,
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
        self._api = api
        self._visitors = visitors
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
        self._further = further
        self._past = past

    def app(self) -> Starlette:
        """The ASGI application."""
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
        """The page's other files, where it is built: a StaticFiles without its directory answers 500."""
        mounts = (("/assets", self._page / "assets"), ("/", self._page))
        return [Mount(path, PackedFiles(directory=folder)) for path, folder in mounts if folder.is_dir()]

    async def index(self, request: Request) -> Response:
        """The drawing page."""
        return self._document("index.html", request)

    async def history_page(self, request: Request) -> Response:
        """The page of the past."""
        return self._document("history.html", request)

    async def admin_page(self, request: Request) -> Response:
        """The page of the host; what it shows is asked for with the host's token."""
        return self._document("admin.html", request)

    def _document(self, name: str, request: Request) -> Response:
        file = self._page / name
        if not file.is_file():
            return PlainTextResponse(NOT_BUILT, 503)
        # Who shows a preview of a page wants the picture's whole address
        picture = html.escape(f"{request.base_url}og.jpg")
        text = _PREVIEW.sub(lambda _: f'content="{picture}"', file.read_text(encoding="utf-8"))
        return HTMLResponse(rooted(text, self._site.root), headers=NO_CACHE)

    async def canvas(self, request: Request) -> Response:
        """The picture as it is now. Its version is its ETag."""
        format_ = request.path_params["format"]
        if format_ not in encoding.MEDIA_TYPES:
            return PlainTextResponse("Not found: the picture is at /canvas.jpg, .png and .webp.\n", 404)
        none_match = request.headers.get("if-none-match", "")
        newest = _version_headers(self._painter.version)
        if matches(none_match, newest["ETag"]):
            return Response(status_code=304, headers=newest)
        view = await self._snapshots.get(
            format_, lambda version: matches(none_match, _version_headers(version)["ETag"])
        )
        headers = _version_headers(view.version)
        if matches(none_match, headers["ETag"]):
            return Response(status_code=304, headers=headers)
        return Response(view.data, headers=headers, media_type=encoding.MEDIA_TYPES[format_])

    async def dream(self, request: Request) -> Response:
        """A dream in delivery quality: `N.jpg`, or `N-768.jpg`."""
        number, dash, side = request.path_params["name"].partition("-")
        plain = number.isascii() and number.isdecimal() and len(number) <= 9 and str(int(number)) == number
        if not plain or dash + side not in ("", "-768"):
            return PlainTextResponse("Not found: a dream is at /dreams/N.jpg or /dreams/N-768.jpg.\n", 404)
        missing = PlainTextResponse(f"Not found: there is no picture of dream {number}.\n", 404)
        if not 1 <= int(number) <= self._painter.version.dream:
            return missing  # a file beyond the newest dream is one that is not recorded yet, or never was
        headers = {"Cache-Control": IMMUTABLE, "ETag": f'"{number}-{side or encoding.DELIVERY_SIDES[0]}"'}
        if matches(request.headers.get("if-none-match", ""), headers["ETag"]):
            return Response(status_code=304, headers=headers)

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
        except Unavailable as busy:
            seconds = str(max(1, (busy.retry_after_ms or 0) // 1000))
            return PlainTextResponse(f"{busy.sentence}.\n", 503, headers={"Retry-After": seconds})
        except (OSError, MovieError):
            return missing
        return Response(data, headers=headers, media_type="image/jpeg")

    async def rpc(self, request: Request) -> Response:
        """JSON-RPC for callers without a socket."""
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
        connection, poster = Connection(batch_calls=self._batch_calls), None
        calls = connection.receive(_text(bytes(body)))
        for number, call in enumerate(calls):
            came = time.monotonic()
            try:
                poster = poster or self._poster(request)
                if not number:
                    await self._visitors.pass_calls(poster, len(calls), len(body))
                await asyncio.sleep(0)  # between those of a batch others have their turn
                answer = await self._visitors.service.answer(poster, call)
            except Exception as error:  # noqa: BLE001 - a bug in a handler is answered, not raised
                told = self._visitors.rpc_error(call.method, error)
                connection.fail(call, told)
                self._visitors.called(call.method, told, time.monotonic() - came)
            else:
                connection.succeed(call, answer.response if isinstance(answer, Then) else answer)
                self._visitors.called(call.method, None, time.monotonic() - came)
        sent = "".join(str(message) for message in connection.messages_to_send())
        return Response(sent, media_type="application/json") if sent else Response(status_code=204)

    def _poster(self, request: Request) -> Client:
        """Who posts. Raises Unauthenticated."""
        identity = self._visitors.identify(request.headers.get("authorization"))
        return self._visitors.poster(_address(request), identity, request.scope.get(CONNECTION))

    async def livez(self, request: Request) -> Response:
        """The process is up."""
        return PlainTextResponse("ok\n")

    async def readyz(self, request: Request) -> Response:
        """Whether one can paint."""
        status = self._visitors.status()
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
        """Prometheus' text format."""
        return Response(self._metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    async def openrpc(self, request: Request) -> Response:
        """The OpenRPC document."""
        return Response(self._api.document().text, media_type="application/json")

    async def proto(self, request: Request) -> Response:
        """The schema."""
        name = request.path_params["name"]
        if name not in ("wsrpc", "dreamcanvas"):
            return PlainTextResponse("Not found: /proto/wsrpc.proto and /proto/dreamcanvas.proto.\n", 404)
        text = resources.files("dreamcanvas.proto").joinpath(f"{name}.proto").read_text("utf-8")
        return PlainTextResponse(text)


def _delivery(frame: bytes, side: int) -> bytes:
    return encoding.encode_delivery(decode(frame), side)


def _version_headers(version: Version) -> dict[str, str]:
    return {
        "ETag": f'"{version}"',
        "Cache-Control": "no-cache",
        "X-Canvas-Dream": str(version.dream),
        "X-Canvas-Seq": str(version.seq),
    }


def _text(body: bytes) -> str:
    """The text of a message; where it is not UTF-8 one that is no JSON either."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        return ""


def _address(request: Request) -> str:
    """The caller's address, as the front has found it."""
    return request.client.host if request.client else ""
