"""What a report shows, read from the JSON that the benchmark writes."""

from __future__ import annotations

import math
import reprlib
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

# The key under which a report adds to the benchmark's JSON what that does not hold.
SECTION = "skywasm_report"
# Two runs of the same code differ by as much: what is this close to the reference is not slower.
NOT_SLOWER = 0.95
# Seconds, bytes, sizes and ratios that can be: beyond them numbers cannot be divided, or shown.
_LEAST = 1e-15
_MOST = 1e18
# Fewer samples than this are a smoke run.
_FEW_SAMPLES = 10
_PREFIX = "skywasm_"
_LABEL = "skywasm_compared_with"
_DATE = "skywasm_date"
# Routes in the order of legends: what is replaced, skywasm's two implementations, what auto mode takes of them.
ROUTES = ("before", "python", "wasm", "auto")


class NotAResult(ValueError):
    """The JSON is not what the benchmark writes; the message says what is wrong with it."""


class Side(NamedTuple):
    """What one of the two took for a call: seconds, seconds of processor time, bytes."""

    seconds: float
    cpu_s: float
    peak_bytes: int
    samples: int


class Line(NamedTuple):
    """One comparison. ``least`` is the ratio asked for, ``against`` what was compared with, where not the whole
    report's, ``reachable`` the ratio that the system's own calls alone would reach, where they were timed.
    """

    function: str
    size: str
    before: Side
    after: Side
    least: float | None
    against: str
    reachable: float | None

    @property
    def name(self) -> str:
        """Function and size in one."""
        return f"{self.function}, {self.size}" if self.size else self.function

    @property
    def batch(self) -> bool:
        return self.function.startswith("batch.")

    @property
    def ratio(self) -> float:
        """The time before divided by the time after."""
        return self.before.seconds / self.after.seconds

    @property
    def met(self) -> bool | None:
        """Whether the ratio is what was asked for; None where none was."""
        return None if self.least is None else self.ratio >= self.least

    @property
    def floor(self) -> float | None:
        """The ratio that can be reached at best, where that is less than what was asked for."""
        if self.least is None or self.reachable is None or self.reachable >= self.least:
            return None
        return self.reachable

    @property
    def not_slower(self) -> bool:
        return self.ratio >= NOT_SLOWER


class Curve(NamedTuple):
    """Time over size for each route: ``points[route]`` are sizes in ``unit`` and seconds."""

    function: str
    what: str
    unit: str
    points: dict[str, list[tuple[int, float]]]

    def break_even(self, route: str, other: str = "before") -> float | None:
        """The size from which a route is faster than the other one.

        Returns:
            Where the lines cross after the last size at which the route is slower; the smallest size measured where
            it is slower at none; None where it is slower at the largest, or faster at none. Slower and faster are
            more than what two runs of the same code differ by.
        """
        pairs = self._ratios(route, other)
        if all(ratio <= 1 / NOT_SLOWER for _, ratio in pairs) or pairs[-1][1] < NOT_SLOWER:
            return None
        slower = [index for index, (_, ratio) in enumerate(pairs) if ratio < NOT_SLOWER]
        if not slower:
            return float(pairs[0][0])
        (n, ratio), (next_n, next_ratio) = pairs[slower[-1] : slower[-1] + 2]
        share = -math.log(ratio) / (math.log(next_ratio) - math.log(ratio))
        return float(n * (next_n / n) ** min(share, 1.0))

    def same(self, route: str, other: str = "before") -> bool:
        """Whether two routes take the same time at every size."""
        return all(NOT_SLOWER <= ratio <= 1 / NOT_SLOWER for _, ratio in self._ratios(route, other))

    def always(self, route: str, other: str = "before") -> bool:
        """Whether a route is slower than the other one at no size, and faster at some."""
        return self.break_even(route, other) == self.points[route][0][0]

    def _ratios(self, route: str, other: str) -> list[tuple[int, float]]:
        return [(n, b / a) for (n, a), (_, b) in zip(self.points[route], self.points[other])]


class Report(NamedTuple):
    """A whole report. ``label`` is what was compared with, ``made`` when (UTC, ISO 8601) or empty where not recorded.

    ``differing`` names what had different answers and was not timed.
    """

    label: str
    about: dict[str, str]
    made: str
    lines: list[Line]
    differing: list[str]
    curves: list[Curve]

    @property
    def samples(self) -> int:
        """The fewest samples that a time is the minimum of."""
        return min((side.samples for line in self.lines for side in (line.before, line.after)), default=0)

    @property
    def rough(self) -> bool:
        return self.samples < _FEW_SAMPLES

    @property
    def reference(self) -> str:
        """The label in a word or two."""
        return "Python fallback" if self.without_skypilot else self.label

    @property
    def without_skypilot(self) -> bool:
        return not self.label.startswith("SkyPilot")


def _median(values: list[float]) -> float | None:
    """The middle value; None where there is none."""
    from statistics import median as middle

    return float(middle(values)) if values else None


def summary(report: Report) -> dict[str, Any]:
    """The report in a few numbers; break-even sizes are in the unit of their curve."""
    asked = [line for line in report.lines if line.least is not None]
    return {
        "compared": len(report.lines) + len(report.differing),
        "same_answers": len(report.lines),
        "asked": len(asked),
        "met": sum(bool(line.met) for line in asked),
        "not_slower": sum(line.not_slower for line in report.lines),
        "median_ratio_calls": _median([line.ratio for line in report.lines if not line.batch]),
        "median_ratio_batches": _median([line.ratio for line in report.lines if line.batch]),
        "break_even": {
            curve.function: {route: curve.break_even(route) for route in curve.points if route != "before"}
            for curve in report.curves
        },
    }


def read(result: Any) -> Report:
    """The report that a result of the benchmark, or an earlier report's JSON, makes.

    Raises:
        NotAResult: it is neither.
    """
    try:
        return _whole(result)
    except NotAResult:
        raise
    except KeyError as error:
        raise NotAResult(f"{error.args[0]!r} is missing in it") from None
    except (TypeError, AttributeError, ValueError, IndexError, ArithmeticError, RecursionError) as error:
        # Whatever a damaged file makes of parts that are meant to be lists, objects, texts and numbers.
        raise NotAResult(f"it is put together in another way ({error})") from None


def _whole(result: Any) -> Report:
    metadata, benchmarks = result["metadata"], result["benchmarks"]
    section = result.get(SECTION, {})
    about = {
        name[len(_PREFIX) :]: str(value)
        for name, value in metadata.items()
        if name.startswith(_PREFIX) and name not in (_LABEL, _DATE)
    }
    report = Report(
        str(metadata[_LABEL]),
        about,
        str(section.get("made") or metadata.get(_DATE, "")),
        _lines(benchmarks, str(metadata[_LABEL])),
        [str(name) for name in section.get("differing", ())],
        [_curve(curve) for curve in section.get("curves", ())],
    )
    # Numbers that are each fine can be too far apart.
    summary(report)
    return report


def _lines(benchmarks: list[Any], label: str) -> list[Line]:
    """The comparisons: two benchmarks each, which follow one another."""
    found: dict[str, dict[str, Any]] = {}
    for benchmark in benchmarks:
        name = benchmark["metadata"]["name"]
        case, _, who = name.rpartition(" ")
        if who not in ("[before]", "[after]"):
            raise NotAResult(f"the name {name!r} ends neither with [before] nor with [after]")
        found.setdefault(case, {})[who] = benchmark
    lines = []
    for case, two in found.items():
        before, after = two["[before]"], two["[after]"]
        function, _, size = case.partition(" ")
        about = after["metadata"]
        against = str(about.get("skywasm_against", label))
        lines.append(
            Line(
                function,
                size,
                _side(before, case),
                _side(after, case),
                _optional(about.get("skywasm_least"), case),
                "" if against == label else against,
                _optional(about.get("skywasm_reachable"), case),
            )
        )
    return lines


def _side(benchmark: Mapping[str, Any], case: str) -> Side:
    samples = [_positive(value, case) for run in benchmark["runs"] for value in run["values"]]
    if not samples:
        raise NotAResult(f"{case!r} has no values")
    metadata = benchmark["metadata"]
    cpu_s, peak_bytes = (_number(metadata[key], case) for key in ("skywasm_cpu_s", "skywasm_peak_bytes"))
    return Side(min(samples), cpu_s, int(peak_bytes), len(samples))


def _number(value: Any, where: str) -> float:
    """A number of 0 or more: JSON in Python also knows NaN and Infinity."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= _MOST:
        shown = reprlib.repr(value)
        raise NotAResult(f"{where!r} has the value {shown} where a number from 0 to {_MOST:.0e} belongs")
    return float(value)


def _positive(value: Any, where: str) -> float:
    """A time, size or ratio."""
    if _number(value, where) < _LEAST:
        raise NotAResult(f"{where!r} has the value {value!r} where a number of {_LEAST:.0e} or more belongs")
    return float(value)


def _optional(value: Any, where: str) -> float | None:
    return None if value is None else _positive(value, where)


def _curve(curve: Mapping[str, Any]) -> Curve:
    name = str(curve["function"])
    points = {
        route: [(int(_positive(n, name)), _positive(seconds, name)) for n, seconds in curve["points"][route]]
        for route in ROUTES
        if route in curve["points"]
    }
    sizes = [[n for n, _ in line] for line in points.values()]
    if "before" not in points or len(sizes[0]) < 2 or any(one != sizes[0] for one in sizes):  # noqa: PLR2004
        raise NotAResult(f"the routes of {name!r} must have the same sizes, two or more, and 'before' among them")
    return Curve(name, str(curve["what"]), str(curve["unit"]), points)
