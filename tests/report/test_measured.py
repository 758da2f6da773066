"""A report that is measured, in its quick form: everything is in it, and every answer was right."""

from __future__ import annotations

import datetime
import json

import pytest
from children import run as child
from cli import program

from skywasm import batch
from skywasm.functions import ROWS
from skywasm.report import model

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

pytest.importorskip("wasmtime")


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What `skywasm report --quick` measures here, beside SkyPilot where it is installed."""
    path = tmp_path_factory.mktemp("report") / "quick.json"
    process = program.start("report", "--quick", "-o", str(path))
    _, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    return json.loads(path.read_text())


def test_every_function_is_in_it(result: Any) -> None:
    """Every function, scalar and batch, is compared, and gave the same answer."""
    report = model.read(result)
    assert report.differing == []
    functions = {line.function for line in report.lines}
    expected = {row.name for row in ROWS} | {"batch." + name for name in batch.__all__}
    # It is a loop over the scalar function.
    assert expected - {"batch.read_last_n_lines"} <= functions


def test_when_and_on_what(result: Any) -> None:
    """The report says when it was made, in UTC, and on what machine, with which versions."""
    report = model.read(result)
    made = datetime.datetime.strptime(report.made, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.timezone.utc)
    assert abs(datetime.datetime.now(datetime.timezone.utc) - made) < datetime.timedelta(minutes=10)
    assert {"processor", "system", "python", "wasmtime", "skywasm", "core_sha256"} <= report.about.keys()
    assert report.rough


def test_times_over_size(result: Any) -> None:
    """Scalars and batches are measured over size, each with the reference and every route, at rising sizes."""
    curves = {curve.function: curve for curve in model.read(result).curves}
    for name in ("base36_encode", "truncate_long_string", "read_last_n_lines", "hash_file"):
        assert list(curves[name].points) == ["before", "python", "wasm", "auto"]
    for name in ("base36_encode", "format_float", "truncate_long_string", "hash_strings", "hash_files"):
        assert {"before", "python", "auto"} <= curves[f"batch.{name}"].points.keys()
    for curve in curves.values():
        sizes = [n for n, _ in curve.points["before"]]
        assert sizes == sorted(set(sizes))
        assert sizes[-1] >= 30 * sizes[0]
    # The one figure that no noise can hide: ten thousand times the work takes longer.
    for points in curves["base36_encode"].points.values():
        assert points[-1][1] > points[0][1]


def test_pyperf_reads_it(result: Any) -> None:
    """A measured report's JSON can be compared with another by pyperf."""
    pyperf = pytest.importorskip("pyperf")
    names = pyperf.BenchmarkSuite.loads(json.dumps(result)).get_benchmark_names()
    assert "base36_encode 32 digits [before]" in names


def _measured(prelude: str, code: str = "") -> Any:
    """The curves that a child measures after ``prelude``, with a few sizes only."""
    return child(
        prelude
        + """
import sys
sys.modules["sky"] = None
from skywasm.report import curves
"""
        + code
        + """
found, differing = curves.measured(True)
report(routes={curve["function"]: sorted(curve["points"]) for curve in found}, differing=differing)
"""
    )


def test_without_the_engine() -> None:
    """Where the engine cannot be loaded the other routes are measured, and nothing counts as a wrong answer."""
    found = _measured("import sys; sys.modules['wasmtime'] = None")
    assert found["differing"] == []
    assert {tuple(routes) for routes in found["routes"].values()} == {("auto", "before", "python")}


def test_an_answer_that_differs_is_not_timed() -> None:
    """A route that gives another answer at any size takes its curve out of the report, under its name."""
    found = _measured(
        "import skywasm",
        """
from skywasm.functions import BY_NAME
row = BY_NAME["truncate_long_string"]
class Wrong:
    __code__, __globals__ = None, {}
    def __call__(self, text):
        return row.reference(text) if len(text) < 300 else "wrong"
row.function = Wrong()
""",
    )
    assert found["differing"] == ["truncate_long_string over characters"]
    assert "truncate_long_string" not in found["routes"]
    assert "base36_encode" in found["routes"]
