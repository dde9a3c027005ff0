"""GoogLeNet from `tensorflow_inception_graph.pb`, or from another GraphDef of its form."""

from pathlib import Path

from dreamcanvas.dream import models
from dreamcanvas.dream.network import network_info
from dreamcanvas.dream.networks.frozen_graph import FrozenGraph
from dreamcanvas.errors import DreamError

INPUT_MEAN = 117.0
"""Levels, of every colour channel; the input is not scaled."""


def load(precision: str) -> FrozenGraph:
    """Return the network from the model directory. Raises DreamError where it is missing or altered."""
    return FrozenGraph(models.read_weights(network_info("inception5h")), INPUT_MEAN, precision)


def load_file(path: Path, precision: str) -> FrozenGraph:
    """Return the network from any GraphDef, as it is. Raises DreamError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DreamError(f"{path} cannot be read: {error}") from error
    try:
        return FrozenGraph(data, INPUT_MEAN, precision)
    except DreamError as error:
        raise DreamError(f"{path}: {error}") from error
