"""What is dreamt when: styles in a shuffled order, that pass into one another, with weights that drift.

No TensorFlow and no clock: times are seconds of dreaming, whose zero is anywhere.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from dreamcanvas.dream.network import NetworkInfo
from dreamcanvas.dream.styles import (
    MAX_TERMS,
    MAX_WEIGHT,
    MIN_WEIGHT,
    Expression,
    Style,
    Term,
    parse_expression,
)

STYLE_SECONDS: Final = 120.0

PASSAGE_DREAMS: Final = 20
"""Dreams in which a style passes into the next."""

DRIFT_OCTAVES: Final = 0.7
"""A term's weight is at most 2^0.7 times, and at least 2^-0.7 times, that of its style."""

DRIFT_SECONDS: Final = (70.0, 110.0)
"""Between these lies the period of a term's drift, so that two terms meet differently each time."""

GOLDEN: Final = (1 + math.sqrt(5)) / 2


@dataclass(frozen=True, slots=True)
class Plan:
    """What one dream is to be of: an expression.

    In a passage also that `before`, the progress from it, above 0 and below 1, and the seed of the order in
    which regions change; else None, 1 and 0.
    """

    expression: str
    before: str | None = None
    progress: float = 1.0
    regions: int = 0


class Programme:
    """The styles of a canvas in their order, each for `interval` seconds, and `passage` dreams between them.

    It is asked for a plan before each dream (`plan`), and told of each that came about (`dreamt`).
    """

    def __init__(
        self,
        styles: Sequence[Style],
        network: NetworkInfo,
        *,
        rng: random.Random,
        interval: float = STYLE_SECONDS,
        passage: int = PASSAGE_DREAMS,
    ) -> None:
        """Begin with a style by chance. Raises DreamError for an expression that is none of the network's."""
        self._styles = tuple(styles)
        self._network = network
        self._rng = rng
        self._interval = interval
        self._passage = passage
        self._waiting = self._shuffled()
        self._since = 0.0
        self._side = self._side_of(self._waiting.pop())
        self._before: _Side | None = None
        self._regions = 0
        self._dreamt = 0

    @property
    def style(self) -> Style:
        """What is dreamt now; in a passage that to which it leads."""
        return self._side.style

    def begin(self, now: float) -> None:
        """Count the style's time from now on."""
        self._since = now

    def due(self, now: float) -> bool:
        """Say whether the style has had its time."""
        return now - self._since >= self._interval

    def next_style(self, now: float) -> Style:
        """Begin the passage to the next style, from whatever is dreamt now, and return that style."""
        if not self._waiting:
            self._waiting = self._shuffled(but=self.style)
        style = self._waiting.pop()
        if style != self.style:
            self._before = self._now(now) if self._passage else None
            self._regions = self._rng.getrandbits(31)
            self._side = self._side_of(style)
            self._dreamt = 0
        self._since = now
        return style

    def plan(self, now: float) -> Plan:
        """Return what the next dream is to be of. The same state and time give the same plan."""
        expression = str(self._side.at(now))
        if self._before is None:
            return Plan(expression)
        return Plan(expression, str(self._before.at(now)), self._progress(), self._regions)

    def dreamt(self) -> None:
        """Count a dream that came about: a passage goes on by dreams, not by time."""
        self._dreamt += 1
        if self._dreamt >= self._passage:
            self._before = None

    def _progress(self) -> float:
        """Return how far the passage is: rising slowly at first and at the end, never 0 and never 1."""
        t = (self._dreamt + 1) / (self._passage + 1)
        return t * t * (3 - 2 * t)

    def _now(self, now: float) -> "_Side":
        """Return what is dreamt now as the side that a passage leaves: in a passage a blend, which stays."""
        if self._before is None:
            return self._side
        return _Side(self.style, blend(self._before.at(now), self._side.at(now), self._progress()))

    def _side_of(self, style: Style) -> "_Side":
        expression = shares(parse_expression(style.expression, self._network))
        return _Side(style, expression, tuple(_Drift.by_chance(self._rng) for _ in expression.terms))

    def _shuffled(self, but: Style | None = None) -> list[Style]:
        """Return all styles in an order by chance, to be taken from the end, where `but` is not."""
        styles = self._rng.sample(self._styles, len(self._styles))
        if len(styles) > 1 and styles[-1] == but:
            other = self._rng.randrange(len(styles) - 1)
            styles[-1], styles[other] = styles[other], styles[-1]
        return styles


@dataclass(frozen=True, slots=True)
class _Drift:
    """How a weight drifts: two sines whose periods are in golden ratio, so that they never meet again."""

    period: float
    first: float
    second: float

    @classmethod
    def by_chance(cls, rng: random.Random) -> "_Drift":
        return cls(rng.uniform(*DRIFT_SECONDS), rng.uniform(0, math.tau), rng.uniform(0, math.tau))

    def factor(self, now: float) -> float:
        turn = math.tau * now / self.period
        wave = 0.6 * math.sin(turn + self.first) + 0.4 * math.sin(turn / GOLDEN + self.second)
        return float(2 ** (DRIFT_OCTAVES * wave))


@dataclass(frozen=True, slots=True)
class _Side:
    """A style with its shares and how they drift; without drifts they stay."""

    style: Style
    expression: Expression
    drifts: tuple[_Drift, ...] = ()

    def at(self, now: float) -> Expression:
        """Return the expression with the weights of a time, as shares: one term alone keeps its 1."""
        if not self.drifts:
            return self.expression
        terms = zip(self.expression.terms, self.drifts, strict=True)
        return shares(
            Expression(tuple(replace(term, weight=term.weight * drift.factor(now)) for term, drift in terms))
        )


def shares(expression: Expression) -> Expression:
    """Return an expression whose weights are shares: without their signs they sum to 1."""
    total = sum(abs(term.weight) for term in expression.terms)
    return Expression(tuple(_weighted(term, term.weight / total) for term in expression.terms))


def blend(old: Expression, new: Expression, share: float) -> Expression:
    """Return the weighted sum of two expressions, each first in shares; `share` of it (0–1) is the new.

    Terms that differ in their weights alone become one. Of more than MAX_TERMS the weightiest stay.
    """
    merged: dict[Term, float] = {}
    for expression, part in ((shares(old), 1 - share), (shares(new), share)):
        for term in expression.terms:
            kind = replace(term, weight=1.0)
            merged[kind] = merged.get(kind, 0.0) + part * term.weight
    weightiest = sorted(merged, key=lambda kind: -abs(merged[kind]))[:MAX_TERMS]
    # A term that both have with opposite signs passes through nothing on its way, and may be all there is
    kept = [kind for kind in merged if kind in weightiest and abs(merged[kind]) >= MIN_WEIGHT]
    if not kept:
        return shares(new if share >= 0.5 else old)
    return shares(Expression(tuple(replace(kind, weight=merged[kind]) for kind in kept)))


def _weighted(term: Term, weight: float) -> Term:
    """Return a term with a weight in the grammar's bounds, in so many digits as are worth to be read."""
    size = min(max(abs(weight), MIN_WEIGHT), MAX_WEIGHT)
    return replace(term, weight=math.copysign(round(size, 4), weight))
