"""SIGKILL for the encoder, many times: `.venv/bin/python -m tests.soak.history [--rounds 50] [--seed 1]`."""

import argparse
import tempfile
from pathlib import Path

from tests.history import killer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--per-server", type=int, default=10, help="rounds on one data directory")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    done = 0
    while done < options.rounds:
        rounds = min(options.per_server, options.rounds - done)
        with tempfile.TemporaryDirectory() as directory:
            print(killer.run(Path(directory), rounds, options.seed + done), flush=True)
        done += rounds


if __name__ == "__main__":
    main()
