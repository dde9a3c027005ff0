"""The convolution that takes a picture, without vectors that are mostly empty."""

from typing import Any

from dreamcanvas.dream.network import Tensor
from dreamcanvas.dream.tensors import side, tf

_FEW_CHANNELS = 4


def convolve(x: Tensor, kernel: Tensor, stride: int) -> Tensor:
    """Convolve x [1, height, width, in] by a kernel [height, width, in, out], padding SAME.

    A kernel that is wide for its stride and takes a picture's few channels (GoogLeNet's stem) leaves vectors
    mostly empty; the same sum over blocks of stride² pixels has stride² times the channels.
    """
    if kernel.shape[2] > _FEW_CHANNELS or min(kernel.shape[:2]) <= 2 * stride or stride == 1:
        return tf.nn.conv2d(x, kernel, stride, "SAME")
    return _convolve_blocks(x, kernel, stride)


def _convolve_blocks(x: Tensor, kernel: Tensor, stride: int) -> Tensor:
    channels = x.shape[-1]
    high, wide = kernel.shape[:2]
    (tall, down), (broad, right) = _blocks(high, side(x, 1), stride), _blocks(wide, side(x, 2), stride)
    x = _space_to_depth(tf.pad(x, [[0, 0], down, right, [0, 0]]), stride)
    kernel = tf.pad(kernel, [[0, tall - high], [0, broad - wide], [0, 0], [0, 0]])
    kernel = tf.reshape(kernel, [tall // stride, stride, broad // stride, stride, channels, -1])
    kernel = tf.transpose(kernel, [0, 2, 1, 3, 4, 5])
    kernel = tf.reshape(kernel, [tall // stride, broad // stride, stride * stride * channels, -1])
    return tf.nn.conv2d(x, kernel, 1, "VALID")


def _blocks(kernel: int, size: Any, stride: int) -> tuple[int, list[Any]]:
    """Return the kernel's size in whole blocks, and the zeros before and after a side of the picture."""
    whole = -(-kernel // stride) * stride
    reach = (-(-size // stride) - 1) * stride
    before = (reach + kernel - size) // 2
    return whole, [before, reach + whole - size - before]


def _space_to_depth(x: Tensor, block: int) -> Tensor:
    """Return `tf.nn.space_to_depth`, whose gradient is slower than that of reshaping and transposing."""
    high, wide, channels = side(x, 1) // block, side(x, 2) // block, x.shape[-1]
    x = tf.transpose(tf.reshape(x, [1, high, block, wide, block, channels]), [0, 1, 3, 2, 4, 5])
    return tf.reshape(x, [1, high, wide, block * block * channels])
