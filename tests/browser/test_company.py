"""Others at the same canvas: where they point, what they are called, and one picture for all in the end."""

import re
from pathlib import Path

from playwright.sync_api import expect

from tests.browser import together
from tests.browser.conftest import Visit
from tests.browser.test_page import PHONE
from tests.live_server import Server


class TestCursors:
    def test_show_where_the_others_are_with_a_name(self, visit: Visit, quiet_server: Server) -> None:
        alice, bob = visit(quiet_server.url), visit(quiet_server.url)
        alice.page.wait_for_function("Number(document.documentElement.dataset.users) >= 2")
        alice.page.mouse.move(*alice.on_screen(500, 500))
        alice.page.mouse.move(*alice.on_screen(640, 800))
        seen = bob.page.locator(".cursor")
        expect(seen).to_have_count(1)
        expect(seen).to_have_text(re.compile(r"^[A-Z][a-z]+$"))  # an animal
        x, y = bob.on_screen(640, 800)
        bob.page.wait_for_function(
            """([x, y]) => {
                const box = document.querySelector(".cursor").getBoundingClientRect();
                return Math.hypot(box.left - x, box.top - y) < 3;
            }""",
            arg=[x, y],
        )
        expect(alice.page.locator(".cursor")).to_have_count(0)  # bob has not moved; one's own is no news

    def test_have_the_name_that_one_likes_and_can_be_turned_off(
        self, visit: Visit, quiet_server: Server
    ) -> None:
        alice, bob = visit(quiet_server.url), visit(quiet_server.url)
        alice.page.wait_for_function("Number(document.documentElement.dataset.users) >= 2")
        alice.page.keyboard.press("?")
        alice.page.get_by_label("Your name, if you like").fill("Ada <b>")
        alice.page.keyboard.press("Escape")
        alice.page.mouse.move(*alice.on_screen(300, 300))
        alice.page.mouse.move(*alice.on_screen(340, 300))
        expect(bob.page.locator(".cursor")).to_have_text("Ada <b>")
        bob.page.keyboard.press("?")
        bob.page.get_by_label("Show where others point").uncheck()
        bob.page.keyboard.press("Escape")
        expect(bob.page.locator(".cursor")).to_have_count(0)
        bob.page.mouse.move(*bob.on_screen(700, 700))
        alice.stroke((340, 340), (400, 400))
        alice.settle()
        bob.wait_for("Number(data.seq) === argument", alice.seq)
        expect(bob.page.locator(".cursor")).to_have_count(0)
        expect(alice.page.locator(".cursor")).to_have_count(0)


class TestTwoPeople:
    def test_who_draw_undo_and_lose_the_connection_end_with_the_servers_picture(
        self, visit: Visit, data_dir: Path
    ) -> None:
        with Server(data_dir, "--no-dream") as server:  # what they draw is all over the canvas
            pair = [visit(server.url), visit(server.url)]
            tally = together.play(pair, seconds=10, seed=1)
            assert tally.strokes > 0
            together.agree(pair)
            together.equals_the_server(pair[0], server)

    def test_and_with_one_picture_where_it_dreams(self, visit: Visit, server: Server) -> None:
        # Three device pixels for each of CSS: a telephone that shows every pixel of the canvas.
        pair = [visit(server.url), visit(server.url, **{**PHONE, "device_scale_factor": 3})]
        together.play(pair, seconds=10, seed=2)
        together.agree(pair)
