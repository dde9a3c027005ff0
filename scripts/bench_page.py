"""How smoothly the page draws while others do: python scripts/bench_page.py [--people 50] [--seconds 10].

Starts a server that dreams, has so many people draw at 25 dabs/s each, and draws with the mouse in Chromium,
whose processor is slowed by each factor in turn. Printed are the frames a second that the page could draw,
the share of the screen's frames that were dropped, and the time until ink of one's own is on the screen (from
the pointer's event to the next frame that was drawn). Then the page is loaded anew over an emulated 4G line:
bytes, and seconds until one can draw.
"""

import argparse
import math
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.browser.visitor import Visitor, chromium
from tests.live_server import Server

FOUR_G = {"offline": False, "latency": 60, "downloadThroughput": 9e6 / 8, "uploadThroughput": 3e6 / 8}
"""Chromium's `Fast 4G` in bytes a second, and milliseconds."""

WATCH = """() => {
    const seen = { frames: [], ink: [] };
    window.seen = seen;
    let last = performance.now();
    const frame = now => { seen.frames.push(now - last); last = now; requestAnimationFrame(frame); };
    requestAnimationFrame(frame);
    document.getElementById("stage").addEventListener("pointermove", event => {
        const at = event.timeStamp;
        requestAnimationFrame(() => seen.ink.push(performance.now() - at));
    });
}"""


def visit(browser: Browser, url: str) -> tuple[Visitor, CDPSession]:
    page: Page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.goto(url)
    visitor = Visitor(page)
    visitor.wait(phase="live")
    return visitor, page.context.new_cdp_session(page)


def draw(visitor: Visitor, seconds: float) -> None:
    """Draws loops with the mouse."""
    mouse, started, step = visitor.page.mouse, time.monotonic(), 0
    left, top = visitor.on_screen(0, 0)  # asked once: the page would have to answer for each step
    scale = (visitor.on_screen(1536, 0)[0] - left) / 1536
    mouse.move(left + 768 * scale, top + 768 * scale)
    mouse.down()
    while time.monotonic() - started < seconds:
        step += 1
        radius = 300 + 150 * math.sin(step / 40)
        x, y = 768 + radius * math.cos(step / 9), 768 + radius * math.sin(step / 9)
        mouse.move(left + x * scale, top + y * scale)
    mouse.up()


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else math.nan


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=10)
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as data,
        Server(Path(data), "--no-rate-limits") as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        visitor, devtools = visit(browser, server.url)
        print(f"{'':24}{'frames/s':>10}{'dropped':>10}{'p95 ms':>10}{'ink p50 ms':>12}{'ink p95 ms':>12}")
        for people in (0, arguments.people):
            crowd = _crowd(server, people, 3 * arguments.seconds + 15) if people else None
            for slowdown in (1, 4):
                devtools.send("Emulation.setCPUThrottlingRate", {"rate": slowdown})
                visitor.page.evaluate(WATCH)
                draw(visitor, arguments.seconds)
                seen: dict[str, list[float]] = visitor.page.evaluate("() => window.seen")
                frames = seen["frames"][1:]
                dropped = sum(max(0, round(each / (1000 / 60)) - 1) for each in frames)
                print(
                    f"{people:3} others, processor/{slowdown:<4}{1000 * len(frames) / sum(frames):10.1f}"
                    f"{dropped / (len(frames) + dropped):10.1%}{percentile(frames, 0.95):10.1f}"
                    f"{percentile(seen['ink'], 0.5):12.1f}{percentile(seen['ink'], 0.95):12.1f}"
                )
            devtools.send("Emulation.setCPUThrottlingRate", {"rate": 1})
            if crowd is not None:
                crowd.terminate()
                crowd.wait()
        _load(browser, server.url)
        browser.close()


def _crowd(server: Server, people: int, seconds: float) -> "subprocess.Popen[bytes]":
    script = Path(__file__).with_name("loadtest.py")
    return subprocess.Popen(
        [
            *(sys.executable, str(script), server.ws_url, "--painters", str(people), "--watchers", "0"),
            *("--rate", "25", "--seconds", str(round(seconds)), "--quiet"),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _load(browser: Browser, url: str) -> None:
    page = browser.new_context(viewport={"width": 390, "height": 844}, device_scale_factor=2).new_page()
    devtools = page.context.new_cdp_session(page)
    devtools.send("Network.enable")
    devtools.send("Network.emulateNetworkConditions", FOUR_G)
    sizes: dict[str, float] = {}
    kinds: dict[str, str] = {}

    def answered(event: Any) -> None:
        kinds[event["requestId"]] = "picture" if event["type"] in ("Image", "Fetch") else "page"

    devtools.on("Network.responseReceived", answered)
    devtools.on(
        "Network.loadingFinished",
        lambda event: sizes.update({event["requestId"]: event["encodedDataLength"]}),
    )
    started = time.monotonic()
    page.goto(url, wait_until="commit")
    page.wait_for_selector("html[data-connection=open]", state="attached")
    drawable = time.monotonic() - started
    page.wait_for_selector("html[data-phase=live]", state="attached")
    live = time.monotonic() - started
    page.wait_for_timeout(500)
    total = {
        kind: sum(size for request, size in sizes.items() if kinds.get(request) == kind)
        for kind in ("page", "picture")
    }
    print(
        f"4G: {total['page'] / 1000:.0f} kB of page, {total['picture'] / 1000:.0f} kB of picture; "
        f"one can draw after {drawable:.2f} s, with the picture there after {live:.2f} s"
    )


if __name__ == "__main__":
    main()
