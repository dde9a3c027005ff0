"""GoogLeNet of 2014 as data, in the form and with the names of `tensorflow_inception_graph.pb`. No TensorFlow
here.

From Szegedy et al., "Going Deeper with Convolutions" (2014); the graph is the one of DeepDream's TensorFlow
tutorial, whose widths differ from the paper's in a few places (mixed4a has 204 channels of 3×3, mixed5a 48 of
the 5×5 bottleneck): 59 convolutions with 7548 channels. Trained on ImageNet at 224 px.

Layers, from the picture upwards; every convolution X has X_pre_relu before its ReLU:

    conv2d0                             7×7, stride 2
    maxpool0, localresponsenorm0        3×3, stride 2
    conv2d1, conv2d2                    1×1, 3×3
    localresponsenorm1, maxpool1
    mixed3a … mixed5b                   nine blocks: the four branches below, put together
        B_1x1
        B_3x3_bottleneck, B_3x3         1×1, then 3×3
        B_5x5_bottleneck, B_5x5         1×1, then 5×5
        B_pool, B_pool_reduce           3×3 maximum at stride 1, then 1×1
    maxpool4, maxpool10                 after mixed3b and mixed4e: 3×3, stride 2
    avgpool0                            7×7 mean of mixed5b
    head0_pool, head0_bottleneck        5×5 mean of mixed4a at stride 3, then 1×1; head1 alike of mixed4d
"""

from collections.abc import Iterator

from dreamcanvas.dream.networks.download import Download
from dreamcanvas.dream.networks.layers import LayerInfo

DOWNLOAD = Download(
    url="https://storage.googleapis.com/download.tensorflow.org/models/inception5h.zip",
    sha256="d13569f6a98159de37e92e9c8ec4dae8f674fbf475f69fe6199b514f756d4364",
    file="tensorflow_inception_graph.pb",
    file_sha256="a39b08b826c9d5a5532ff424c03a3a11a202967544e389aca4b06c2bd8aef63f",
)

BRANCHES = ("1x1", "3x3_bottleneck", "3x3", "5x5_bottleneck", "5x5", "pool_reduce")
"""The convolutions of a block, in the order of its widths below."""

BLOCKS = {
    "mixed3a": (64, 96, 128, 16, 32, 32),
    "mixed3b": (128, 128, 192, 32, 96, 64),
    "mixed4a": (192, 96, 204, 16, 48, 64),
    "mixed4b": (160, 112, 224, 24, 64, 64),
    "mixed4c": (128, 128, 256, 24, 64, 64),
    "mixed4d": (112, 144, 288, 32, 64, 64),
    "mixed4e": (256, 160, 320, 32, 128, 128),
    "mixed5a": (256, 160, 320, 48, 128, 128),
    "mixed5b": (384, 192, 384, 48, 128, 128),
}
"""Channels of each branch, from the picture upwards."""

POOL_AFTER = {"mixed3b": "maxpool4", "mixed4e": "maxpool10"}
HEAD_OF = {"mixed4a": "head0", "mixed4d": "head1"}
HEAD_CHANNELS = 128
HEAD_STRIDE = 3


def _convolution(name: str, channels: int, stride: int) -> Iterator[LayerInfo]:
    yield LayerInfo(f"{name}_pre_relu", channels, stride)
    yield LayerInfo(name, channels, stride)


def _layers() -> Iterator[LayerInfo]:
    yield from _convolution("conv2d0", 64, 2)
    yield LayerInfo("maxpool0", 64, 4)
    yield LayerInfo("localresponsenorm0", 64, 4)
    yield from _convolution("conv2d1", 64, 4)
    yield from _convolution("conv2d2", 192, 4)
    yield LayerInfo("localresponsenorm1", 192, 4)
    yield LayerInfo("maxpool1", 192, 8)
    channels, stride = 192, 8
    for block, widths in BLOCKS.items():
        for branch, width in zip(BRANCHES, widths, strict=True):
            if branch == "pool_reduce":
                yield LayerInfo(f"{block}_pool", channels, stride)
            yield from _convolution(f"{block}_{branch}", width, stride)
        one, _, three, _, five, pool = widths
        channels = one + three + five + pool
        yield LayerInfo(block, channels, stride)
        if block in HEAD_OF:
            head = HEAD_OF[block]
            yield LayerInfo(f"{head}_pool", channels, stride * HEAD_STRIDE)
            yield from _convolution(f"{head}_bottleneck", HEAD_CHANNELS, stride * HEAD_STRIDE)
        if block in POOL_AFTER:
            stride *= 2
            yield LayerInfo(POOL_AFTER[block], channels, stride)
    yield LayerInfo("avgpool0", channels, stride)


LAYERS = tuple(_layers())
