"""Local response normalisation, and its gradient, in a few passes over memory each."""

from collections.abc import Callable

from dreamcanvas.dream.network import Tensor
from dreamcanvas.dream.tensors import fused, tf


def normalise(x: Tensor, radius: int, *, bias: float, alpha: float, beta: float) -> Tensor:
    """Return `tf.nn.local_response_normalization`: x · (bias + alpha · Σ x²)^-beta.

    The sum goes over the channels at most `radius` away. TensorFlow's takes as long as the convolutions
    around it. These compute in float32; between the two only the sum's fourth root is kept, in x's precision.
    """

    def forwards(x: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        normalised, root = _forwards(x, radius, bias=bias, alpha=alpha, beta=beta)
        return normalised, lambda slope: _backwards(x, slope, root, radius, alpha=alpha, beta=beta)

    function: Callable[[Tensor], Tensor] = tf.custom_gradient(forwards)
    return function(x)


@fused
def _forwards(x: Tensor, radius: int, *, bias: float, alpha: float, beta: float) -> tuple[Tensor, Tensor]:
    """Return x normalised, and (bias + alpha · Σ x²)^-¼."""
    wide = tf.cast(x, tf.float32)
    root = tf.sqrt(tf.math.rsqrt(bias + alpha * _sum_around(tf.square(wide), radius)))
    return tf.cast(wide * _power(root, beta), x.dtype), tf.cast(root, x.dtype)


@fused
def _backwards(x: Tensor, slope: Tensor, root: Tensor, radius: int, *, alpha: float, beta: float) -> Tensor:
    wide, wide_slope, root = (tf.cast(each, tf.float32) for each in (x, slope, root))
    power = _power(root, beta)
    around = _sum_around(wide_slope * wide * power * tf.square(tf.square(root)), radius)
    return tf.cast(wide_slope * power - 2 * alpha * beta * wide * around, x.dtype)


def _power(root: Tensor, beta: float) -> Tensor:
    """Return the sum to the power of -beta. A power costs ten times a root; GoogLeNet's beta is 0.75."""
    return root * root * root if beta == 0.75 else root ** (4 * beta)


def _sum_around(x: Tensor, radius: int) -> Tensor:
    """Sum over the channels at most `radius` away."""
    channels = x.shape[-1]
    padded = tf.pad(x, [[0, 0]] * 3 + [[radius, radius]])
    return tf.add_n([padded[..., offset : offset + channels] for offset in range(2 * radius + 1)])
