"""Two people who draw, take back and lose their connection in turn, by a seed."""

import io
import random
import time
from dataclasses import dataclass

from PIL import Image

from tests.browser.visitor import Visitor
from tests.live_server import Server, wait_until

SIDE = 1536


@dataclass
class Tally:
    """What the two did."""

    strokes: int = 0
    undone: int = 0
    outages: int = 0


def play(visitors: list[Visitor], *, seconds: float, seed: int) -> Tally:
    """Has the two draw for a while; at the end both are online, and all that they drew has arrived."""
    rng = random.Random(seed)
    tally = Tally()
    until = time.monotonic() + seconds
    while time.monotonic() < until or not (tally.undone and tally.outages):
        visitor = rng.choice(visitors)
        _act(visitor, rng, tally)
    for visitor in visitors:
        visitor.page.context.set_offline(False)
    for visitor in visitors:
        visitor.settle()
    return tally


def _act(visitor: Visitor, rng: random.Random, tally: Tally) -> None:
    what = rng.random()
    if what < 0.6:
        visitor.page.keyboard.press(str(rng.randint(1, 7)))
        here = (rng.randint(60, 1470), rng.randint(60, 1470))
        points = [(here[0] + rng.randint(-300, 300), here[1] + rng.randint(-300, 300)) for _ in range(3)]
        visitor.stroke(here, *points)
        tally.strokes += 1
    elif what < 0.8:
        if visitor.page.locator("#undo").is_enabled():
            visitor.page.keyboard.press("Control+z")
            tally.undone += 1
    elif what < 0.9:
        visitor.page.context.set_offline(True)
        visitor.wait(phase="offline")
        tally.outages += 1
    else:
        visitor.page.context.set_offline(False)
    visitor.page.wait_for_timeout(rng.randint(0, 200))


def agree(visitors: list[Visitor]) -> None:
    """Both pages come to show the same operations and, on the same base, the same pixels."""

    def alike() -> bool:
        first, *others = [visitor.picture() for visitor in visitors]
        return all(first == other for other in others)

    wait_until(alike, timeout=60, what="the same picture on both pages")


def equals_the_server(visitor: Visitor, server: Server) -> None:
    """Where it has not dreamt, base and pixels are the server's, to the bit."""
    png = Image.open(io.BytesIO(server.png())).convert("RGB")
    seen: list[list[int]] = visitor.page.evaluate(
        """step => {
            const found = [];
            for (let y = 0; y < 1536; y += step)
              for (let x = 0; x < 1536; x += step) found.push([x, y, ...dreamcanvas.pixel(x, y)]);
            return found;
        }""",
        7,
    )
    wrong = [(x, y) for x, y, *rgb in seen if tuple(rgb) != png.getpixel((x, y))]
    assert len(seen) == len(range(0, SIDE, 7)) ** 2
    assert wrong == []
