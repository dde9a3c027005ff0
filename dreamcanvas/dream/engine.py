"""The engine: a network, settings, and the functions traced for each kind of objective.

What is traced is the network alone, once for pictures of any size; octaves and steps call it. A trace for
each octave of each size would take seconds at every change of style.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dreamcanvas.dream import ascent, objective
from dreamcanvas.dream.network import Network, Tensor
from dreamcanvas.dream.objective import Aim, Objective
from dreamcanvas.dream.settings import DreamSettings
from dreamcanvas.dream.settle import settle
from dreamcanvas.dream.styles import Expression, Term
from dreamcanvas.dream.tensors import has_gpu, tf
from dreamcanvas.dream.transition import new_share
from dreamcanvas.errors import DreamError

Pixels = NDArray[np.uint8]
"""[height, width, 3], RGB."""

Mask = NDArray[np.uint8]
"""[height, width]: the share of a dream that a pixel takes, from 0 (none) to 255 (all)."""

MAX_SIDE = 8192
"""Pixels: the longest side that is dreamt."""

MAX_TRACES = 4
"""Traced functions kept. Each holds its network's weights, 10–20 MB with what oneDNN makes of them; to trace
one again takes half a second, and the canvas needs a new one every few minutes."""


@dataclass(frozen=True, slots=True)
class Transition:
    """A passage from the style `before`: how far it is, 0–1, and the seed of its regions' order."""

    before: Expression
    progress: float
    seed: int

    def __post_init__(self) -> None:
        if not 0 <= self.progress <= 1:
            raise DreamError(f"the progress of a passage is {self.progress}; it must be 0–1")
        if not 0 <= self.seed < 2**31:
            raise DreamError(f"the seed of a passage is {self.seed}; it must be 0–{2**31 - 1}")


_Numbers = tuple[Tensor, Tensor, list[Tensor]]
"""What a trace is given: the terms' channels (int32) and weights (float32), and the guided terms' vectors."""

_PICTURES = (1, None, None, 3)


class Engine:
    """Dreams pictures. Not thread-safe."""

    def __init__(
        self,
        network: Network,
        settings: DreamSettings,
        max_traces: int = MAX_TRACES,
        *,
        guide: Pixels | None = None,
        compiled: bool | None = None,
    ) -> None:
        """Take a network, settings for every dream, and the number of traced functions to keep.

        `guide` is the picture that terms `layer@guide` ask for; a layer sees it once. `compiled` has XLA
        compile the network for each octave's size; None: where there is a GPU, as oneDNN is faster on a CPU.
        """
        self._network = network
        self._settings = settings
        self._max_traces = max_traces
        self._guide = guide
        self._compiled = has_gpu() if compiled is None else compiled
        self._vectors: dict[str, Tensor] = {}
        self._traces: OrderedDict[tuple[object, ...], Any] = OrderedDict()

    def dream(
        self,
        pixels: Pixels,
        expression: Expression,
        seed: int,
        *,
        mask: Mask | None = None,
        passage: Transition | None = None,
    ) -> Pixels:
        """Dream a picture once; with a `mask` of its size each pixel takes that share of the dream.

        In a `passage` some regions still dream what was before, in up to twice the time.

        The first with given layers takes longer; sizes, channels and weights share a trace. Raises DreamError
        for a mask of another size, or a term that asks for a guide where there is none.
        """
        height, width, _ = pixels.shape
        if mask is not None and mask.shape != (height, width):
            found = f"{mask.shape[1]} × {mask.shape[0]}"
            raise DreamError(f"a mask of {found} px for a picture of {width} × {height} px")
        picture = _picture(pixels)
        share = None if mask is None else tf.cast(mask, tf.float32)[tf.newaxis, ..., tf.newaxis] / 255.0
        parts = self._parts(expression, passage, (height, width))
        change = ascent.ascend(picture, parts, self._steps(height, width), seed=seed % 2**31, mask=share)
        settled = settle(picture, change) if self._settings.settled else picture + change
        if share is not None:
            settled = picture + share * (settled - picture)
        dreamt: Pixels = tf.saturate_cast(tf.round(settled), tf.uint8)[0].numpy()
        return dreamt

    def _steps(self, height: int, width: int) -> ascent.Steps:
        settings = self._settings
        return ascent.Steps(
            sizes=settings.sizes(height, width),
            iterations=settings.iterations,
            step=settings.step,
            tilt=settings.tilt,
            detail=settings.detail,
            grain=settings.grain,
            laplacian=settings.laplacian,
        )

    def _parts(
        self, expression: Expression, passage: Transition | None, size: tuple[int, int]
    ) -> list[ascent.Part]:
        """Return what is dreamt, and where."""
        if passage is None:
            return [ascent.Part(self._bound_slope(expression))]
        new = tf.image.resize(new_share(passage.progress, passage.seed)[tf.newaxis, ..., tf.newaxis], size)
        return [
            ascent.Part(self._bound_slope(expression), new),
            ascent.Part(self._bound_slope(passage.before), 1.0 - new),
        ]

    def _bound_slope(self, expression: Expression) -> ascent.Slope:
        slope, numbers = self._slope(expression), self._numbers(expression)
        return lambda pictures: slope(pictures, numbers)

    def measure(self, pixels: Pixels, expression: Expression) -> float:
        """Return the objective's value on a picture in its full size. Raises DreamError as `dream` does."""
        return float(self._value(expression)(_picture(pixels), self._numbers(expression)))

    @property
    def traces(self) -> int:
        """How often a network was traced for the functions that are kept."""
        return sum(function.experimental_get_tracing_count() for function in self._traces.values())

    def _slope(self, expression: Expression) -> Any:
        """Return the function of (pictures of any size, numbers) that is the objective's gradient."""
        return self._traced("slope", expression, objective.gradient)

    def _value(self, expression: Expression) -> Any:
        """Return the function of (pictures of any size, numbers) that is the objective."""
        return self._traced("value", expression, lambda goal, pictures: goal(pictures))

    def _traced(self, name: str, expression: Expression, build: Callable[[Objective, Tensor], Tensor]) -> Any:
        """Return a function, traced or about to be."""
        key = (
            name,
            *((term.layer, term.channel is None, term.guided, term.places) for term in expression.terms),
        )
        function = self._traces.pop(key, None)
        if function is None:
            while len(self._traces) >= self._max_traces:
                self._traces.popitem(last=False)
            function = tf.function(
                lambda pictures, numbers: build(self._objective(expression, numbers), pictures),
                input_signature=[tf.TensorSpec(_PICTURES), self._numbers_spec(expression)],
                autograph=False,
                jit_compile=self._compiled,
            )
        self._traces[key] = function
        return function

    def _objective(self, expression: Expression, numbers: _Numbers) -> Objective:
        channels, weights, vectors = numbers
        guides = iter(vectors)
        aims = [
            Aim(
                term.layer,
                channel=None if term.channel is None else channels[index],
                vectors=next(guides) if term.guided else None,
                places=term.places,
            )
            for index, term in enumerate(expression.terms)
        ]
        return objective.weighted_sum(self._network, aims, weights)

    def _numbers(self, expression: Expression) -> _Numbers:
        terms = expression.terms
        channels = tf.constant([term.channel or 0 for term in terms], tf.int32)
        weights = tf.constant([term.weight for term in terms], tf.float32)
        return channels, weights, [self._guide_vectors(term) for term in terms if term.guided]

    def _numbers_spec(self, expression: Expression) -> tuple[Any, ...]:
        specs: tuple[Any, ...] = tf.nest.map_structure(tf.TensorSpec.from_tensor, self._numbers(expression))
        return specs

    def _guide_vectors(self, term: Term) -> Tensor:
        """What the term's layer sees in the guide."""
        if self._guide is None:
            raise DreamError(f"'{term}' needs a guide picture, and there is none")
        if term.layer not in self._vectors:
            self._vectors[term.layer] = _look(self._network, term.layer, self._guide)
        return self._vectors[term.layer]


def _picture(pixels: Pixels) -> Tensor:
    return tf.cast(tf.constant(pixels), tf.float32)[tf.newaxis]


def _look(network: Network, layer: str, guide: Pixels) -> Tensor:
    """What a layer sees in a guide."""

    def look(picture: Tensor) -> Tensor:
        return objective.guide_vectors(network.walk(layer)(picture, None))

    size = objective.guide_size(*guide.shape[:2])
    return tf.function(look, autograph=False)(tf.image.resize(_picture(guide), size, antialias=True))
