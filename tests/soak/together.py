"""Two people who draw, take back and lose their connection in turn, for minutes, in Chromium.

python -m tests.soak.together [--minutes 10] [--seed 1]
"""

import argparse
import tempfile
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser import together
from tests.browser.visitor import Visitor, chromium
from tests.live_server import Server


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    until, seed, total = time.monotonic() + 60 * arguments.minutes, arguments.seed, together.Tally()
    with tempfile.TemporaryDirectory() as data, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        with Server(Path(data), "--no-dream") as server:
            contexts = [browser.new_context(viewport={"width": 1440, "height": 900}) for _ in range(2)]
            visitors = [Visitor(context.new_page()) for context in contexts]
            for visitor in visitors:
                visitor.page.goto(server.url)
                visitor.wait(phase="live")
            while time.monotonic() < until:
                tally = together.play(visitors, seconds=20, seed=seed)
                together.agree(visitors)
                together.equals_the_server(visitors[0], server)
                total.strokes += tally.strokes
                total.undone += tally.undone
                total.outages += tally.outages
                print(f"seed {seed}: equal at operation {visitors[0].seq}", flush=True)
                seed += 1
        browser.close()
    print(f"{total.strokes} strokes, {total.undone} taken back, {total.outages} outages: always equal")


if __name__ == "__main__":
    main()
