"""Servers of the contract tests, each with the flags that its tests name."""

from collections.abc import Iterator

import pytest

from tests.contract.client import Client
from tests.live_server import Server


@pytest.fixture(scope="session", autouse=True)
def dreaming(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that dreams, from the first of these tests on: its first dream takes longest.

    The tests of dreams kill it in the end, so it is not the one that others share.
    """
    with Server(tmp_path_factory.mktemp("dreaming"), "--dream-interval", "2") as server:
        server.draw()  # white paper is not dreamt
        yield server


@pytest.fixture(scope="session")
def canvas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of these tests' own, without dreams and rate limits: its picture is operations on white."""
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
