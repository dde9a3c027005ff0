"""The operations of a convolutional network's frozen GraphDef, each as a function of tensors.

Every node is evaluated by TensorFlow's own operation of its name, but for those that cost less otherwise
(docs/performance.md).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dreamcanvas.dream.network import Tensor
from dreamcanvas.dream.networks.convolution import convolve
from dreamcanvas.dream.networks.response import normalise
from dreamcanvas.dream.tensors import tf
from dreamcanvas.errors import DreamError

Operation = Callable[[Any, Sequence[Tensor]], Tensor]
"""(node, its inputs) to its first output."""


def _convolve(node: Any, inputs: Sequence[Tensor]) -> Tensor:
    x, kernel = inputs
    _, stride, across, _ = node.attr["strides"].list.i
    if any(dilation != 1 for dilation in node.attr["dilations"].list.i):
        raise DreamError(f"node {node.name!r} has dilations, which are not supported")
    padding = _padding(node)
    if padding == "SAME" and stride == across:
        return convolve(x, kernel, stride)
    return tf.nn.conv2d(x, kernel, [stride, across], padding)


def _convolve_depthwise(node: Any, inputs: Sequence[Tensor]) -> Tensor:
    return tf.nn.depthwise_conv2d(*inputs, list(node.attr["strides"].list.i), _padding(node))


def _normalise(node: Any, inputs: Sequence[Tensor]) -> Tensor:
    attr = node.attr
    return normalise(
        inputs[0], attr["depth_radius"].i, bias=attr["bias"].f, alpha=attr["alpha"].f, beta=attr["beta"].f
    )


def _pool_most(node: Any, inputs: Sequence[Tensor]) -> Tensor:
    return tf.nn.max_pool2d(inputs[0], *_window(node), "SAME")


def _pool_mean(node: Any, inputs: Sequence[Tensor]) -> Tensor:
    return tf.nn.avg_pool2d(inputs[0], *_window(node), "SAME")


def _window(node: Any) -> tuple[list[int], list[int]]:
    return list(node.attr["ksize"].list.i), list(node.attr["strides"].list.i)


def _padding(node: Any) -> str:
    padding: str = node.attr["padding"].s.decode()
    if padding not in ("SAME", "VALID"):
        raise DreamError(f"node {node.name!r} has padding {padding}; it must be SAME or VALID")
    return padding


OPERATIONS: Mapping[str, Operation] = {
    "Add": lambda _, inputs: tf.add(*inputs),
    "AddV2": lambda _, inputs: tf.add(*inputs),
    "AvgPool": _pool_mean,
    "BiasAdd": lambda _, inputs: tf.nn.bias_add(*inputs),
    "Concat": lambda _, inputs: tf.concat(inputs[1:], -1),
    "ConcatV2": lambda _, inputs: tf.concat(inputs[:-1], -1),
    "Conv2D": _convolve,
    "DepthwiseConv2dNative": _convolve_depthwise,
    "Identity": lambda _, inputs: inputs[0],
    "LRN": _normalise,
    "MaxPool": _pool_most,
    "Mul": lambda _, inputs: tf.multiply(*inputs),
    "Relu": lambda _, inputs: tf.nn.relu(inputs[0]),
    "Relu6": lambda _, inputs: tf.nn.relu6(inputs[0]),
    "Sub": lambda _, inputs: tf.subtract(*inputs),
}
"""Every operation that a GraphDef may have. Poolings are SAME, for any size; means leave the padding out."""
