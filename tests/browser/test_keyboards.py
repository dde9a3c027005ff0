"""Short cuts on keyboards of other countries: what a key writes first, then where it stands."""

from typing import Final

from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.visitor import Visitor
from tests.live_server import Server

ALT: Final = 1
CONTROL: Final = 2
SHIFT: Final = 8


def press(page: Page, key: str, code: str, modifiers: int = 0) -> None:
    """A key as a keyboard of another country tells of it."""
    devtools = page.context.new_cdp_session(page)
    for kind in ("keyDown", "keyUp"):
        event = {"type": kind, "key": key, "code": code, "modifiers": modifiers}
        devtools.send("Input.dispatchKeyEvent", event)
    devtools.detach()


def draw(alice: Visitor, y: int) -> None:
    alice.stroke((300, y), (500, y))
    alice.settle()


def test_ctrl_z_takes_back_in_every_script(visit: Visit, quiet_server: Server) -> None:
    alice = visit(quiet_server.url)
    before = alice.picture()["hash"]
    for row, key in enumerate(("я", "ζ", "ז", "ئ", "ㅋ", "z")):
        draw(alice, 200 + 60 * row)
        assert alice.picture()["hash"] != before
        press(alice.page, key, "KeyZ", CONTROL)
        alice.wait_for("data.waiting === '0'")
        alice.page.wait_for_function("hash => dreamcanvas.replicaHash() === hash", arg=before)
        alice.settle()


def test_tools_are_chosen_in_every_script(visit: Visit, quiet_server: Server) -> None:
    page = visit(quiet_server.url).page
    swatches = page.locator("#colors button.swatch")
    for index, key in enumerate("&é\"'("):  # a French keyboard's digits
        press(page, key, f"Digit{index + 1}")
        expect(swatches.nth(index)).to_have_attribute("aria-pressed", "true")
    press(page, "è", "Digit7")
    expect(swatches.nth(6)).to_have_attribute("aria-pressed", "true")
    size = int(page.locator("#size").input_value())
    for step, (key, code, modifiers) in enumerate(
        [("[", "Digit5", ALT), ("х", "BracketLeft", 0), ("[", "Digit8", CONTROL | ALT)], start=1
    ):
        press(page, key, code, modifiers)
        assert int(page.locator("#size").input_value()) == size - 5 * step
    press(page, "ш", "KeyI")
    expect(page.get_by_role("button", name="Pick a colour")).to_have_attribute("aria-pressed", "true")
    press(page, "Escape", "Escape")
    press(page, "з", "KeyP")
    expect(page.locator("#toast")).to_have_text("Palette: Sherbet")
    for key, code, modifiers in (("ü", "BracketLeft", 0), ("w", "KeyZ", CONTROL), ("Dead", "Digit2", 0)):
        press(page, key, code, modifiers)  # none of ours
    assert int(page.locator("#size").input_value()) == size - 15
    press(page, "؟", "Slash", SHIFT)
    expect(page.get_by_role("dialog", name="Settings")).to_be_visible()
