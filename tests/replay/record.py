"""Records anew what the replay test compares with: python -m tests.replay.record [FILE]

It takes some minutes. Look at what has changed before you commit it: an answer that is another one is another
answer to every client there is.
"""

import argparse
import json
import lzma
import random
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import PIL

from tests.live_server import Server
from tests.replay.clock import Clock
from tests.replay.player import Player, Step
from tests.replay.recorder import Recorder
from tests.replay.scenes import Scenes
from tests.replay.start import FLAGS, START, make_start

RECORDING = Path(__file__).with_name("recording.jsonl.xz")
CALLS = 10_000
SEED = 19


@contextmanager
def playing(directory: Path) -> Iterator[Player]:
    """A player with a server of its own, whose clock stands still between steps."""
    clock = Clock(directory / "clock", START)
    make_start(directory / "data")
    with Server(directory / "data", *FLAGS, environment=clock.environment) as server:
        player = Player(server.port, clock)
        try:
            yield player
        finally:
            player.close()


def write(path: Path, steps: Sequence[Step], calls: int) -> None:
    """Writes a recording: a line that says what it is, and one for each step."""
    first = {"calls": calls, "pillow": PIL.__version__}
    lines = (json.dumps(line, ensure_ascii=False, separators=(",", ":")) for line in (first, *steps))
    path.write_bytes(lzma.compress("".join(f"{line}\n" for line in lines).encode(), preset=9))


def read(path: Path = RECORDING) -> tuple[dict[str, object], list[Step]]:
    first, *steps = (json.loads(line) for line in lzma.decompress(path.read_bytes()).splitlines())
    return first, steps


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path, nargs="?", default=RECORDING)
    file: Path = parser.parse_args().file
    with tempfile.TemporaryDirectory() as directory, playing(Path(directory)) as player:
        recorder = Recorder(player)
        scenes = Scenes(recorder, random.Random(SEED))
        scenes.play()
        while recorder.calls < CALLS:
            scenes.go_on()
        for name in tuple(player.names()):
            recorder.close(name)
    assert recorder.calls == CALLS, f"the scenes have {recorder.calls} calls: leave some out"
    write(file, recorder.steps, recorder.calls)
    sys.stderr.write(f"{len(recorder.steps)} steps, {file.stat().st_size} bytes\n")


if __name__ == "__main__":
    main()
