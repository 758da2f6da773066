"""The plots as plain dictionaries for plotly.js. Colours are left to the page: each trace says in ``meta`` what it is.

``narrow`` holds what differs in the layout where the page is as narrow as a phone.
"""

from __future__ import annotations

import math
from html import escape

from skywasm.bench import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from skywasm.report.model import Curve, Line, Report

    Figure = dict[str, Any]

# Pixels: a bar with its label beside it, a bar with its label above it, and what stands around the bars.
_ROW = 22
_NARROW_ROW = 42
_FRAME = 68
_CURVE_HEIGHT = 270
# Characters; the longest name of a case has 52.
_LABEL = 60
_RATIO_TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
_BYTES = "bytes"
TIMES = "\N{MULTIPLICATION SIGN}"


def duration(seconds: float) -> str:
    """As in the benchmark's tables, with a proper micro sign."""
    return text.duration(seconds).replace("us", "µs")


def factor(ratio: float) -> str:
    """A ratio with three figures."""
    return f"{ratio:.{2 if ratio < 10 else 1 if ratio < 100 else 0}f}{TIMES}"  # noqa: PLR2004


def count(n: float, unit: str) -> str:
    """A size in words: bytes in KiB and MiB, anything else as the next whole number and its unit."""
    if unit == _BYTES:
        return text.size(round(n)).replace(".0 ", " ")
    return f"{_whole(n):,} {unit[:-1] if _whole(n) == 1 else unit}"


def _whole(n: float) -> int:
    """The smallest whole size that is not below; less the error of a logarithm."""
    return math.ceil(n - 1e-6)


def span(one: Curve) -> str:
    """The smallest and the largest size."""
    first, last = (one.points["before"][index][0] for index in (0, -1))
    return f"{_short(first, one.unit)} to {count(last, one.unit)}"


def _plain(label: str) -> str:
    """Text as plotly shows it as it is, for its labels take some HTML; cut, for they do not wrap."""
    return escape(label if len(label) <= _LABEL else label[: _LABEL - 1] + "…", quote=False)


def _labelled(line: Line) -> str:
    """The name and the ratio: beside the bar the ratio would lie on the marks for what was asked."""
    return f"{_plain(line.name)}  <b>{factor(line.ratio)}</b>"


def bars(report: Report) -> Figure:
    """The ratio of every case, single calls above batches, the largest first; bars grow from 1 to either side."""
    groups = {
        role: sorted((line for line in report.lines if line.batch is batch), key=lambda line: -line.ratio)
        for role, batch in (("calls", False), ("batches", True))
    }
    lines = [line for group in groups.values() for line in group]
    # An empty row keeps the two apart.
    names = [name for group in groups.values() if group for name in ("", *(line.name for line in group))][1:]
    traces = [_bar_trace(role, group) for role, group in groups.items() if group]
    asked = [line for line in lines if line.least is not None]
    if asked:
        traces.append(_asked_trace(asked))
    low = min([0.8, *(line.ratio * 0.85 for line in lines)])
    high = max([2.0, *(max(line.ratio, line.least or 0) * 1.15 for line in lines)])
    layout = {
        "height": _FRAME + _ROW * len(names),
        "margin": {"l": 8, "r": 8, "t": 34, "b": 34},
        "bargap": 0.32,
        "barmode": "overlay",
        "showlegend": False,
        "xaxis": _ratio_axis(low, high),
        "yaxis": {
            "categoryorder": "array",
            "categoryarray": names,
            "tickvals": [line.name for line in lines],
            "ticktext": [_labelled(line) for line in lines],
            "range": [len(names) - 0.4, -0.6],
            "showgrid": False,
            "automargin": True,
            "fixedrange": True,
            "ticksuffix": "  ",
        },
        "shapes": [{"type": "line", "x0": 1, "x1": 1, "yref": "paper", "y0": 0, "y1": 1, "name": "as fast"}],
        "annotations": _directions(),
    }
    return {"data": traces, "layout": layout, "narrow": _narrow_bars(lines, len(names))}


def _ratio_axis(low: float, high: float) -> dict[str, Any]:
    ticks = [tick for tick in _RATIO_TICKS if low <= tick <= high]
    return {
        "type": "log",
        "range": [math.log10(low), math.log10(high)],
        "tickvals": ticks,
        "ticktext": [f"{tick:g}{TIMES}" for tick in ticks],
        "fixedrange": True,
        "zeroline": False,
    }


def _directions() -> list[dict[str, Any]]:
    """The words above the line at 1."""
    common = {"x": 0, "xref": "x", "y": 1, "yref": "paper", "yanchor": "bottom", "showarrow": False}
    return [
        {**common, "text": "slower", "xanchor": "right", "xshift": -6, "yshift": 6},
        {**common, "text": "faster →", "xanchor": "left", "xshift": 6, "yshift": 6},
    ]


def _bar_trace(role: str, lines: Sequence[Line]) -> dict[str, Any]:
    return {
        "type": "bar",
        "orientation": "h",
        "meta": role,
        "name": "single calls" if role == "calls" else "batches",
        "y": [line.name for line in lines],
        # From 1 to the ratio: on a log axis a bar has no natural beginning.
        "base": 1,
        "x": [line.ratio - 1 for line in lines],
        "hovertext": [
            f"{_labelled(line)}<br>{duration(line.before.seconds)} → {duration(line.after.seconds)}" for line in lines
        ],
        "hovertemplate": "%{hovertext}<extra></extra>",
    }


def _asked_trace(lines: Sequence[Line]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "meta": "asked",
        "name": "asked for",
        "y": [line.name for line in lines],
        "x": [line.least for line in lines],
        "marker": {"symbol": "line-ns-open", "size": 15, "line": {"width": 2}},
        "hovertemplate": f"asked for: %{{x}}{TIMES}<extra></extra>",
    }


def _narrow_bars(lines: Sequence[Line], rows: int) -> dict[str, Any]:
    labels = [
        {
            "text": _labelled(line),
            "x": 0,
            "xref": "paper",
            "xanchor": "left",
            "y": line.name,
            "yref": "y",
            "yanchor": "bottom",
            "yshift": 7,
            "borderpad": 1,
            "showarrow": False,
            "font": {"size": 11},
        }
        for line in lines
    ]
    return {
        "height": _FRAME + _NARROW_ROW * rows,
        "bargap": 0.72,
        "yaxis": {"showticklabels": False, "automargin": False, "range": [rows - 0.6, -0.9]},
        "annotations": [*_directions()[1:], *labels],
    }


def curve(one: Curve, names: dict[str, str]) -> Figure:
    """Time over size on two log axes, a line a route, with rings where a route breaks even with the reference."""
    # What auto takes lies under the others, as a band; the reference is drawn last.
    order = [route for route in ("auto", "wasm", "python", "before") if route in one.points]
    traces = [_route_trace(one, route, names[route]) for route in order]
    rings = ("python", "wasm" if "wasm" in one.points else "auto")
    traces += [trace for trace in (_ring(one, route, names) for route in rings) if trace]
    times = [seconds for points in one.points.values() for _, seconds in points]
    sizes = [n for n, _ in one.points["before"]]
    ticks = _size_ticks(sizes, one.unit)
    layout = {
        "height": _CURVE_HEIGHT,
        "margin": {"l": 58, "r": 14, "t": 10, "b": 44},
        "showlegend": False,
        "xaxis": {
            "type": "log",
            "title": {"text": _plain(one.unit), "standoff": 6},
            "range": [math.log10(sizes[0] * 0.8), math.log10(sizes[-1] * 1.25)],
            "tickvals": ticks,
            "ticktext": [_short(n, one.unit) for n in ticks],
            "fixedrange": True,
        },
        "yaxis": {
            "type": "log",
            "range": [math.log10(min(times) * 0.6), math.log10(max(times) * 1.6)],
            "tickvals": _decades(min(times) * 0.6, max(times) * 1.6),
            "ticktext": [_decade(tick) for tick in _decades(min(times) * 0.6, max(times) * 1.6)],
            "fixedrange": True,
        },
    }
    return {"data": traces, "layout": layout, "narrow": {}}


def look(one: Curve, route: str) -> str:
    """The route that a route looks like: what auto takes is a line where there is none for it to lie under."""
    return "wasm" if route == "auto" and "wasm" not in one.points else route


def _route_trace(one: Curve, route: str, name: str) -> dict[str, Any]:
    points = one.points[route]
    return {
        "type": "scatter",
        "mode": "lines" if look(one, route) == "auto" else "lines+markers",
        "meta": look(one, route),
        "name": name,
        "x": [n for n, _ in points],
        "y": [seconds for _, seconds in points],
        "text": [f"{count(n, one.unit)}: {duration(seconds)}" for n, seconds in points],
        "hovertemplate": f"{_plain(name)}<br>%{{text}}<extra></extra>",
    }


def _ring(one: Curve, route: str, names: dict[str, str]) -> dict[str, Any] | None:
    """A ring where the route's line crosses the reference's, if that is between two sizes."""
    n = one.break_even(route) if route in one.points else None
    if n is None or one.always(route):
        return None
    label = count(n, one.unit)
    return {
        "type": "scatter",
        "mode": "markers+text",
        "meta": look(one, route),
        "name": "break-even",
        "x": [n],
        "y": [_time_at(one.points["before"], n)],
        "text": [_short(n, one.unit)],
        "textposition": "top center",
        "cliponaxis": False,
        "marker": {"symbol": "circle-open", "size": 13, "line": {"width": 2}},
        "hovertemplate": f"{_plain(names[route])} breaks even at {_plain(label)}<extra></extra>",
    }


def _time_at(points: Sequence[tuple[int, float]], n: float) -> float:
    """The time between two points, on the straight line that log axes draw."""
    for (low, low_s), (high, high_s) in zip(points, points[1:]):
        if low <= n <= high:
            share = math.log(n / low) / math.log(high / low)
            return float(low_s * (high_s / low_s) ** share)
    raise AssertionError


def _size_ticks(sizes: Sequence[int], unit: str) -> list[int]:
    if unit == _BYTES:
        return [n for n in (1 << power for power in range(0, 41, 5)) if sizes[0] <= n <= sizes[-1]]
    return [n for n in (10**power for power in range(13)) if sizes[0] <= n <= sizes[-1]]


def _short(n: float, unit: str) -> str:
    return count(n, unit) if unit == _BYTES else f"{_whole(n):,}"


def _decades(low: float, high: float) -> list[float]:
    return [float(f"1e{power}") for power in range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)]


def _decade(seconds: float) -> str:
    shown = duration(seconds).split(" ")
    return f"{float(shown[0]):.0f} {shown[1]}"
