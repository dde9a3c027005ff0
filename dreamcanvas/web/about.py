"""HTTP of the page /about: the built page, filled with the operator's text, costs and donations."""

from collections.abc import Awaitable, Callable
from functools import cache
from typing import Final

import segno
from markdown_it import MarkdownIt
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dreamcanvas.api.server_info import ServerInfo
from dreamcanvas.net.donations import bitcoin_url
from dreamcanvas.text.plural import counted
from dreamcanvas.web.pages import Pages

_ACTS: Final = ("ban", "restore", "readOnly")


class WebAbout:
    """The handler of the path. `acts` counts what the operator did, by method."""

    def __init__(
        self, info: ServerInfo, *, pages: Pages, acts: Callable[[], Awaitable[dict[str, int]]]
    ) -> None:
        self._info = info
        self._pages = pages
        self._acts = acts

    def routes(self) -> list[Route]:
        """Return the routes for the application."""
        return [Route("/about", self.page)]

    async def page(self, request: Request) -> Response:
        """Answer with the page."""
        own = self._info.text()
        acts = await self._acts()
        address = self._info.bitcoin
        return self._pages.answer(
            request,
            "about.html",
            {
                "own": None if own is None else _safe(markdown(own)),
                "operator": self._info.operator,
                "acts": [(name, acts[name]) for name in _ACTS if acts.get(name)],
                "costs": self._info.costs(),
                "links": self._info.links,
                "bitcoin": address,
                "code": _safe(qr_code(bitcoin_url(address))) if address else None,
                "counted": counted,
                "inline": inline,
                "number": number,
            },
        )


def _safe(made: str) -> Markup:
    """Let HTML that a library made, out of text that it escaped, be put into a page as it is."""
    return Markup(made)  # noqa: S704 - see above


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable("table")


def markdown(text: str) -> str:
    """Render Markdown as HTML. HTML in it is shown as text, and links lead nowhere that runs something."""
    return str(_parser().render(text))


@cache
def inline(text: str) -> Markup:
    """Render a line of our own texts, without a paragraph around it. They are few, and kept."""
    return _safe(str(_parser().renderInline(text)))


@cache
def qr_code(text: str) -> str:
    """Draw a QR code as an SVG element, dark on light, with its quiet zone."""
    svg: str = segno.make(text, error="m", micro=False).svg_inline(
        scale=4, border=4, dark="#000", light="#fff", omitsize=True
    )
    return svg


def number(value: float, digits: int, point: str) -> str:
    """Write a number with so many digits after its point, as a language has it."""
    return f"{value:.{digits}f}".replace(".", point)
