"""Bots over connections that break: `.venv/bin/python -m tests.soak.drops [--drops 200] [--seed 1]`."""

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

from tests.client.storm import weather
from tests.live_server import Server

FLAGS = ("--no-dream", "--replay-operations", "1000000", "--undo-seconds", "3600")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--drops", type=int, default=200)
    parser.add_argument("--restarts", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as directory, Server(Path(directory), *FLAGS) as server:
        storm = asyncio.run(
            weather(server, seed=options.seed, drops=options.drops, restarts=options.restarts)
        )
    print(
        f"{storm.drops} drops and {storm.restarts} kills, {storm.connections} connections: "
        f"{storm.operations} operations, each once, in {time.monotonic() - began:.0f} s"
    )


if __name__ == "__main__":
    main()
