"""GoogLeNet as `tensorflow_inception_graph.pb` has it, node by node, with seeded random weights.

Written from the published graph's own list of nodes, its classifiers included (which no dream needs); the
weights are scaled as He et al. propose, so that activations neither die nor grow.
"""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from dreamcanvas.dream.networks.inception5h import BLOCKS
from dreamcanvas.dream.tensors import tf

_CLASSES = 1008
_HIDDEN = 1024


class _Builder:
    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)

    def constant(self, name: str, shape: tuple[int, ...], fan_in: int) -> Any:
        values = self._random.standard_normal(shape, np.float32) * np.float32(np.sqrt(2 / fan_in))
        return tf.constant(values, name=name)

    def convolution(self, x: Any, name: str, side: int, channels: int, stride: int = 1) -> Any:
        fan_in = side * side * x.shape[-1]
        weights = self.constant(f"{name}_w", (side, side, x.shape[-1], channels), fan_in)
        bias = self.constant(f"{name}_b", (channels,), fan_in)
        x = tf.nn.conv2d(x, weights, stride, "SAME", name=f"{name}_pre_relu/conv")
        return tf.nn.relu(tf.nn.bias_add(x, bias, name=f"{name}_pre_relu"), name=name)

    def block(self, x: Any, name: str, widths: tuple[int, ...]) -> Any:
        one, three_in, three, five_in, five, pool = widths
        branches = [
            self.convolution(x, f"{name}_1x1", 1, one),
            self.convolution(
                self.convolution(x, f"{name}_3x3_bottleneck", 1, three_in), f"{name}_3x3", 3, three
            ),
            self.convolution(
                self.convolution(x, f"{name}_5x5_bottleneck", 1, five_in), f"{name}_5x5", 5, five
            ),
            self.convolution(
                tf.nn.max_pool2d(x, 3, 1, "SAME", name=f"{name}_pool"), f"{name}_pool_reduce", 1, pool
            ),
        ]
        axis = tf.constant(3, name=f"{name}/concat_dim")
        return tf.raw_ops.Concat(concat_dim=axis, values=branches, name=name)

    def classifier(self, x: Any, number: int, hidden: bool) -> None:
        name = f"head{number}_bottleneck/reshape" if hidden else "avgpool0/reshape"
        width = 4 * 4 * 128 if hidden else _HIDDEN
        x = tf.reshape(x, tf.constant([-1, width], name=f"{name}/shape"), name=name)
        if hidden:
            weights = self.constant(f"nn{number}_w", (width, _HIDDEN), width)
            x = tf.nn.relu(tf.matmul(x, weights, name=f"nn{number}_pre_relu/matmul"), name=f"nn{number}")
        weights = self.constant(f"softmax{number}_w", (_HIDDEN, _CLASSES), _HIDDEN)
        x = tf.matmul(x, weights, name=f"softmax{number}_pre_activation/matmul")
        tf.nn.softmax(x, name=f"softmax{number}")


def build_graph(seed: int, blocks: Mapping[str, tuple[int, ...]] | None = None) -> bytes:
    """Give the serialised GraphDef; `blocks` are other widths."""
    builder = _Builder(seed)
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, [None, None, None, 3], name="input")
        x = builder.convolution(x, "conv2d0", 7, 64, stride=2)
        x = tf.nn.max_pool2d(x, 3, 2, "SAME", name="maxpool0")
        x = _normalise(x, "localresponsenorm0")
        x = builder.convolution(x, "conv2d1", 1, 64)
        x = builder.convolution(x, "conv2d2", 3, 192)
        x = _normalise(x, "localresponsenorm1")
        x = tf.nn.max_pool2d(x, 3, 2, "SAME", name="maxpool1")
        for name, widths in (blocks or BLOCKS).items():
            x = builder.block(x, name, widths)
            if name in ("mixed3b", "mixed4e"):
                number = {"mixed3b": 4, "mixed4e": 10}[name]
                x = tf.nn.max_pool2d(x, 3, 2, "SAME", name=f"maxpool{number}")
            if name in ("mixed4a", "mixed4d"):
                head = {"mixed4a": 0, "mixed4d": 1}[name]
                pooled = tf.nn.avg_pool2d(x, 5, 3, "VALID", name=f"head{head}_pool")
                builder.classifier(builder.convolution(pooled, f"head{head}_bottleneck", 1, 128), head, True)
        builder.classifier(tf.nn.avg_pool2d(x, 7, 1, "VALID", name="avgpool0"), 2, False)
        data: bytes = graph.as_graph_def().SerializeToString()
    return data


def write_zip(path: Path, graph: bytes) -> None:
    """Write an archive as `inception5h.zip` is."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("imagenet_comp_graph_label_strings.txt", "dummy\n")
        archive.writestr("tensorflow_inception_graph.pb", graph)
        archive.writestr("LICENSE", "Apache License, Version 2.0\n")


def _normalise(x: Any, name: str) -> Any:
    return tf.nn.local_response_normalization(x, 2, bias=2.0, alpha=2e-5, beta=0.75, name=name)
