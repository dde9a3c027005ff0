"""A minute of hostile bytes. The long runs are tests/soak/fuzz.py."""

import contextlib
import socket
from pathlib import Path

import pytest

from tests import fuzz
from tests.live_server import Server

RUBBISH = (
    b"POST /rpc HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    + b"1\r\n{\r\n" * 70000
    + b"rubbish\r\n"
)
CUT_SHORT = b"POST /rpc HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{"


BROKEN_BODY = b" /livez HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nrubbish\r\n"


@pytest.mark.parametrize("body", [RUBBISH, CUT_SHORT, b"HEAD" + BROKEN_BODY, b"GET" + BROKEN_BODY])
def test_what_fuzzing_found(quiet_server: Server, body: bytes) -> None:
    """Rubbish behind a request that is being answered, and a body that never comes."""
    start = len(quiet_server.log)
    for _ in range(5):
        address = ("127.0.0.1", quiet_server.port)
        with socket.create_connection(address, 5) as peer, contextlib.suppress(OSError):
            peer.sendall(body)
            peer.shutdown(socket.SHUT_WR)
            while peer.recv(65536):
                pass
    quiet_server.get("/livez")
    assert list(fuzz.incidents(quiet_server, start)) == []


@pytest.mark.parametrize("target", fuzz.TARGETS)
def test_nobody_is_disturbed(target: str, data_dir: Path) -> None:
    with Server(data_dir, "--no-dream", "--no-rate-limits", "--replay-operations", "1000") as server:
        report = fuzz.run(server, target, seconds=12, seed=20170621)
    assert report.incidents == []
    assert report.growth < fuzz.MEMORY_GROWTH
    assert report.sent > 100
    assert report.bystander > 10
