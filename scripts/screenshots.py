"""Takes the pages' pictures: python scripts/screenshots.py [-o DIR] [--dreams N] [--history DATA].

Starts a server of its own on an empty canvas, draws a picture with the mouse, lets it be dreamt N times, and
photographs the page as a desktop and as a phone, in its states, and then the history page with its dreams.
Of a data directory with a longer past it photographs the history page alone. For docs/screenshots, and for
looking at.
"""

import argparse
import math
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.browser.visitor import Point, Visitor, chromium
from tests.live_server import Server

SCREENS: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1440, "height": 900}},
    "phone": {
        "viewport": {"width": 390, "height": 844},
        "device_scale_factor": 2,
        "has_touch": True,
        "is_mobile": True,
    },
    "phone-landscape": {
        "viewport": {"width": 844, "height": 390},
        "device_scale_factor": 2,
        "has_touch": True,
        "is_mobile": True,
    },
    "tablet": {"viewport": {"width": 1024, "height": 768}},
}


def strokes() -> Iterator[tuple[str, int, list[Point]]]:
    """A hill by the sea under a sun: the key of the colour, the slider's place, the points."""
    for i in range(7):
        level = 900 + 90 * i
        yield "5", 100, [(float(x), level + 26 * math.sin(x / 110 + i * 1.7)) for x in range(0, 1600, 64)]
    for i in range(5):
        points = [
            (float(x), 1080 - 60 * i * math.sin(math.pi * (x + 100) / 900)) for x in range(-60, 820, 44)
        ]
        yield "4", 96, points
    for radius in (30, 75, 120, 165):
        circle = [(1090 + radius * math.cos(t / 5), 400 + radius * math.sin(t / 5)) for t in range(34)]
        yield "3", 92, circle
    for i in range(9):
        angle = math.tau * i / 9
        ray = [(1090 + r * math.cos(angle), 400 + r * math.sin(angle)) for r in (230, 270, 310, 340)]
        yield "2", 64, ray
    for x, y in ((330, 330), (520, 250), (690, 360)):
        yield "6", 70, [(x - 90, y), (x - 45, y - 50), (x, y), (x + 45, y - 50), (x + 90, y)]
    yield "1", 45, [(420, 800), (420, 640), (340, 560), (420, 640), (510, 540)]


def draw(visitor: Visitor) -> None:
    for key, slider, points in strokes():
        visitor.page.keyboard.press(key)
        visitor.page.get_by_label("Brush size").fill(str(slider))
        mouse = visitor.page.mouse
        mouse.move(*visitor.on_screen(*points[0]))
        mouse.down()
        for point in points[1:]:
            mouse.move(*visitor.on_screen(*point))
        mouse.up()
    visitor.settle()


def visit(browser: Browser, url: str, screen: str, **context: object) -> Visitor:
    page: Page = browser.new_context(**{**SCREENS[screen], "color_scheme": "dark", **context}).new_page()
    page.goto(url)
    visitor = Visitor(page)
    visitor.wait(phase="live")
    return visitor


def photograph(visitor: Visitor, path: Path) -> None:
    visitor.page.screenshot(path=path, type="jpeg", quality=85)


def photograph_states(browser: Browser, server: Server, output: Path) -> None:
    """What can be opened on the page, the host's page, and the page in light colours and in German."""
    url, token = server.url, (server.data_dir / "admin-token").read_text(encoding="utf-8").strip()
    for screen in ("desktop", "phone"):
        visitor = visit(browser, url, screen)
        page = visitor.page
        page.get_by_role("button", name="Story of a place").click()
        page.mouse.click(*visitor.on_screen(1060, 420))
        page.wait_for_selector("#story-panel[data-state=live]")
        page.wait_for_timeout(2500)
        photograph(visitor, output / f"{screen}-story.jpg")
        page.get_by_role("button", name="Close").click()
        page.get_by_role("button", name="Another palette").click()
        page.wait_for_timeout(300)
        photograph(visitor, output / f"{screen}-palettes.jpg")
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Settings").click()
        page.wait_for_timeout(300)
        photograph(visitor, output / f"{screen}-settings.jpg")
        page.keyboard.press("Escape")
        page.goto(f"{url}/#1060,420,{1.6 if screen == 'desktop' else 0.8}")
        visitor.wait(phase="live")
        page.wait_for_timeout(900)
        photograph(visitor, output / f"{screen}-zoomed.jpg")
        page.goto(f"{url}/about")
        page.wait_for_timeout(600)
        photograph(visitor, output / f"{screen}-about.jpg")
        page.goto(f"{url}/admin")
        page.get_by_label("The host’s token").fill(token)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_timeout(1200)
        photograph(visitor, output / f"{screen}-admin.jpg")
        page.context.close()
        visitor = visit(browser, url, screen, color_scheme="light", locale="de-DE")
        visitor.page.wait_for_timeout(900)
        photograph(visitor, output / f"{screen}-light-german.jpg")
        visitor.page.context.close()


def photograph_history(browser: Browser, url: str, output: Path) -> None:
    """A day's movies, and one of them in the player; or, where there is no movie yet, what is recorded."""
    for screen in ("desktop", "phone", "phone-landscape"):
        page = visit(browser, f"{url}/history", screen).page
        page.wait_for_selector(".card img")
        page.wait_for_timeout(1500)  # the posters
        if screen != "phone-landscape":
            page.screenshot(path=output / f"{screen}-history.jpg", type="jpeg", quality=85)
        movies = page.locator(".card[data-state=ENCODED]")
        (movies if movies.count() else page.locator(".card")).first.click()
        page.wait_for_selector("#player[data-state=playing]")
        page.wait_for_timeout(900)
        page.keyboard.press(" ")
        page.wait_for_selector("#player[data-state=paused][data-waiting=false]")
        page.evaluate("() => document.activeElement.blur()")
        page.wait_for_timeout(600)
        page.screenshot(path=output / f"{screen}-player.jpg", type="jpeg", quality=85)
        page.context.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, default=Path("docs/screenshots"))
    parser.add_argument("--dreams", type=int, default=6)
    parser.add_argument("--history", type=Path, metavar="DATA", help="only the past of this data directory")
    arguments = parser.parse_args()
    output: Path = arguments.output
    output.mkdir(parents=True, exist_ok=True)
    if arguments.history is not None:
        with Server(arguments.history, "--no-dream") as server, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
            photograph_history(browser, server.url, output)
            browser.close()
        return
    with (
        tempfile.TemporaryDirectory() as data,
        Server(Path(data), "--dream-interval", "1") as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        visitors = {name: visit(browser, server.url, name) for name in SCREENS}
        for name in ("desktop", "phone", "tablet"):
            photograph(visitors[name], output / f"{name}-empty.jpg")
        artist = visitors["desktop"]
        draw(artist)
        dreams = int(artist.state("dream")) + arguments.dreams
        for name, visitor in visitors.items():
            visitor.wait_for("Number(data.dream) >= argument", dreams)
            visitor.page.wait_for_timeout(900)  # the cross-fade
            photograph(visitor, output / f"{name}.jpg")
        photograph_states(browser, server, output)
        server.kill()
        for name in ("desktop", "phone"):
            visitors[name].wait(connection="offline")
            visitors[name].page.wait_for_timeout(300)
        artist.page.keyboard.press("2")
        artist.stroke((240, 1300), (600, 1240), (900, 1330))
        for name in ("desktop", "phone"):
            photograph(visitors[name], output / f"{name}-offline.jpg")
        server.start()
        artist.settle()
        artist.page.wait_for_selector("#toast:visible")
        photograph(artist, output / "desktop-back.jpg")
        photograph_history(browser, server.url, output)
        browser.close()


if __name__ == "__main__":
    main()
