"""Somebody at a page: looks at its state, draws on its canvas."""

import shutil
from collections.abc import Sequence
from typing import TypedDict

from playwright.sync_api import CDPSession, Page

Point = tuple[float, float]


class Picture(TypedDict):
    """What a page shows, and the version that it is."""

    hash: str
    dream: int
    seq: int


def chromium() -> str | None:
    """The system's browser; None where there is none, which makes Playwright look for its own."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((path for path in map(shutil.which, names) if path), None)


class Visitor:
    def __init__(self, page: Page) -> None:
        self.page = page
        self._devtools: CDPSession | None = None

    def wait(self, **state: str | int) -> None:
        """Waits until the page's data attributes say this."""
        wanted = "".join(f"[data-{name}='{value}']" for name, value in state.items())
        self.page.wait_for_selector(f"html{wanted}", state="attached", timeout=30_000)

    def wait_for(self, condition: str, argument: object = None) -> None:
        """Waits until a function of the data attributes, in JavaScript, is true."""
        self.page.wait_for_function(
            f"argument => ((data, argument) => {condition})(document.documentElement.dataset, argument)",
            arg=argument,
            timeout=60_000,
        )

    def state(self, name: str) -> str:
        value: str = self.page.evaluate("name => document.documentElement.dataset[name]", name)
        return value

    @property
    def seq(self) -> int:
        return int(self.state("seq"))

    def picture(self) -> Picture:
        seen: Picture = self.page.evaluate(
            """() => {
                const { dream, seq } = document.documentElement.dataset;
                return { hash: dreamcanvas.replicaHash(), dream: Number(dream), seq: Number(seq) };
            }"""
        )
        return seen

    def pixel(self, x: int, y: int) -> list[int]:
        colour: list[int] = self.page.evaluate("([x, y]) => dreamcanvas.pixel(x, y)", [x, y])
        return colour

    def visible_pixel(self, x: int, y: int) -> list[int]:
        """Red, green and blue on the screen where the middle of a canvas pixel is."""
        colour: list[int] = self.page.evaluate(
            """([x, y]) => {
                const canvas = document.getElementById("canvas");
                const at = dreamcanvas.toScreen(x + 0.5, y + 0.5);
                const density = canvas.width / canvas.clientWidth;
                const context = canvas.getContext("2d");
                return [...context.getImageData(at.x * density, at.y * density, 1, 1).data.slice(0, 3)];
            }""",
            [x, y],
        )
        return colour

    def on_screen(self, x: float, y: float) -> Point:
        """Where on the page a place of the canvas is."""
        at = self.page.evaluate("([x, y]) => dreamcanvas.toScreen(x, y)", [x, y])
        return at["x"], at["y"]

    def stroke(self, *points: Point) -> None:
        """Draws with the mouse through places of the canvas."""
        mouse = self.page.mouse
        mouse.move(*self.on_screen(*points[0]))
        mouse.down()
        for point in points[1:]:
            mouse.move(*self.on_screen(*point), steps=6)
        mouse.up()
        self.next_frame()

    def next_frame(self) -> None:
        """Waits until the page has drawn, and told of, what the mouse, pen or fingers did just now."""
        self.page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))")

    def settle(self) -> None:
        """Waits until the server has acknowledged all that was drawn."""
        self.next_frame()
        self.wait(waiting=0, phase="live")

    def touch(self, kind: str, points: Sequence[Point]) -> None:
        """A touch event: `touchStart`, `touchMove` or `touchEnd`, with the fingers' places on the page."""
        if self._devtools is None:
            self._devtools = self.page.context.new_cdp_session(self.page)
        fingers = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)]
        self._devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})
