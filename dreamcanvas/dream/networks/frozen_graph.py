"""A network from a frozen GraphDef: whose weights are constants and whose input is its one placeholder.

Only what a wanted layer needs is evaluated, node by node. A GraphDef can name any operation, of files too;
those of a convolutional network (`graph_operations`) are known here and every other is refused. One thing is
changed: poolings that need a smallest size (padding VALID, in the heads) take any (SAME).
"""

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any

from google.protobuf.message import DecodeError

from dreamcanvas.dream.network import Tensor, Walk
from dreamcanvas.dream.networks.graph_operations import OPERATIONS
from dreamcanvas.dream.networks.layers import LayerInfo
from dreamcanvas.dream.tensors import select_channel, tf
from dreamcanvas.errors import DreamError

_INPUT = "Placeholder"
_CONSTANT = "Const"
_PASSING = {"Relu", "Relu6", "Identity"}
_ALLOWED = {_INPUT, _CONSTANT, *OPERATIONS}
_MEASURED_SIDE = 960
"""Pixels: the side of the picture by which strides are found; divisible by every stride there is."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
"""Names that the grammar of objectives can say; `mixed3a_1x1_pre_relu/conv` is a part of a layer."""


class FrozenGraph:
    """A network as in `Network`; its layers are the nodes with activations [1, height, width, channels].

    Pictures get `mean` (levels) subtracted; `precision` is that of weights and activations below the layer's.
    Raises DreamError for data that are no such GraphDef.
    """

    def __init__(self, data: bytes, mean: float, precision: str = "float32") -> None:
        graph = tf.compat.v1.GraphDef()
        try:
            graph.ParseFromString(data)
        except DecodeError as error:
            raise DreamError("this is no GraphDef") from error
        self._nodes: dict[str, Any] = {node.name: node for node in graph.node}
        self._mean = mean
        self._dtype = tf.dtypes.as_dtype(precision)
        inputs = [node.name for node in graph.node if node.op == _INPUT]
        if len(inputs) != 1:
            raise DreamError(f"a GraphDef with {len(inputs)} placeholders; one, the picture, is needed")
        self._input = inputs[0]

    def walk(self, layer: str) -> Walk:
        """See `Network.walk`. Only inside a traced function."""
        nodes = self._below([layer])
        constants = self._constants(nodes)
        narrowed = self._narrowed(layer, nodes)

        def walk(pictures: Tensor, channel: Tensor | None) -> Tensor:
            values = {**constants, self._input: tf.cast(pictures - self._mean, self._dtype)}
            if channel is not None:
                # Only the wanted channel is computed, and only its gradient goes back.
                values |= {name: tf.gather(constants[name], [channel], axis=-1) for name in narrowed}
            x = tf.cast(_evaluate(nodes, values)[layer], tf.float32)
            return x if channel is None or narrowed else select_channel(x, channel)

        return walk

    def layers(self) -> tuple[LayerInfo, ...]:
        """Return the layers that the graph has, in its order. Raises DreamError where it has none."""
        names = [name for name in self._usable() if _NAME.fullmatch(name)]
        names = [name for name in names if self._nodes[name].op not in (_INPUT, _CONSTANT)]
        if not names:
            raise DreamError("the GraphDef has no layer that can be dreamt")
        nodes = self._below(names)
        with tf.Graph().as_default():
            picture = tf.zeros([1, _MEASURED_SIDE, _MEASURED_SIDE, 3], self._dtype)
            found = _evaluate(nodes, {**self._constants(nodes), self._input: picture})
            return tuple(
                LayerInfo(name, found[name].shape[3], round(_MEASURED_SIDE / found[name].shape[1]))
                for name in names
                if found[name].shape.rank == 4 and found[name].shape.is_fully_defined()
            )

    def _usable(self) -> Iterable[str]:
        """The nodes that need allowed operations only, in the graph's order."""
        refused = {name for name, node in self._nodes.items() if node.op not in _ALLOWED}
        spread = True
        while spread:
            more = {
                name
                for name, node in self._nodes.items()
                if name not in refused and any(_source(text) in refused for text in node.input)
            }
            refused |= more
            spread = bool(more)
        return [name for name in self._nodes if name not in refused]

    def _below(self, layers: Sequence[str]) -> list[Any]:
        """The nodes that layers need, each after those that it needs itself."""
        sources: dict[str, list[str]] = {}
        waiting = list(layers)
        while waiting:
            name = waiting.pop()
            if name not in sources:
                sources[name] = [_source(text) for text in self._node(name).input]
                waiting += sources[name]
        if self._input not in sources:
            raise DreamError("the layer does not depend on the picture")
        try:
            return [self._nodes[name] for name in TopologicalSorter(sources).static_order()]
        except CycleError as error:
            raise DreamError("the GraphDef goes round in a circle") from error

    def _constants(self, nodes: Iterable[Any]) -> dict[str, Any]:
        """The constants among nodes: weights as tensors of the precision, the rest as arrays."""
        return {node.name: _constant(node, self._dtype) for node in nodes if node.op == _CONSTANT}

    def _node(self, name: str) -> Any:
        node = self._nodes.get(name)
        if node is None:
            nearest = difflib.get_close_matches(name, self._nodes, n=1, cutoff=0.0)[0]
            raise DreamError(f"the GraphDef has no node {name!r}; the nearest is {nearest!r}")
        if node.op not in _ALLOWED:
            raise DreamError(f"node {name!r} is of the operation {node.op}, which is not allowed")
        return node

    def _narrowed(self, layer: str, nodes: Iterable[Any]) -> tuple[str, ...]:
        """The last convolution's weights, of which a channel needs a slice; none for other layers."""
        uses = Counter(_source(text) for node in nodes for text in node.input)
        node, found = self._nodes[layer], []
        while node.op in _PASSING or node.op == "BiasAdd":
            found += [_source(text) for text in node.input[1:]]
            node = self._nodes[_source(node.input[0])]
        if node.op != "Conv2D":
            return ()
        found.append(_source(node.input[1]))
        own = all(self._nodes[name].op == _CONSTANT and uses[name] == 1 for name in found)
        return tuple(found) if own else ()


def _source(text: str) -> str:
    """The node that an input (`name`, `name:1`, `^name`) comes from."""
    return text.removeprefix("^").split(":")[0]


def _constant(node: Any, dtype: Any) -> Any:
    try:
        array = tf.make_ndarray(node.attr["value"].tensor)
    except (TypeError, ValueError) as error:
        raise DreamError(f"the constant {node.name!r} cannot be read: {error}") from error
    return tf.cast(array, dtype) if array.dtype == "float32" else array


def _evaluate(nodes: Iterable[Any], values: Mapping[str, Any]) -> dict[str, Tensor]:
    """Evaluate nodes in their order; values are those that are known: the constants and the picture."""
    found = dict(values)
    for node in nodes:
        if node.name in found:
            continue
        inputs = [found[_source(text)] for text in node.input if not text.startswith("^")]
        try:
            found[node.name] = OPERATIONS[node.op](node, inputs)
        except (TypeError, ValueError, IndexError, tf.errors.OpError) as error:
            raise DreamError(f"node {node.name!r} ({node.op}) cannot be used: {error}") from error
    return found
