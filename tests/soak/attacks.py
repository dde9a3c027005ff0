"""Every attack of tests/attacks at full scale: `.venv/bin/python -m tests.soak.attacks [--seconds 10]`.

Each on a server of its own, with the default limits, on a log of 20,000 operations. Prints a table. `--only`
names attacks by parts of their names, separated by semicolons; `--checkout` attacks the server of another
checkout, to compare with it.
"""

import argparse
import contextlib
import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from tests.attacks.floods import ATTACKS
from tests.attacks.probe import Probe
from tests.attacks.scene import Verdict, copied, dreamt, painted, watched
from tests.live_server import Server

HEAD = (
    f"{'attack':44} {'p99 ms':>8} {'max ms':>8} {'quiet p99':>9} {'after max':>9} {'+MB':>6} "
    f"{'lines':>7} {'newcomer s':>10} {'end s':>6}"
)


def row(name: str, seen: Verdict, end: float) -> str:
    return (
        f"{name:44} {1000 * seen.during.percentile(99):8.0f} {1000 * seen.during.worst:8.0f} "
        f"{1000 * seen.quiet.percentile(99):9.0f} {1000 * seen.after.worst:9.0f} {seen.grown:6} "
        f"{seen.lines:7} {seen.newcomer:10.1f} {end:6.1f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=10.0, help="of each attack")
    parser.add_argument("--rest", type=float, default=10.0, help="seconds until all is to be as before")
    parser.add_argument("--only", default="", help="parts of names, separated by semicolons")
    parser.add_argument("--checkout", type=Path, help="another checkout, whose server is attacked")
    parser.add_argument("--loop", default="", help="the server's event loop: asyncio or uvloop")
    options = parser.parse_args()
    wanted = [part for part in options.only.split(";") if part]
    environment = {}
    if options.checkout is not None:
        environment = {"PYTHONPATH": str(options.checkout.resolve()), "PYTHONSAFEPATH": "1"}
    if options.loop:
        environment["DREAMCANVAS_LOOP"] = options.loop
    print(f"load {os.getloadavg()[0]:.1f}\n{HEAD}", flush=True)
    with tempfile.TemporaryDirectory() as directory:
        source = Path(directory) / "source"
        painted(source)
        dreamt(source)
        for number, (name, attack) in enumerate(ATTACKS.items()):
            if wanted and not any(part in name for part in wanted):
                continue
            data_dir = copied(source, Path(directory) / str(number))
            server = Server(data_dir, "--no-dream", "--no-movies", environment=environment)
            try:
                with Probe(server.port) as probe:
                    time.sleep(0.5)  # until it is there
                    seen = watched(
                        server, probe, attack(), quiet=2, seconds=options.seconds, rest=options.rest
                    )
                again = attack()
                again.start(server.port)
                time.sleep(1)
                began = time.monotonic()
                assert server.process is not None
                server.process.send_signal(signal.SIGTERM)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    server.process.wait(15)
                end = time.monotonic() - began
                again.stop()
            finally:
                if server.process is not None and server.process.poll() is None:
                    server.kill()
            print(row(name, seen, end), flush=True)


if __name__ == "__main__":
    main()
