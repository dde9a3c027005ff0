"""Looking around: the address holds the view, the map, sharing and saving, other sizes of the window."""

import io
import re

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.test_page import PHONE
from tests.browser.visitor import Visitor
from tests.live_server import Server, wait_until


def middle(visitor: Visitor) -> tuple[float, float]:
    """The place of the canvas in the middle of the window."""
    (x0, y0), (x1, _) = visitor.on_screen(0, 0), visitor.on_screen(1000, 0)
    scale = (x1 - x0) / 1000
    size = visitor.page.viewport_size
    assert size is not None
    return (size["width"] / 2 - x0) / scale, (size["height"] / 2 - y0) / scale


def address(visitor: Visitor) -> str:
    found: str = visitor.page.evaluate("() => location.href")
    return found


class TestAddress:
    def test_holds_the_view(self, visit: Visit, quiet_server: Server) -> None:
        alice = visit(f"{quiet_server.url}/#400,900,2")
        assert middle(alice) == pytest.approx((400, 900), abs=0.5)
        assert alice.state("fit") == "false"
        alice.page.mouse.move(*alice.on_screen(400, 900))
        alice.page.mouse.wheel(0, 300)
        wait_until(lambda: not address(alice).endswith("#400,900,2"), what="another address")
        found = re.fullmatch(r".*/#(\d+),(\d+),([\d.]+)", address(alice))
        assert found is not None
        assert (int(found[1]), int(found[2])) == pytest.approx(middle(alice), abs=1)
        alice.page.keyboard.press("0")
        wait_until(lambda: address(alice) == f"{quiet_server.url}/", what="the plain address")

    def test_that_makes_no_sense_shows_the_whole_canvas(self, visit: Visit, quiet_server: Server) -> None:
        alice = visit(f"{quiet_server.url}/#9,9999,2")
        assert alice.state("fit") == "true"
        assert alice.on_screen(768, 768)[1] == pytest.approx(450, abs=20)

    def test_is_copied_by_share(self, visit: Visit, quiet_server: Server) -> None:
        alice = visit(f"{quiet_server.url}/#300,300,1.5", permissions=["clipboard-read", "clipboard-write"])
        alice.page.get_by_role("button", name="Share this view").click()
        expect(alice.page.locator("#toast")).to_contain_text("Link copied")
        copied = alice.page.evaluate("() => navigator.clipboard.readText()")
        assert copied == f"{quiet_server.url}/#300,300,1.5"


class TestMap:
    def test_shows_where_one_is_and_takes_one_elsewhere(self, visit: Visit, quiet_server: Server) -> None:
        alice = visit(quiet_server.url)
        small = alice.page.get_by_role("img", name="Map of the canvas")
        expect(small).to_be_hidden()
        alice.page.mouse.move(*alice.on_screen(768, 768))
        alice.page.mouse.wheel(0, -900)
        expect(small).to_be_visible()
        before = alice.seq
        box = small.bounding_box()
        assert box is not None
        alice.page.mouse.click(box["x"] + box["width"] * 0.25, box["y"] + box["height"] * 0.75)
        assert middle(alice) == pytest.approx((384, 1152), abs=25)
        assert alice.seq == before


class TestSaving:
    def test_gives_the_picture_as_it_is(self, visit: Visit, quiet_server: Server) -> None:
        alice = visit(quiet_server.url)
        alice.stroke((300, 1350), (500, 1400))
        alice.settle()
        with alice.page.expect_download() as download:
            alice.page.get_by_role("button", name="Save as PNG").click()
        assert re.fullmatch(r"dreamcanvas-\d+-\d+\.png", download.value.suggested_filename)
        image = Image.open(download.value.path()).convert("RGB")
        assert image.size == (1536, 1536)
        for x in range(250, 560, 9):
            assert image.getpixel((x, 1375)) == tuple(alice.pixel(x, 1375))

    def test_on_a_small_screen_gives_the_whole_picture_too(self, visit: Visit, server: Server) -> None:
        alice = visit(server.url, **PHONE)
        alice.wait_for("Number(data.dream) >= 1")
        with alice.page.expect_download() as download:
            alice.page.get_by_role("button", name="Save as PNG").tap()
        data = download.value.path().read_bytes()
        assert Image.open(io.BytesIO(data)).size == (1536, 1536)


class TestWindow:
    def test_that_is_turned_keeps_the_spot(self, visit: Visit, quiet_server: Server) -> None:
        alice = visit(f"{quiet_server.url}/#500,1000,1.2", **PHONE)
        alice.page.set_viewport_size({"width": 844, "height": 390})
        alice.page.wait_for_timeout(100)
        assert middle(alice) == pytest.approx((500, 1000), abs=2)
