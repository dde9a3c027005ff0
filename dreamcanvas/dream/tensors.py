"""TensorFlow, imported in one place with the settings that it reads only once.

oneDNN is switched on: by itself TensorFlow 2.21 uses it only on processors with AVX-512, and without it the
gradients of depthwise convolutions make a dream four times as slow.
C++ messages below errors are kept off stderr. An environment variable that is set already wins.
"""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any, TypeVar, cast

os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


@contextlib.contextmanager
def _quiet_stderr() -> Iterator[None]:
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


with _quiet_stderr():
    import tensorflow

tf: Any = tensorflow
"""TensorFlow, which has no type stubs: the `Any` is in this one place."""


_Function = TypeVar("_Function", bound=Callable[..., Any])


def fused(function: _Function) -> _Function:
    """Compile a chain of element-wise operations by XLA into a few passes over memory, once for each shape.

    Convolutions stay outside: oneDNN's are twice as fast as XLA's on a CPU.
    """
    return cast(_Function, tf.function(function, autograph=False, jit_compile=True))


def fused_at_any_size(function: _Function) -> _Function:
    """Compile as `fused` does, but once for all shapes: the function must not depend on them."""
    traced = tf.function(function, autograph=False, jit_compile=True, reduce_retracing=True)
    return cast(_Function, traced)


def has_gpu() -> bool:
    """Say whether TensorFlow sees a GPU."""
    return bool(tf.config.list_physical_devices("GPU"))


def side(x: Any, axis: int) -> Any:
    """Return the size of an axis: an int where it is known as the graph is traced, else a scalar int32."""
    return tf.shape(x)[axis] if x.shape[axis] is None else x.shape[axis]


def limit_threads(threads: int) -> None:
    """Limit the threads of each operation, and run one at a time. Call it before the first operation."""
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def select_channel(x: Any, channel: Any) -> Any:
    """Return one channel, [1, height, width, 1], by a one-hot kernel: tf.gather has a slow gradient."""
    channels = x.shape[-1]
    kernel = tf.reshape(tf.one_hot(channel, channels, dtype=x.dtype), [1, 1, channels, 1])
    return tf.nn.conv2d(x, kernel, 1, "SAME")
