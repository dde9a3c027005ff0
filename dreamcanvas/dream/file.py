"""Dream a picture file: what the command `dreamcanvas dream` does, without its printing."""

import time
from dataclasses import dataclass
from pathlib import Path

from dreamcanvas.dream.engine import Engine
from dreamcanvas.dream.network import (
    DEFAULT_NETWORK,
    NETWORKS,
    NetworkInfo,
    load_graph,
    load_network,
    network_info,
)
from dreamcanvas.dream.picture_file import check_output, read_mask, read_picture, write_picture
from dreamcanvas.dream.precision import resolve
from dreamcanvas.dream.settings import CANVAS, DreamSettings
from dreamcanvas.dream.styles import Expression, Style, find_style, load_styles, parse_expression
from dreamcanvas.dream.tensors import limit_threads
from dreamcanvas.errors import DreamError

MAX_REPEAT = 10_000


@dataclass(frozen=True, slots=True)
class FileDreamOptions:
    """What to dream, and how.

    `style` is the name of a curated style; or `layer` says it, with `channel` for one channel and without
    for the mean square of the whole layer, or itself in the grammar (`b7_exp:3`, `b9_exp^2`). Neither: the
    network's first style. Without a `network` it is the default one, or with a graph the one that takes
    graphs. With `repeat` each cycle starts from the input and is timed alone. `threads` None
    leaves the number to TensorFlow. `graph` is a GraphDef to take the network from, as it is.

    With `guide`, a picture, the layer alone means `b9_exp@guide`, and another expression must have such a
    term. `mask` is a picture, scaled to the input: where it is black nothing changes, where white all may.
    """

    input: Path
    output: Path
    network: str | None = None
    graph: Path | None = None
    style: str | None = None
    layer: str | None = None
    channel: int | None = None
    guide: Path | None = None
    mask: Path | None = None
    settings: DreamSettings = CANVAS
    seed: int = 0
    repeat: int = 1
    threads: int | None = None
    precision: str = "auto"


@dataclass(frozen=True, slots=True)
class FileDreamReport:
    """What was dreamt: seconds of each cycle, names, (width, height), the objective of the input and of the
    output.

    The first cycle's seconds hold the tracing of the function. `style` is the style's name or, without one,
    the expression.
    """

    seconds: tuple[float, ...]
    network: str
    style: str
    expression: str
    size: tuple[int, int]
    before: float
    after: float


def dream_file(options: FileDreamOptions) -> FileDreamReport:
    """Dream the input file and write the output, its format by its suffix (JPEG: quality 95, 4:4:4).

    Raises DreamError for options that are out of bounds, an input that is no picture, an output that cannot
    be written.
    """
    if not 1 <= options.repeat <= MAX_REPEAT:
        raise DreamError(f"repeat is {options.repeat}; it must be 1–{MAX_REPEAT}")
    check_output(options.output)
    pixels = read_picture(options.input)
    height, width, _ = pixels.shape
    guide = None if options.guide is None else read_picture(options.guide)
    mask = None if options.mask is None else read_mask(options.mask, (width, height))
    name = network_name(options)
    precision = resolve(options.precision)
    if options.threads is not None:
        limit_threads(options.threads)
    if options.graph is None:
        style, expression = choose(options)
        network = load_network(name, precision)
    else:
        info, network = load_graph(name, options.graph, precision)
        style, expression = choose(options, info)
    engine = Engine(network, options.settings, guide=guide)
    seconds = []
    dreamt = pixels
    for _ in range(options.repeat):
        started = time.perf_counter()
        dreamt = engine.dream(pixels, expression, options.seed, mask=mask)
        seconds.append(time.perf_counter() - started)
    write_picture(options.output, dreamt)
    return FileDreamReport(
        seconds=tuple(seconds),
        network=name,
        style=style,
        expression=str(expression),
        size=(width, height),
        before=engine.measure(pixels, expression),
        after=engine.measure(dreamt, expression),
    )


def network_name(options: FileDreamOptions) -> str:
    """Return the name of the network that the options ask for."""
    if options.network is not None:
        return options.network
    if options.graph is None:
        return DEFAULT_NETWORK
    return next(info.name for info in NETWORKS.values() if info.takes_graph)


def choose(options: FileDreamOptions, info: NetworkInfo | None = None) -> tuple[str, Expression]:
    """Return the style's name (or the expression as text) and the expression that the options ask for.

    `info` is the network's where it is not the registered one.
    """
    network = network_name(options)
    info = info or network_info(network)
    if options.layer is not None:
        if options.style is not None:
            raise DreamError("style and layer exclude each other")
        text = options.layer
        if options.channel is not None:
            text = f"{text}:{options.channel}"
        elif text.isidentifier():
            text = f"{text}^2" if options.guide is None else f"{text}@guide"
        expression = parse_expression(text, info, guide=options.guide is not None)
        if options.guide is not None and not expression.guided:
            raise DreamError(f"nothing in {text!r} asks for the guide; a term layer@guide does")
        return text, expression
    for name in ("channel", "guide"):
        if getattr(options, name) is not None:
            raise DreamError(f"{name} needs a layer")
    styles = load_styles(network)
    style: Style = styles[0] if options.style is None else find_style(options.style, styles)
    return style.name, parse_expression(style.expression, info)
