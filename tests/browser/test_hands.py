"""Buttons, fingers and pens in every order in which they go down and up."""

from typing import Final

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.test_page import PHONE, canvas_png
from tests.browser.visitor import Visitor
from tests.live_server import Server, wait_until

BITS: Final = {"none": 0, "left": 1, "right": 2, "middle": 4}


class Buttons:
    """A mouse or pen of which several buttons are held at a time."""

    def __init__(self, page: Page, kind: str = "mouse") -> None:
        self._devtools = page.context.new_cdp_session(page)
        self._kind = kind
        self._held: list[str] = []
        self._at = (0.0, 0.0)

    def _send(self, what: str, button: str) -> None:
        self._devtools.send(
            "Input.dispatchMouseEvent",
            {
                "type": what, "x": self._at[0], "y": self._at[1], "button": button, "clickCount": 1,
                "buttons": sum(BITS[held] for held in self._held), "pointerType": self._kind,
                "force": 0.5 if "left" in self._held else 0,
            },
        )  # fmt: skip

    def down(self, button: str) -> None:
        self._held.append(button)
        self._send("mousePressed", button)

    def up(self, button: str) -> None:
        self._held.remove(button)
        self._send("mouseReleased", button)

    def move(self, x: float, y: float, steps: int = 4) -> None:
        (left, top), button = self._at, self._held[0] if self._held else "none"
        for i in range(1, steps + 1):
            self._at = left + (x - left) * i / steps, top + (y - top) * i / steps
            self._send("mouseMoved", button)


def seen(alice: Visitor, left: int, top: int, right: int, bottom: int) -> list[list[int]]:
    """Return what there is on a part of the canvas, every few pixels: others have drawn there, too."""
    return [alice.pixel(x, y) for x in range(left, right, 9) for y in range(top, bottom, 9)]


@pytest.mark.parametrize("kind", ["mouse", "pen"])
@pytest.mark.parametrize("other", ["right", "middle"])
def test_a_stroke_ends_with_its_button_while_another_is_held(
    visit: Visit, quiet_server: Server, kind: str, other: str
) -> None:
    alice = visit(quiet_server.url)
    alice.page.keyboard.press("1")
    hand = Buttons(alice.page, kind)
    hand.move(*alice.on_screen(700, 1100))
    hand.down("left")
    hand.move(*alice.on_screen(760, 1100))
    hand.down(other)
    hand.move(*alice.on_screen(820, 1100))  # goes on while both are held
    hand.up("left")
    alice.settle()
    drawn, view = alice.seq, alice.on_screen(0, 0)
    hand.move(*alice.on_screen(1300, 1300))
    hand.up(other)
    hand.move(*alice.on_screen(1300, 1000))
    alice.settle()
    assert alice.seq == drawn
    assert alice.pixel(800, 1100) != [255, 255, 255]
    assert alice.on_screen(0, 0) == view or other == "middle"
    alice.page.keyboard.press("Control+z")
    alice.settle()


def test_a_button_that_goes_down_while_another_is_held_draws(visit: Visit, quiet_server: Server) -> None:
    alice = visit(quiet_server.url)
    before, hand = alice.seq, Buttons(alice.page)
    hand.move(*alice.on_screen(300, 1200))
    hand.down("right")
    hand.move(*alice.on_screen(330, 1200))
    assert alice.seq == before
    hand.down("left")
    hand.move(*alice.on_screen(500, 1200))
    hand.up("right")
    hand.move(*alice.on_screen(600, 1200))
    hand.up("left")
    alice.settle()
    assert alice.seq > before + 10
    drawn = alice.seq
    hand.move(*alice.on_screen(900, 1300))
    alice.settle()
    assert alice.seq == drawn


def test_letting_go_of_the_middle_button_ends_the_panning(visit: Visit, quiet_server: Server) -> None:
    alice = visit(quiet_server.url)
    hand = Buttons(alice.page)
    hand.move(700, 400)
    hand.down("middle")
    hand.move(740, 440)
    hand.down("right")
    hand.up("middle")
    there = alice.on_screen(0, 0)
    hand.move(900, 600)
    hand.up("right")
    assert alice.on_screen(0, 0) == there
    assert alice.state("waiting") == "0"


CAPTURE = """() => {
  const head = document.getElementById('head');
  window.captured = new Promise((done) => {
    head.addEventListener('gotpointercapture', () => done(), { once: true });
  });
  head.setPointerCapture(1);
}"""


def test_a_stroke_ends_when_the_pointer_is_lost(visit: Visit, quiet_server: Server) -> None:
    alice = visit(quiet_server.url)
    before, beyond = alice.seq, (700, 840, 1200, 900)
    there = seen(alice, *beyond)
    alice.page.mouse.move(*alice.on_screen(300, 700))
    alice.page.mouse.down()
    alice.page.mouse.move(*alice.on_screen(500, 700), steps=4)
    alice.page.evaluate(CAPTURE)  # pending until the next event of the pointer
    alice.page.mouse.move(*alice.on_screen(600, 800), steps=4)
    alice.page.evaluate("() => window.captured")
    alice.page.evaluate("() => document.getElementById('head').releasePointerCapture(1)")
    alice.page.mouse.move(*alice.on_screen(1200, 900), steps=4)
    alice.page.mouse.up()
    alice.settle()
    assert before < alice.seq < before + 40
    assert seen(alice, *beyond) == there


class TestSecondFinger:
    @pytest.mark.parametrize(
        ("wait", "way"),
        [(0, 0), (200, 0), (700, 0), (0, 8), (200, 30), (300, 60)],
        ids=str,
    )
    def test_takes_back_what_the_first_has_left(
        self, visit: Visit, quiet_server: Server, wait: int, way: int
    ) -> None:
        alice = visit(quiet_server.url, **PHONE)
        alice.page.keyboard.press("1")
        picture = alice.picture()["hash"]
        first, second = (150.0, 400.0), (250.0, 400.0)
        alice.touch("touchStart", [first])
        alice.page.wait_for_timeout(wait)
        for i in range(1, 4):
            first = 150.0 - way * i / 3, 400.0
            alice.touch("touchMove", [first])
        alice.page.wait_for_timeout(wait)
        alice.touch("touchStart", [first, second])
        for i in range(1, 8):
            alice.touch("touchMove", [(first[0] - 5 * i, 400 + 8 * i), (250 + 5 * i, 400 + 8 * i)])
        alice.touch("touchEnd", [])
        alice.wait(fit="false")
        wait_until(lambda: alice.picture()["hash"] == picture, what="the picture without stray dabs")
        alice.settle()
        assert alice.picture()["hash"] == picture
        assert tuple(alice.pixel(500, 500)) == canvas_png(quiet_server).getpixel((500, 500))

    def test_leaves_a_stroke_that_was_meant(self, visit: Visit, quiet_server: Server) -> None:
        alice = visit(quiet_server.url, **PHONE)
        before = alice.seq
        alice.touch("touchStart", [(60, 300)])
        for i in range(1, 20):
            alice.touch("touchMove", [(60 + 12 * i, 300)])
        alice.touch("touchStart", [(288, 300), (200, 420)])
        alice.touch("touchEnd", [])
        alice.settle()
        assert alice.seq > before + 20

    def test_of_a_palm_that_the_system_takes_leaves_nothing(self, visit: Visit, quiet_server: Server) -> None:
        alice = visit(quiet_server.url, **PHONE)
        picture = alice.picture()["hash"]
        alice.touch("touchStart", [(150, 300)])
        alice.page.wait_for_timeout(200)
        alice.touch("touchCancel", [])
        wait_until(lambda: alice.picture()["hash"] == picture, what="the picture without the palm's dabs")
        alice.settle()
        assert alice.picture()["hash"] == picture

    def test_of_two_that_move_the_canvas_picks_no_colour(self, visit: Visit, quiet_server: Server) -> None:
        alice = visit(quiet_server.url, **PHONE)
        pick = alice.page.get_by_role("button", name="Pick a colour from the canvas")
        pick.tap()
        alice.touch("touchStart", [(150, 400)])
        alice.touch("touchStart", [(150, 400), (250, 400)])
        alice.touch("touchMove", [(140, 410), (260, 410)])
        alice.touch("touchEnd", [])
        alice.wait(fit="false")
        expect(pick).to_have_attribute("aria-pressed", "true")
        alice.touch("touchStart", [(200, 400)])
        alice.touch("touchEnd", [])
        expect(pick).to_have_attribute("aria-pressed", "false")
