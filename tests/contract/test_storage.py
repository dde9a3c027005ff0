"""UNAVAILABLE: a store that can't be written to.

A limit on the size of files makes every write of the server fail, as a full disk does.
"""

import json
import resource
import secrets
import threading
import time
import urllib.error
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from tests.contract.client import Client, Failed
from tests.contract.picture import fetch
from tests.live_server import Server


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path / "data", "--no-dream", "--no-rate-limits") as server:
        yield server


def ready(server: Server) -> bool:
    try:
        return "storage" in json.loads(server.get("/readyz"))
    except urllib.error.HTTPError as error:
        with error:
            assert error.code == 503
            assert "storage" in json.load(error)
        return False


def allow(server: Server, size: int) -> None:
    psutil.Process(server.pid).rlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def test_nothing_is_applied_and_it_works_again(full: Server) -> None:
    with Client(full.url) as client, Client(full.url) as watcher:
        watcher.call("subscribe", events=["paint"])
        client.call("subscribe", events=["patch"], session=secrets.token_bytes(16))
        seq = client.dab(30, 30, 20, 0, call=1).seq
        assert watcher.event("paint").message.seq == seq
        assert ready(full)
        before = fetch(full.url)
        allow(full, 0)
        for way in (client.call, client.json):
            with pytest.raises(Failed) as failed:
                way("paint", None if way == client.call else DAB, **(DAB if way == client.call else {}))
            assert (failed.value.code, failed.value.name) == (-32004, "UNAVAILABLE")
            assert failed.value.retry_after_ms > 0
        assert not ready(full)
        assert full.get("/livez")
        after = fetch(full.url)
        assert (after.seq, np.array_equal(after.pixels, before.pixels)) == (seq, True)
        allow(full, resource.RLIM_INFINITY)
        reply = again(client)
        assert (reply, client.call("subscribe", events=["patch"]).last_call) == (seq + 1, 2)
        assert watcher.event("paint").message.seq == seq + 1
        assert ready(full)
    full.kill()
    full.start()
    assert fetch(full.url).seq == seq + 1


DAB = {"pos": {"x": 30, "y": 30}, "size": 20, "call": 2}


def again(client: Client, seconds: float = 30) -> int:
    """Repeats the call, as often as it is told to wait; gives its seq."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            reply = client.call("paint", **DAB)
        except Failed as failed:
            assert failed.name == "UNAVAILABLE"
            assert time.monotonic() < deadline
            threading.Event().wait(failed.retry_after_ms / 1000)
        else:
            assert not reply.duplicate
            return int(reply.seq)
