"""The report as tables for a terminal or a text file."""

from __future__ import annotations

from skywasm.bench.text import duration, size
from skywasm.report import model
from skywasm.report.figures import count, span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from rich.console import Console
    from rich.table import Table

    from skywasm.report.model import Curve, Report

# In the order in which they go.
_LEFT_OUT = ("memory before", "memory", "CPU", "floor", "asked")
_ANY_WIDTH = 1000
# Narrower than this, a name beside two times would be folded to nothing.
_SLIP = 56
_ROUTES = {"python": "Python", "wasm": "sandbox", "auto": "auto"}


def parts(report: Report, console: Console) -> Iterator[str | Table]:
    """Headings, sentences and tables, in order; where the console is narrow, tables leave out what matters least."""
    yield f"skywasm compared with {report.label}"
    yield from _headlines(report)
    if report.lines:
        yield ""
        yield _fitting(console, lambda left_out: _lines(report, left_out), _less(report, console))
        yield ""
        if any(line.floor is not None and not line.met for line in report.lines):
            yield "the floor is the ratio that the system's own calls alone would reach, where that is less than asked"
        yield from (f"{line.name} is compared with {line.against}" for line in report.lines if line.against)
    if report.curves:
        yield ""
        yield f"From which size each route is faster than {report.reference}"
        yield _fitting(console, lambda left_out: _break_evens(report, left_out), ("sizes", "auto", "Python"))
    yield ""
    if report.made:
        yield f"measured {report.made}"
    yield ", ".join(f"{name} {value}" for name, value in report.about.items())


def _headlines(report: Report) -> Iterator[str]:
    facts = model.summary(report)
    if report.differing:
        yield f"ANSWERS DIFFER: {'; '.join(report.differing)}"
    if report.rough and report.lines:
        yield f"only {report.samples} samples a figure: the times are rough"
    yield f"{facts['not_slower']} of {facts['compared']} not slower (a ratio of {model.NOT_SLOWER} or more)"
    if facts["asked"]:
        yield f"{facts['met']} of {facts['asked']} reach the ratio asked for"
    for key, what in (("calls", "single calls"), ("batches", "batches")):
        middle = facts[f"median_ratio_{key}"]
        if middle is not None:
            yield f"{middle:.2f} is the median ratio of {what}"


def _fitting(console: Console, made: Callable[[Collection[str]], Table], less: Sequence[str]) -> Table:
    """The table without as many columns as have to go for the names of its rows to be whole."""
    for gone in range(len(less) + 1):
        table = made(less[:gone])
        # As wide as it would like to be: the console itself would squeeze it.
        options = console.options.update(max_width=_ANY_WIDTH, min_width=_ANY_WIDTH)
        if table.__rich_measure__(console, options).maximum <= console.width:
            break
    return table


def _less(report: Report, console: Console) -> Sequence[str]:
    """What the table of comparisons may leave out, in that order; on a slip of paper all but the ratios."""
    return (*_LEFT_OUT, report.reference, "skywasm") if console.width < _SLIP else _LEFT_OUT


def _table(*columns: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for index, column in enumerate(columns):
        table.add_column(column, justify="right" if index else "left", no_wrap=bool(index), overflow="fold")
    return table


def _lines(report: Report, left_out: Collection[str] = ()) -> Table:
    names = ("what", report.reference, "skywasm", "ratio", "asked", "floor", "CPU", "memory before", "memory")
    table = _table(*(name for name in names if name not in left_out))
    for line in report.lines:
        cells = (
            line.name,
            duration(line.before.seconds),
            duration(line.after.seconds),
            f"{line.ratio:.2f}",
            "" if line.least is None else f"{line.least:g}{'' if line.met else ' MISSED'}",
            "" if line.met or line.floor is None else f"{line.floor:.2f}",
            duration(line.after.cpu_s),
            size(line.before.peak_bytes),
            size(line.after.peak_bytes),
        )
        table.add_row(
            *(cell for name, cell in zip(names, cells) if name not in left_out),
            style="red" if not line.not_slower else "yellow" if line.met is False else "",
        )
    return table


def _break_evens(report: Report, left_out: Collection[str] = ()) -> Table:
    names = ("what", "sizes", *_ROUTES.values())
    table = _table(*(name for name in names if name not in left_out))
    for curve in report.curves:
        cells = (curve.function, span(curve), *(_break_even(curve, route) for route in _ROUTES))
        table.add_row(*(cell for name, cell in zip(names, cells) if name not in left_out))
    return table


def _break_even(curve: Curve, route: str) -> str:
    if route not in curve.points:
        return ""
    if curve.same(route):
        return "same"
    if curve.always(route):
        return "every size"
    n = curve.break_even(route)
    return "none" if n is None else count(n, curve.unit)
