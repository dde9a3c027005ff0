"""The tools in hand: palettes, eyedropper, undo, the keyboard; with mouse, finger and pen."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.test_page import PHONE, canvas_png, same_picture
from tests.browser.visitor import Visitor
from tests.live_server import Server, wait_until

REDUCED = {"reduced_motion": "reduce"}


def pen(visitor: Visitor, *steps: tuple[float, float, float]) -> None:
    """Draws with a pen: places of the canvas, and how hard it is pressed, 0 to 1."""
    devtools = visitor.page.context.new_cdp_session(visitor.page)
    for index, (x, y, force) in enumerate(steps):
        at = visitor.on_screen(x, y)
        kind = "mousePressed" if index == 0 else "mouseMoved"
        devtools.send(
            "Input.dispatchMouseEvent",
            {
                "type": kind, "x": at[0], "y": at[1], "button": "left", "buttons": 1, "clickCount": 1,
                "pointerType": "pen", "force": force,
            },
        )  # fmt: skip
    devtools.send(
        "Input.dispatchMouseEvent",
        {"type": "mouseReleased", "x": at[0], "y": at[1], "button": "left", "pointerType": "pen"},
    )
    devtools.detach()


class TestUndo:
    def test_takes_ones_own_stroke_back_everywhere_and_leaves_the_others_ink(
        self, visit: Visit, quiet_server: Server
    ) -> None:
        alice, bob = visit(quiet_server.url), visit(quiet_server.url)
        bob.page.keyboard.press("3")
        bob.stroke((300, 300), (700, 300))
        bob.settle()
        alice.wait(seq=bob.seq)
        before = alice.picture()["hash"]
        undo = alice.page.get_by_role("button", name="Undo my last stroke")
        expect(undo).to_be_disabled()
        alice.page.keyboard.press("1")
        alice.stroke((300, 250), (700, 360))
        alice.settle()
        expect(undo).to_be_enabled()
        assert alice.picture()["hash"] != before
        undo.click()
        wait_until(lambda: alice.picture()["hash"] == before, what="the picture without the stroke")
        alice.settle()
        bob.wait(seq=alice.seq)
        assert bob.picture()["hash"] == before
        expect(undo).to_be_disabled()
        alice.page.keyboard.press("Control+z")
        expect(alice.page.locator("#toast")).to_contain_text("no stroke of yours")

    def test_goes_back_stroke_by_stroke_under_ink_that_came_later(
        self, visit: Visit, quiet_server: Server
    ) -> None:
        alice, bob = visit(quiet_server.url), visit(quiet_server.url)
        for color, y in (("1", 800), ("2", 850)):
            alice.page.keyboard.press(color)
            alice.stroke((400, y), (900, y))
        alice.settle()
        bob.wait(seq=alice.seq)
        bob.page.keyboard.press("5")
        bob.stroke((650, 700), (650, 1000))
        bob.settle()
        alice.wait(seq=bob.seq)
        before = alice.seq
        alice.page.keyboard.press("Control+z")
        alice.page.keyboard.press("Control+z")
        alice.wait(seq=before + 2)
        bob.wait(seq=before + 2)
        assert same_picture(alice, bob)
        png = canvas_png(quiet_server)
        assert all(
            tuple(alice.pixel(x, y)) == png.getpixel((x, y))
            for x in range(350, 950, 11)
            for y in range(650, 1050, 13)
        )
        assert alice.pixel(450, 800) == [255, 255, 255]
        assert alice.pixel(650, 800) != [255, 255, 255]  # bob's

    def test_works_after_dreams_too(self, visit: Visit, server: Server) -> None:
        alice, bob = visit(server.url), visit(server.url)
        alice.page.keyboard.press("1")
        for _ in range(3):  # black on black, as one stroke
            alice.stroke((1100, 300), (1300, 300), (1100, 320), (1300, 320))
        alice.settle()
        dream = int(alice.state("dream"))
        alice.wait_for("Number(data.dream) >= argument", dream + 2)
        dark = sum(alice.pixel(1200, 310))
        before = alice.seq
        for _ in range(3):
            alice.page.keyboard.press("Control+z")
        alice.wait(seq=before + 3)
        assert sum(alice.pixel(1200, 310)) > dark + 100
        bob.wait(seq=before + 3)
        wait_until(lambda: same_picture(alice, bob), timeout=60, what="the same picture on both pages")

    def test_of_what_was_drawn_offline_needs_no_server(self, visit: Visit, quiet_server: Server) -> None:
        alice = visit(quiet_server.url)
        before = alice.picture()
        alice.page.context.set_offline(True)
        alice.wait(phase="offline")
        alice.stroke((500, 1200), (900, 1250))
        assert alice.picture() != before
        alice.page.keyboard.press("Control+z")
        assert alice.picture() == before
        alice.wait(waiting=0)
        alice.page.context.set_offline(False)
        alice.wait(phase="live")

    def test_is_there_for_fingers_at_once_after_a_quick_stroke(
        self, visit: Visit, quiet_server: Server
    ) -> None:
        alice = visit(quiet_server.url, **PHONE)
        before = alice.picture()
        x, y = alice.on_screen(700, 700)
        alice.touch("touchStart", [(x, y)])
        for i in range(1, 5):
            alice.touch("touchMove", [(x + 15 * i, y + 10 * i)])
        alice.touch("touchEnd", [])
        alice.page.get_by_role("button", name="Undo my last stroke").tap()
        wait_until(lambda: alice.picture()["hash"] == before["hash"], what="the picture without the stroke")
        alice.settle()
        assert alice.seq > before["seq"]


class TestColours:
    def test_come_in_palettes_that_are_kept_across_visits(self, visit: Visit, quiet_server: Server) -> None:
        alice = visit(quiet_server.url)
        alice.page.get_by_role("button", name="Another palette").click()
        alice.page.get_by_role("menuitemradio", name="Forest").click()
        expect(alice.page.get_by_role("button", name="Moss")).to_be_visible()
        alice.page.keyboard.press("4")
        expect(alice.page.get_by_role("button", name="Moss")).to_have_attribute("aria-pressed", "true")
        alice.page.reload()
        alice.wait(phase="live")
        expect(alice.page.get_by_role("button", name="Moss")).to_have_attribute("aria-pressed", "true")
        alice.page.keyboard.press("p")
        expect(alice.page.locator("#toast")).to_have_text("Palette: Carnival")
        expect(alice.page.get_by_role("button", name="Lemon")).to_have_attribute("aria-pressed", "true")

    def test_are_picked_from_the_canvas_and_nothing_is_drawn(
        self, visit: Visit, quiet_server: Server
    ) -> None:
        alice = visit(quiet_server.url)
        alice.page.get_by_label("Any colour").fill("#2a6f97")
        for _ in range(12):
            alice.stroke((1000, 1400))
        alice.settle()
        alice.page.keyboard.press("7")
        before = alice.seq
        alice.page.get_by_role("button", name="Pick a colour from the canvas").click()
        expect(alice.page.locator("#notice")).to_contain_text("colour that you want")
        alice.stroke((1000, 1400))
        expect(alice.page.locator("#notice")).to_be_hidden()
        red, green, blue = alice.pixel(1000, 1400)
        assert (red, green, blue) == pytest.approx((0x2A, 0x6F, 0x97), abs=3)
        assert alice.page.locator("#custom").input_value() == f"#{red:02x}{green:02x}{blue:02x}"
        assert alice.seq == before


class TestPen:
    def test_draws_as_wide_as_it_is_pressed(self, visit: Visit, quiet_server: Server) -> None:
        alice = visit(quiet_server.url)
        alice.page.keyboard.press("1")
        alice.page.get_by_label("Brush size").fill("100")
        pen(alice, (200, 150, 0.05), (260, 150, 0.05), (320, 150, 0.05))
        pen(alice, (600, 150, 1), (660, 150, 1), (720, 150, 1))
        alice.settle()
        assert alice.pixel(260, 150 + 30) == [255, 255, 255]
        assert alice.pixel(660, 150 + 30) != [255, 255, 255]


class TestKeyboard:
    def test_draws(self, visit: Visit, quiet_server: Server) -> None:
        alice = visit(f"{quiet_server.url}/#1200,120,1", **REDUCED)
        before, there = alice.seq, alice.on_screen(0, 0)
        alice.page.locator("#canvas").focus()
        alice.page.keyboard.press("Enter")
        expect(alice.page.locator("#toast")).to_contain_text("Arrow keys move the brush")
        for _ in range(8):
            alice.page.keyboard.press("ArrowRight")
        alice.page.keyboard.press("Enter")
        alice.page.keyboard.press("ArrowDown")
        alice.page.keyboard.press("Escape")
        alice.settle()
        assert alice.seq > before + 8
        drawn = alice.seq
        assert alice.on_screen(0, 0) == there
        alice.page.keyboard.press("ArrowRight")  # moves the canvas again
        assert alice.on_screen(0, 0) != there
        assert alice.seq == drawn

    def test_shows_its_shortcuts(self, visit: Visit, quiet_server: Server) -> None:
        alice = visit(quiet_server.url)
        alice.page.keyboard.press("?")
        dialog = alice.page.get_by_role("dialog", name="Settings")
        expect(dialog).to_contain_text("undo my last stroke")
        alice.page.keyboard.press("5")  # the dialog has the keyboard
        alice.page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
        expect(alice.page.get_by_role("button", name="Coral")).to_have_attribute("aria-pressed", "true")
