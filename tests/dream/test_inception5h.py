"""GoogLeNet by its 2017 names: the table of its layers, and the frozen graph that has them.

The weights are random here, so what it sees is not tested; that its graph is used as it is, is.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dreamcanvas.dream import models
from dreamcanvas.dream.engine import Engine, Pixels
from dreamcanvas.dream.network import Tensor, load_graph, load_network, network_info
from dreamcanvas.dream.networks.frozen_graph import FrozenGraph
from dreamcanvas.dream.networks.inception5h_graph import INPUT_MEAN
from dreamcanvas.dream.settings import CLASSIC, DreamSettings
from dreamcanvas.dream.styles import load_styles, parse_expression
from dreamcanvas.dream.tensors import tf
from dreamcanvas.errors import DreamError
from tests.dream.random_graph import build_graph

INFO = network_info("inception5h")
TINY = {f"mixed{name}": (4, 4, 4, 4, 4, 4) for name in ("3a", "3b", "4a")}


def activations(
    network: FrozenGraph, layer: str, pixels: Pixels, channel: int | None = None
) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def function(pictures: Tensor) -> Tensor:
        return network.walk(layer)(pictures, None if channel is None else tf.constant(channel))

    found: np.ndarray[tuple[int, ...], np.dtype[np.float32]] = function(
        tf.constant(pixels[None], tf.float32)
    ).numpy()
    return found


def operations(network: FrozenGraph, layer: str) -> list[Any]:
    with tf.Graph().as_default() as graph:
        network.walk(layer)(tf.compat.v1.placeholder(tf.float32, [1, 64, 64, 3]), None)
    found: list[Any] = graph.get_operations()
    return found


def test_the_table_has_the_published_convolutions() -> None:
    """The tutorial of 2015 counts 59 convolutions with 7548 channels."""
    convolutions = [layer for layer in INFO.layers if layer.name.endswith("_pre_relu")]
    assert len(convolutions) == 59
    assert sum(layer.channels for layer in convolutions) == 7548


@pytest.mark.parametrize(
    ("name", "channels", "stride"),
    [("conv2d0", 64, 2), ("conv2d2_pre_relu", 192, 4), ("mixed3a", 256, 8), ("mixed3b", 480, 8),
     ("mixed4a", 508, 16), ("mixed4d_3x3_bottleneck_pre_relu", 144, 16), ("mixed4d", 528, 16),
     ("mixed4e", 832, 16), ("mixed5a_pool", 832, 32), ("mixed5b", 1024, 32), ("head1_bottleneck", 128, 48)],
)  # fmt: skip
def test_a_layer_has_its_channels_and_stride(name: str, channels: int, stride: int) -> None:
    layer = INFO.layer(name)
    assert (layer.channels, layer.stride) == (channels, stride)


def test_the_graph_has_the_layers_of_the_table(googlenet: FrozenGraph) -> None:
    assert googlenet.layers() == INFO.layers


def test_the_graph_ends_at_the_wanted_layer(googlenet: FrozenGraph) -> None:
    def convolutions(layer: str) -> int:
        return sum(operation.type == "Conv2D" for operation in operations(googlenet, layer))

    assert convolutions("conv2d0_pre_relu") == 1
    assert convolutions("maxpool1") == 3
    assert convolutions("mixed3a_3x3") == 5
    assert convolutions("mixed4d_3x3_bottleneck_pre_relu") == 3 + 5 * 6 + 1
    assert convolutions("avgpool0") == 3 + 9 * 6


def test_only_the_weights_below_are_in_the_graph(googlenet: FrozenGraph) -> None:
    layer = "mixed3a_5x5_bottleneck"
    bytes_ = sum(
        operation.outputs[0].shape.num_elements() * 4
        for operation in operations(googlenet, layer)
        if operation.type == "Const" and operation.outputs[0].dtype == tf.float32
    )
    weights = 7 * 7 * 3 * 64 + 64 + 64 * 64 + 64 + 9 * 64 * 192 + 192 + 192 * 16 + 16
    assert bytes_ == 4 * (weights + 1)  # the mean


def test_the_mean_is_subtracted(googlenet: FrozenGraph) -> None:
    grey = np.full((32, 32, 3), 117, np.uint8)
    values = activations(googlenet, "conv2d0_pre_relu", grey)
    np.testing.assert_allclose(values, np.broadcast_to(values[:, :1, :1], values.shape), atol=1e-5)
    assert INPUT_MEAN == 117


def test_the_response_is_normalised_over_five_channels(googlenet: FrozenGraph, coffee: Pixels) -> None:
    x = activations(googlenet, "maxpool0", coffee[:64, :64])
    padded = np.pad(np.square(x), [(0, 0)] * 3 + [(2, 2)])
    around = sum(padded[..., offset : offset + 64] for offset in range(5))
    expected = x / (2 + 2e-5 * around) ** 0.75
    np.testing.assert_allclose(
        activations(googlenet, "localresponsenorm0", coffee[:64, :64]), expected, rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize(
    "layer", ["conv2d0", "mixed3a_3x3_pre_relu", "mixed3a_3x3", "mixed3a_pool", "mixed3a", "head0_pool"]
)
def test_a_channel_is_a_slice_of_its_layer(googlenet: FrozenGraph, coffee: Pixels, layer: str) -> None:
    whole = activations(googlenet, layer, coffee[:80, :80])
    one = activations(googlenet, layer, coffee[:80, :80], channel=7)
    assert one.shape == (*whole.shape[:3], 1)
    np.testing.assert_allclose(one[..., 0], whole[..., 7], rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize("shape", [(33, 57), (1, 1), (20, 200)])
def test_any_size_can_be_seen(googlenet: FrozenGraph, shape: tuple[int, int]) -> None:
    height, width = (-(-side // 48) for side in shape)
    pixels = np.full((*shape, 3), 120, np.uint8)
    assert activations(googlenet, "head0_bottleneck", pixels, channel=6).shape == (1, height, width, 1)


@pytest.mark.parametrize("expression", ["mixed3a_3x3_pre_relu:77", "conv2d2:3 + 0.5*maxpool1^2"])
def test_each_objective_rises_in_three_steps(googlenet: FrozenGraph, coffee: Pixels, expression: str) -> None:
    engine = Engine(googlenet, replace(CLASSIC, octaves=1))
    parsed = parse_expression(expression, INFO)
    pixels = coffee[:64, :80]
    before = engine.measure(pixels, parsed)
    for seed in range(3):
        pixels = engine.dream(pixels, parsed, seed)
    assert engine.measure(pixels, parsed) > before


def test_every_size_shares_a_trace(googlenet: FrozenGraph, coffee: Pixels) -> None:
    engine = Engine(googlenet, DreamSettings(octaves=2))
    for side in (37, 64):
        engine.dream(coffee[:side, :side], parse_expression("mixed3a_1x1_pre_relu:7", INFO), seed=1)
    assert engine.traces == 1


def test_in_bfloat16_it_sees_the_same(graph: bytes, googlenet: FrozenGraph, coffee: Pixels) -> None:
    half = FrozenGraph(graph, INPUT_MEAN, "bfloat16")
    layer = "mixed3a_3x3_pre_relu"
    expected = activations(googlenet, layer, coffee[:64, :64])
    error = activations(half, layer, coffee[:64, :64]) - expected
    assert error.std() < 0.02 * expected.std()


def test_a_graph_is_taken_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "other.pb"
    path.write_bytes(build_graph(2, TINY))
    info, network = load_graph("inception5h", path)
    assert info.layer("mixed4a").channels == 16
    assert info.layers == network.layers()  # type: ignore[attr-defined]
    with pytest.raises(DreamError, match="no layer 'mixed4b'; the nearest is 'mixed4a'"):
        info.layer("mixed4b")


def test_only_some_networks_take_a_graph(tmp_path: Path) -> None:
    with pytest.raises(DreamError, match="efficientnet_lite0 takes no graph; inception5h does"):
        load_graph("efficientnet_lite0", tmp_path / "x.pb")
    with pytest.raises(DreamError, match=r"x\.pb cannot be read"):
        load_graph("inception5h", tmp_path / "x.pb")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [(b"no graph", "no GraphDef"), (b"", "0 placeholders"), (build_graph(2, TINY)[:-9], "no GraphDef")],
    ids=["text", "nothing", "truncated"],
)
def test_what_is_no_graph_is_refused(tmp_path: Path, data: bytes, sentence: str) -> None:
    (tmp_path / "x.pb").write_bytes(data)
    with pytest.raises(DreamError, match=rf"x\.pb: .*{sentence}"):
        load_graph("inception5h", tmp_path / "x.pb")


def test_an_operation_of_files_is_refused() -> None:
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, [None, None, None, 3], name="input")
        secret = tf.io.decode_raw(tf.io.read_file("/etc/passwd", name="read"), tf.uint8)
        tf.add(x, tf.cast(secret[0], tf.float32), name="sum")
        tf.nn.relu(x, name="fine")
    network = FrozenGraph(graph.as_graph_def().SerializeToString(), 0.0)
    assert [layer.name for layer in network.layers()] == ["fine"]
    with tf.Graph().as_default(), pytest.raises(DreamError, match="which is not allowed"):
        network.walk("sum")


def test_a_layer_that_the_graph_lacks_names_the_nearest(googlenet: FrozenGraph) -> None:
    with pytest.raises(DreamError, match="no node 'mixed4dd'; the nearest is 'mixed4d'"):
        googlenet.walk("mixed4dd")


def test_without_weights_it_says_how_to_get_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(models.DIRECTORY_VARIABLE, str(tmp_path))
    with pytest.raises(DreamError, match="`dreamcanvas models fetch inception5h` downloads it"):
        load_network("inception5h")
    (tmp_path / "tensorflow_inception_graph.pb").write_bytes(build_graph(2, TINY))
    with pytest.raises(DreamError, match="SHA-256"):
        load_network("inception5h")


def test_the_flowers_are_those_of_the_tutorials() -> None:
    styles = {style.name: style.expression for style in load_styles("inception5h")}
    assert styles["Flowers"] == "mixed4d_3x3_bottleneck_pre_relu:139"
    assert len(styles) == 63
