"""A canvas in a network: over plain HTTP under a name, where browsers keep APIs of secure contexts back."""

from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.conftest import NETWORK, Visit, elsewhere
from tests.browser.test_page import PHONE, canvas_png, same_picture
from tests.browser.test_tools import pen
from tests.browser.visitor import Visitor
from tests.live_server import Server, wait_until

LENGTH: Final = 316  # CSS pixels
STEPS: Final = 24


def mouse(alice: Visitor, left: float = 40) -> None:
    alice.page.mouse.move(left, 300)
    alice.page.mouse.down()
    alice.page.mouse.move(left + LENGTH, 300, steps=STEPS)
    alice.page.mouse.up()


def finger(alice: Visitor, left: float = 40) -> None:
    alice.touch("touchStart", [(left, 300)])
    for i in range(1, STEPS + 1):
        alice.touch("touchMove", [(left + LENGTH * i / STEPS, 300)])
    alice.touch("touchEnd", [])


def pencil(alice: Visitor, left: float = 40) -> None:
    (edge, top), scale = alice.on_screen(0, 0), alice.on_screen(1, 0)[0] - alice.on_screen(0, 0)[0]
    places = [(left + LENGTH * i / STEPS, 300) for i in range(STEPS + 1)]
    pen(alice, *(((x - edge) / scale, (y - top) / scale, 0.5) for x, y in places))


def dabs(visit: Visit, url: str, draw: Callable[[Visitor], None]) -> int:
    """How many dabs a drag over the canvas leaves on the server."""
    alice = visit(url, **PHONE)
    alice.page.keyboard.press("1")
    before = alice.seq
    draw(alice)
    alice.settle()
    drawn = alice.seq - before
    alice.page.context.close()
    return drawn


@pytest.mark.parametrize("draw", [mouse, finger, pencil])
def test_a_drag_leaves_as_many_dabs_as_on_loopback(
    visit: Visit, quiet_server: Server, draw: Callable[[Visitor], None]
) -> None:
    here = dabs(visit, quiet_server.url, draw)
    there = dabs(visit, elsewhere(quiet_server), draw)
    assert here >= LENGTH / 12  # a dab for each quarter of the brush, which is 48 px wide at the most
    assert there == pytest.approx(here, abs=3)


@pytest.fixture(scope="module")
def network_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A canvas for everyone in the network."""
    every = "0.0.0.0"  # noqa: S104
    with Server(tmp_path_factory.mktemp("network"), "--no-dream", "--host", every) as server:
        yield server


@pytest.mark.parametrize(
    "screen", [{"viewport": {"width": 1280, "height": 800}}, PHONE], ids=["desktop", "phone"]
)
def test_a_canvas_of_a_network_under_another_name(
    visit: Visit, network_server: Server, screen: dict[str, Any]
) -> None:
    """At this machine's address there, by every hand that such a screen knows; each stroke is taken back."""
    url = f"http://{NETWORK}:{network_server.port}"
    alice = visit(url, **screen)
    page = alice.page
    assert page.evaluate("() => [isSecureContext, location.hostname]") == [False, NETWORK]
    left = alice.on_screen(0, 0)[0]
    page.keyboard.press("1")
    for draw in (mouse, pencil, *((finger,) if "has_touch" in screen else ())):
        before = alice.seq
        draw(alice, max(40, left + 20))
        alice.settle()
        assert alice.seq - before >= LENGTH / 12
        page.get_by_role("button", name="Undo my last stroke").click()
        alice.settle()
        assert canvas_png(network_server).getextrema() == 3 * ((255, 255),)
    page.get_by_role("button", name="Share this view").click()
    expect(page.locator("#toast")).to_contain_text("Link copied")
    page.keyboard.press("?")
    page.get_by_label("Your name").fill("")
    page.keyboard.press("Control+v")
    assert page.get_by_label("Your name").input_value().startswith(url[:40])
    page.keyboard.press("Escape")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as PNG").click()
    with Image.open(download.value.path()) as picture:
        assert picture.convert("RGB").tobytes() == canvas_png(network_server).tobytes()


def test_every_tool_works(visit: Visit, quiet_server: Server) -> None:
    url = elsewhere(quiet_server)
    alice, bob = visit(f"{url}/#500,500,1.5"), visit(url)
    page = alice.page
    assert page.evaluate("() => [isSecureContext, typeof navigator.clipboard]") == [False, "undefined"]
    bare = alice.pixel(450, 510)  # others may have drawn there
    page.keyboard.press("3")
    alice.stroke((300, 500), (600, 520))
    alice.settle()
    bob.wait(seq=alice.seq)
    assert same_picture(alice, bob)
    page.get_by_role("button", name="Undo my last stroke").click()
    alice.settle()
    wait_until(lambda: alice.pixel(450, 510) == bare, what="the canvas without the stroke")

    page.get_by_role("button", name="Another palette").click()
    page.get_by_role("menuitemradio", name="Forest").click()
    page.get_by_role("button", name="Moss").click()
    for _ in range(10):
        alice.stroke((500, 600))
    page.keyboard.press("7")
    page.get_by_role("button", name="Pick a colour from the canvas").click()
    alice.stroke((500, 600))
    assert page.locator("#custom").input_value() == f"#{bytes(alice.pixel(500, 600)).hex()}"
    alice.settle()

    page.get_by_role("button", name="Share this view").click()
    expect(page.locator("#toast")).to_contain_text("Link copied")
    page.keyboard.press("?")
    page.get_by_label("Your name").fill("")
    page.keyboard.press("Control+v")
    assert page.get_by_label("Your name").input_value() == f"{url}/#500,500,1.5"[:40]
    page.get_by_label("Your name").fill("Ada")
    page.keyboard.press("Escape")
    page.mouse.move(700, 400)
    page.mouse.move(720, 420)
    expect(bob.page.locator(".cursor span")).to_have_text("Ada")

    with page.expect_download() as download:
        page.get_by_role("button", name="Save as PNG").click()
    with Image.open(download.value.path()) as picture:
        assert picture.convert("RGB").tobytes() == canvas_png(quiet_server).tobytes()

    page.locator("#canvas").focus()
    before = alice.seq
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Escape")
    alice.settle()
    assert alice.seq > before
    page.reload()
    alice.wait(phase="live")
    expect(page.get_by_role("button", name="Moss")).to_be_visible()


def test_the_story_of_a_place_is_told(visit: Visit, server: Server) -> None:
    alice = visit(elsewhere(server))
    alice.stroke((400, 400), (900, 700))
    alice.wait_for("Number(data.dream) >= 2")
    alice.page.keyboard.press("s")
    alice.page.mouse.click(*alice.on_screen(600, 600))
    alice.page.wait_for_selector("#story-panel[data-state=live]")
    alice.page.get_by_role("button", name="Close").click()
    before = alice.page.get_by_role("button", name="Before the dream")
    box = before.bounding_box()
    assert box is not None
    alice.page.mouse.move(box["x"] + 10, box["y"] + 10)
    alice.page.mouse.down()
    expect(before).to_have_attribute("aria-pressed", "true")
    alice.page.mouse.up()
    expect(before).to_have_attribute("aria-pressed", "false")


def test_a_moment_of_the_history_is_copied(visit: Visit, server: Server) -> None:
    alice = visit(elsewhere(server))
    alice.stroke((400, 900), (900, 700))
    alice.wait_for("Number(data.dream) >= 1")
    history = visit(f"{elsewhere(server)}/history").page
    history.locator(".card").first.click()
    history.wait_for_selector("#player[data-state=playing]")
    history.get_by_role("button", name="Copy a link to this moment").click()
    expect(history.locator("#toast")).to_have_text("Link to this moment copied.")
