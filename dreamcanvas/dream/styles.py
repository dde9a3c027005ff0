"""Styles: what the network is asked to see, with a name for visitors. The grammar of what is asked:

    layer:channel     one channel of a layer, counted from 0: `b7_exp_pre:41`
    layer^2           the mean square of a whole layer: `b9_exp^2`

The curated styles of a network stand in `styles/<network>.toml`. No TensorFlow here: the server reads them.
"""

import re
import tomllib
from dataclasses import dataclass
from importlib import resources

from dreamcanvas.dream.network import NetworkInfo, network_info
from dreamcanvas.errors import DreamError

_GRAMMAR = re.compile(r"([A-Za-z][A-Za-z0-9_]*)(?::([0-9]{1,6})|\^2)")


@dataclass(frozen=True, slots=True)
class Expression:
    """An objective: the mean of one channel of a layer, or (channel None) the mean square of the layer."""

    layer: str
    channel: int | None

    def __str__(self) -> str:
        return f"{self.layer}^2" if self.channel is None else f"{self.layer}:{self.channel}"


@dataclass(frozen=True, slots=True)
class Style:
    """A style: its name in a visitor's words, and its expression in the grammar."""

    name: str
    expression: str


def parse_expression(text: str, network: NetworkInfo) -> Expression:
    """Parse `layer:channel` or `layer^2` for a network; `str()` of the result gives the text back.

    Raises DreamError for text of another form, a layer that the network lacks (naming the nearest) or a
    channel that the layer lacks.
    """
    match = _GRAMMAR.fullmatch(text)
    if match is None:
        raise DreamError(f"{text!r} is neither layer:channel nor layer^2")
    layer = network.layer(match[1])
    if match[2] is None:
        return Expression(layer.name, None)
    channel = int(match[2])
    if channel >= layer.channels:
        raise DreamError(f"{layer.name} has channels 0–{layer.channels - 1}, no {channel}")
    return Expression(layer.name, channel)


def load_styles(network: str) -> tuple[Style, ...]:
    """Give the curated styles of a network, in the order of its file. Raises DreamError."""
    info = network_info(network)
    text = resources.files("dreamcanvas.dream").joinpath(f"styles/{network}.toml").read_text("utf-8")
    return parse_styles(text, info)


def parse_styles(text: str, network: NetworkInfo) -> tuple[Style, ...]:
    """Parse a styles file: a table `[[style]]` with `name` and `expression` for each. Names are unique.

    Raises DreamError naming the style at fault.
    """
    try:
        tables = tomllib.loads(text)["style"]
        styles = tuple(Style(table["name"], table["expression"]) for table in tables)
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise DreamError(f"the styles of {network.name} cannot be read: {error}") from error
    for style in styles:
        try:
            parse_expression(style.expression, network)
        except DreamError as error:
            raise DreamError(f"style {style.name!r}: {error}") from error
    if len({style.name for style in styles}) != len(styles):
        raise DreamError(f"the styles of {network.name} have a name twice")
    return styles


def find_style(name: str, styles: tuple[Style, ...]) -> Style:
    """Give the style of that name, in any case. Raises DreamError naming those there are."""
    for style in styles:
        if style.name.casefold() == name.casefold():
            return style
    raise DreamError(f"there is no style {name!r}; there are {', '.join(style.name for style in styles)}")
