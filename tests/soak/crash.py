"""SIGKILL under painting, many times: `.venv/bin/python -m tests.soak.crash [--rounds 100] [--seed 1]`."""

import argparse
import tempfile
from pathlib import Path

from tests import crash


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--per-server", type=int, default=25, help="rounds on one data directory")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    total = crash.Report()
    while total.rounds < options.rounds:
        rounds = min(options.per_server, options.rounds - total.rounds)
        with tempfile.TemporaryDirectory() as directory:
            report = crash.run(Path(directory), rounds, options.seed + total.rounds)
        total = crash.Report(
            total.rounds + report.rounds,
            total.acknowledged + report.acknowledged,
            total.recovered + report.recovered,
            total.resent_and_known + report.resent_and_known,
            total.lost + report.lost,
            total.doubled + report.doubled,
        )
        print(total, flush=True)


if __name__ == "__main__":
    main()
