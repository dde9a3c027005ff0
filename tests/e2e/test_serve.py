"""A real server from outside: its start, its end, its dreams, its crashes."""

import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from PIL import Image, ImageChops, ImageStat
from websockets.exceptions import ConnectionClosed

from tests.live_server import Server, wait_until
from tests.socket_client import Socket, dab


def picture(server: Server) -> Image.Image:
    with Image.open(io.BytesIO(server.get("/canvas.png"))) as image:
        return image.convert("RGB")


def frame(server: Server, dream: int) -> Path:
    return server.data_dir / "frames" / f"{dream // 1000:06d}" / f"{dream:09d}.jpg"


def test_drawing_is_dreamt_and_recorded(server: Server) -> None:
    with Socket(server.ws_url) as watcher, Socket(server.ws_url) as painter:
        subscribed = watcher.subscribe(events=["canvas", "paint"])
        seq = painter.paint(dabs=[dab(400 + 8 * n, 500, 90, 0x2266CC) for n in range(60)]).seq
        assert watcher.event("paint").seq == subscribed.seq + 1
        event = watcher.event("canvas", timeout=60)
        while event.dream_seq < seq or event.dream < 2:  # two pictures to compare
            event = watcher.event("canvas", timeout=60)
    assert event.style
    assert event.url == f"/dreams/{event.dream}.jpg"
    with Image.open(io.BytesIO(server.get(event.url))) as delivered:
        assert delivered.size == (1536, 1536)
    with Image.open(io.BytesIO(server.get(f"/dreams/{event.dream}-768.jpg"))) as small:
        assert small.size == (768, 768)
    with (
        Image.open(frame(server, event.dream)) as recorded,
        Image.open(frame(server, event.dream - 1)) as before,
    ):
        change = ImageStat.Stat(ImageChops.difference(recorded.convert("RGB"), before.convert("RGB")))
        assert max(change.mean) > 0.5


def test_a_dream_takes_no_stroke_away(server: Server) -> None:
    """Dabs that came while it dreamt are on the dream, not in it."""
    with Socket(server.ws_url) as painter:
        painter.subscribe(events=["canvas"])
        painter.event("canvas", timeout=60)
        for _ in range(20):
            painter.paint(dabs=[dab(1400, 1400, 124, 0x00FF00)] * 4)
        event = painter.event("canvas", timeout=60)
        canvas = painter.canvas(offset={"x": 1390, "y": 1390}, width=20, height=20, format=1)
        assert canvas.seq > event.dream_seq or canvas.dream > event.dream
        with Image.open(io.BytesIO(canvas.image)) as crop:
            red, green, blue = ImageStat.Stat(crop.convert("RGB")).mean
        assert green > red + 60
        assert green > blue + 60


def test_sighup_changes_the_style(server: Server) -> None:
    with Socket(server.ws_url) as watcher:
        before = watcher.subscribe(events=["status"]).status.style
        os.kill(server.pid, signal.SIGHUP)
        status = watcher.event("status")
        while status.style == before:
            status = watcher.event("status")
        assert status.layer


def test_the_picture_and_its_numbers_outlive_a_restart(data_dir: Path) -> None:
    with Server(data_dir, "--no-dream") as server:
        with Socket(server.ws_url) as painter:
            assert painter.paint(dabs=[dab(100, 100), dab(120, 110)]).seq == 2
        before = picture(server)
        server.restart()
        assert picture(server).tobytes() == before.tobytes()
        with Socket(server.ws_url) as painter:
            assert painter.paint(dabs=[dab(1, 1)]).seq == 3


def test_the_end_is_clean(data_dir: Path) -> None:
    """SIGTERM: what was sent is answered, a close frame 1001 comes, and nothing is left over."""
    with Server(data_dir) as server:
        with Socket(server.ws_url) as painter:
            painter.subscribe()
            wait_until(lambda: psutil.Process(server.pid).children(), what="a worker")
            workers = psutil.Process(server.pid).children()
            painter.paint(dabs=[dab(5, 5)])
            assert server.process is not None
            server.process.terminate()
            with pytest.raises(ConnectionClosed) as closed:
                while True:
                    painter.receive()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1001
        assert server.process.wait(5) == 0
        assert not any(worker.is_running() for worker in workers)


def test_no_worker_outlives_a_killed_server(data_dir: Path) -> None:
    with Server(data_dir) as server:
        wait_until(lambda: psutil.Process(server.pid).children(), what="a worker")
        workers = psutil.Process(server.pid).children(recursive=True)
        server.kill()
        gone, alive = psutil.wait_procs(workers, timeout=10)
        assert gone
        assert not alive


def test_a_killed_worker_comes_back(data_dir: Path) -> None:
    with Server(data_dir, "--dream-interval", "0.5") as server, Socket(server.ws_url) as painter:
        server.draw()
        painter.subscribe(events=["canvas", "status"])
        first = painter.event("canvas", timeout=60)
        for worker in psutil.Process(server.pid).children():
            worker.kill()
        painter.paint(dabs=[dab(700, 700, 100)])
        assert painter.event("canvas", timeout=60).dream > first.dream


def test_a_second_server_is_kept_from_the_data(quiet_server: Server) -> None:
    arguments = [sys.executable, "-m", "dreamcanvas", "serve", "--port", "0"]
    arguments += ["--data-dir", str(quiet_server.data_dir)]
    second = subprocess.run(arguments, capture_output=True, text=True, timeout=30, check=False)
    assert second.returncode == 2
    assert f"is in use by another server (process {quiet_server.pid})" in second.stderr


def test_a_port_that_is_taken_is_said(quiet_server: Server, data_dir: Path) -> None:
    arguments = ["serve", "--port", str(quiet_server.port), "--data-dir", str(data_dir)]
    second = subprocess.run(
        [sys.executable, "-m", "dreamcanvas", *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert second.returncode == 2
    assert f"cannot listen on 127.0.0.1 port {quiet_server.port}: Address already in use" in second.stderr
