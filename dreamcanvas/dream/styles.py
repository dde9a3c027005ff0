"""Styles: what the network is asked to see, with a name for visitors. The grammar of what is asked:

    layer:channel     one channel of a layer, counted from 0: `b7_exp_pre:41`
    layer^2           the mean square of a whole layer: `b9_exp^2`
    layer@places      what a layer sees most at each place: `b11_exp@places`
    layer@guide       the match with a guide picture at a layer: `b9_exp@guide`
    a:3 + 0.5*b^2     a weighted sum (or difference) of up to 8 of them, weights of 0.001–1000

The curated styles of a network stand in `styles/<network>.toml`; none has a guide. No TensorFlow here: the
server reads them.
"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from importlib import resources

from dreamcanvas.dream.network import NetworkInfo, network_info
from dreamcanvas.errors import DreamError

MAX_TERMS = 8
MIN_WEIGHT, MAX_WEIGHT = 0.001, 1000.0
MAX_ID = 254
"""0 is no style and 255 none at all, in a byte a pixel."""

_SIGN = re.compile(r" *([+-]) *")
_TERM = re.compile(
    r"(?:([0-9]+(?:\.[0-9]+)?) *\* *)?([A-Za-z][A-Za-z0-9_]*)(?::([0-9]{1,6})|\^2|@(guide|places))"
)


@dataclass(frozen=True, slots=True)
class Term:
    """What is made larger in a layer, times a weight.

    The mean of one channel; or, with channel None, the match with the guide picture where it is `guided`,
    what is seen most at each place where it is of `places`, else the mean square.
    """

    layer: str
    channel: int | None
    weight: float = 1.0
    guided: bool = False
    places: bool = False

    def __str__(self) -> str:
        """Return the term without its sign."""
        if self.channel is not None:
            text = f"{self.layer}:{self.channel}"
        else:
            text = f"{self.layer}@guide" if self.guided else f"{self.layer}^2"
            text = f"{self.layer}@places" if self.places else text
        size = f"{Decimal(repr(abs(self.weight))):f}".removesuffix(".0")
        return text if size == "1" else f"{size}*{text}"


@dataclass(frozen=True, slots=True)
class Expression:
    """An objective: the sum of one or more terms."""

    terms: tuple[Term, ...]

    @property
    def guided(self) -> bool:
        """Whether a term needs the guide picture."""
        return any(term.guided for term in self.terms)

    @classmethod
    def of(cls, layer: str, channel: int | None) -> "Expression":
        """Return the expression of one term with weight 1."""
        return cls((Term(layer, channel),))

    def __str__(self) -> str:
        first, *others = self.terms
        signs = "".join(f" {'-' if term.weight < 0 else '+'} {term}" for term in others)
        return f"{'-' if first.weight < 0 else ''}{first}{signs}"


@dataclass(frozen=True, slots=True)
class Style:
    """A style: its number, its name in a visitor's words, and its expression in the grammar.

    The number, 1–254, goes over the wire. It is a style's for ever: none is given again, to whatever network.
    """

    id: int
    name: str
    expression: str


def parse_expression(text: str, network: NetworkInfo, *, guide: bool = False) -> Expression:
    """Parse an expression for a network; of the result `str()` gives the text back but for spaces.

    `guide` says that there is a guide picture; without one a term that asks for it is an error.

    Raises DreamError for text of another form, a layer that the network lacks (naming the nearest), a
    channel that the layer lacks, a weight out of bounds or too many terms.
    """
    terms = tuple(_parse_term(sign, term, network) for sign, term in _split(text))
    if len(terms) > MAX_TERMS:
        raise DreamError(f"a sum of {len(terms)} terms; it must have 1–{MAX_TERMS}")
    for term in terms:
        if term.guided and not guide:
            raise DreamError(f"'{term}' needs a guide picture, and there is none")
    return Expression(terms)


def _split(text: str) -> Iterator[tuple[str, str]]:
    """Return each term with its sign."""
    first, *others = _SIGN.split(text.removeprefix("-"))
    yield "-" if text.startswith("-") else "+", first
    yield from zip(others[::2], others[1::2], strict=True)


def _parse_term(sign: str, text: str, network: NetworkInfo) -> Term:
    match = _TERM.fullmatch(text)
    if match is None:
        raise DreamError(
            f"{text!r} is neither layer:channel nor layer^2 nor layer@places nor layer@guide,"
            " nor one with a weight (0.5*layer^2)"
        )
    weight = float(match[1] or 1)
    if not MIN_WEIGHT <= weight <= MAX_WEIGHT:
        raise DreamError(f"the weight of {text!r} must be {MIN_WEIGHT:g}–{MAX_WEIGHT:g}")
    if sign == "-":
        weight = -weight
    layer = network.layer(match[2])
    if match[3] is None:
        return Term(layer.name, None, weight, guided=match[4] == "guide", places=match[4] == "places")
    channel = int(match[3])
    if channel >= layer.channels:
        raise DreamError(f"{layer.name} has channels 0–{layer.channels - 1}, no {channel}")
    return Term(layer.name, channel, weight)


def load_styles(network: str) -> tuple[Style, ...]:
    """Return the curated styles of a network, in the order of its file. Raises DreamError."""
    info = network_info(network)
    text = resources.files("dreamcanvas.dream").joinpath(f"styles/{network}.toml").read_text("utf-8")
    return parse_styles(text, info)


def parse_styles(text: str, network: NetworkInfo) -> tuple[Style, ...]:
    """Parse a styles file: a table `[[style]]` with `id`, `name` and `expression` for each.

    Ids and names are unique.

    Raises DreamError naming the style at fault.
    """
    try:
        tables = tomllib.loads(text)["style"]
        styles = tuple(Style(table["id"], table["name"], table["expression"]) for table in tables)
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise DreamError(f"the styles of {network.name} cannot be read: {error}") from error
    for style in styles:
        if type(style.id) is not int or not 1 <= style.id <= MAX_ID:
            raise DreamError(f"style {style.name!r}: the id is {style.id!r}; it must be 1–{MAX_ID}")
        try:
            parse_expression(style.expression, network)
        except DreamError as error:
            raise DreamError(f"style {style.name!r}: {error}") from error
    if len({style.name for style in styles}) != len(styles):
        raise DreamError(f"the styles of {network.name} have a name twice")
    if len({style.id for style in styles}) != len(styles):
        raise DreamError(f"the styles of {network.name} have an id twice")
    return styles


def find_style(name: str, styles: tuple[Style, ...]) -> Style:
    """Return the style of that name, in any case. Raises DreamError naming those there are."""
    for style in styles:
        if style.name.casefold() == name.casefold():
            return style
    raise DreamError(f"there is no style {name!r}; there are {', '.join(style.name for style in styles)}")
