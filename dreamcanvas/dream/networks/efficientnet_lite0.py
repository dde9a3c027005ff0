"""EfficientNet-Lite0 as data: its convolutions and the names of its layers. No TensorFlow here.

From Tan and Le, "EfficientNet" (2019), in the Lite variant for edge devices (no squeeze-and-excite, ReLU6
for swish; https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite). ImageNet
weights, 224 px, 75.1% top-1.

Layers, from the picture upwards; `N` is a block, 0–15:

    stem, stem_pre          the first 3×3 convolution, after and before its ReLU6
    bN_exp, bN_exp_pre      1×1 convolution to six times the channels (block 0 has none), after and before
    ReLU6 bN_dw, bN_dw_pre        depthwise 3×3 or 5×5 convolution, after and before ReLU6
    bN_out                  1×1 convolution to the block's few output channels, linear, with the block's
    input added
                            where it has the same shape
    head, head_pre          the last 1×1 convolution, after and before ReLU6
"""

from collections.abc import Iterator
from dataclasses import dataclass

from dreamcanvas.dream.networks.layers import LayerInfo

# repeats, kernel, stride of the first, expansion, output channels
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
_STEM_CHANNELS = 32
_HEAD_CHANNELS = 1280


@dataclass(frozen=True, slots=True)
class Convolution:
    """A convolution of the network with its batch norm, folded in when the weights are read.

    `weights` and `norm` are names in the checkpoint. `relu6`: it ends in one. `starts_block`: its input is
    that of a block; `residual`: the block's input is added to its output.
    """

    layer: str
    weights: str
    norm: str
    channels: int
    stride: int = 1
    depthwise: bool = False
    relu6: bool = True
    starts_block: bool = False
    residual: bool = False


def _convolutions() -> Iterator[Convolution]:
    yield Convolution("stem", "_conv_stem", "_bn0", _STEM_CHANNELS, stride=2)
    block, channels = 0, _STEM_CHANNELS
    for repeats, _, first_stride, expansion, out in _STAGES:
        for repeat in range(repeats):
            name, path = f"b{block}", f"_blocks.{block}"
            stride = 1 if repeat else first_stride
            inner = channels * expansion
            expands = expansion > 1
            if expands:
                yield Convolution(
                    f"{name}_exp", f"{path}._expand_conv", f"{path}._bn0", inner, starts_block=True
                )
            yield Convolution(
                f"{name}_dw", f"{path}._depthwise_conv", f"{path}._bn1", inner, stride, depthwise=True,
                starts_block=not expands,
            )  # fmt: skip
            yield Convolution(
                f"{name}_out", f"{path}._project_conv", f"{path}._bn2", out, relu6=False, residual=repeat > 0
            )
            block, channels = block + 1, out
    yield Convolution("head", "_conv_head", "_bn1", _HEAD_CHANNELS)


def _layers(convolutions: tuple[Convolution, ...]) -> Iterator[LayerInfo]:
    stride = 1
    for convolution in convolutions:
        stride *= convolution.stride
        if convolution.relu6:
            yield LayerInfo(f"{convolution.layer}_pre", convolution.channels, stride)
        yield LayerInfo(convolution.layer, convolution.channels, stride)


CONVOLUTIONS = tuple(_convolutions())
LAYERS = tuple(_layers(CONVOLUTIONS))
