"""The drawing page, in Chromium, against a real server."""

import io
import re
from pathlib import Path
from typing import Final

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.visitor import Visitor
from tests.live_server import Server, wait_until

PHONE: Final = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "has_touch": True,
    "is_mobile": True,
}


def same_picture(a: Visitor, b: Visitor) -> bool:
    return a.picture() == b.picture()


def canvas_png(server: Server) -> Image.Image:
    return Image.open(io.BytesIO(server.png())).convert("RGB")


class TestInk:
    def test_appears_in_the_other_page_and_on_the_server_to_the_bit(
        self, visit: Visit, quiet_server: Server
    ) -> None:
        alice, bob = visit(quiet_server.url), visit(quiet_server.url)
        before = bob.seq
        alice.page.keyboard.press("5")
        alice.stroke((300, 300), (700, 500), (420, 800))
        alice.page.keyboard.press("2")
        alice.stroke((250, 600), (900, 420))
        alice.settle()
        assert alice.seq > before + 20
        bob.wait(seq=alice.seq)
        assert same_picture(alice, bob)
        png = canvas_png(quiet_server)
        for x in range(240, 920, 17):
            for y in range(290, 820, 53):
                assert tuple(bob.pixel(x, y)) == png.getpixel((x, y))

    def test_of_both_at_once_ends_in_one_order(self, visit: Visit, quiet_server: Server) -> None:
        alice, bob = visit(quiet_server.url), visit(quiet_server.url)
        alice.page.keyboard.press("1")
        bob.page.keyboard.press("3")
        for i in range(4):
            alice.stroke((1000, 300 + 20 * i), (1300, 340))
            bob.stroke((1150, 200), (1150, 500 - 20 * i))
        alice.settle()
        bob.settle()
        wait_until(lambda: same_picture(alice, bob), what="one picture on both pages")

    def test_is_on_the_screen(self, visit: Visit, quiet_server: Server) -> None:
        alice = visit(quiet_server.url)
        alice.page.keyboard.press("4")
        for _ in range(4):
            alice.stroke((1200, 1200), (1230, 1200), (1200, 1210))
        alice.settle()
        wait_until(
            lambda: all(
                abs(seen - meant) < 12
                for seen, meant in zip(alice.visible_pixel(1212, 1204), alice.pixel(1212, 1204), strict=True)
            ),
            what="the ink on the screen",
        )
        assert alice.pixel(1212, 1204) != [255, 255, 255]

    def test_has_the_colour_and_size_that_were_chosen(self, visit: Visit, quiet_server: Server) -> None:
        alice = visit(quiet_server.url)
        alice.page.get_by_label("Any colour").fill("#123456")
        alice.page.get_by_label("Brush size").fill("100")
        for _ in range(12):
            alice.stroke((200, 1300))
        alice.settle()
        assert alice.pixel(200, 1300) == pytest.approx([0x12, 0x34, 0x56], abs=3)
        assert alice.pixel(200 + 40, 1300) != [255, 255, 255]
        assert alice.pixel(200 + 63, 1300) == [255, 255, 255]

    def test_is_there_for_who_comes_later(self, visit: Visit, quiet_server: Server) -> None:
        alice = visit(quiet_server.url)
        alice.stroke((600, 1000), (800, 1000))
        alice.settle()
        assert same_picture(visit(quiet_server.url), alice)


class TestDream:
    def test_changes_both_pages_alike(self, visit: Visit, server: Server) -> None:
        alice, bob = visit(server.url), visit(server.url)
        alice.stroke((400, 400), (1100, 1100), (400, 1100))
        alice.settle()
        before = alice.picture()
        seen: dict[int, str] = {}

        def both_saw_one() -> bool:
            ours, theirs = alice.picture(), bob.picture()
            seen[ours["dream"]] = ours["hash"]
            return theirs["dream"] > before["dream"] and seen.get(theirs["dream"]) == theirs["hash"]

        wait_until(both_saw_one, timeout=60, what="a dream that both pages show alike")
        assert before["hash"] != bob.picture()["hash"]
        expect(alice.page.locator("#dream")).to_contain_text(re.compile("dreaming of .+|it dreams again"))

    def test_is_not_fetched_while_the_page_is_hidden(self, visit: Visit, server: Server) -> None:
        alice = visit(server.url)
        fetched: list[str] = []
        alice.page.on("request", lambda request: fetched.append(request.url))
        alice.page.evaluate(
            """() => {
                Object.defineProperty(document, "hidden", { value: true, configurable: true });
                document.dispatchEvent(new Event("visibilitychange"));
            }"""
        )
        alice.stroke((300, 300), (600, 300))
        alice.page.wait_for_timeout(200)
        fetched.clear()
        bob = visit(server.url)
        bob.wait_for("Number(data.dream) > argument", int(bob.state("dream")) + 2)
        assert [url for url in fetched if "/dreams/" in url] == []
        alice.page.evaluate(
            "() => { delete document.hidden; document.dispatchEvent(new Event('visibilitychange')); }"
        )
        alice.wait_for("Number(data.dream) >= argument", int(bob.state("dream")))


class TestConnection:
    def test_comes_back_after_a_restart_and_ink_arrives_once(self, visit: Visit, data_dir: Path) -> None:
        with Server(data_dir, "--no-dream") as server:
            alice, bob = visit(server.url), visit(server.url)
            alice.stroke((300, 300), (500, 300))
            alice.settle()
            before = alice.seq
            server.stop()
            alice.wait(connection="offline")
            expect(alice.page.locator("#notice")).to_contain_text("The server is restarting")
            alice.stroke((300, 500), (900, 700))
            alice.wait_for("Number(data.waiting) > 10")
            waiting = int(alice.state("waiting"))
            expect(alice.page.locator("#notice")).to_contain_text(f"{waiting} dabs")
            drawn = alice.picture()["hash"]
            server.start()
            alice.settle()
            bob.wait(seq=before + waiting)
            assert alice.seq == before + waiting
            assert alice.picture()["hash"] == bob.picture()["hash"] == drawn
            expect(alice.page.locator("#notice")).to_be_hidden()
            expect(alice.page.locator("#toast")).to_contain_text("Back again")

    def test_lost_while_drawing_loses_and_doubles_nothing(self, visit: Visit, data_dir: Path) -> None:
        with Server(data_dir, "--no-dream") as server:
            alice = visit(server.url)
            for i in range(2):
                alice.page.mouse.move(*alice.on_screen(200, 200 + 300 * i))
                alice.page.mouse.down()
                alice.page.mouse.move(*alice.on_screen(1300, 260 + 300 * i), steps=20)
                server.kill()
                alice.page.mouse.move(*alice.on_screen(200, 300 + 300 * i), steps=20)
                alice.page.mouse.up()
                server.start()
                alice.settle()
            png = canvas_png(server)
            for x in range(150, 1350, 61):
                for y in range(150, 1000, 47):
                    assert tuple(alice.pixel(x, y)) == png.getpixel((x, y))

    def test_counts_who_is_there(self, visit: Visit, data_dir: Path) -> None:
        with Server(data_dir, "--no-dream") as server:
            alice = visit(server.url)
            here = alice.page.locator("#here")
            expect(here).to_have_text("Just you here")
            bob = visit(server.url)
            expect(here).to_have_text("2 here")
            bob.page.close()
            expect(here).to_have_text("Just you here")


class TestView:
    def test_zooms_by_the_wheel_about_the_pointer(self, visit: Visit, quiet_server: Server) -> None:
        alice = visit(quiet_server.url)
        at = alice.on_screen(400, 400)
        scale = alice.on_screen(500, 400)[0] - at[0]
        alice.page.mouse.move(*at)  # whole pixels, hence the tolerance
        alice.page.mouse.wheel(0, -500)
        alice.wait(fit="false")
        assert alice.on_screen(400, 400) == pytest.approx(at, abs=2)
        assert alice.on_screen(500, 400)[0] - at[0] > scale * 1.5
        alice.page.keyboard.press("0")
        assert alice.on_screen(400, 400) == pytest.approx(at, abs=0.01)

    def test_pans_with_the_space_bar_and_does_not_draw(self, visit: Visit, quiet_server: Server) -> None:
        alice = visit(quiet_server.url)
        before, seq = alice.on_screen(700, 700), alice.seq
        alice.page.keyboard.down(" ")
        alice.page.mouse.move(700, 400)
        alice.page.mouse.down()
        alice.page.mouse.move(790, 340, steps=5)
        alice.page.mouse.up()
        alice.page.keyboard.up(" ")
        assert alice.on_screen(700, 700) == pytest.approx((before[0] + 90, before[1] - 60), abs=0.01)
        assert (alice.state("waiting"), alice.seq) == ("0", seq)

    def test_keeps_the_canvas_clear_of_the_bars(self, visit: Visit, quiet_server: Server) -> None:
        alice = visit(quiet_server.url)
        alice.page.evaluate(  # as long as they get
            "() => { document.getElementById('dream').textContent = 'dreaming of Beads and spheres'; }"
        )
        sizes = [(1440, 900), (1440, 880), (1000, 560), (1000, 520)]
        sizes += [(1024, 768), (844, 390), (390, 844), (768, 1024), (360, 640)]
        for width, height in sizes:
            alice.page.set_viewport_size({"width": width, "height": height})
            alice.page.wait_for_function(
                "([width, height]) => { const c = document.querySelector('#canvas');"
                " return c.width === width && c.height === height; }",
                arg=[width, height],
            )
            left, top = alice.on_screen(0, 0)
            right, bottom = alice.on_screen(1536, 1536)
            assert 0 <= left < right <= width
            assert 0 <= top < bottom <= height
            boxes = {bar: alice.page.locator(bar).bounding_box() for bar in ("#head", "#tools")}
            head, tools = boxes["#head"], boxes["#tools"]
            assert head is not None
            assert tools is not None
            assert head["y"] + head["height"] <= tools["y"], (width, height, boxes)
            assert tools["y"] + tools["height"] <= height, (width, height, boxes)
            for bar, box in boxes.items():
                assert box is not None
                beside = box["x"] + box["width"] <= left or box["x"] >= right
                above = box["y"] + box["height"] <= top or box["y"] >= bottom
                assert beside or above, (width, height, bar)


class TestTouch:
    def test_one_finger_draws(self, visit: Visit, quiet_server: Server) -> None:
        alice = visit(quiet_server.url, **PHONE)
        before = alice.seq
        x, y = alice.on_screen(300, 900)
        alice.touch("touchStart", [(x, y)])
        for i in range(1, 11):
            alice.touch("touchMove", [(x + 12 * i, y + 6 * i)])
        alice.touch("touchEnd", [])
        alice.wait_for("Number(data.seq) > argument + 10", before)
        alice.settle()
        assert alice.pixel(300, 900) != [255, 255, 255]

    def test_two_fingers_move_and_zoom_and_leave_no_ink(self, visit: Visit, quiet_server: Server) -> None:
        alice = visit(quiet_server.url, **PHONE)
        picture = alice.picture()
        first, second = (150.0, 400.0), (250.0, 400.0)
        middle = alice.page.evaluate("() => dreamcanvas.toScreen(0, 0)")
        alice.touch("touchStart", [first, second])
        for i in range(1, 11):
            alice.touch("touchMove", [(150 - 5 * i, 400 + 8 * i), (250 + 5 * i, 400 + 8 * i)])
        alice.touch("touchEnd", [])
        alice.wait(fit="false")
        left, top = alice.on_screen(0, 0)
        # The distance has doubled; what was between the fingers is 80 pixels further down.
        assert left == pytest.approx(200 + 2 * (middle["x"] - 200), abs=1)
        assert top == pytest.approx(480 + 2 * (middle["y"] - 400), abs=1)
        alice.settle()
        assert alice.picture() == picture
        alice.page.get_by_role("button", name="Show the whole canvas").click()
        assert alice.on_screen(0, 0) == pytest.approx((middle["x"], middle["y"]), abs=0.01)
