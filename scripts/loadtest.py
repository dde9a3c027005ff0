"""Measures a server under painters and watchers: `.venv/bin/python scripts/loadtest.py ws://127.0.0.1:4242/rpc`.

Start the server with --no-rate-limits: all come from one address. Times are of this process' monotonic clock,
in milliseconds: acknowledgements (ack) from when a call was due to its reply, deliveries from when it was due
to its event at a watcher. A server that falls behind cannot hide it: calls are sent when they are due.

--expect 'p99<150ms,lost=0' makes the exit status 1 where that does not hold. The names are those of the
summary; p50, p99 and p99.9 are short for those of deliveries.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
from load import expect, plot, report
from load.crowd import Crowd, Plan
from load.record import Record, Times, percentile
from load.server import Observer
from load.watchers import Watchers

TRAILING_SECONDS = 1.0
NAMES = (
    *("connections", "acks_per_s", "ack_p50", "ack_p99", "ack_p999", "dabs_per_s"),
    *("deliveries_per_s", "delivery_p50", "delivery_p99", "delivery_p999", "lost", "repeated", "resyncs"),
    *("errors", "disconnects", "canvas_p50", "canvas_p99", "dream_p50", "dream_p99", "picture_mb_per_s"),
    *("server_cpu_percent", "server_memory_mb", "kb_per_connection", "client_cpu_percent"),
)


@dataclass(frozen=True, slots=True)
class Result:
    """The figures, and what their plots are made from."""

    figures: dict[str, float]
    begin: float
    acks: tuple[Times, Times]
    deliveries: tuple[Times, Times]
    observer: Observer


class Bar:
    """What goes on, on a terminal's last line; where there is no terminal, a line for each step."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet

    def show(self, what: str, share: float) -> None:
        if not self._quiet and sys.stderr.isatty():
            done = round(30 * min(share, 1))
            sys.stderr.write(f"\r{'█' * done}{'·' * (30 - done)} {what}\x1b[K")
            sys.stderr.flush()

    def end(self, what: str) -> None:
        if not self._quiet:
            sys.stderr.write(f"\r{what}\x1b[K\n" if sys.stderr.isatty() else f"{what}\n")

    async def follow(self, what: Callable[[], tuple[str, float]]) -> None:
        while True:
            self.show(*what())
            await asyncio.sleep(0.1)


async def run(plan: Plan, bar: Bar) -> Result:
    """The whole test."""
    record, observer = Record(), Observer(f"http://{plan.url.netloc}")
    crowd = Crowd(plan, record, Watchers(record))
    before = await observer.look()
    wanted = plan.watchers + plan.slow + plan.painters
    gathering = asyncio.create_task(bar.follow(lambda: ("connecting", crowd.connections / max(1, wanted))))
    await crowd.gather()
    gathering.cancel()
    await asyncio.sleep(0.5)
    gathered = await observer.look()
    bar.end(f"{crowd.connections} connections")
    begin, cpu = time.monotonic(), time.process_time()

    def progress() -> tuple[str, float]:
        seconds = time.monotonic() - begin
        return f"{seconds:.0f} of {plan.seconds:g} s, {crowd.painted} dabs", seconds / plan.seconds

    watching = [asyncio.create_task(observer.watch()), asyncio.create_task(bar.follow(progress))]
    await crowd.act()
    ended = time.monotonic()
    client_cpu = (time.process_time() - cpu) / (ended - begin)
    await asyncio.sleep(TRAILING_SECONDS)  # what is still on its way to the watchers
    for task in watching:
        task.cancel()
    after = await observer.look()
    crowd.disperse()
    bar.end(f"{crowd.painted} dabs in {ended - begin:.1f} s")
    acks = np.array(record.acks).reshape(-1, 2)
    deliveries = record.deliveries()
    added = gathered.connections - before.connections
    values = (
        *(crowd.connections, round(len(acks) / plan.seconds, 1), *_percentiles(acks[:, 1], 50, 99, 99.9)),
        *(round(crowd.painted / plan.seconds, 1), round(len(deliveries[1]) / plan.seconds, 1)),
        *(
            *_percentiles(deliveries[1], 50, 99, 99.9),
            record.lost,
            record.repeated,
            record.resyncs,
            record.errors,
        ),
        *(sum(record.closed.values()), *_percentiles(np.array(record.pictures), 50, 99)),
        *_percentiles(np.array(record.dreams), 50, 99),
        round(record.picture_bytes / plan.seconds / 1e6, 2),
        round(100 * (after.cpu - gathered.cpu) / (after.at - gathered.at), 1),
        round(after.memory / 1e6, 1),
        round((gathered.memory - before.memory) / added / 1e3, 1) if added > 0 else 0.0,
        round(100 * client_cpu, 1),
    )
    figures = dict(zip(NAMES, map(float, values), strict=True))
    return Result(figures, begin, (acks[:, 0], acks[:, 1]), deliveries, observer)


def _percentiles(latencies: Times, *percents: float) -> list[float]:
    return [percentile(latencies, percent) for percent in percents]


def page(result: Result, settings: Mapping[str, object], verdict: list[str]) -> str:
    """The report."""
    processor = result.observer.processor()
    memory = [(sample.at, sample.memory / 1e6) for sample in result.observer.samples]
    *latency, delivered = report.by_second(*result.deliveries, result.begin, (50, 99, 99.9))
    *acked, answered = report.by_second(*result.acks, result.begin, (50, 99))
    shares = [
        report.distribution("deliveries", result.deliveries[1]),
        report.distribution("acks", result.acks[1]),
    ]

    def over_time(name: str, values: list[tuple[float, float]]) -> plot.Line:
        return name, [at - result.begin for at, _ in values], [value for _, value in values]

    plots = {
        "Share that took at most so long": plot.plot(shares, "%", logarithmic=True),
        "From dab to screen": plot.plot(latency, "ms"),
        "From call to reply": plot.plot(acked, "ms"),
        "Deliveries": plot.plot([delivered], "1/s"),
        "Replies": plot.plot([answered], "1/s"),
        "The server's processor time": plot.plot([over_time("server", processor)], "%"),
        "The server's memory": plot.plot([over_time("server", memory)], "MB"),
    }
    return report.html("Dreamcanvas load test", settings, result.figures, verdict, plots)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("url", help="for example ws://127.0.0.1:4242/rpc")
    made.add_argument("--painters", type=int, default=20)
    made.add_argument("--rate", type=float, default=20.0, help="calls a second of each painter")
    made.add_argument("--dabs", type=int, default=1, help="dabs in a call")
    made.add_argument("--size", type=int, default=24, help="of a dab, pixels")
    made.add_argument("--watchers", type=int, default=100)
    made.add_argument(
        "--mode", choices=("single", "batch"), default="single", help="dabs singly or in bunches"
    )
    made.add_argument("--slow", type=int, default=0, help="subscribers that do not read")
    made.add_argument("--canvas-rate", type=float, default=0.0, help="getCanvas calls a second, whole, JPEG")
    made.add_argument("--dream-viewers", type=int, default=0, help="watchers that fetch each dream")
    made.add_argument("--ramp", type=float, default=500.0, help="connections a second at the start")
    made.add_argument("--seconds", type=float, default=20.0, help="how long is painted")
    made.add_argument("--expect", default="", metavar="'p99<150ms,lost=0'")
    made.add_argument("--json", action="store_true", help="print the summary as JSON")
    made.add_argument("--html", type=Path, help="write a report with plots there")
    made.add_argument("--quiet", action="store_true", help="show no progress")
    return made


def main() -> None:
    """The script."""
    options = parser().parse_args()
    try:
        expectations = expect.parse(options.expect, dict.fromkeys(NAMES))
    except ValueError as error:
        parser().error(f"--expect: {error}")
    if not (options.rate > 0 and options.ramp > 0 and options.seconds > 0):
        parser().error("--rate, --ramp and --seconds are more than 0")
    plan = Plan(
        urlsplit(options.url),
        painters=options.painters,
        rate=options.rate,
        dabs=options.dabs,
        size=options.size,
        watchers=options.watchers,
        batch=options.mode == "batch",
        slow=options.slow,
        canvas_rate=options.canvas_rate,
        dream_viewers=options.dream_viewers,
        ramp=options.ramp,
        seconds=options.seconds,
    )
    result = asyncio.run(run(plan, Bar(options.quiet)))
    verdict = expect.broken(expectations, result.figures)
    if options.json:
        print(json.dumps(result.figures))
    else:
        for name, value in result.figures.items():
            unit = " ms" if "_p50" in name or "_p99" in name else ""
            print(f"{name.replace('_', ' '):22} {value:>12,.10g}{unit}")
    if options.html:
        settings = {name: value for name, value in vars(options).items() if name not in ("json", "quiet")}
        options.html.write_text(page(result, settings, verdict), encoding="utf-8")
    for line in verdict:
        print(line, file=sys.stderr)
    sys.exit(1 if verdict else 0)


if __name__ == "__main__":
    main()
