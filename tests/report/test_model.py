"""What a report makes of a result: ratios, what was met, break-even points, and what it refuses to read."""

from __future__ import annotations

import copy
import math

import pytest

from report import results
from skywasm.report import model
from skywasm.report.result import with_section

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def made(**seconds: list[float]) -> model.Curve:
    return model._curve(results.curve("f", **seconds))


def test_a_line_is_the_shortest_of_its_samples() -> None:
    """Ratio, function and size come from the samples and the name, not from what the file says of itself."""
    result = results.bench()
    for benchmark in result["benchmarks"]:
        benchmark["metadata"]["skywasm_ratio"] = 99
    lines = {line.name: line for line in model.read(result).lines}
    line = lines["base36_encode, 32 digits"]
    assert (line.function, line.size, line.batch) == ("base36_encode", "32 digits", False)
    assert math.isclose(line.ratio, 2.8)
    assert (line.before.seconds, line.before.samples, line.before.peak_bytes) == (2.8e-6, 3, 2048)
    assert lines["get_cpu_count"].size == ""
    assert lines["batch.base36_encode, 10,000 MD5s"].batch


def test_the_summary_counts() -> None:
    """What is slower by more than noise, what was asked for and missed, and the medians."""
    facts = model.summary(model.read(results.whole()))
    assert (facts["compared"], facts["same_answers"]) == (7, 7)
    # 260 / 290 is slower; 240 / 241 is not.
    assert facts["not_slower"] == 6
    assert (facts["asked"], facts["met"]) == (4, 3)
    assert math.isclose(facts["median_ratio_calls"], 2.25)
    assert math.isclose(facts["median_ratio_batches"], (17.5 + 2) / 2)
    assert facts["break_even"]["base36_encode"] == {"python": 1.0, "wasm": 1.0, "auto": 1.0}


def test_nothing_measured_is_a_summary_too() -> None:
    """Where all answers differed there are no medians, and no division by nothing."""
    result = results.bench()
    result["benchmarks"] = []
    result["skywasm_report"] = {"differing": ["a", "b"]}
    facts = model.summary(model.read(result))
    assert (facts["compared"], facts["same_answers"], facts["median_ratio_calls"]) == (2, 0, None)


def test_a_floor_counts_where_it_is_below_what_was_asked() -> None:
    """What the system's own calls alone would reach is told where no implementation could do what was asked."""
    result = results.bench()
    result["benchmarks"] = [
        *results.pair("f", 2.0, 1.0, 3.5, skywasm_reachable=2.9),
        *results.pair("g", 2.0, 1.0, 2.5, skywasm_reachable=2.9),
        *results.pair("h", 2.0, 1.0, None, skywasm_reachable=2.9),
    ]
    assert [line.floor for line in model.read(result).lines] == [2.9, None, None]


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        # Times of the reference are 1, 10, 100, 1000; the sizes the same.
        ([0.5, 5, 50, 500], 1.0),
        ([2, 20, 50, 500], 31.6228),
        ([2, 9, 90, 900], 7.3799),
        ([2, 20, 200, 2000], None),
        ([0.5, 5, 50, 2000], None),
        # As fast, within noise: nothing to break even with.
        ([1.02, 9.9, 101, 990], None),
        # Slower only by noise at the largest size: it stays where it was.
        ([0.5, 5, 50, 1010], 1.0),
        # Slower once in the middle: what counts is from where on it is not.
        ([0.5, 20, 50, 500], 31.6228),
        # Slower, then within noise, then faster: the crossing is between the first two.
        ([2, 10.2, 50, 500], 10.0),
    ],
)
def test_break_even(route: list[float], expected: float | None) -> None:
    """A route breaks even where its line crosses the reference's for the last time, on log axes."""
    found = made(before=[1, 10, 100, 1000], wasm=route).break_even("wasm")
    assert found == expected or (found and expected and math.isclose(found, expected, rel_tol=1e-4))


def test_break_even_between_routes() -> None:
    """The routes can be held against one another as well as against the reference."""
    curve = made(before=[1, 10, 100, 1000], python=[0.5, 5, 50, 500], wasm=[0.9, 5.5, 5.5, 5.5])
    assert curve.always("wasm")
    assert not curve.always("wasm", "python")
    assert 10 < (curve.break_even("wasm", "python") or 0) < 100


def test_a_section_is_read_again() -> None:
    """What a report adds to the benchmark's JSON makes the same report again, with the same summary."""
    first = results.whole()
    again = with_section(first, first["skywasm_report"])
    assert model.read(again) == model.read(first)
    assert again["skywasm_report"]["summary"] == model.summary(model.read(first))
    assert "summary" not in first["skywasm_report"]
    assert with_section(again, again["skywasm_report"]) == again


def _without(*path: Any) -> Callable[[Any], None]:
    def change(result: Any) -> None:
        *inner, last = path
        for key in inner:
            result = result[key]
        del result[last]

    return change


def _with(value: Any, *path: Any) -> Callable[[Any], None]:
    def change(result: Any) -> None:
        *inner, last = path
        for key in inner:
            result = result[key]
        result[last] = value

    return change


POINTS = ("skywasm_report", "curves", 0, "points")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_without("metadata"), "'metadata' is missing"),
        (_without("metadata", "skywasm_compared_with"), "'skywasm_compared_with' is missing"),
        (_without("benchmarks"), "'benchmarks' is missing"),
        (_without("benchmarks", 1), "'[after]' is missing"),
        (_without("benchmarks", 0, "metadata", "skywasm_cpu_s"), "'skywasm_cpu_s' is missing"),
        (_with([], "benchmarks", 0, "runs"), "has no values"),
        (_with([{"values": [float("nan")]}], "benchmarks", 0, "runs"), "the value nan"),
        (_with([{"values": [0]}], "benchmarks", 0, "runs"), "the value 0"),
        (_with([{"values": ["1"]}], "benchmarks", 0, "runs"), "the value '1'"),
        (_with([{"values": [True]}], "benchmarks", 0, "runs"), "the value True"),
        (_with(float("inf"), "benchmarks", 0, "metadata", "skywasm_peak_bytes"), "the value inf"),
        (_with(-1, "benchmarks", 1, "metadata", "skywasm_least"), "the value -1"),
        (_with("a name", "benchmarks", 0, "metadata", "name"), "'a name' ends neither"),
        (_with(7, "benchmarks"), "another way"),
        (_with(None, "skywasm_report"), "another way"),
        (_without(*POINTS, "before"), "'before' among them"),
        (_without(*POINTS, "wasm", 0), "the same sizes"),
        (_with([[1, 0]], *POINTS, "wasm"), "the value 0"),
    ],
)
def test_what_is_no_result_is_refused(change: Callable[[Any], None], said: str) -> None:
    """A result that lacks something, or holds what is no time, is refused with a word on what and where."""
    result = copy.deepcopy(results.whole())
    change(result)
    with pytest.raises(model.NotAResult) as caught:
        model.read(result)
    assert said in str(caught.value)


@pytest.mark.parametrize("result", [None, 3, "text", [], {}, [1], {"metadata": 1, "benchmarks": []}])
def test_any_other_json_is_refused(result: Any) -> None:
    """JSON of another make is refused, whatever it is."""
    with pytest.raises(model.NotAResult):
        model.read(result)
