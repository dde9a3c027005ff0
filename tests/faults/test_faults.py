"""A disk that is full, read-only or broken under a running server, and what it finds when it starts."""

import errno
import io
import json
import random
import urllib.error
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests import crash
from tests.faults.shim import Shim
from tests.live_server import Server, wait_until
from tests.socket_client import CallError, Socket, dab
from tests.store.test_check import fill, harm_last_page


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Shim:
    return Shim(tmp_path_factory.mktemp("faults") / "disk")


@pytest.fixture(scope="module")
def server(shim: Shim) -> Iterator[Server]:
    """One for all faults: what one leaves behind, the next would find."""
    with Server(shim.root / "data", "--no-dream", "--no-rate-limits", environment=shim.environment) as server:
        yield server


def readyz(server: Server) -> tuple[int, dict[str, Any]]:
    try:
        return 200, json.loads(server.get("/readyz"))
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def lines(server: Server, message: str) -> list[dict[str, Any]]:
    """The log lines that say something."""
    found = [json.loads(line) for line in list(server.log) if line.startswith("{")]
    return [line for line in found if line["message"] == message]


FAULTS: dict[str, tuple[int, int, str]] = {
    "full": (errno.ENOSPC, 0, "the disk is full"),
    "read-only": (errno.EROFS, 0, "the disk is read-only"),
    "errors when written": (errno.EIO, 0, "the disk has input/output errors"),
    "errors when synced": (0, errno.EIO, "the disk has input/output errors"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_paints_are_refused_while_the_disk_fails_and_go_on_without_a_gap(
    shim: Shim, server: Server, fault: str
) -> None:
    write, sync, why = FAULTS[fault]
    server.log.clear()
    with Socket(server.ws_url) as socket:
        seq = socket.subscribe(session=random.randbytes(16)).seq
        assert socket.paint(dabs=[dab(100, 100)], call=1).seq == seq + 1
        shim.set(write=write, sync=sync)
        for _ in range(3):
            with pytest.raises(CallError) as caught:
                socket.paint(dabs=[dab(200, 200), dab(210, 210)], call=2)
            assert (caught.value.error.name, caught.value.error.code) == ("UNAVAILABLE", -32004)
            assert caught.value.error.retry_after_ms > 0
        status, body = readyz(server)
        assert (status, body["ready"]) == (503, False)
        assert body["storage"].startswith(why)
        with Image.open(io.BytesIO(server.get("/canvas.png"))) as picture:
            assert picture.convert("RGB").getpixel((200, 200)) == (255, 255, 255), "painted, but not saved"
        shim.clear()
        wait_until(lambda: readyz(server)[0] == 200, what="ready again, though nobody paints")
        again = socket.paint(dabs=[dab(300, 300)], call=2)
        assert (again.seq, again.duplicate) == (seq + 2, False)
    [failed] = lines(server, "storage fails")
    assert failed["level"] == "error"
    assert failed["why"].startswith(why)
    [works] = lines(server, "storage works again")
    assert works["level"] == "warning"


def test_what_was_refused_at_a_failed_sync_is_not_there_after_a_crash(shim: Shim, server: Server) -> None:
    """The log of the database holds it, whole and with its commit mark: it has to be overwritten."""
    with Socket(server.ws_url) as socket:
        seq = socket.paint(dabs=[dab(101, 100)]).seq
        shim.set(sync=errno.EIO)
        with pytest.raises(CallError, match="UNAVAILABLE"):
            socket.paint(dabs=[dab(200, 200)])
    server.kill()
    shim.clear()
    server.start()
    found = crash.operations(server)
    assert [operation.seq for operation in found] == list(range(1, seq + 1))
    assert [operation.mark.x for operation in found if operation.mark.x in (101, 200)] == [101]


def test_a_server_starts_on_a_full_disk_only_with_a_sentence(tmp_path: Path) -> None:
    shim = Shim(tmp_path / "disk")
    shim.full()
    with pytest.raises(RuntimeError, match=r"(?s)did not start.*Error: .*No space left") as caught:
        Server(shim.root / "data", "--no-dream", environment=shim.environment)
    assert "Traceback" not in str(caught.value)


def test_without_room_for_frames_one_paints_on_and_dreams_come_again(tmp_path: Path) -> None:
    shim = Shim(tmp_path / "disk")
    arguments = ("--dream-interval", "0.1", "--rest-after", "0")
    with Server(shim.root / "data", *arguments, environment=shim.environment) as server:
        server.draw()
        wait_until(lambda: readyz(server)[1]["dream"] >= 1, 90, "a dream")
        shim.full(only="/frames/")
        wait_until(lambda: readyz(server)[1]["frames"] != "ok", what="a frame that cannot be written")
        status, body = readyz(server)
        assert (status, body["ready"], body["storage"]) == (200, True, "ok")
        assert body["frames"].startswith("the disk is full")
        with Socket(server.ws_url) as socket:
            seq = socket.paint(dabs=[dab(700, 700)]).seq
        shim.clear()
        wait_until(lambda: readyz(server)[1]["dream"] > body["dream"], what="the next dream")
        assert readyz(server)[1]["frames"] == "ok"
        [failed] = lines(server, "frame file not written")
        assert failed["why"].startswith("the disk is full")
        assert lines(server, "frame files can be written again")
        # Then the newest frame file is torn: it starts from the one before
        server.stop()
        [stopped] = lines(server, "stopped")
        frame = sorted((shim.root / "data" / "frames").glob("*/*.jpg"))[-1]
        assert int(frame.stem) == stopped["dream"]
        frame.write_bytes(frame.read_bytes()[:-1000])
        server.arguments = ("--no-dream",)
        server.start()
        status, body = readyz(server)
        assert (status, body["dream"], body["seq"]) == (200, stopped["dream"] - 1, seq)
        [unusable] = lines(server, "frame file unusable")
        assert unusable["dream"] == stopped["dream"]


# What it finds when it starts


def test_a_server_says_that_its_database_is_damaged(tmp_path: Path) -> None:
    fill(tmp_path / "dreamcanvas.db")
    harm_last_page(tmp_path / "dreamcanvas.db")
    with pytest.raises(
        RuntimeError, match=r"Error: .*dreamcanvas\.db.*the database is damaged.*restore a backup"
    ):
        Server(tmp_path, "--no-dream")
