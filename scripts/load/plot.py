"""Plots as SVG (pure)."""

import math
from collections.abc import Sequence
from html import escape
from typing import TypeAlias

WIDTH, HEIGHT, LEFT, BOTTOM = 640, 190, 64, 22
COLOURS = ("#2563eb", "#dc2626", "#059669", "#9333ea")
LEAST = 1e-4
"""Where a logarithmic axis begins, seconds."""

Line: TypeAlias = tuple[str, Sequence[float], Sequence[float]]


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers from the one to the other."""
    raw = max(high - low, 1e-9) / most
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw)
    first = math.ceil(low / step - 1e-9)
    return [step * n for n in range(first, math.floor(high / step + 1e-9) + 1)]


def plot(lines: Sequence[Line], unit: str, *, logarithmic: bool = False) -> str:
    """Lines over seconds."""

    def scale(x: float) -> float:
        return math.log10(max(x, LEAST)) if logarithmic else x

    lines = [line for line in lines if len(line[1])]
    if not lines:
        return "<p>Nothing was measured.</p>"
    xs = [scale(x) for _, x_values, _ in lines for x in x_values]
    low = min(xs)
    high = max(*xs, low + 1e-9)
    top = max(max(y_values) for _, _, y_values in lines) * 1.02 or 1.0

    def across(x: float) -> float:
        return LEFT + (x - low) / (high - low) * (WIDTH - LEFT - 16)

    def down(y: float) -> float:
        return 6 + (HEIGHT - BOTTOM - 6) * (1 - y / top)

    parts = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT + 18}" role="img">']
    for y in ticks(0, top):
        parts.append(f'<path d="M{LEFT} {down(y):.1f}H{WIDTH - 16}" stroke="#e5e7eb"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{down(y) + 4:.1f}" text-anchor="end">{y:,.6g}</text>')
    for x in range(math.ceil(low), math.floor(high) + 1) if logarithmic else ticks(low, high):
        shown = f"{1000 * 10.0**x:g} ms" if logarithmic else f"{x:g} s"
        parts.append(f'<text x="{across(x):.1f}" y="{HEIGHT - 6}" text-anchor="middle">{shown}</text>')
    for index, ((name, x_values, y_values), colour) in enumerate(zip(lines, COLOURS, strict=False)):
        points = " ".join(
            f"{across(scale(x)):.1f},{down(y):.1f}" for x, y in zip(x_values, y_values, strict=True)
        )
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        left = LEFT + 150 * index
        parts.append(f'<rect x="{left}" y="{HEIGHT + 4}" width="10" height="10" fill="{colour}"/>')
        parts.append(f'<text x="{left + 15}" y="{HEIGHT + 13}">{escape(name)}, {escape(unit)}</text>')
    return "".join([*parts, "</svg>"])
