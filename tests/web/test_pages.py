"""Pages that the server fills: what is put in is text, in every language, below the root path."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jinja2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dreamcanvas.web.about import inline, number
from dreamcanvas.web.pages import LANGUAGES, Pages, texts


def paths(value: Any, path: str = "") -> Iterator[tuple[str, type[Any]]]:
    """Every place of a language's texts, and what stands there."""
    yield path, type(value)
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from paths(inner, f"{path}.{key}")
    if isinstance(value, list):
        for index, inner in enumerate(value):
            yield from paths(inner, f"{path}[{index}]")


async def page(folder: Path, *, root: str = "", context: dict[str, Any] | None = None) -> httpx.Response:
    pages = Pages(folder, root=root)

    async def answer(request: Request) -> Response:
        return pages.answer(request, "page.html", context)

    app = Starlette(routes=[Route("/", answer)])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
        return await client.get("/")


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_a_language_has_every_text_of_the_first(language: str) -> None:
    assert dict(paths(texts()[language])) == dict(paths(texts()[LANGUAGES[0]]))


def test_no_text_is_empty_or_holds_html() -> None:
    for language in LANGUAGES:
        for text in (each for each in flat(texts()[language])):
            assert text
            assert "<" not in text


def flat(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    else:
        for inner in value.values() if isinstance(value, dict) else value:
            yield from flat(inner)


async def test_what_is_put_in_is_escaped(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text('<a title="{{ name }}">{{ name }}</a>\n')
    found = await page(tmp_path, context={"name": '<b>"&'})
    assert found.text == '<a title="&lt;b&gt;&#34;&amp;">&lt;b&gt;&#34;&amp;</a>\n'
    assert found.headers["cache-control"] == "no-cache"
    assert found.headers["content-type"] == "text/html; charset=utf-8"


async def test_a_name_that_is_not_given_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("{{ nothing }}")
    with pytest.raises(jinja2.UndefinedError, match="nothing"):
        await page(tmp_path)


async def test_own_addresses_are_below_the_root_path(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text('<a href="/history">{{ preview }}</a>')
    assert (await page(tmp_path, root="/canvas")).text.startswith('<a href="/canvas/history">http://x/')


async def test_a_page_that_was_built_anew_is_read_anew(tmp_path: Path) -> None:
    pages = Pages(tmp_path, root="")
    request = Request({"type": "http", "headers": [], "server": ("x", 80), "path": "/", "scheme": "http"})
    file = tmp_path / "page.html"
    for second, text in enumerate(("one", "two")):
        file.write_text(text)
        os.utime(file, (second, second))
        assert pages.answer(request, "page.html").body == text.encode()
    file.unlink()
    assert pages.answer(request, "page.html").status_code == 503


def test_markdown_in_a_line_of_our_own() -> None:
    assert inline("**You.** [it](/x) <i>") == '<strong>You.</strong> <a href="/x">it</a> &lt;i&gt;'


def test_a_number_has_its_language_s_point() -> None:
    assert (number(1234.5, 2, ","), number(0.25, 1, ".")) == ("1234,50", "0.2")
