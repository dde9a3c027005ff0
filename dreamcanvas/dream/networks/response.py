"""Local response normalisation, and its gradient, in a pass over memory each."""

from collections.abc import Callable

from dreamcanvas.dream.network import Tensor
from dreamcanvas.dream.tensors import fused, tf


def normalise(x: Tensor, radius: int, *, bias: float, alpha: float, beta: float) -> Tensor:
    """Give `tf.nn.local_response_normalization`: x · (bias + alpha · Σ x²)^-beta.

    The sum goes over the channels at most `radius` away. TensorFlow's takes as long as the convolutions
    around it; this one and its gradient are a pass over memory each. They compute in float32.
    """

    constants = {"bias": bias, "alpha": alpha, "beta": beta}
    function: Callable[[Tensor], Tensor] = tf.custom_gradient(
        lambda x: (_forwards(x, radius, **constants), lambda slope: _backwards(x, slope, radius, **constants))
    )
    return function(x)


@fused
def _forwards(x: Tensor, radius: int, **constants: float) -> Tensor:
    wide = tf.cast(x, tf.float32)
    return tf.cast(wide * _powers(wide, radius, **constants)[1], x.dtype)


@fused
def _backwards(x: Tensor, slope: Tensor, radius: int, **constants: float) -> Tensor:
    wide, wide_slope = tf.cast(x, tf.float32), tf.cast(slope, tf.float32)
    inverse, power = _powers(wide, radius, **constants)
    around = _sum_around(wide_slope * wide * power * inverse, radius)
    share = 2 * constants["alpha"] * constants["beta"]
    return tf.cast(wide_slope * power - share * wide * around, x.dtype)


def _powers(x: Tensor, radius: int, *, bias: float, alpha: float, beta: float) -> tuple[Tensor, Tensor]:
    """Give (bias + alpha · Σ x²) to the powers -1 and -beta."""
    inverse_root = tf.math.rsqrt(bias + alpha * _sum_around(tf.square(x), radius))
    # A power costs ten times a square root; GoogLeNet's beta is 0.75
    power = inverse_root * tf.sqrt(inverse_root) if beta == 0.75 else inverse_root ** (2 * beta)
    return tf.square(inverse_root), power


def _sum_around(x: Tensor, radius: int) -> Tensor:
    """Sum over the channels at most `radius` away."""
    channels = x.shape[-1]
    padded = tf.pad(x, [[0, 0]] * 3 + [[radius, radius]])
    return tf.add_n([padded[..., offset : offset + channels] for offset in range(2 * radius + 1)])
