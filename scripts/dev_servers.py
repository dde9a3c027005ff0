"""Runs `dreamcanvas serve` beside Vite's dev server, and starts it again when its code changes.

It is what `scripts/dev` runs. Vite passes on to the server websockets, pictures and what else it makes
(`client/vite.config.ts`).
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WATCHED = (".py", ".toml", ".binpb", ".proto", ".html")
LOOK_SECONDS = 0.4
PATIENCE_SECONDS = 15.0  # more than the server takes to end its worker


def state(directory: Path) -> dict[Path, int]:
    """Return when each file of the server was changed."""
    found = {}
    for path in directory.rglob("*"):
        if path.suffix in WATCHED and "page" not in path.relative_to(directory).parts:
            try:
                found[path] = path.stat().st_mtime_ns
            except FileNotFoundError:  # an editor's own file, gone again
                continue
    return found


class Servers:
    """Both servers. Each has a process group of its own, so that Ctrl-C comes to this process alone."""

    def __init__(self, port: int, page_port: int, arguments: Sequence[str]) -> None:
        self._serve = [sys.executable, "-m", "dreamcanvas", "serve", "--port", str(port), *arguments]
        self._server: subprocess.Popen[bytes] | None = None
        vite = str(ROOT / "client" / "node_modules" / "vite" / "bin" / "vite.js")
        self._page = subprocess.Popen(
            ["node", vite, "--host", "127.0.0.1", "--port", str(page_port), "--strictPort"],
            cwd=ROOT / "client",
            env={**os.environ, "DREAMCANVAS_URL": f"http://127.0.0.1:{port}"},
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )

    def start(self) -> None:
        """Start the server, after the end of the one before."""
        if self._server is not None:
            end(self._server)
        self._server = subprocess.Popen(self._serve, cwd=ROOT, start_new_session=True)

    def page_ended(self) -> bool:
        """Return whether Vite is gone: its port is taken, say."""
        return self._page.poll() is not None

    def close(self) -> None:
        """End both."""
        for process in (self._server, self._page):
            if process is not None:
                end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process, by force where it takes too long."""
    process.terminate()
    try:
        process.wait(PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def watch(servers: Servers, directory: Path) -> None:
    """Start the server again at each change, until Vite ends. After a failure the next change starts it."""
    seen = state(directory)
    servers.start()
    while not servers.page_ended():
        time.sleep(LOOK_SECONDS)
        now = state(directory)
        if now != seen:
            seen = now
            print("dreamcanvas: the code has changed, the server starts again", flush=True)
            servers.start()


def interrupt(_number: int, _frame: object) -> None:
    """End as Ctrl-C does."""
    raise KeyboardInterrupt


def main() -> None:
    parser = argparse.ArgumentParser(description="More arguments go to `dreamcanvas serve`.")
    parser.add_argument("--port", type=int, default=4242, help="of the server")
    parser.add_argument("--page-port", type=int, default=5173, help="of Vite, where the page is")
    parser.add_argument("--watch", type=Path, default=ROOT / "dreamcanvas", help="the server's code")
    options, arguments = parser.parse_known_args()
    for number in (signal.SIGTERM, signal.SIGINT):  # Ctrl-C too: a shell's background jobs ignore it
        signal.signal(number, interrupt)
    servers = Servers(options.port, options.page_port, arguments)
    try:
        watch(servers, options.watch)
    except KeyboardInterrupt:
        return
    finally:
        servers.close()
    raise SystemExit("dreamcanvas: Vite has ended")


if __name__ == "__main__":
    main()
