"""What is expected of a load test: `p99<150ms,lost=0`."""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
    "=": operator.eq,
}
ALIASES = {"p50": "delivery_p50", "p99": "delivery_p99", "p999": "delivery_p999", "p99.9": "delivery_p999"}
UNITS = {"": 1.0, "ms": 1.0, "s": 1000.0, "%": 1.0, "KB": 1.0, "MB": 1.0}
TERM = re.compile(r"([a-z0-9_.]+)\s*(<=|>=|<|>|=)\s*([0-9.]+)\s*(ms|s|%|KB|MB|)")


@dataclass(frozen=True, slots=True)
class Expectation:
    """One of them; `bound` in the figure's own unit."""

    text: str
    name: str
    holds: Callable[[float, float], bool]
    bound: float


def parse(text: str, names: Mapping[str, object]) -> list[Expectation]:
    """All of them. Raises ValueError, naming the one that is wrong."""
    found = []
    for term in filter(None, (part.strip() for part in text.split(","))):
        match = TERM.fullmatch(term)
        if match is None:
            raise ValueError(f"{term!r} is not like p99<150ms or lost=0")
        name, sign, bound, unit = match.groups()
        name = ALIASES.get(name, name)
        if name not in names:
            raise ValueError(f"{name!r} in {term!r} is none of {', '.join([*ALIASES, *names])}")
        found.append(Expectation(term, name, OPERATORS[sign], float(bound) * UNITS[unit]))
    return found


def broken(expectations: list[Expectation], figures: Mapping[str, float]) -> list[str]:
    """Those that do not hold, in words."""
    return [
        f"expected {each.text}, but {each.name} is {figures[each.name]:g}"
        for each in expectations
        if not each.holds(figures[each.name], each.bound)
    ]
