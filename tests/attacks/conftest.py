"""One server with a full log for all attacks, each of which comes from an address of its own; one probe."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.attacks.probe import Probe
from tests.attacks.scene import copied, dreamt, painted
from tests.live_server import Server, wait_until


@pytest.fixture(scope="session")
def full_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory whose log is full, with 400 dreams."""
    directory = tmp_path_factory.mktemp("full")
    painted(directory)
    dreamt(directory)
    return directory


@pytest.fixture(scope="session")
def victim(full_log: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with the default limits."""
    with Server(
        copied(full_log, tmp_path_factory.mktemp("victim") / "data"), "--no-dream", "--no-movies"
    ) as server:
        yield server


@pytest.fixture(scope="session")
def probe(victim: Server) -> Iterator[Probe]:
    """A normal painter there, at 127.0.0.2."""
    with Probe(victim.port) as probe:
        wait_until(lambda: probe.since(0).seconds, what="the probe's first dab")
        yield probe


@pytest.fixture(scope="session")
def new_address() -> Callable[[], str]:
    """An address from which nobody has come yet."""
    numbers = itertools.count(1)
    return lambda: f"127.0.7.{next(numbers)}"
