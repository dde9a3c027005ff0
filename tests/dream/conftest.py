"""The network is loaded once for all tests of the engine."""

import numpy as np
import pytest
import skimage.data

from dreamcanvas.dream.engine import Pixels
from dreamcanvas.dream.network import Network, NetworkInfo, load_network, network_info
from dreamcanvas.dream.networks.frozen_graph import FrozenGraph
from dreamcanvas.dream.tensors import limit_threads
from tests.dream.random_graph import build_graph


@pytest.fixture(scope="session")
def info() -> NetworkInfo:
    return network_info("efficientnet_lite0")


@pytest.fixture(scope="session", autouse=True)
def threads() -> None:
    """Two, as in the worker; it can be said only before TensorFlow's first operation."""
    limit_threads(2)


@pytest.fixture(scope="session")
def network() -> Network:
    return load_network("efficientnet_lite0")


@pytest.fixture(scope="session")
def graph() -> bytes:
    """A GraphDef with the nodes of `tensorflow_inception_graph.pb` and random weights."""
    return build_graph(seed=1)


@pytest.fixture(scope="session")
def googlenet(graph: bytes) -> FrozenGraph:
    return FrozenGraph(graph, 117.0)


@pytest.fixture(scope="session")
def coffee() -> Pixels:
    """A small photograph, 160 × 240 px, neither dark nor bright."""
    photograph: Pixels = skimage.data.coffee()  # type: ignore[no-untyped-call]
    return np.ascontiguousarray(photograph[100:260, 150:390])
