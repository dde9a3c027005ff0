"""The engine: a network, settings, and one traced function for each size and kind of objective."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dreamcanvas.dream import ascent, objective
from dreamcanvas.dream.network import Network, Tensor
from dreamcanvas.dream.objective import Objective
from dreamcanvas.dream.settings import DreamSettings
from dreamcanvas.dream.settle import settle
from dreamcanvas.dream.styles import Expression
from dreamcanvas.dream.tensors import tf

Pixels = NDArray[np.uint8]
"""[height, width, 3], RGB."""

MAX_SIDE = 8192
"""Pixels: the longest side that is dreamt."""

MAX_TRACES = 2
"""Traced functions kept: another 0.1 GB each, for some seconds saved when a style returns after minutes."""


@dataclass(frozen=True, slots=True)
class Dream:
    """A dreamt picture, and the objective before and after on the pictures reduced to the smallest octave."""

    pixels: Pixels
    before: float
    after: float


class Engine:
    """Dreams pictures. Not thread-safe."""

    def __init__(self, network: Network, settings: DreamSettings, max_traces: int = MAX_TRACES) -> None:
        """Take a network, settings for every dream, and the number of traced functions to keep."""
        self._network = network
        self._settings = settings
        self._max_traces = max_traces
        self._traces: OrderedDict[tuple[object, ...], Callable[..., Any]] = OrderedDict()

    def dream(self, pixels: Pixels, expression: Expression, seed: int) -> Dream:
        """Dream a picture once.

        The first of a size and layers takes longer; channels and weights share a trace.
        """
        height, width, _ = pixels.shape
        key = ("dream", height, width, *_shape(expression))
        function = self._traced(key, lambda: self._build_dream(height, width, expression))
        dreamt, before, after = function(
            tf.constant(pixels), *_numbers(expression), tf.constant(seed % 2**31)
        )
        return Dream(dreamt.numpy(), float(before), float(after))

    def measure(self, pixels: Pixels, expression: Expression) -> float:
        """Give the objective's value on a picture in its full size."""
        height, width, _ = pixels.shape
        key = ("measure", height, width, *_shape(expression))
        function = self._traced(key, lambda: self._build_measure(height, width, expression))
        return float(function(tf.constant(pixels), *_numbers(expression)))

    @property
    def traces(self) -> int:
        """How many functions are traced and kept."""
        return len(self._traces)

    def _traced(self, key: tuple[object, ...], build: Callable[[], Callable[..., Any]]) -> Callable[..., Any]:
        function = self._traces.pop(key, None)
        if function is None:
            while len(self._traces) >= self._max_traces:
                self._traces.popitem(last=False)
            function = build()
        self._traces[key] = function
        return function

    def _build_dream(self, height: int, width: int, expression: Expression) -> Callable[..., Any]:
        settings = self._settings
        sizes = settings.sizes(height, width)

        def dream(
            pixels: Tensor, channels: Tensor, weights: Tensor, seed: Tensor
        ) -> tuple[Tensor, Tensor, Tensor]:
            picture = tf.cast(pixels, tf.float32)[tf.newaxis]
            goal = self._objective(expression, channels, weights)
            step = tf.constant(settings.step)
            change = ascent.ascend(picture, goal, sizes, iterations=settings.iterations, step=step, seed=seed)
            settled = settle(picture, change)
            dreamt = tf.saturate_cast(tf.round(settled), tf.uint8)[0]
            return dreamt, goal(ascent.resize(picture, sizes[-1])), goal(ascent.resize(settled, sizes[-1]))

        return self._function(dream, height, width, len(expression.terms), with_seed=True)

    def _build_measure(self, height: int, width: int, expression: Expression) -> Callable[..., Any]:
        def measure(pixels: Tensor, channels: Tensor, weights: Tensor) -> Tensor:
            goal = self._objective(expression, channels, weights)
            return goal(tf.cast(pixels, tf.float32)[tf.newaxis])

        return self._function(measure, height, width, len(expression.terms), with_seed=False)

    def _objective(self, expression: Expression, channels: Tensor, weights: Tensor) -> Objective:
        goals = [
            objective.layer_square(self._network, term.layer)
            if term.channel is None
            else objective.channel_mean(self._network, term.layer, channels[index])
            for index, term in enumerate(expression.terms)
        ]
        return objective.weighted_sum(goals, weights)

    @staticmethod
    def _function(
        function: Callable[..., Any], height: int, width: int, terms: int, *, with_seed: bool
    ) -> Callable[..., Any]:
        signature = [
            tf.TensorSpec([height, width, 3], tf.uint8),
            tf.TensorSpec([terms], tf.int32),
            tf.TensorSpec([terms], tf.float32),
            *([tf.TensorSpec([], tf.int32)] if with_seed else []),
        ]
        traced: Callable[..., Any] = tf.function(function, input_signature=signature, autograph=False)
        return traced


def _shape(expression: Expression) -> tuple[tuple[str, bool], ...]:
    """What a trace depends on: each term's layer, and whether it is a whole layer's."""
    return tuple((term.layer, term.channel is None) for term in expression.terms)


def _numbers(expression: Expression) -> tuple[Tensor, Tensor]:
    """What a trace is given: the terms' channels (int32) and weights (float32)."""
    channels = [term.channel or 0 for term in expression.terms]
    return tf.constant(channels, tf.int32), tf.constant(
        [term.weight for term in expression.terms], tf.float32
    )
