"""A network from a frozen GraphDef: whose weights are constants and whose input is its one placeholder.

Only what a wanted layer needs is imported. A GraphDef can name any operation, of files too; those of a
convolutional network are allowed and every other is refused. Two things are changed: poolings that need a
smallest size (padding VALID, in the heads) take any (SAME, whose means leave the padding out), and what was
recorded of shapes and devices is dropped.
"""

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError

from dreamcanvas.dream.network import Tensor, Walk
from dreamcanvas.dream.networks.layers import LayerInfo
from dreamcanvas.dream.tensors import select_channel, tf
from dreamcanvas.errors import DreamError

_INPUT = "Placeholder"
_CONSTANT = "Const"
_POOLINGS = {"MaxPool", "AvgPool"}
_PASSING = {"Relu", "Relu6", "Identity"}
_ALLOWED = (
    {_INPUT, _CONSTANT, "Conv2D", "DepthwiseConv2dNative", "BiasAdd", "LRN", "Concat", "ConcatV2"}
    | {"Add", "AddV2", "Sub", "Mul"}
    | _POOLINGS
    | _PASSING
)
_MEASURED_SIDE = 960
"""Pixels: the side of the picture by which strides are found; divisible by every stride there is."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
"""Names that the grammar of objectives can say; `mixed3a_1x1_pre_relu/conv` is a part of a layer."""


@dataclass(frozen=True, slots=True)
class _Pruned:
    """What a layer needs: a GraphDef without its weights and input, and those (nodes by name)."""

    graph: Any
    weights: Mapping[str, Any]
    input: str


class FrozenGraph:
    """A network as in `Network`; its layers are the nodes with activations [1, height, width, channels].

    Pictures get `mean` (levels) subtracted. Raises DreamError for data that are no such GraphDef.
    """

    def __init__(self, data: bytes, mean: float) -> None:
        graph = tf.compat.v1.GraphDef()
        try:
            graph.ParseFromString(data)
        except DecodeError as error:
            raise DreamError("this is no GraphDef") from error
        self._versions = graph.versions
        self._nodes: dict[str, Any] = {node.name: node for node in graph.node}
        self._mean = mean
        inputs = [node.name for node in graph.node if node.op == _INPUT]
        if len(inputs) != 1:
            raise DreamError(f"a GraphDef with {len(inputs)} placeholders; one, the picture, is needed")

    def walk(self, layer: str) -> Walk:
        """See `Network.walk`. Only inside a traced function."""
        pruned = self._prune([layer])
        constants = {f"{name}:0": _constant(node) for name, node in pruned.weights.items()}
        narrowed = self._narrowed(layer, pruned)

        def walk(pictures: Tensor, channel: Tensor | None) -> Tensor:
            sources = {**constants, f"{pruned.input}:0": pictures - self._mean}
            if channel is not None:
                # Only the wanted channel is computed, and only its gradient goes back.
                sources |= {name: tf.gather(constants[name], [channel], axis=-1) for name in narrowed}
            x = _import(pruned.graph, sources, [layer])[0]
            return x if channel is None or narrowed else select_channel(x, channel)

        return walk

    def layers(self) -> tuple[LayerInfo, ...]:
        """Give the layers that the graph has, in its order. Raises DreamError where it has none."""
        names = [name for name in self._usable() if _NAME.fullmatch(name)]
        names = [name for name in names if self._nodes[name].op not in (_INPUT, _CONSTANT)]
        if not names:
            raise DreamError("the GraphDef has no layer that can be dreamt")
        pruned = self._prune(names)
        with tf.Graph().as_default():
            sources = {f"{name}:0": _constant(node) for name, node in pruned.weights.items()}
            sources[f"{pruned.input}:0"] = tf.zeros([1, _MEASURED_SIDE, _MEASURED_SIDE, 3])
            found = zip(names, _import(pruned.graph, sources, names), strict=True)
            return tuple(
                LayerInfo(name, x.shape[3], round(_MEASURED_SIDE / x.shape[1]))
                for name, x in found
                if x.shape.rank == 4 and x.shape.is_fully_defined()
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

    def _prune(self, layers: Iterable[str]) -> _Pruned:
        wanted: dict[str, Any] = {}
        waiting = list(layers)
        while waiting:
            name = waiting.pop()
            if name not in wanted:
                wanted[name] = node = self._node(name)
                waiting += [_source(text) for text in node.input]
        graph = tf.compat.v1.GraphDef(versions=self._versions)
        weights, inputs = {}, []
        for name in (name for name in self._nodes if name in wanted):
            node = wanted[name]
            if node.op == _INPUT:
                inputs.append(name)
            elif node.op == _CONSTANT and node.attr["dtype"].type == tf.float32.as_datatype_enum:
                weights[name] = node
            else:
                graph.node.append(_cleaned(node))
        if not inputs:
            raise DreamError("the layer does not depend on the picture")
        return _Pruned(graph, weights, inputs[0])

    def _node(self, name: str) -> Any:
        node = self._nodes.get(name)
        if node is None:
            nearest = difflib.get_close_matches(name, self._nodes, n=1, cutoff=0.0)[0]
            raise DreamError(f"the GraphDef has no node {name!r}; the nearest is {nearest!r}")
        if node.op not in _ALLOWED:
            raise DreamError(f"node {name!r} is of the operation {node.op}, which is not allowed")
        return node

    def _narrowed(self, layer: str, pruned: _Pruned) -> tuple[str, ...]:
        """The last convolution's weights, of which a channel needs a slice; none for other layers."""
        uses = Counter(_source(text) for node in pruned.graph.node for text in node.input)
        node, found = self._nodes[layer], []
        while node.op in _PASSING or node.op == "BiasAdd":
            found += [_source(text) for text in node.input[1:]]
            node = self._nodes[_source(node.input[0])]
        if node.op != "Conv2D":
            return ()
        found.append(_source(node.input[1]))
        own = all(name in pruned.weights and uses[name] == 1 for name in found)
        return tuple(f"{name}:0" for name in found) if own else ()


def _source(text: str) -> str:
    """The node that an input (`name`, `name:1`, `^name`) comes from."""
    return text.removeprefix("^").split(":")[0]


def _constant(node: Any) -> Tensor:
    try:
        return tf.constant(tf.make_ndarray(node.attr["value"].tensor))
    except (TypeError, ValueError) as error:
        raise DreamError(f"the constant {node.name!r} cannot be read: {error}") from error


def _cleaned(node: Any) -> Any:
    cleaned = type(node)()
    cleaned.CopyFrom(node)
    cleaned.device = ""
    for name in ("_output_shapes", "_class"):
        cleaned.attr.pop(name, None)
    if cleaned.op in _POOLINGS:
        cleaned.attr["padding"].s = b"SAME"
    return cleaned


def _import(graph: Any, sources: Mapping[str, Tensor], layers: Iterable[str]) -> list[Tensor]:
    wanted = [f"{layer}:0" for layer in layers]
    try:
        found: list[Tensor] = tf.graph_util.import_graph_def(graph, dict(sources), wanted, name="network")
    except (ValueError, tf.errors.OpError) as error:
        raise DreamError(f"the GraphDef cannot be used: {error}") from error
    return found
