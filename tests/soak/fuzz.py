"""Hostile bytes for long: `.venv/bin/python -m tests.soak.fuzz [--minutes 20] [--seed 1] [TARGET …]`."""

import argparse
import tempfile
from pathlib import Path

from tests import fuzz
from tests.live_server import Server


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "targets", nargs="*", metavar="TARGET", help=f"of {', '.join(fuzz.TARGETS)}; all by default"
    )
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for target in options.targets or fuzz.TARGETS:
        arguments = ("--no-dream", "--no-rate-limits", "--replay-operations", "1000")
        with tempfile.TemporaryDirectory() as directory, Server(Path(directory), *arguments) as server:
            report = fuzz.run(server, target, 60 * options.minutes, options.seed)
        print(
            f"{report.target:8} {report.sent:9} sent, {len(report.incidents)} incidents, memory "
            f"{report.growth / 2**20:+.1f} MB, {report.bystander} dabs of the bystander acknowledged",
            *report.incidents[:5],
            sep="\n",
            flush=True,
        )


if __name__ == "__main__":
    main()
