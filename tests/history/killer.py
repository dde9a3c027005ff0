"""A server that dreams and makes movies on a fast schedule, whose encoder is killed; what has to be true."""

import contextlib
import json
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from dreamcanvas.history.movie import decode, to_image
from dreamcanvas.store.movies import movie_path
from tests.history.marks import read
from tests.live_server import Server, wait_until

WINDOW = 2
FAST = (
    *("--history-window", str(WINDOW), "--movie-preset", "ultrafast", "--keep-frames-minutes", "0"),
    *("--undo-seconds", "0", "--rest-after", "0", "--dream-interval", "0.15"),
)


class MarkedServer(Server):
    """Its dreams carry their numbers."""

    module = "tests.history.marked"


@dataclass
class Report:
    """Counts of all rounds."""

    rounds: int = 0
    encoders_killed: int = 0
    servers_killed: int = 0
    dreams: int = 0
    movies: int = 0


def encoders(server: Server) -> list[psutil.Process]:
    """The processes that make movies for a server."""
    found = []
    with contextlib.suppress(psutil.Error):
        for process in psutil.Process(server.pid).children():
            with contextlib.suppress(psutil.Error):
                if "dreamcanvas.history.worker" in process.cmdline():
                    found.append(process)
    return found


def kill(server: Server, rng: random.Random, report: Report) -> None:
    """Kills the encoder at some moment of its work, or, now and then, the server."""
    while True:
        found: list[psutil.Process] = []
        wait_until(lambda found=found: found.extend(encoders(server)) or found, what="an encoder", timeout=60)
        time.sleep(rng.uniform(0, 1.5))
        if found[0].is_running():
            break
    if rng.random() < 0.3:
        server.kill()
        report.servers_killed += 1
        wait_until(lambda: not found[0].is_running(), what="the encoder's end without its server")
        server.start()
    else:
        with contextlib.suppress(psutil.NoSuchProcess):
            found[0].kill()
        report.encoders_killed += 1
    report.rounds += 1


def windows(server: Server) -> list[dict[str, Any]]:
    """All windows, oldest first."""
    found: list[dict[str, Any]] = json.loads(server.get("/history.json?limit=500"))["windows"]
    return found[::-1]


def numbers(path: Path) -> Iterator[int]:
    """The numbers that the frames of a movie carry."""
    return (read(to_image(frame)) for frame in decode(path))


def check(server: Server, report: Report) -> None:
    """When all is done, every dream is one frame of one movie, in order."""
    wait_until(
        lambda: {window["state"] for window in windows(server)} == {"ENCODED"},
        what="a movie of every window",
        timeout=400,
    )
    report.dreams = json.loads(server.get("/readyz"))["dream"]
    shown: list[int] = []
    for window in windows(server):
        name = Path(window["poster"]).stem
        told = json.loads(server.get(f"/history/{name}.json"))
        large, small = (
            list(numbers(movie_path(server.data_dir / "movies", name, f"-{side}.mp4")))
            for side in (1536, 768)
        )
        assert large == small == told["dreams"], f"{name} shows other dreams than it says"
        assert len(large) == window["frames"] == len(told["times"])
        shown += large
        report.movies += 1
    assert shown == list(range(1, report.dreams + 1)), "a dream is missing, or there twice"
    frames = sorted(int(path.stem) for path in (server.data_dir / "frames").glob("*/*.jpg"))
    assert report.dreams in frames, "the newest dream's frame is the canvas' base"


def run(data_dir: Path, rounds: int, seed: int) -> Report:
    """Kills `rounds` times, then lets it finish."""
    rng = random.Random(seed)
    report = Report()
    with MarkedServer(data_dir, *FAST) as server:
        server.draw()
        for _ in range(rounds):
            kill(server, rng, report)
        server.stop()
        server.arguments = (*server.arguments, "--no-dream")
        server.start()
        check(server, report)
    return report
