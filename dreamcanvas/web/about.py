"""HTTP of the page /about: the built page, filled with the host's text, costs and donations."""

import html
import re
from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path
from typing import Final

import segno
from markdown_it import MarkdownIt
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from dreamcanvas.api.server_info import Costs, ServerInfo
from dreamcanvas.net.donations import bitcoin_url
from dreamcanvas.net.origins import rooted
from dreamcanvas.text.plural import counted

NOT_BUILT: Final = "The page has not been built: start the server with scripts/serve.\n"
# What the page shows in each language; the page itself shows one of them. What is counted: for one|for more
_WORDS: Final = {
    "en": {
        "costs": "What it costs",
        "today": "Today",
        "month": "This month",
        "total": "Since the start",
        "hours": "{up} hours up, {dreaming} of them dreaming. Days are in UTC.",
        "give": "Help to pay for it",
        "bitcoin": "Bitcoin",
        "scan": "QR code of the Bitcoin address",
        "operator": "Who runs this one",
        "acts": "What the host has done",
        "ban": "ban|bans",
        "restore": "time put back what was there before|times put back what was there before",
        "readOnly": "time changed whether one may draw|times changed whether one may draw",
        "point": ".",
    },
    "de": {
        "costs": "Was es kostet",
        "today": "Heute",
        "month": "In diesem Monat",
        "total": "Seit Beginn",
        "hours": "{up} Stunden in Betrieb, davon {dreaming} träumend. Die Tage sind in UTC.",
        "give": "Hilf mit, das zu bezahlen",
        "bitcoin": "Bitcoin",
        "scan": "QR-Code der Bitcoin-Adresse",
        "operator": "Wer diese Leinwand betreibt",
        "acts": "Was der Betreiber getan hat",
        "ban": "Sperre|Sperren",
        "restore": "Mal wiederhergestellt, was vorher da war|Mal wiederhergestellt, was vorher da war",
        "readOnly": "Mal geändert, ob man malen darf|Mal geändert, ob man malen darf",
        "point": ",",
    },
}
_ACTS: Final = ("ban", "restore", "readOnly")
_PROSE: Final = re.compile(r"<!--prose:(\w+)-->.*?<!--/prose-->", re.DOTALL)


class WebAbout:
    """The handler of the path. `page` is the built about.html; `acts` counts what the host did, by method."""

    def __init__(
        self, about: ServerInfo, *, page: Path, acts: Callable[[], Awaitable[dict[str, int]]]
    ) -> None:
        self._about = about
        self._page = page
        self._acts = acts

    def routes(self) -> list[Route]:
        """For the application."""
        return [Route("/about", self.page)]

    async def page(self, request: Request) -> Response:
        """The page."""
        if not self._page.is_file():
            return PlainTextResponse(NOT_BUILT, 503)
        own = self._about.text()
        text = self._page.read_text(encoding="utf-8")
        if own is not None:
            prose = markdown(own)
            text = _PROSE.sub(lambda _: prose, text)
        text = _each(text, "operator", lambda words: _operator(words, self._about.operator))
        acts = await self._acts()
        text = _each(text, "acts", lambda words: _acts(words, acts))
        costs = self._about.costs()
        text = _each(text, "costs", lambda words: "" if costs is None else _costs(words, costs))
        text = _each(text, "donations", self._donations)
        return HTMLResponse(
            rooted(text, request.scope.get("root_path", "")), headers={"Cache-Control": "no-cache"}
        )

    def _donations(self, words: dict[str, str]) -> str:
        if not self._about.links:
            return ""
        items = "".join(
            f'<li><a class="action" href="{html.escape(link.url)}" rel="noopener nofollow">'
            f"{html.escape(link.label)}</a></li>"
            for link in self._about.links
        )
        code = ""
        if self._about.bitcoin:
            code = (
                f'<figure role="img" aria-label="{words["scan"]}">{qr_code(bitcoin_url(self._about.bitcoin))}'
                f"</figure><p><code>{html.escape(self._about.bitcoin)}</code></p>"
            )
        return f'<section class="give"><h2>{words["give"]}</h2><ul class="links">{items}</ul>{code}</section>'


def markdown(text: str) -> str:
    """Markdown as HTML. HTML in it is shown as text, and links lead nowhere that runs something."""
    return str(MarkdownIt("commonmark", {"html": False}).enable("table").render(text))


@cache
def qr_code(text: str) -> str:
    """A QR code as an SVG element, dark on light, with its quiet zone."""
    svg: str = segno.make(text, error="m", micro=False).svg_inline(
        scale=4, border=4, dark="#000", light="#fff", omitsize=True
    )
    return svg


def _each(text: str, name: str, part: Callable[[dict[str, str]], str]) -> str:
    """Puts a part where the page has a place for it, in each language."""
    for language, words in _WORDS.items():
        text = text.replace(f"<!--{name}:{language}-->", part(words))
    return text


def _operator(words: dict[str, str], operator: str) -> str:
    if not operator:
        return ""
    return f"<section><h2>{words['operator']}</h2><p>{html.escape(operator)}</p></section>"


def _acts(words: dict[str, str], acts: dict[str, int]) -> str:
    items = "".join(
        f"<li>{counted(acts[what], *words[what].split('|'))}</li>" for what in _ACTS if acts.get(what)
    )
    return f"<section><h2>{words['acts']}</h2><ul>{items}</ul></section>" if items else ""


def _costs(words: dict[str, str], costs: Costs) -> str:
    amounts = (("today", costs.today), ("month", costs.month), ("total", costs.total))
    currency = html.escape(costs.currency)
    rows = "".join(
        f"<div><dt>{words[name]}</dt><dd>{_number(words, amount, 2)}\N{NO-BREAK SPACE}{currency}</dd></div>"
        for name, amount in amounts
    )
    hours = words["hours"].format(
        up=_number(words, costs.hours.up, 1), dreaming=_number(words, costs.hours.dreaming, 1)
    )
    return (
        f'<section><h2>{words["costs"]}</h2><dl class="costs">{rows}</dl><p class="dim">{hours}</p></section>'
    )


def _number(words: dict[str, str], value: float, digits: int) -> str:
    return f"{value:.{digits}f}".replace(".", words["point"])
