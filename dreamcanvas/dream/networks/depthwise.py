"""The depthwise convolution that reduces a picture, with a gradient that takes a sixth of the time."""

from collections.abc import Callable

from dreamcanvas.dream.network import Tensor
from dreamcanvas.dream.tensors import tf


def convolve_depthwise(x: Tensor, kernel: Tensor, stride: int) -> Tensor:
    """Convolve x [1, height, width, channels] by a kernel [height, width, channels, 1], padding SAME.

    The gradient is computed in float32, whatever x is: of a strided one oneDNN has a reference implementation
    alone in bfloat16, which took a third of a whole dream.
    """
    strides = [1, stride, stride, 1]

    def forwards(x: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        def backwards(slope: Tensor) -> Tensor:
            wide = tf.raw_ops.DepthwiseConv2dNativeBackpropInput(
                input_sizes=tf.shape(x),
                filter=tf.cast(kernel, tf.float32),
                out_backprop=tf.cast(slope, tf.float32),
                strides=strides,
                padding="SAME",
            )
            return tf.cast(wide, x.dtype)

        return tf.nn.depthwise_conv2d(x, kernel, strides, "SAME"), backwards

    function: Callable[[Tensor], Tensor] = tf.custom_gradient(forwards)
    return function(x)
