"""status, and getInfo."""

import re
import time

from tests.contract.client import Client
from tests.live_server import Server

OFF, STARTING, WAITING, DREAMING, RESTING, FAILED = range(6)
# a layer's name, then its channel, or the whole layer's mean square
TERM = r"(-?\d+(\.\d+)?\*)?[A-Za-z0-9_./-]+(:\d+|\^2|@places)"
LAYER = rf"{TERM}( \+ {TERM})*"


def test_users_counts_open_websockets(canvas: Server, client: Client) -> None:
    """Those that never call too, on either path; each coming and going is told."""
    users = client.call("subscribe", events=["status"]).status.users
    with Client(canvas.url), Client(canvas.url, "/"):
        client.event("status", that=lambda status: status.users == users + 2)
    client.event("status", that=lambda status: status.users == users)
    assert client.call("subscribe", events=["patch"]).status.users == users


def test_a_status_in_json(canvas: Server, client: Client) -> None:
    users = client.json("subscribe", {"events": ["status"]})["status"]["users"]
    with Client(canvas.url):
        event = client.event("status", that=lambda status: status["users"] == users + 1)
    assert not event.binary
    assert event.message["dreamer"] == "OFF"


def test_the_dreamer_is_off_where_it_does_not_dream(client: Client) -> None:
    status = client.call("subscribe", events=["patch"]).status
    assert status.dreamer == OFF
    assert not status.read_only


def test_the_status_of_one_that_dreams(dreaming: Server) -> None:
    with Client(dreaming.url) as client:
        status = client.call("subscribe", events=["status"]).status
        assert status.dreamer in (STARTING, WAITING, DREAMING, RESTING)
        assert status.network == client.call("getInfo").network
        assert status.network
        assert re.fullmatch(LAYER, status.layer), status.layer
        assert status.style


def test_get_info(canvas: Server, client: Client) -> None:
    info = client.call("getInfo")
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*", info.version)
    assert 0 <= time.time_ns() // 1_000_000 - info.started < 3_600_000
    assert info.limits == client.call("subscribe", events=["patch"]).limits
    assert not info.read_only
    assert client.json("getInfo")["started"] == info.started
