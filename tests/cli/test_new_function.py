"""A function that is declared in a few lines is in the programs at once: in demonstration, benchmark and overview."""

from __future__ import annotations

import json

import pytest
from children import run

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib
    from typing import Any

NAME = "shown_number"
# Its body and what answers in the artifact are another function's, so that nothing need be built for it.
DECLARED = """
from __future__ import annotations

from skywasm.functions.declare import BY_NAME, PYTHON, Batch, function


@function(
    auto=PYTHON,
    why="it is here for a test",
    exports=("format_float",),
    batch=Batch("num"),
    examples={"a third": (1 / 3,), "two digits": (12345.678, 2)},
)
def shown_number(num: float, precision: int = 1) -> str:
    \"\"\"Show a number.

    Cost: none to speak of.
    \"\"\"
    return BY_NAME["format_float"].reference(num, precision)
"""
SAID = """
import contextlib, io, sys
sys.modules["sky"] = None
import declared
from skywasm.cli import main
out, err = io.StringIO(), io.StringIO()
with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
    status = main(sys.argv[1:])
report(said=[status, err.getvalue(), out.getvalue()])
"""


@pytest.fixture
def place(tmp_path: pathlib.Path) -> dict[str, str]:
    """The environment in which one more function can be declared, and Python answers."""
    (tmp_path / "declared.py").write_text(DECLARED)
    return {"PYTHONPATH": str(tmp_path), "SKYWASM_BACKEND": "python"}


def said(place: dict[str, str], *words: str) -> str:
    """What a command prints where the function is declared; it must end well."""
    found: dict[str, Any] = run(SAID, env=place, args=words)
    status, err, out = found["said"]
    assert (status, err) == (0, "")
    return str(out)


def test_it_is_in_the_demonstration(place: dict[str, str]) -> None:
    """`skywasm demo` has a row of its examples, by their names, with the same answers in the sandbox and in Python."""
    pytest.importorskip("wasmtime")
    report = json.loads(said(place, "demo", "--quick", "--json"))
    row = report["rows"][-1]
    assert (row["function"], row["called_with"]) == (NAME, "a third, two digits")
    assert row["sandbox"] == row["python"] == ["0.3", "12345.68"]
    assert row["equal"] is True
    out = said(place, "demo", "--quick")
    assert f"all {len(report['rows'])} in the sandbox equal Python's" in out
    assert any(line.split()[:1] == [NAME] for line in out.splitlines())


def test_it_is_in_the_benchmark(place: dict[str, str]) -> None:
    """`skywasm bench` times each of its examples and its batch, beside skywasm's own Python."""
    lines = said(place, "bench", "--quick", "--only", NAME).splitlines()
    expected = [f"{NAME}, a third", f"{NAME}, two digits", f"batch.{NAME}, 1,000 of its examples"]
    assert [line.split("  ")[0] for line in lines[1:-2]] == expected
    metadata = json.loads(said(place, "bench", "--quick", "--only", NAME, "--json"))["benchmarks"][0]["metadata"]
    assert metadata["skywasm_against"] == "skywasm's own Python"
    assert "skywasm_least" not in metadata


def test_it_is_in_the_overview(place: dict[str, str]) -> None:
    """`skywasm info` has its route and the reason, and its road with the code."""
    routes = json.loads(said(place, "info", "--json"))["routes"]
    assert routes[-1] == {"function": NAME, "route": "python", "why": "it is here for a test"}
    assert any(line.split()[:2] == [NAME, "Python"] for line in said(place, "info").splitlines())
    road = json.loads(said(place, "info", "--road", NAME, "--json"))
    assert (road["auto"], road["batch"]) == ("as in python", True)
    assert "declared.py" in road["python"]
    assert road["code"].startswith("def format_float(num, precision=")


def test_one_that_was_not_built_is_told(place: dict[str, str], tmp_path: pathlib.Path) -> None:
    """Where the artifact lacks it, the demonstration and the road say so instead of showing anything."""
    (tmp_path / "declared.py").write_text(DECLARED.replace('exports=("format_float",)', "exports=()"))
    for words, reason in (
        (("demo", "--quick"), f"the artifact has no function {NAME}; run `make add`"),
        (("info", "--road", NAME), f"core.wasm has no function {NAME}: it was built before that was declared"),
    ):
        status, err, out = run(SAID, env=place, args=words)["said"]
        assert (status, out) == (1, "")
        assert reason in err
