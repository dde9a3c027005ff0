"""What tests share: one server that dreams, one that does not."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live_server import Server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that dreams, often: something is drawn."""
    with Server(tmp_path_factory.mktemp("dreaming"), "--dream-interval", "0.5") as server:
        server.draw()
        yield server


@pytest.fixture(scope="session")
def quiet_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that does not dream: its picture is the operations on white."""
    with Server(tmp_path_factory.mktemp("quiet"), "--no-dream") as server:
        yield server


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"
