"""Servers that take turns on core 0, the load generator on core 1, and the tables of what came of it."""

import contextlib
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
OURS = ("--no-rate-limits", "--no-dream", "--no-movies")


@dataclass(frozen=True, slots=True)
class Server:
    """One that runs."""

    name: str
    port: int
    process: "subprocess.Popen[bytes]"


@contextlib.contextmanager
def serving(name: str, peer: Path | None, *arguments: str, data: str | None = None) -> Iterator[Server]:
    """`ours`, `peer` (which blends in JavaScript) or `peer+canvas` (in Skia), on core 0."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    made = data or tempfile.mkdtemp(prefix="crowd-")
    environment = dict(os.environ)
    if name == "ours":
        command = [sys.executable, "-m", "dreamcanvas", "serve", "--port", str(port), "--data-dir", made]
        command += [*OURS, *arguments]
    else:
        command = ["node", "wsrpc_server.js", str(port)]
        environment["BLEND"] = "canvas" if name == "peer+canvas" else "js"
    process = subprocess.Popen(
        ["taskset", "-c", "0", *command],
        cwd=peer if name != "ours" else ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 30
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            if time.monotonic() > deadline or process.poll() is not None:
                raise SystemExit(f"{name} does not start")
            time.sleep(0.05)
        time.sleep(0.5)
        yield Server(name, port, process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
        if data is None:
            shutil.rmtree(made, ignore_errors=True)


def generate(loadgen: Path, server: Server, *arguments: str) -> dict[str, Any]:
    """What the load generator says."""
    path = "/rpc" if server.name == "ours" else "/"
    plain = ("--subscribe", "plain") if server.name == "ours" else ("--subscribe", "none")
    command = ["taskset", "-c", "1", str(loadgen), "--port", str(server.port), "--path", path]
    command += [*plain, "--senders-subscribe", "0", *arguments]
    found: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return found


def table(title: str, head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Prints a table."""
    print(f"\n{title}; load {os.getloadavg()[0]:.1f}")
    texts = [[str(cell) for cell in row] for row in [head, *rows]]
    widths = [max(len(row[column]) for row in texts) for column in range(len(head))]
    for row in texts:
        print("  " + "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)))
    sys.stdout.flush()


def median(runs: Sequence[dict[str, Any]], name: str, part: str) -> float:
    """The median of one of their figures."""
    return float(statistics.median(run[name][part] for run in runs))
