"""The pages: built by Vite from `client/`, and filled by Jinja2, which escapes whatever is put in."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from dreamcanvas.net.origins import rooted
from dreamcanvas.web.caching import REVALIDATED

LANGUAGES: Final = ("en", "de")
"""A page has its text in each of them and shows one; the first where its script does not run."""

NOT_BUILT: Final = (
    "The page has not been built: start the server with scripts/serve, or run `npm run build` in client/.\n"
)
_TEMPLATES: Final = Path(__file__).parent / "templates"


@cache
def texts() -> dict[str, Any]:
    """Read what the server puts into pages, in each language: `texts/LANGUAGE.toml`."""
    folder = resources.files("dreamcanvas.web") / "texts"
    return {
        language: tomllib.loads(folder.joinpath(f"{language}.toml").read_text("utf-8"))
        for language in LANGUAGES
    }


class Pages:
    """The pages of a folder, below the root path. A page that is built anew is read anew."""

    def __init__(self, folder: Path, *, root: str) -> None:
        self._folder = folder
        self._root = root
        self._templates = Environment(
            loader=FileSystemLoader([folder, _TEMPLATES]),
            autoescape=True,
            undefined=StrictUndefined,
            keep_trailing_newline=True,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def answer(self, request: Request, name: str, context: Mapping[str, Any] | None = None) -> Response:
        """Answer with a page, which knows its `preview` and the `texts`; with 503 where it is not built."""
        if not (self._folder / name).is_file():
            return PlainTextResponse(NOT_BUILT, 503)
        # Who shows a preview of a page wants the picture's whole address
        known = {"preview": f"{request.base_url}og.jpg", "texts": texts()}
        page = self._templates.get_template(name).render({**known, **(context or {})})
        return HTMLResponse(rooted(page, self._root), headers={"Cache-Control": REVALIDATED})
