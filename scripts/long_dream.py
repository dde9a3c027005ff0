"""Lets a drawing dream its own dreams for hundreds of cycles: `.venv/bin/python scripts/long_dream.py`.

Nobody draws meanwhile. The styles come and pass into one another by the server's timetable; each dream is
dreamt and encoded by the server's worker, and measured. Writes OUTPUT.json (the figures of each cycle),
OUTPUT.svg (a plot) and OUTPUT.jpg (a contact sheet), says which of the limits that a canvas should keep were
not kept, and then ends with status 1.

With --ink two houses, of thin and of broad lines, are drawn on the canvas after that many cycles and dreamt
on as the server does with fresh ink; the sheet shows how they are taken up, and how readable they are.
"""

import argparse
import io
import json
import os
import random
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO, cast
from xml.sax.saxutils import escape

import numpy as np
import psutil
from contact_sheet import QUALITY, Moment, drawing, sheet
from figures import Figures, Likeness, change, compare, measure
from ink_houses import Houses
from PIL import Image

from dreamcanvas.config import Config
from dreamcanvas.dream.dreamer import DreamRequest
from dreamcanvas.dream.engine import Pixels
from dreamcanvas.dream.network import DEFAULT_NETWORK, NETWORKS, network_info
from dreamcanvas.dream.picture_file import read_picture
from dreamcanvas.dream.precision import PRECISIONS
from dreamcanvas.dream.schedule import Plan, Programme
from dreamcanvas.dream.styles import Style, load_styles
from dreamcanvas.process import Frame, read_frame, write_frame

LATER = 30
"""Cycles after which a picture is compared with itself."""

INK_MOMENTS = (0, 1, 2, 5, 10, 15, 30, 60)
"""Cycles after --ink that the sheet shows."""


@dataclass(frozen=True, slots=True)
class Cycle:
    """What was measured after a dream; rss: the worker's memory, GB; later: the change in `LATER` cycles.

    `likeness` is that with the drawing from which it all began.
    """

    number: int
    style: str
    seconds: float
    rss: float
    change: float
    later: float | None
    figures: Figures
    likeness: Likeness


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel of the plot; the curve is drawn from `low` to at least `high`."""

    title: str
    high: float
    value: Callable[[Cycle], float | None]


PANELS = (
    Panel("Block means: correlation with the drawing", 1, lambda cycle: cycle.likeness.correlation),
    Panel("Block means: spread beside the drawing's", 1, lambda cycle: cycle.likeness.spread),
    Panel("Mean luminance less the drawing's, darker", 60, lambda cycle: -cycle.likeness.brightness),
    Panel("Clipped where the drawing is not white, %", 5, lambda cycle: 100 * cycle.likeness.clipped),
    Panel("Colourfulness (Hasler and Süsstrunk)", 109, lambda cycle: cycle.figures.colour),
    Panel("High-frequency energy, levels", 16, lambda cycle: cycle.figures.detail),
    Panel("Luminance, spread", 64, lambda cycle: cycle.figures.spread),
    Panel("Change per cycle, levels", 16, lambda cycle: cycle.change),
    Panel(f"Change over {LATER} cycles, levels", 64, lambda cycle: cycle.later),
    Panel("Memory of the worker, GB", 2.5, lambda cycle: cycle.rss),
)


@dataclass(frozen=True, slots=True)
class Limit:
    """What a canvas should keep: a figure of the cycles from `first` to `last` that is at least `least`."""

    title: str
    first: int
    last: int
    least: float
    value: Callable[[Cycle], float | None]

    def check(self, cycles: Sequence[Cycle]) -> tuple[bool, str] | None:
        """Say whether it is kept, and how; None where there are not as many cycles."""
        seen = [
            (value, cycle.number)
            for cycle in cycles
            if self.first <= cycle.number <= self.last and (value := self.value(cycle)) is not None
        ]
        if not seen:
            return None
        worst, number = min(seen)
        kept = worst >= self.least
        span = f"cycles {self.first}–{min(self.last, cycles[-1].number)}"
        return kept, f"{'kept' if kept else 'NOT KEPT':9}{self.title}, {span}: {worst:.3f} at cycle {number}"


LIMITS = (
    Limit("spread of block means at least 0.6", 30, 300, 0.6, lambda cycle: cycle.likeness.spread),
    Limit("spread of block means at least 0.5", 301, 500, 0.5, lambda cycle: cycle.likeness.spread),
    Limit("correlation at least 0.9", 1, 100, 0.9, lambda cycle: cycle.likeness.correlation),
    Limit("correlation at least 0.75", 101, 500, 0.75, lambda cycle: cycle.likeness.correlation),
    Limit(f"change over {LATER} dreams at least 8 levels", LATER, 10**9, 8, lambda cycle: cycle.later),
    Limit("clipped at most 1% (as -%)", 30, 10**9, -1, lambda cycle: -100 * cycle.likeness.clipped),
    Limit("luminance within 40 (as -|d|)", 1, 10**9, -40, lambda cycle: -abs(cycle.likeness.brightness)),
)


class Worker:
    """The process that dreams for the server, asked as the server asks it."""

    def __init__(self, network: str, threads: int, precision: str) -> None:
        command = [sys.executable, "-m", "dreamcanvas.dream.worker", "--network", network]
        command += ["--threads", str(threads), "--precision", precision, "--parent", str(os.getpid())]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._stdin = cast(BinaryIO, self._process.stdin)
        self._stdout = cast(BinaryIO, self._process.stdout)
        self._memory = psutil.Process(self._process.pid)
        self._answer()

    def ask(self, request: Frame) -> Frame:
        """Give the answer to a request."""
        write_frame(self._stdin, request)
        return self._answer()

    @property
    def rss(self) -> float:
        """Its memory, GB."""
        return self._memory.memory_info().rss / 1e9

    def end(self) -> None:
        """End it: the end of its stdin does."""
        self._stdin.close()
        self._process.wait()

    def _answer(self) -> Frame:
        answer = read_frame(self._stdout)
        if answer is None:
            raise SystemExit(f"long_dream: the worker ended with {self._process.wait()}")
        return answer


class LongDream:
    """The picture, the worker that dreams it, and what was measured of it."""

    def __init__(self, pixels: Pixels, worker: Worker) -> None:
        self.pixels = pixels
        self.cycles: list[Cycle] = []
        self._drawing = pixels
        self._worker = worker
        self._recent: deque[Pixels] = deque(maxlen=LATER)

    def dream(self, style: Style, plan: Plan, mask: bytes | None) -> Cycle:
        """Dream once, as the server's worker does, and measure."""
        number = len(self.cycles) + 1
        height, width, _ = self.pixels.shape
        request = DreamRequest(
            pixels=self.pixels.tobytes(),
            width=width,
            height=height,
            expression=plan.expression,
            seed=number,
            before=plan.before,
            progress=plan.progress,
            regions=plan.regions,
            mask=mask,
        )
        answer = self._worker.ask(request.frame())
        if not answer.header["ok"]:
            raise SystemExit(f"long_dream: {answer.header['error']}")
        with Image.open(io.BytesIO(answer.payload)) as image:
            dreamt = np.asarray(image.convert("RGB"))
        small = reduce(dreamt)
        cycle = Cycle(
            number=number,
            style=style.name,
            seconds=float(answer.header["seconds"]),
            rss=self._worker.rss,
            change=change(self.pixels, dreamt),
            later=change(self._recent[0], small) if len(self._recent) == LATER else None,
            figures=measure(dreamt),
            likeness=compare(dreamt, self._drawing),
        )
        self._recent.append(small)
        self.pixels = dreamt
        self.cycles.append(cycle)
        return cycle


def reduce(pixels: Pixels) -> Pixels:
    """Give the picture at a quarter of its sides: forms, not grain."""
    return np.asarray(Image.fromarray(pixels).reduce(4))


def moments_of(cycles: int, number: int) -> set[int]:
    """Give about that many cycles: close together at first, where most happens, then evenly."""
    early = {cycle for cycle in (0, 1, 2, 3, 5, 8, 12, 20) if cycle <= cycles}
    rest = max(1, number - len(early))
    start = max(early)
    return early | {start + round((cycles - start) * (step + 1) / rest) for step in range(rest)}


def plot(cycles: Sequence[Cycle]) -> str:
    """Draw the figures as small multiples, a hair line where the style changes: an SVG."""
    width, height, gap, left, top = 360, 120, 44, 44, 34
    changes = [after.number for before, after in pairwise(cycles) if before.style != after.style]
    last = cycles[-1].number

    def panel(number: int, panel: Panel) -> str:
        x0, y0 = left + number % 3 * (width + gap), top + number // 3 * (height + gap + 14)
        points = [(cycle.number, value) for cycle in cycles if (value := panel.value(cycle)) is not None]
        high = max([panel.high, *(value for _, value in points)])

        def x(cycle: float) -> float:
            return x0 + width * cycle / last

        def y(value: float) -> float:
            return y0 + height * (1 - value / high)

        lines = "".join(f"M{x(cycle):.1f} {y0}v{height}" for cycle in changes)
        curve = " ".join(f"{x(cycle):.1f},{y(value):.1f}" for cycle, value in points)
        final = f"{points[-1][1]:.3g}" if points else "–"
        return (
            f'<text x="{x0}" y="{y0 - 8}" class="title">{escape(panel.title)}</text>'
            f'<text x="{x0 + width}" y="{y0 - 8}" class="end">{final}</text>'
            f'<path d="{lines}" class="style"/>'
            f'<path d="M{x0} {y0}v{height}h{width}" class="axis"/>'
            f'<text x="{x0 - 6}" y="{y0 + 10}" class="end">{high:.3g}</text>'
            f'<text x="{x0 - 6}" y="{y0 + height}" class="end">0</text>'
            f'<text x="{x0 + width}" y="{y0 + height + 15}" class="end">cycle {last}</text>'
            f'<polyline points="{curve}" class="curve"/>'
        )

    total_width, rows = left + 3 * (width + gap) - gap + 16, -(-len(PANELS) // 3)
    total_height = top + rows * (height + gap + 14) - 18
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {total_width} {total_height}"'
        f' width="{total_width}" height="{total_height}" font-family="sans-serif" font-size="11">'
        "<style>.title{font-size:13px;fill:#222}.end{text-anchor:end;fill:#666}.axis{fill:none;stroke:#999}"
        ".style{stroke:#ddd}.curve{fill:none;stroke:#3559c7;stroke-width:1.4}</style>"
        f'<rect width="{total_width}" height="{total_height}" fill="#fff"/>'
        + "".join(panel(number, each) for number, each in enumerate(PANELS))
        + "</svg>\n"
    )


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    timetable = Config()
    parser.add_argument("-o", "--output", type=Path, default=Path("long-dream"), help="without suffix")
    parser.add_argument("--network", choices=sorted(NETWORKS), default=DEFAULT_NETWORK)
    parser.add_argument("--input", type=Path, metavar="FILE", help="a picture to start from, not the drawing")
    parser.add_argument("--side", type=int, default=1536, help="pixels of the drawing's side")
    parser.add_argument("--cycles", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1, help="decides the order of the styles")
    parser.add_argument(
        "--dream-interval", type=float, default=timetable.dream_interval, help="seconds from dream to dream"
    )
    parser.add_argument(
        "--style-interval", type=float, default=timetable.style_interval, help="seconds from style to style"
    )
    parser.add_argument("--ink", type=int, metavar="CYCLES", help="draw the houses after so many cycles")
    parser.add_argument("--moments", type=int, default=40, help="pictures on the sheet")
    parser.add_argument("--columns", type=int, default=8)
    parser.add_argument("--width", type=int, default=224, help="pixels of a picture on the sheet")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads; 0 is one per processor")
    parser.add_argument("--precision", choices=PRECISIONS, default=timetable.precision)
    return parser.parse_args()


def header() -> str:
    """Give the line over the figures of a cycle."""
    titles = ("s", "GB", "change", f"in {LATER}", "spread", "correl.", "bright.", "clip%", "detail")
    return f"{'cycle':>6} {'style':22}" + "".join(f"{title:>9}" for title in titles)


def line(cycle: Cycle) -> str:
    """Give the figures of a cycle."""
    like = cycle.likeness
    values = [cycle.seconds, cycle.rss, cycle.change, cycle.later or 0, like.spread, like.correlation]
    values += [like.brightness, 100 * like.clipped, cycle.figures.detail]
    return f"{cycle.number:6} {cycle.style:22}" + "".join(f"{value:9.2f}" for value in values)


def main() -> None:
    arguments = options()
    pixels = read_picture(arguments.input) if arguments.input else drawing(arguments.side)
    worker = Worker(arguments.network, arguments.threads or os.cpu_count() or 1, arguments.precision)
    programme = Programme(
        load_styles(arguments.network),
        network_info(arguments.network),
        rng=random.Random(arguments.seed),
        interval=arguments.style_interval,
    )
    dreamer = LongDream(pixels, worker)
    houses: Houses | None = None
    if arguments.ink is None:
        wanted = moments_of(arguments.cycles, arguments.moments)
    else:
        wanted = {arguments.ink + later for later in INK_MOMENTS}
    moments = []

    def keep(number: int, style: str) -> None:
        image = Image.fromarray(dreamer.pixels)
        caption = f"{number}  {style}"
        if houses is not None:
            caption = f"+{number - arguments.ink}  thin {houses.thin.readable(dreamer.pixels):.1f}"
            caption += f"  broad {houses.broad.readable(dreamer.pixels):.1f}"
            image = image.crop(houses.box)
        image.thumbnail((2 * arguments.width, 2 * arguments.width))  # all of them whole would be memory
        moments.append(Moment(image, caption))

    print(header())
    started = time.monotonic()
    for number in range(arguments.cycles + 1):
        if number == arguments.ink:
            houses = Houses(dreamer.pixels)
            dreamer.pixels = houses.pixels
        if number in wanted:
            keep(number, dreamer.cycles[-1].style if dreamer.cycles else "")
            if dreamer.cycles:
                print(line(dreamer.cycles[-1]), flush=True)
        if number < arguments.cycles:
            now = number * arguments.dream_interval
            if programme.due(now):
                programme.next_style(now)
            mask = houses.mask() if houses is not None else None
            dreamer.dream(programme.style, programme.plan(now), mask)
            programme.dreamt()
    worker.end()
    write(dreamer.cycles, sheet(moments, arguments.columns, arguments.width), arguments.output)
    most, took = max(cycle.rss for cycle in dreamer.cycles), time.monotonic() - started
    print(f"{len(dreamer.cycles)} cycles in {took:.0f} s; at most {most:.2f} GB")
    checks = [found for limit in LIMITS if (found := limit.check(dreamer.cycles)) is not None]
    print("\n".join(sentence for _, sentence in checks))
    sys.exit(0 if arguments.ink is not None or all(kept for kept, _ in checks) else 1)


def write(cycles: Sequence[Cycle], page: Image.Image, output: Path) -> None:
    """Write the contact sheet, the plot and the figures."""
    output.parent.mkdir(parents=True, exist_ok=True)
    page.save(output.with_name(output.name + ".jpg"), quality=QUALITY, optimize=True)
    output.with_name(output.name + ".svg").write_text(plot(cycles), "utf-8")
    output.with_name(output.name + ".json").write_text(
        json.dumps([asdict(cycle) for cycle in cycles]), "utf-8"
    )


if __name__ == "__main__":
    main()
