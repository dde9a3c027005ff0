"""Compares the dream of 2017 with ours, on one graph and with one setting: `scripts/bench_dream.py`.

2017 way    a TensorFlow 1 session in float32; the rolled picture in tiles of 512 px, octave by octave
no oneDNN   the same as TensorFlow runs it by itself on processors without AVX-512, in a process of its own
float32     ours, in float32
auto        ours, in the precision that this processor is fastest in
earlier     ours in auto, in the octaves that the canvas dreamt at first: 5 from 0.66 of its size
canvas      ours in auto, in the octaves that the shared canvas dreams

The ways take turns, so that a busy machine slows all of them. Printed are the GFLOP of the convolutions (the
tiles of 2017 leave out what is less than half a tile), the median seconds, how many times as fast as the 2017
way, GFLOP/s and their share of the matrix-multiply peak that was measured in the same run, and what was
gained in the objective (2017 way: 100%).

Without --graph the weights are random, which changes no time. With --styles it times the styles of the
default network, as the canvas dreams them and in the earlier octaves, instead.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from dreamcanvas.dream.engine import Engine, Pixels  # noqa: E402
from dreamcanvas.dream.network import DEFAULT_NETWORK, load_network, network_info  # noqa: E402
from dreamcanvas.dream.networks.frozen_graph import FrozenGraph  # noqa: E402
from dreamcanvas.dream.networks.inception5h_graph import INPUT_MEAN  # noqa: E402
from dreamcanvas.dream.precision import resolve  # noqa: E402
from dreamcanvas.dream.settings import CANVAS, CLASSIC, DreamSettings  # noqa: E402
from dreamcanvas.dream.styles import Expression, load_styles, parse_expression  # noqa: E402
from dreamcanvas.dream.tensors import limit_threads, tf  # noqa: E402
from tests.dream.random_graph import build_graph  # noqa: E402

Floats = NDArray[np.float32]

EARLIER = DreamSettings(
    octaves=5, octave_scale=1.31415, step=1.5, finest=0.66, tilt=0.0, detail=1.0, grain=1.0
)

TILE = 512
PEAK_SIDE = 3072


@dataclass(frozen=True)
class Way:
    """A way of dreaming: it gives the picture as dreamt."""

    name: str
    precision: str
    gflop: float
    dream: Callable[[], Pixels]


class Session2017:
    """The way of the DeepDream tutorial of 2015 and the experiment of 2017, in a TensorFlow 1 session."""

    def __init__(self, graph: bytes, expression: Expression, settings: DreamSettings, threads: int) -> None:
        self._settings = settings
        self._random = np.random.default_rng(0)
        (term,) = expression.terms
        definition = tf.compat.v1.GraphDef()
        definition.ParseFromString(graph)
        with tf.Graph().as_default() as built:
            self._input = tf.compat.v1.placeholder(tf.float32, [None, None, 3])
            source = tf.expand_dims(self._input - INPUT_MEAN, 0)
            (layer,) = tf.graph_util.import_graph_def(
                definition, {"input": source}, [f"{term.layer}:0"], name="network"
            )
            score = tf.reduce_mean(tf.square(layer) if term.channel is None else layer[..., term.channel])
            self._slope = tf.gradients(score, self._input)[0]
            self._picture = tf.compat.v1.placeholder(tf.float32, [None, None, 3])
            self._size = tf.compat.v1.placeholder(tf.int32, [2])
            self._resized = tf.compat.v1.image.resize_bilinear(self._picture[tf.newaxis], self._size)[0]
        options = tf.compat.v1.ConfigProto(intra_op_parallelism_threads=threads)
        self._session = tf.compat.v1.Session(graph=built, config=options)

    def dream(self, pixels: Pixels) -> Pixels:
        """Dream once."""
        settings = self._settings
        picture = pixels.astype(np.float32)
        sizes = settings.sizes(*picture.shape[:2])
        details = []
        for size in sizes[1:]:
            smaller = self._resize(picture, size)
            details.append(picture - self._resize(smaller, picture.shape[:2]))
            picture = smaller
        for octave, size in reversed(list(enumerate(sizes))):
            if octave < len(sizes) - 1:
                picture = self._resize(picture, size) + details[octave]
            for _ in range(settings.iterations):
                slope = self._slope_by_tiles(picture)
                picture = picture + slope * (settings.step / (np.abs(slope).mean() + 1e-7))
        return np.clip(np.round(picture), 0, 255).astype(np.uint8)

    def _resize(self, picture: Floats, size: tuple[int, ...]) -> Floats:
        resized: Floats = self._session.run(self._resized, {self._picture: picture, self._size: size})
        return resized

    def _slope_by_tiles(self, picture: Floats) -> Floats:
        height, width = picture.shape[:2]
        offset = tuple(self._random.integers(0, TILE, 2))
        rolled = np.roll(picture, offset, (0, 1))
        slope = np.zeros_like(picture)
        for tile in tiles(height, width):
            slope[tile] = self._session.run(self._slope, {self._input: rolled[tile]})
        return np.roll(slope, (-offset[0], -offset[1]), (0, 1))


def tiles(height: int, width: int) -> Iterator[tuple[slice, slice]]:
    """Give the tiles of 2017: what is left over beyond the last and less than half of one has no gradient."""
    for top in range(0, max(height - TILE // 2, TILE), TILE):
        for left in range(0, max(width - TILE // 2, TILE), TILE):
            yield slice(top, min(top + TILE, height)), slice(left, min(left + TILE, width))


def convolution_gflop(graph: bytes, layer: str, sizes: Iterable[tuple[int, int]]) -> float:
    """Give the GFLOP of a layer's convolutions on pictures of these sizes, forwards and back."""
    definition = tf.compat.v1.GraphDef()
    definition.ParseFromString(graph)
    definition = tf.compat.v1.graph_util.extract_sub_graph(definition, [layer])
    total = 0
    for height, width in sizes:
        with tf.Graph().as_default() as built:
            picture = tf.zeros([1, height, width, 3])
            tf.graph_util.import_graph_def(definition, {"input": picture}, [], name="")
        for operation in built.get_operations():
            if operation.type == "Conv2D":
                kernel = operation.inputs[1].shape.as_list()
                total += 2 * 2 * operation.outputs[0].shape.num_elements() * int(np.prod(kernel[:3]))
    return total / 1e9


def measure_peak(precision: str) -> float:
    """Give the GFLOP/s of a large matrix product, the best of five."""
    dtype = tf.dtypes.as_dtype(precision)
    a = tf.cast(tf.random.stateless_normal([PEAK_SIDE, PEAK_SIDE], [1, 2]), dtype)
    seconds = [_timed(lambda: tf.linalg.matmul(a, a).numpy()) for _ in range(6)]
    return float(2 * PEAK_SIDE**3 / min(seconds) / 1e9)


def _timed(function: Callable[[], Any]) -> float:
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


def make_picture(side: int) -> Pixels:
    """Make a picture with forms of every size, as a canvas that has dreamt has."""
    random = np.random.default_rng(0)
    picture = np.zeros((side, side, 3))
    cells = 4
    while cells <= side:
        noise = Image.fromarray(random.integers(0, 256, (cells, cells, 3), dtype=np.uint8))
        picture += (np.asarray(noise.resize((side, side), Image.Resampling.BICUBIC)) - 127.5) / cells**0.5
        cells *= 2
    spread: Pixels = np.clip(128 + 50 * picture / picture.std(), 0, 255).astype(np.uint8)
    return spread


class OtherProcess:
    """The 2017 way in a process without oneDNN: it dreams once for each line that it reads."""

    def __init__(self, side: int) -> None:
        environment = {**os.environ, "TF_ENABLE_ONEDNN_OPTS": "0"}
        self._process = subprocess.Popen(
            [sys.executable, __file__, *sys.argv[1:], "--on-request"],
            env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self._side = side

    def dream(self) -> Pixels:
        """Have it dream once."""
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("no pipes")
        self._process.stdin.write(b"\n")
        self._process.stdin.flush()
        data = self._process.stdout.read(3 * self._side**2)
        return np.frombuffer(data, np.uint8).reshape(self._side, self._side, 3)

    def close(self) -> None:
        """End it."""
        self._process.communicate()


def compare(options: argparse.Namespace, settings: DreamSettings) -> None:
    """Time the ways in turns and print the table."""
    graph = options.graph.read_bytes() if options.graph else build_graph(seed=1)
    expression = parse_expression(options.expression, network_info("inception5h"))
    pixels = make_picture(options.size)
    session = Session2017(graph, expression, settings, options.threads)
    if options.on_request:
        while sys.stdin.buffer.readline():
            sys.stdout.buffer.write(session.dream(pixels).tobytes())
            sys.stdout.buffer.flush()
        return
    side = options.size
    (term,) = expression.terms
    sizes = settings.sizes(side, side)
    tiled = [
        (down.stop - down.start, across.stop - across.start)
        for size in sizes
        for down, across in tiles(*size)
    ]

    def ours(name: str, settings: DreamSettings, precision: str) -> Way:
        engine = Engine(FrozenGraph(graph, INPUT_MEAN, precision), settings)
        gflop = convolution_gflop(graph, term.layer, settings.sizes(side, side))
        return Way(name, precision, gflop, lambda: engine.dream(pixels, expression, 0))

    without = OtherProcess(side)
    gflop = convolution_gflop(graph, term.layer, tiled)
    ways = [
        Way("2017 way", "float32", gflop, lambda: session.dream(pixels)),
        Way("no oneDNN", "float32", gflop, without.dream),
        ours("float32", settings, "float32"),
        ours("auto", settings, resolve("auto")),
        ours("earlier", EARLIER, resolve("auto")),
        ours("canvas", CANVAS, resolve("auto")),
    ]
    results = [way.dream() for way in ways]  # traces, and warms up
    seconds: list[list[float]] = [[] for _ in ways]
    for _ in range(options.repeat):
        for way, times in zip(ways, seconds, strict=True):
            times.append(_timed(way.dream))
    without.close()
    peaks = {way.precision: measure_peak(way.precision) for way in ways}
    judge = Engine(FrozenGraph(graph, INPUT_MEAN), settings)
    before = judge.measure(pixels, expression)
    gains = [judge.measure(result, expression) - before for result in results]
    medians = [statistics.median(times) for times in seconds]
    print(
        f"{side} px, {expression}, {settings.octaves} octaves × {settings.octave_scale}, "
        f"{settings.iterations} iteration(s); medians of {options.repeat}"
    )
    titles = ("precision", "GFLOP", "seconds", "ratio", "GFLOP/s", "of peak", "gain")
    print(" " * 12 + "".join(f"{title:>10}" for title in titles))
    for way, median, gain in zip(ways, medians, gains, strict=True):
        rate = way.gflop / median
        print(
            f"{way.name:12}{way.precision:>10}{way.gflop:10.0f}{median:10.2f}{medians[0] / median:10.2f}"
            f"{rate:10.0f}{rate / peaks[way.precision]:10.0%}{gain / gains[0]:10.0%}"
        )
    for precision, peak in peaks.items():
        print(f"matrix product, {precision}: {peak:.0f} GFLOP/s")


def time_styles(options: argparse.Namespace) -> None:
    """Time every style of the default network in turns and print the table."""
    info = network_info(DEFAULT_NETWORK)
    network = load_network(DEFAULT_NETWORK, resolve("auto"))
    engines = [Engine(network, settings) for settings in (CANVAS, EARLIER)]
    pixels = make_picture(options.size)
    medians = []
    print(f"{options.size} px; medians of {options.repeat}, in seconds, after the first dream")
    print(f"{'style':20}{'expression':40}{'canvas':>8}{'earlier':>9}{'ratio':>7}{'first':>7}")
    for style in load_styles(DEFAULT_NETWORK):
        expression = parse_expression(style.expression, info)
        times: list[list[float]] = [[], []]
        for _ in range(options.repeat + 1):
            for engine, taken in zip(engines, times, strict=True):
                taken.append(_timed(lambda: engine.dream(pixels, expression, 0)))  # noqa: B023 - called here
        canvas, earlier = (statistics.median(taken[1:]) for taken in times)
        medians.append(canvas)
        print(
            f"{style.name:20}{style.expression:40}{canvas:8.2f}{earlier:9.2f}{canvas / earlier:7.2f}"
            f"{times[0][0]:7.1f}",
            flush=True,
        )
    print(f"the median style: {statistics.median(medians):.2f} s, the slowest {max(medians):.2f} s")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else None)
    parser.add_argument("--graph", type=Path, help="tensorflow_inception_graph.pb; random weights without")
    parser.add_argument("--expression", default="mixed4d_3x3_bottleneck_pre_relu:139")
    parser.add_argument("--styles", action="store_true", help="time the default network's styles instead")
    parser.add_argument("--size", type=int, default=1536, help="side of the picture in px")
    parser.add_argument("--octaves", type=int, default=6)
    parser.add_argument("--octave-scale", type=float, default=1.31415)
    parser.add_argument("--iterations", type=int, default=1)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--on-request", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    limit_threads(options.threads)
    if options.styles:
        time_styles(options)
    else:
        classic = replace(
            CLASSIC,
            octaves=options.octaves,
            octave_scale=options.octave_scale,
            iterations=options.iterations,
        )
        compare(options, classic)


if __name__ == "__main__":
    main()
