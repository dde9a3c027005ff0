"""What stands before all paths: who calls, under which name, from which page, and by which method.

Behind it the ASGI scope tells the caller's address, the scheme, the host and the root path as the caller has
them, whatever proxies there are between; no handler looks at a proxy's headers.
"""

from collections.abc import Sequence
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dreamcanvas.access.site import Site
from dreamcanvas.net.addresses import normal
from dreamcanvas.net.origins import below
from dreamcanvas.rpc.endpoint import joined
from dreamcanvas.web.caching import IMMUTABLE

CONNECTION: Final = "dreamcanvas.connection"
"""In the scope: the very (address, port) of the caller's own connection; None where a proxy speaks for it."""

PREFLIGHT_SECONDS: Final = 600
REQUEST_HEADERS: Final = "Authorization, Content-Type, If-Modified-Since, If-None-Match, If-Range, Range"
RESPONSE_HEADERS: Final = (
    "Accept-Ranges, Content-Length, Content-Range, ETag, Retry-After, X-Canvas-Dream, X-Canvas-Seq"
)
SECURITY_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; "
    "base-uri 'none'; frame-ancestors 'none'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_READING: Final = ("GET", "HEAD")


class Headers:
    """Add headers to each response. Starlette's BaseHTTPMiddleware takes longer than a small answer does."""

    def __init__(self, app: ASGIApp, *, root: str) -> None:
        self._app = app
        self._root = root

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and add headers to its response."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                if below(self._root, scope["path"]).startswith("/assets/") and message["status"] == 200:
                    headers["Cache-Control"] = IMMUTABLE
            await send(message)

        await self._app(scope, receive, send_with_headers)


class Front:
    """The ASGI application `app`, whose `routes` say which methods a path has, as callers reach it."""

    def __init__(self, app: ASGIApp, *, routes: Sequence[BaseRoute], site: Site) -> None:
        self._app = app
        self._routes = routes
        self._proxies = site.proxies
        self._origins = site.origins
        self._root = site.root
        own = [route for route in routes if isinstance(route, Route)]
        self._written = {route.path for route in own if "GET" not in (route.methods or ())}
        # A page's files stand beside it: with a slash at the end they would be looked for one level deeper
        plain = {route.path for route in own if "{" not in route.path and "." not in route.path}
        self._pages = {f"{path}/" for path in plain - self._written - {"/"}}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what needs no handler, and pass all else on."""
        lines = scope["headers"]
        headers = joined((name.decode("latin-1"), value.decode("latin-1")) for name, value in lines)
        peer, port = scope["client"] or ("", 0)
        seen = self._proxies.seen(peer, headers, scope["scheme"])
        path = below(self._root, scope["path"])
        inner = {
            **scope,
            "client": (seen.address, port),
            CONNECTION: scope["client"] if seen.address == normal(peer) else None,
            "scheme": seen.scheme,
            "root_path": self._root,
            "path": self._root + path,
        }
        if seen.host != headers.get("host", ""):
            kept = [(name, value) for name, value in lines if name != b"host"]
            inner["headers"] = [*kept, (b"host", seen.host.encode("latin-1"))]
        app = self._app
        if not self._origins.knows(seen.host):
            app = PlainTextResponse("Forbidden: this server is not known by that name.\n", 403)
        else:
            app = self._answer(inner, path, headers, outside=scope["path"]) or app
            send = self._share(headers.get("origin"), send)
        await app(inner, receive, send)

    def _answer(self, scope: Scope, path: str, headers: dict[str, str], *, outside: str) -> Response | None:
        """Return what is answered without a handler; None where one is needed."""
        method = scope["method"]
        if method in _READING and path not in self._written:
            return self._moved(scope, path, outside)
        if method == "POST" and path in self._written:
            return None
        methods = self._methods(scope)
        return self._tell(scope, methods, headers) if methods else None

    def _tell(self, scope: Scope, methods: list[str], headers: dict[str, str]) -> Response:
        """Tell what may be done at a path: 405 for who did something else, 204 for who asks by OPTIONS."""
        allow = {"Allow": ", ".join(methods)}
        wanted = headers.get("access-control-request-method", scope["method"])
        if scope["method"] != "OPTIONS" or wanted not in methods:
            return PlainTextResponse(f"Not allowed: {allow['Allow']}.\n", 405, headers=allow)
        if wanted == "OPTIONS":
            return Response(status_code=204, headers=allow)
        if not self._origins.is_ours(headers.get("origin"), host_of(scope)):
            return PlainTextResponse("Forbidden: pages of other origins may not call.\n", 403, headers=allow)
        return Response(
            status_code=204,
            headers={
                **allow,
                "Access-Control-Allow-Methods": allow["Allow"],
                "Access-Control-Allow-Headers": REQUEST_HEADERS,
                "Access-Control-Max-Age": str(PREFLIGHT_SECONDS),
            },
        )

    def _moved(self, scope: Scope, path: str, outside: str) -> Response | None:
        """Redirect to where a page is; None where it is here."""
        bare = bool(self._root) and outside == self._root
        if not bare and path not in self._pages:
            return None
        query = f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else ""
        return RedirectResponse(self._root + ("/" if bare else path.rstrip("/")) + query, 308)

    def _methods(self, scope: Scope) -> list[str]:
        """List the methods of a path, sorted; none where there is no such path."""
        found: set[str] = set()
        for route in self._routes:
            if route.matches(scope)[0] is not Match.NONE:
                found |= set(route.methods or ()) if isinstance(route, Route) else set(_READING)
                break
        return sorted({*found, "OPTIONS"}) if found else []

    def _share(self, origin: str | None, send: Send) -> Send:
        """Let the pages of allowed origins read the answer (CORS: Fetch Standard, 3.3)."""
        if not self._origins.allow_any:
            return send
        allowed = origin if origin is not None and self._origins.allows(origin) else None

        async def send_shared(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.add_vary_header("Origin")  # also of what others get: caches are to tell them apart
                if allowed is not None:
                    headers["Access-Control-Allow-Origin"] = allowed
                    headers["Access-Control-Expose-Headers"] = RESPONSE_HEADERS
            await send(message)

        return send_shared


def host_of(scope: Scope) -> str:
    """Return the Host header of a scope; empty where there is none."""
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")
