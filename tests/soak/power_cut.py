"""Power cuts, half of them while it dreams: `.venv/bin/python -m tests.soak.power_cut [--cuts 200]`."""

import argparse
import tempfile
from dataclasses import fields
from pathlib import Path

from tests import crash
from tests.faults import power_cut, studio


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cuts", type=int, default=200)
    parser.add_argument("--per-directory", type=int, default=10, help="cuts of one data directory")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    painted, dreamt, done = crash.Report(), studio.Found(), 0
    while done < options.cuts:
        cuts = min(options.per_directory, options.cuts - done)
        with tempfile.TemporaryDirectory() as directory:
            if done // options.per_directory % 2:
                found = power_cut.dreaming(Path(directory), cuts, options.seed + done)
                dreamt = studio.Found(
                    *(getattr(dreamt, one.name) + getattr(found, one.name) for one in fields(found))
                )
            else:
                report = power_cut.painting(Path(directory), cuts, options.seed + done)
                painted = crash.Report(
                    *(getattr(painted, one.name) + getattr(report, one.name) for one in fields(report))
                )
        done += cuts
        print(done, painted, dreamt, flush=True)


if __name__ == "__main__":
    main()
