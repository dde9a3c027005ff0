"""A network of two small layers in float64, smooth, so that finite differences are exact to many digits."""

import numpy as np

from dreamcanvas.dream.network import Tensor, Walk
from dreamcanvas.dream.tensors import tf
from dreamcanvas.errors import DreamError

CHANNELS = {"first": 4, "second": 6}


class TinyNetwork:
    """`first`, 3×3 with stride 2 and a tanh, and `second`, 3×3, on pictures [1, height, width, 3]."""

    def __init__(self, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self._first = rng.normal(size=(3, 3, 3, CHANNELS["first"])) / 5.0
        self._second = rng.normal(size=(3, 3, CHANNELS["first"], CHANNELS["second"])) / 5.0
        self.walks: list[str] = []
        self.passes: list[str] = []

    def walk(self, layer: str) -> Walk:
        if layer not in CHANNELS:
            raise DreamError(f"no layer {layer!r}")
        self.walks.append(layer)

        def walk(pictures: Tensor, channel: Tensor | None) -> Tensor:
            self.passes.append(layer)
            x = tf.tanh(tf.nn.conv2d(pictures / 128.0 - 1.0, tf.constant(self._first), 2, "SAME"))
            if layer == "second":
                x = tf.nn.conv2d(x, tf.constant(self._second), 1, "SAME")
            return x if channel is None else tf.gather(x, [channel], axis=-1)

        return walk
