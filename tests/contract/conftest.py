"""Servers of the contract tests, each with the flags that its tests name."""

from collections.abc import Iterator

import pytest

from tests.contract.client import Client
from tests.server import Server


@pytest.fixture(scope="session", autouse=True)
def dreaming(server: Server) -> Server:
    """The server that dreams, from the first test on: its first dream takes longest, and is there when it is needed."""
    return server


@pytest.fixture(scope="session")
def canvas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of these tests' own that does not dream and limits no rates: its picture is operations on white."""
    with Server(tmp_path_factory.mktemp("canvas"), "--no-dream", "--no-rate-limits") as server:
        yield server


@pytest.fixture(scope="session")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with small limits; addresses by X-Forwarded-For."""
    flags = (
        *("--no-dream", "--message-bytes", "4096", "--dabs-per-call", "16", "--dabs-per-second", "2"),
        *("--dabs-burst", "20", "--canvas-per-minute", "3", "--connections-per-address", "2"),
        *("--connections", "6", "--batch-calls", "3", "--replay-operations", "10", "--open-timeout", "1"),
        *("--trusted-proxies", "127.0.0.1", "--allowed-origins", "https://friend.example"),
    )
    with Server(tmp_path_factory.mktemp("limited"), *flags) as server:
        yield server


@pytest.fixture
def client(canvas: Server) -> Iterator[Client]:
    with Client(canvas.url) as client:
        yield client


@pytest.fixture
def other(canvas: Server) -> Iterator[Client]:
    with Client(canvas.url) as client:
        yield client
