"""A report as one HTML file: the figures, and plots that need no script."""

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from load.plot import Line
from load.record import Times

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1f2937 }
body { max-width: 46rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.4rem } h2 { font-size: 1.05rem; margin: 2rem 0 .3rem }
table { border-collapse: collapse } td, th { text-align: left; padding: .15rem 1.2rem .15rem 0 }
td:last-child { text-align: right; font-variant-numeric: tabular-nums } th { font-weight: 600 }
.broken { color: #b91c1c; font-weight: 600 } .kept { color: #047857; font-weight: 600 }
svg { width: 100%; height: auto } text { font: 11px system-ui, sans-serif; fill: #6b7280 }
"""


def distribution(name: str, latencies: Times) -> Line:
    """What share of the latencies is below which time, percent."""
    if not len(latencies):
        return name, [], []
    shares = np.concatenate([np.linspace(0, 99, 100), np.linspace(99, 100, 21)[1:]])
    return name, np.percentile(latencies, shares).tolist(), shares.tolist()


def by_second(at: Times, latencies: Times, begin: float, percents: Sequence[float]) -> list[Line]:
    """Percentiles in milliseconds, and the number, of each second."""
    whole = at < begin + max(1, np.floor(at.max(initial=begin) - begin))  # the last one is cut short
    at, latencies = at[whole], latencies[whole]
    seconds = np.floor(at - begin)
    order = np.argsort(seconds, kind="stable")
    seconds, latencies = seconds[order], latencies[order]
    names, starts = np.unique(seconds, return_index=True)
    groups = np.split(latencies, starts[1:]) if len(names) else []
    lines: list[Line] = []
    for percent in percents:
        lines.append(
            (f"p{percent:g}", names.tolist(), [1000 * float(np.percentile(g, percent)) for g in groups])
        )
    return [*lines, ("a second", names.tolist(), [float(len(group)) for group in groups])]


def html(
    title: str,
    settings: Mapping[str, object],
    figures: Mapping[str, object],
    verdict: Sequence[str],
    plots: Mapping[str, str],
) -> str:
    """The page."""
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{escape(str(value))}</td></tr>" for name, value in figures.items()
    )
    given = "".join(
        f"<tr><td>{escape(name)}</td><td>{escape(str(value))}</td></tr>" for name, value in settings.items()
    )
    judged = (
        "".join(f'<p class="broken">{escape(line)}</p>' for line in verdict)
        or '<p class="kept">As expected.</p>'
    )
    drawn = "".join(f"<h2>{escape(name)}</h2>{svg}" for name, svg in plots.items())
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{STYLE}</style><h1>{escape(title)}</h1>{judged}"
        f"<h2>Figures</h2><table>{rows}</table>{drawn}<h2>Settings</h2><table>{given}</table></html>\n"
    )
