"""The report as one HTML file that opens without a network: plotly.js, styles and data are inside.

A content security policy allows the page its own scripts, by their digests, and no request at all.
"""

from __future__ import annotations

import base64
import hashlib
import json
import pkgutil
import re
from typing import NamedTuple

from skywasm.bench.text import size
from skywasm.report import figures, model

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from skywasm.report.model import Curve, Line, Report

_PACKAGES = ("jinja2", "plotly")
# What the machine's facts are called on the page, in this order; others follow under their own names.
_FACTS = {
    "processor": "Processor",
    "cpus": "CPUs",
    "system": "System",
    "python": "Python",
    "wasmtime": "wasmtime",
    "skywasm": "skywasm",
    "backend": "Backend",
    "core_sha256": "Artifact",
}


def missing() -> list[str]:
    """The packages of the extra ``report`` that are not installed. Imports none of them."""
    from importlib.util import find_spec

    return [name for name in _PACKAGES if find_spec(name) is None]


class Cell(NamedTuple):
    """A cell of the table: what it shows, what it is sorted by, what it says beside that."""

    shown: str
    key: str | float
    note: str = ""


def page(report: Report) -> str:
    """The whole file, about 5 MB, nearly all of it plotly.js.

    Raises:
        ImportError: jinja2 or plotly is not installed; ``missing`` tells before.
    """
    from jinja2 import Environment, StrictUndefined
    from plotly.offline import get_plotlyjs

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    # An HTML parser reads line ends as newlines, and the digests are over what it reads.
    scripts = [text.replace("\r\n", "\n") for text in (get_plotlyjs(), _resource("page.js"))]
    template = environment.from_string(_resource("page.html"))
    return template.render(
        **_facts(report),
        styles=_inside(_resource("page.css"), "style"),
        scripts=[_inside(text, "script") for text in scripts],
        digests=[base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in scripts],
    )


def _resource(name: str) -> str:
    """A file of this package, which may be in an archive."""
    data = pkgutil.get_data(__name__, name)
    if data is None:
        raise FileNotFoundError(f"{name} is missing in the installed package; install skywasm anew")
    return data.decode("utf-8")


def _inside(content: str, element: str) -> Any:
    """Our own text for the inside of an element, where nothing is escaped."""
    from markupsafe import Markup

    if f"</{element}" in content.lower():
        raise ValueError(f"this text would end its <{element}>")
    return Markup(content)  # noqa: S704


def _facts(report: Report) -> dict[str, Any]:
    names = {
        "before": report.reference,
        "python": "Python" if report.without_skypilot else "skywasm in Python",
        "wasm": "skywasm in the sandbox",
        "auto": "what auto takes",
    }
    shown = [_without_twin(curve) if report.without_skypilot else curve for curve in report.curves]
    plots = {"bars": figures.bars(report)} if report.lines else {}
    plots.update({f"curve-{index}": figures.curve(curve, names) for index, curve in enumerate(shown)})
    return {
        "report": report,
        "when": re.sub(r"^(.{10})T(.{5}).*Z$", r"\1 \2 UTC", report.made),
        "summary": model.summary(report),
        "machine": _machine(report.about),
        "rows": [_row(line) for line in report.lines],
        "floors": any(line.floor is not None and not line.met for line in report.lines),
        "notes": [(line.name, line.against) for line in report.lines if line.against],
        "curves": [(curve, _break_evens(curve, names)) for curve in shown],
        "look": figures.look,
        "routes": [(route, names[route]) for route in model.ROUTES if any(route in curve.points for curve in shown)],
        "figures": _json(plots),
        "factor": figures.factor,
    }


def _without_twin(curve: Curve) -> Curve:
    """Where the fallback itself is compared with, it is no route of its own."""
    return curve._replace(points={route: points for route, points in curve.points.items() if route != "python"})


def _json(value: Any) -> Any:
    """JSON for the inside of a script element, which no text in it can end."""
    from markupsafe import Markup

    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))  # noqa: S704


def _machine(about: dict[str, str]) -> list[tuple[str, str]]:
    known = [(label, about[name]) for name, label in _FACTS.items() if about.get(name)]
    return known + [(name, value) for name, value in about.items() if name not in _FACTS]


def _row(line: Line) -> dict[str, Any]:
    """The cells of a line, by column."""
    return {
        "batch": line.batch,
        "function": Cell(line.function, line.function),
        "size": Cell(line.size, line.size),
        "ours": Cell(figures.duration(line.after.seconds), line.after.seconds),
        "reference": Cell(figures.duration(line.before.seconds), line.before.seconds),
        "ratio": Cell(figures.factor(line.ratio), line.ratio, _note(line)),
        "asked": Cell(
            "" if line.least is None else f"{line.least:g}{figures.TIMES}",
            line.least or 0.0,
            "" if line.met or line.floor is None else f"floor {figures.factor(line.floor)}",
        ),
        "cpu": Cell(figures.duration(line.after.cpu_s), line.after.cpu_s),
        "memory": Cell(size(line.after.peak_bytes), line.after.peak_bytes),
        "memory_before": Cell(size(line.before.peak_bytes), line.before.peak_bytes),
    }


def _note(line: Line) -> str:
    if not line.not_slower:
        return "slower"
    return "missed" if line.met is False else ""


def _break_evens(curve: Curve, names: dict[str, str]) -> list[tuple[str, str]]:
    """For each route a sentence on where it breaks even, and the route."""
    said: list[tuple[str, str]] = [
        (route, _break_even(curve, route, names)) for route in ("python", "wasm") if route in curve.points
    ]
    if "wasm" in curve.points and "python" in curve.points:
        n = curve.break_even("wasm", "python")
        if n is not None and not curve.always("wasm", "python"):
            said.append(("wasm", f"passes Python at {figures.count(n, curve.unit)}"))
    if "wasm" not in curve.points:
        said.append(("auto", _break_even(curve, "auto", names)))
    return said


def _break_even(curve: Curve, route: str, names: dict[str, str]) -> str:
    n = curve.break_even(route)
    first, last = (figures.count(curve.points[route][index][0], curve.unit) for index in (0, -1))
    if curve.same(route):
        return f"as fast as {names['before']}"
    if n is None:
        return f"not faster, up to {last}"
    if curve.always(route):
        return f"faster at every size, from {first}"
    return f"breaks even at {figures.count(n, curve.unit)}"
