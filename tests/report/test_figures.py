"""The plots, before a browser draws them."""

from __future__ import annotations

import math

import pytest

from report import results
from skywasm.report import figures, model

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NAMES = {"before": "SkyPilot", "python": "Python", "wasm": "sandbox", "auto": "auto"}


@pytest.fixture
def report() -> model.Report:
    return model.read(results.whole())


def all_figures(report: model.Report) -> list[dict[str, Any]]:
    return [figures.bars(report), *(figures.curve(curve, NAMES) for curve in report.curves)]


def test_plotly_knows_every_attribute(report: model.Report) -> None:
    """plotly's own check of names and values accepts traces and layouts, at both widths."""
    objects = pytest.importorskip("plotly.graph_objects")
    for figure in all_figures(report):
        for over in ({}, figure["narrow"]):
            axes = {key: {**figure["layout"][key], **over.get(key, {})} for key in ("xaxis", "yaxis")}
            objects.Figure({"data": figure["data"], "layout": {**figure["layout"], **over, **axes}})


def test_a_bar_for_every_line(report: model.Report) -> None:
    """Every comparison has its bar, from 1 to its ratio, in the colour of its kind, the largest on top."""
    figure = figures.bars(report)
    shown = {}
    for trace in figure["data"]:
        if trace["type"] == "bar":
            shown.update({name: (trace["meta"], trace["base"] + x) for name, x in zip(trace["y"], trace["x"])})
    expected = {line.name: ("batches" if line.batch else "calls", line.ratio) for line in report.lines}
    assert shown.keys() == expected.keys()
    for name, (role, ratio) in expected.items():
        assert shown[name][0] == role
        assert math.isclose(shown[name][1], ratio)
    order = figure["layout"]["yaxis"]["categoryarray"]
    split = order.index("")
    ratios = {line.name: line.ratio for line in report.lines}
    for group in (order[:split], order[split + 1 :]):
        assert [ratios[name] for name in group] == sorted((ratios[name] for name in group), reverse=True)
    assert all(name.startswith("batch.") for name in order[split + 1 :])


def test_the_line_at_one(report: model.Report) -> None:
    """A line from top to bottom marks where both take the same time, and lies within the axis."""
    layout = figures.bars(report)["layout"]
    (line,) = layout["shapes"]
    assert (line["x0"], line["x1"], line["y0"], line["y1"]) == (1, 1, 0, 1)
    low, high = layout["xaxis"]["range"]
    assert low < 0 < high
    assert all(low <= math.log10(one.ratio) <= high for one in report.lines)


def test_what_was_asked_is_marked(report: model.Report) -> None:
    """Each ratio asked for has its mark on its row, and nothing else has one."""
    (marks,) = [trace for trace in figures.bars(report)["data"] if trace["meta"] == "asked"]
    assert dict(zip(marks["y"], marks["x"])) == {line.name: line.least for line in report.lines if line.least}


def test_a_line_for_every_route(report: model.Report) -> None:
    """Each route of a curve is drawn with all its points, on two log axes."""
    for curve in report.curves:
        figure = figures.curve(curve, NAMES)
        drawn = {trace["meta"]: trace for trace in figure["data"] if trace["name"] != "break-even"}
        assert drawn.keys() == curve.points.keys()
        for route, points in curve.points.items():
            assert list(zip(drawn[route]["x"], drawn[route]["y"])) == points
        assert figure["layout"]["xaxis"]["type"] == figure["layout"]["yaxis"]["type"] == "log"
        for axis, values in (("xaxis", 0), ("yaxis", 1)):
            low, high = figure["layout"][axis]["range"]
            found = [math.log10(point[values]) for points in curve.points.values() for point in points]
            assert low < min(found)
            assert max(found) < high


def test_the_ring_is_where_the_lines_cross(report: model.Report) -> None:
    """A route that breaks even between two sizes has a ring on the reference's line; the others have none."""
    crossing, faster = (figures.curve(curve, NAMES) for curve in report.curves)
    (ring,) = [trace for trace in crossing["data"] if trace["name"] == "break-even"]
    assert ring["meta"] == "wasm"
    assert math.isclose(ring["x"][0], math.sqrt(10 * 100))
    # The reference takes a microsecond an item.
    assert math.isclose(ring["y"][0], ring["x"][0] * 1e-6)
    assert ring["text"] == ["32"]
    assert [trace for trace in faster["data"] if trace["name"] == "break-even"] == []


def test_what_auto_takes_is_a_line_of_its_own_where_no_other_is() -> None:
    """A curve without a route through the sandbox shows what auto takes as a line, and its break-even point."""
    one = results.curve("f", before=[1, 10, 100, 1000], python=[1, 10, 100, 1000], auto=[2, 20, 50, 500])
    figure = figures.curve(model._curve(one), NAMES)
    assert {trace["meta"] for trace in figure["data"]} == {"before", "python", "wasm"}
    assert [trace["name"] for trace in figure["data"] if trace["meta"] == "wasm"] == ["auto", "break-even"]


@pytest.mark.parametrize(
    ("n", "unit", "shown"),
    [
        (1, "items", "1 item"),
        (1.2, "items", "2 items"),
        (10_000, "digits", "10,000 digits"),
        (31.0000001, "lines", "31 lines"),
        (4096, "bytes", "4 KiB"),
        (1536, "bytes", "1.5 KiB"),
        (4 << 20, "bytes", "4 MiB"),
    ],
)
def test_sizes_in_words(n: float, unit: str, shown: str) -> None:
    """A size between two whole ones is the next one: the first at which the route is faster."""
    assert figures.count(n, unit) == shown


@pytest.mark.parametrize(
    ("ratio", "shown"), [(0.954, "0.95"), (1.0, "1.00"), (9.994, "9.99"), (12.34, "12.3"), (250.4, "250")]
)
def test_ratios_have_three_figures(ratio: float, shown: str) -> None:
    """Ratios are shown with three figures."""
    assert figures.factor(ratio) == shown + "\N{MULTIPLICATION SIGN}"


def test_labels_are_text() -> None:
    """plotly's labels take HTML; names are shown as they are."""
    result = results.bench()
    result["benchmarks"] = results.pair("f <b>&amp;", 2.0, 1.0, 1.5)
    figure = figures.bars(model.read(result))
    ticks, notes = figure["layout"]["yaxis"]["ticktext"], figure["narrow"]["annotations"]
    hovers = figure["data"][0]["hovertext"]
    for label in (ticks[0], notes[-1]["text"], hovers[0]):
        assert label.startswith("f, &lt;b&gt;&amp;amp;  <b>2.00")
