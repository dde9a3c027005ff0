"""The page /about in a browser: its languages, its width on a phone, and the QR code as a camera sees it."""

import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser.axe import violations
from tests.live_server import Server
from tests.web.test_about import ADDRESS, FLAGS


@pytest.fixture(scope="module")
def telling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("telling"), *FLAGS) as server:
        yield server


@pytest.fixture
def about(browser: Browser, telling: Server) -> Iterator[Callable[..., Page]]:
    """Opens the page. What it complains of fails the test."""
    complaints: list[str] = []
    contexts = []

    def opens(**context: Any) -> Page:
        contexts.append(browser.new_context(**context))
        page = contexts[-1].new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{telling.url}/about")
        return page

    yield opens
    for each in contexts:
        each.close()
    assert complaints == []


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_a_camera_reads_the_qr_code(about: Callable[..., Page], scheme: str) -> None:
    page = about(color_scheme=scheme)
    code = page.get_by_role("img", name="QR code of the Bitcoin address")
    with Image.open(io.BytesIO(code.screenshot())) as seen:
        found = zxingcpp.read_barcodes(seen.convert("L"))
    assert [each.text for each in found] == [f"bitcoin:{ADDRESS}"]


@pytest.mark.parametrize(
    ("locale", "title", "heading"),
    [("en-GB", "About · Dreamcanvas", "How it works"), ("de-AT", "Über Dreamcanvas", "Wie es geht")],
)
def test_it_speaks_the_visitors_language(
    about: Callable[..., Page], locale: str, title: str, heading: str
) -> None:
    page = about(locale=locale)
    expect(page).to_have_title(title)
    expect(page.locator("html")).to_have_attribute("lang", locale[:2])
    expect(page.get_by_role("heading", name=heading)).to_be_visible()
    expect(page.get_by_role("main")).to_have_count(1)


@pytest.mark.parametrize("locale", ["en-GB", "de-DE"])
def test_it_fits_a_phone(about: Callable[..., Page], locale: str) -> None:
    page = about(locale=locale, viewport={"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") == 360


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_everybody_can_read_it(about: Callable[..., Page], scheme: str) -> None:
    page = about(color_scheme=scheme, bypass_csp=True)
    page.get_by_text("Where did my drawing go?").click()
    assert violations(page) == []


def test_it_is_there_without_javascript(about: Callable[..., Page]) -> None:
    page = about(java_script_enabled=False, locale="de-DE")
    expect(page.get_by_role("heading", name="How it works")).to_be_visible()
    expect(page.get_by_role("main")).to_have_count(1)
