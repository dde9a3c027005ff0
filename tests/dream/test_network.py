"""EfficientNet-Lite0 sees what it was trained to see, layer by layer, and no further than asked."""

import numpy as np
import pytest
import skimage.data
from PIL import Image

from dreamcanvas.dream.network import NETWORKS, Network, NetworkInfo, load_network, network_info
from dreamcanvas.dream.networks.efficientnet_lite0_graph import read_weights
from dreamcanvas.dream.tensors import tf
from dreamcanvas.errors import DreamError


def probabilities(network: Network, photograph: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Classify as the network was evaluated: central crop of 87.5%, 224 px, bicubic."""
    image = Image.fromarray(getattr(skimage.data, photograph)())
    side = int(0.875 * min(image.size))
    left, top = (image.width - side) // 2, (image.height - side) // 2
    crop = image.crop((left, top, left + side, top + side)).resize((224, 224), Image.Resampling.BICUBIC)
    features = network.walk("head")(tf.constant(np.asarray(crop)[None], tf.float32), None)
    weights = read_weights()
    logits = tf.reduce_mean(features, [1, 2]) @ weights["_fc.weight"].T + weights["_fc.bias"]
    found: np.ndarray[tuple[int, ...], np.dtype[np.float32]] = tf.nn.softmax(logits)[0].numpy()
    return found


def test_a_cat_is_a_cat(network: Network) -> None:
    found = probabilities(network, "chelsea")
    assert set(np.argsort(found)[-3:]) == {281, 282, 285}  # tabby, tiger cat, Egyptian cat


def test_a_coffee_is_an_espresso(network: Network) -> None:
    found = probabilities(network, "coffee")
    assert np.argmax(found) == 967
    assert found[967] == pytest.approx(0.95, abs=0.02)


def test_layers_are_named_from_the_picture_upwards(info: NetworkInfo) -> None:
    names = [layer.name for layer in info.layers]
    assert names[:5] == ["stem_pre", "stem", "b0_dw_pre", "b0_dw", "b0_out"]
    assert names[5:10] == ["b1_exp_pre", "b1_exp", "b1_dw_pre", "b1_dw", "b1_out"]
    assert names[-2:] == ["head_pre", "head"]
    assert sum(name.endswith("_out") for name in names) == 16


@pytest.mark.parametrize(
    ("name", "channels", "stride"),
    [("stem", 32, 2), ("b1_exp", 96, 2), ("b1_dw", 96, 4), ("b5_out", 80, 16), ("b8_exp_pre", 480, 16),
     ("b9_exp", 672, 16), ("b15_out", 320, 32), ("head", 1280, 32)],
)  # fmt: skip
def test_a_layer_has_its_channels_and_stride(
    network: Network, info: NetworkInfo, name: str, channels: int, stride: int
) -> None:
    layer = info.layer(name)
    assert (layer.channels, layer.stride) == (channels, stride)
    activations = network.walk(name)(tf.zeros([1, 64, 96, 3]), None)
    assert activations.shape == (1, 64 // stride, 96 // stride, channels)


def test_relu6_lies_between_a_layer_and_its_pre(
    network: Network, coffee: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]
) -> None:
    pictures = tf.constant(coffee[None], tf.float32)
    before = network.walk("b3_exp_pre")(pictures, None).numpy()
    after = network.walk("b3_exp")(pictures, None).numpy()
    assert before.min() < 0
    np.testing.assert_allclose(after, np.clip(before, 0, 6), atol=1e-5)


@pytest.mark.parametrize("layer", ["stem", "b0_dw", "b4_exp_pre", "b4_dw", "b4_out", "b9_exp"])
def test_a_channel_is_a_slice_of_its_layer(
    network: Network, coffee: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], layer: str
) -> None:
    pictures = tf.constant(coffee[None], tf.float32)
    walk = network.walk(layer)
    whole = walk(pictures, None).numpy()
    np.testing.assert_allclose(walk(pictures, tf.constant(7)).numpy()[..., 0], whole[..., 7], atol=1e-4)


def test_the_graph_ends_at_the_wanted_layer(network: Network) -> None:
    def constants(layer: str) -> int:
        with tf.Graph().as_default() as graph:
            network.walk(layer)(tf.zeros([1, 64, 64, 3]), None)
        return sum(
            operation.type in ("Conv2D", "DepthwiseConv2dNative") for operation in graph.get_operations()
        )

    assert constants("stem_pre") == 1
    assert constants("b2_exp_pre") == 7
    assert constants("head") == 49


def test_an_unknown_layer_names_the_nearest(info: NetworkInfo) -> None:
    with pytest.raises(DreamError, match="no layer 'b9_expp'; the nearest is 'b9_exp'"):
        info.layer("b9_expp")


def test_an_unknown_network_names_those_there_are() -> None:
    with pytest.raises(DreamError, match="no network 'vgg'; there are efficientnet_lite0 and inception5h"):
        network_info("vgg")
    with pytest.raises(DreamError):
        load_network("vgg")


def test_every_network_says_its_licence_and_source() -> None:
    for info in NETWORKS.values():
        assert info.licence
        assert info.source.startswith(("https://", "Python package "))
