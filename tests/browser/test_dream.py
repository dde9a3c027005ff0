"""The dream, made visible: what came when, what was before, what became of a place."""

import re
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.test_page import PHONE
from tests.browser.visitor import Visitor
from tests.history.killer import MarkedServer
from tests.live_server import Server, wait_until


def screen_at(visitor: Visitor) -> bytes:
    """What can be seen of the canvas' middle."""
    (left, top), (right, bottom) = visitor.on_screen(300, 300), visitor.on_screen(1200, 1200)
    clip = {"x": left, "y": top, "width": right - left, "height": bottom - top}
    return visitor.page.screenshot(clip=clip)  # type: ignore[arg-type]


class TestNews:
    def test_say_what_is_dreamt_and_how_long_ago(self, visit: Visit, server: Server) -> None:
        alice = visit(server.url)
        alice.wait_for("Number(data.dream) >= argument", int(alice.state("dream")) + 1)
        expect(alice.page.locator("#dream")).to_have_text(re.compile("^dreaming of .+"))
        expect(alice.page.locator("#ago")).to_have_text(re.compile(r"^\d+ s ago$"))

    def test_come_with_a_ring_that_counts_down(self, visit: Visit, server: Server) -> None:
        alice = visit(server.url)
        alice.page.wait_for_function(
            """() => {
                const { visibility, strokeDasharray } = document.getElementById("rest").style;
                const share = parseFloat(strokeDasharray);
                const less = visibility === "visible" && share < window.seen;
                window.seen = share;
                return less && share > 0;
            }""",
            timeout=30_000,
        )


class TestWhitePaper:
    def test_waits_for_the_first_stroke_and_says_so(self, visit: Visit, data_dir: Path) -> None:
        with MarkedServer(data_dir, "--dream-interval", "0.5", "--no-movies") as server:
            alice = visit(server.url)
            expect(alice.page.locator("#dream")).to_have_text("it dreams once someone draws")
            expect(alice.page.locator("#ago")).to_have_text("")
            expect(alice.page.locator("#rest")).to_be_hidden()
            assert alice.state("dream") == "0"
            alice.stroke((300, 300), (500, 400))
            expect(alice.page.locator("#dream")).to_have_text(re.compile("^dreaming of .+"))
            alice.wait_for("Number(data.dream) >= 2")


class TestFade:
    def test_lets_the_present_dream_through_by_and_by(self, visit: Visit, server: Server) -> None:
        alice = visit(server.url)
        alice.page.evaluate(
            """() => {
                const veil = document.getElementById("veil");
                window.fades = [];
                const watch = () => {
                    const fade = veil.getAnimations()[0];
                    const { opacity } = getComputedStyle(veil);
                    if (!veil.hidden && fade) window.fades.push([fade.currentTime, opacity]);
                    requestAnimationFrame(watch);
                };
                watch();
            }"""
        )
        alice.wait_for("Number(data.dream) >= argument", int(alice.state("dream")) + 2)
        alice.page.wait_for_function(
            "() => window.fades.length > 2 && document.getElementById('veil').hidden"
        )
        fades: list[tuple[float, str]] = alice.page.evaluate("() => window.fades")
        assert any(0 < float(opacity) < 1 for _, opacity in fades)
        assert all(0 <= time <= 500 for time, _ in fades)


class TestBefore:
    def test_is_seen_while_the_button_or_the_key_is_held(self, visit: Visit, server: Server) -> None:
        alice = visit(server.url, reduced_motion="reduce")
        alice.wait_for("Number(data.dream) >= argument", int(alice.state("dream")) + 2)
        button = alice.page.get_by_role("button", name="Before the dream")
        expect(button).to_be_enabled()
        network = alice.page.context
        network.set_offline(True)  # no other dream comes in between
        alice.wait(phase="offline")
        button.hover()
        now = screen_at(alice)
        alice.page.mouse.down()
        alice.page.wait_for_function("document.documentElement.dataset.back === 'true'")
        wait_until(lambda: screen_at(alice) != now, what="the picture before the dream")
        before = screen_at(alice)
        alice.page.mouse.up()
        wait_until(lambda: screen_at(alice) == now, what="the present picture")
        alice.page.keyboard.down("b")
        wait_until(lambda: screen_at(alice) == before, what="the picture before the dream, by the key")
        alice.page.keyboard.up("b")
        wait_until(lambda: screen_at(alice) == now, what="the present picture")
        network.set_offline(False)
        alice.wait(phase="live")


class TestStory:
    def test_of_a_place_shows_it_in_each_of_the_last_dreams(self, visit: Visit, server: Server) -> None:
        alice = visit(server.url)
        alice.wait_for("Number(data.dream) >= 4")
        before = alice.seq
        alice.page.get_by_role("button", name="Story of a place").click()
        alice.page.mouse.click(*alice.on_screen(900, 600))
        panel = alice.page.get_by_role("region", name="The story of this place")
        expect(panel).to_have_attribute("data-state", "live")
        words = alice.page.locator("#story-words")
        expect(words).to_have_text(re.compile(r"^Dream [\d,]+ · .+ · \d+ s ago$"))
        slider = alice.page.get_by_role("slider", name="Dream")
        count = int(slider.get_attribute("max") or "0") + 1
        assert count >= 4
        newest = words.inner_text()
        alice.page.wait_for_function(
            """() => {
                const shown = document.getElementById("story-picture");
                const empty = document.createElement("canvas");
                [empty.width, empty.height] = [shown.width, shown.height];
                return shown.toDataURL() !== empty.toDataURL();
            }"""
        )
        picture = "() => document.getElementById('story-picture').toDataURL()"
        now = alice.page.evaluate(picture)
        slider.fill("0")
        expect(words).not_to_have_text(newest)
        wait_until(lambda: alice.page.evaluate(picture) != now, what="the place as it was")
        link = panel.get_by_role("link", name="See this moment in the history")
        assert re.fullmatch(r"/history#\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", link.get_attribute("href") or "")
        alice.page.keyboard.press("Escape")
        expect(panel).to_be_hidden()
        assert alice.seq == before

    def test_is_told_on_a_telephone_too(self, visit: Visit, server: Server) -> None:
        alice = visit(server.url, **PHONE)
        alice.wait_for("Number(data.dream) >= 2")
        alice.page.get_by_role("button", name="Story of a place").tap()
        alice.page.touchscreen.tap(*alice.on_screen(500, 500))
        panel = alice.page.get_by_role("region", name="The story of this place")
        expect(panel).to_have_attribute("data-state", "live")
        alice.page.touchscreen.tap(*alice.on_screen(900, 900))  # another place
        expect(panel).to_have_attribute("data-state", "live")
        panel.get_by_role("button", name="Close").tap()
        expect(panel).to_be_hidden()


class TestPictures:
    def test_come_in_half_the_size_where_the_screen_shows_no_more(self, visit: Visit, server: Server) -> None:
        alice = visit(server.url, **PHONE)
        asked: list[str] = []
        alice.page.on("request", lambda request: asked.append(request.url))
        alice.wait_for("Number(data.dream) >= argument", int(alice.state("dream")) + 2)
        dreams = [url for url in asked if "/dreams/" in url]
        assert dreams
        assert all(url.endswith("-768.jpg") for url in dreams)
        asked.clear()
        alice.page.goto(f"{server.url}/#700,700,1.5")
        alice.wait(phase="live")
        alice.wait_for("Number(data.dream) >= argument", int(alice.state("dream")) + 1)
        assert any(re.search(r"/dreams/\d+\.jpg$", url) for url in asked)
