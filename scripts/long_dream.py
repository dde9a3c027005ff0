"""Lets a drawing dream its own dreams for hundreds of cycles: `.venv/bin/python scripts/long_dream.py`.

Nobody draws meanwhile. The styles come in turn by the server's timetable; each dream is dreamt and encoded by
the server's worker, and measured. Writes OUTPUT.json (the figures of each cycle), OUTPUT.svg (a plot) and
OUTPUT.jpg (a contact sheet). With --ink, strokes are drawn on the canvas after that many cycles, and the
sheet shows how they are taken up.
"""

import argparse
import io
import json
import os
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
from contact_sheet import QUALITY, Moment, drawing, ink, sheet
from PIL import Image

from dreamcanvas.config import Config
from dreamcanvas.dream.engine import Pixels
from dreamcanvas.dream.figures import Figures, change, measure
from dreamcanvas.dream.file import read_picture
from dreamcanvas.dream.network import DEFAULT_NETWORK, NETWORKS
from dreamcanvas.dream.pipe import Frame, read, write
from dreamcanvas.dream.precision import PRECISIONS
from dreamcanvas.dream.styles import Style, load_styles

LATER = 50
"""Cycles after which a picture is compared with itself."""

INK_MOMENTS = (0, 1, 2, 3, 5, 10, 20, 40)
"""Cycles after --ink that the sheet shows."""

FRESH = (
    (0xF2545B, 36, [(600, 700), (760, 560), (920, 700), (920, 900), (600, 900), (600, 700)]),
    (0x000000, 30, [(700, 900), (700, 800), (780, 800), (780, 900)]),
    (0xFFD84C, 44, [(1000, 620), (1180, 800), (1000, 960)]),
    (0xFFFFFF, 40, [(420, 640), (500, 760), (400, 860), (500, 980)]),
)
"""What --ink draws: colour, brush size, points."""

FRESH_BOX = (350, 490, 1250, 1040)
"""Where, on a canvas of 1536 px."""


@dataclass(frozen=True, slots=True)
class Cycle:
    """What was measured after a dream; rss: the worker's memory, GB; later: the change in `LATER` cycles."""

    number: int
    style: str
    seconds: float
    rss: float
    change: float
    later: float | None
    figures: Figures


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel of the plot; the curve is drawn from `low` to at least `high`."""

    title: str
    high: float
    value: Callable[[Cycle], float | None]


PANELS = (
    Panel("Clipped values, %", 5, lambda cycle: 100 * cycle.figures.clipped),
    Panel("Luminance, mean", 255, lambda cycle: cycle.figures.mean),
    Panel("Luminance, spread", 64, lambda cycle: cycle.figures.spread),
    Panel("Colourfulness (Hasler and Süsstrunk)", 109, lambda cycle: cycle.figures.colour),
    Panel("High-frequency energy, levels", 16, lambda cycle: cycle.figures.detail),
    Panel("Share of a fixed 32 px grid, %", 20, lambda cycle: 100 * cycle.figures.grid),
    Panel("Change per cycle, levels", 16, lambda cycle: cycle.change),
    Panel(f"Change over {LATER} cycles, levels", 64, lambda cycle: cycle.later),
    Panel("Memory of the worker, GB", 2.5, lambda cycle: cycle.rss),
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
        write(self._stdin, request)
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
        answer = read(self._stdout)
        if answer is None:
            raise SystemExit(f"long_dream: the worker ended with {self._process.wait()}")
        return answer


class LongDream:
    """The picture, the worker that dreams it, and what was measured of it."""

    def __init__(self, pixels: Pixels, worker: Worker) -> None:
        self.pixels = pixels
        self.cycles: list[Cycle] = []
        self._worker = worker
        self._recent: deque[Pixels] = deque(maxlen=LATER)

    def dream(self, style: Style) -> Cycle:
        """Dream once, as the server's worker does, and measure."""
        number = len(self.cycles) + 1
        height, width, _ = self.pixels.shape
        header = {"width": width, "height": height, "seed": number, "expression": style.expression}
        answer = self._worker.ask(Frame(header, self.pixels.tobytes()))
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
        )
        self._recent.append(small)
        self.pixels = dreamt
        self.cycles.append(cycle)
        return cycle

    def draw(self) -> None:
        """Draw the fresh strokes."""
        image = Image.fromarray(self.pixels)
        for color, size, points in FRESH:
            ink(image, color, size, points)
        self.pixels = np.asarray(image)


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
    parser.add_argument(
        "--dream-interval", type=float, default=timetable.dream_interval, help="seconds from dream to dream"
    )
    parser.add_argument(
        "--style-interval", type=float, default=timetable.style_interval, help="seconds from style to style"
    )
    parser.add_argument("--first", metavar="STYLE", help="the style to begin with")
    parser.add_argument("--ink", type=int, metavar="CYCLES", help="draw strokes after so many cycles")
    parser.add_argument("--moments", type=int, default=40, help="pictures on the sheet")
    parser.add_argument("--columns", type=int, default=8)
    parser.add_argument("--width", type=int, default=224, help="pixels of a picture on the sheet")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads; 0 is one per processor")
    parser.add_argument("--precision", choices=PRECISIONS, default=timetable.precision)
    return parser.parse_args()


def main() -> None:
    arguments = options()
    styles = load_styles(arguments.network)
    first = [style.name for style in styles].index(arguments.first) if arguments.first else 0
    per_style = max(1, round(arguments.style_interval / arguments.dream_interval))
    pixels = read_picture(arguments.input) if arguments.input else drawing(arguments.side)
    threads = arguments.threads or os.cpu_count() or 1
    worker = Worker(arguments.network, threads, arguments.precision)
    dreamer = LongDream(pixels, worker)
    if arguments.ink is None:
        wanted = moments_of(arguments.cycles, arguments.moments)
    else:
        wanted = {arguments.ink + later for later in INK_MOMENTS}
    moments = []

    def keep(number: int, style: str) -> None:
        image = Image.fromarray(dreamer.pixels)
        if arguments.ink is not None:
            scale = image.width / 1536
            image = image.crop(tuple(round(edge * scale) for edge in FRESH_BOX))  # type: ignore[arg-type]
        image.thumbnail((2 * arguments.width, 2 * arguments.width))  # all of them whole would be memory
        moments.append(Moment(image, f"{number}  {style}"))

    if 0 in wanted and arguments.ink is None:
        keep(0, "")
    print(f"{'cycle':>6} {'style':22} {'s':>5} {'GB':>5} {'change':>7} {'clip%':>6} {'mean':>6} {'spread':>6}"
          f" {'colour':>6} {'detail':>6} {'grid%':>6}")  # fmt: skip
    started = time.monotonic()
    for number in range(1, arguments.cycles + 1):
        style = styles[(first + (number - 1) // per_style) % len(styles)]
        cycle = dreamer.dream(style)
        if number == arguments.ink:
            dreamer.draw()
        if number in wanted:
            keep(number, style.name)
            seen = cycle.figures
            print(f"{number:6} {style.name:22} {cycle.seconds:5.2f} {cycle.rss:5.2f} {cycle.change:7.2f}"
                  f" {100 * seen.clipped:6.2f} {seen.mean:6.1f} {seen.spread:6.1f} {seen.colour:6.1f}"
                  f" {seen.detail:6.2f} {100 * seen.grid:6.1f}", flush=True)  # fmt: skip
    worker.end()
    cycles = dreamer.cycles
    output: Path = arguments.output
    output.parent.mkdir(parents=True, exist_ok=True)
    sheet(moments, arguments.columns, arguments.width).save(
        output.with_name(output.name + ".jpg"), quality=QUALITY, optimize=True
    )
    output.with_name(output.name + ".svg").write_text(plot(cycles))
    output.with_name(output.name + ".json").write_text(json.dumps([asdict(cycle) for cycle in cycles]))
    most, took = max(cycle.rss for cycle in cycles), time.monotonic() - started
    print(f"{len(cycles)} cycles, {per_style} per style, in {took:.0f} s; at most {most:.2f} GB")


if __name__ == "__main__":
    main()
