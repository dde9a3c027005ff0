"""Local response normalisation is TensorFlow's, and so is its gradient."""

import numpy as np
import pytest

from dreamcanvas.dream.network import Tensor
from dreamcanvas.dream.networks.response import normalise
from dreamcanvas.dream.tensors import tf


@pytest.mark.parametrize("beta", [0.75, 0.5])
@pytest.mark.parametrize("radius", [1, 2, 4])
@pytest.mark.parametrize("size", [1.0, 300.0])
def test_the_response_and_its_gradient(radius: int, beta: float, size: float) -> None:
    x = size * tf.random.stateless_normal([1, 5, 6, 16], [1, 2])
    slope = tf.random.stateless_normal(x.shape, [1, 3])
    constants = {"bias": 2.0, "alpha": 2e-5, "beta": beta}

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def both(x: Tensor) -> list[Tensor]:
        found = []
        for response in (normalise(x, radius, **constants), tf.nn.lrn(x, radius, **constants)):
            found += [response, tf.gradients(response, x, slope)[0]]
        return found

    ours, our_slope, theirs, their_slope = (found.numpy() for found in both(x))
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(our_slope, their_slope, rtol=1e-4, atol=1e-5)
