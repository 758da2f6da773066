"""The examples in docstrings give what they show, in every backend."""

from __future__ import annotations

import doctest
import importlib
import pathlib
import re

import pytest

import skywasm
from skywasm.functions import ROWS

FOLDER = pathlib.Path(skywasm.__file__).parent


def _module(path: pathlib.Path) -> str:
    """Where the examples of a file are found: those of a function's declaration are at its public place."""
    parts = path.relative_to(FOLDER).with_suffix("").parts
    if parts[0] in ("functions", "batch"):
        return "skywasm.batch" if parts[0] == "batch" else "skywasm"
    return "skywasm." + ".".join(parts).replace(".__init__", "")


WITH_EXAMPLES = [
    path
    for path in sorted(FOLDER.rglob("*.py"))
    if re.search(r"^\s*>>> ", path.read_text(encoding="utf-8"), re.MULTILINE)
]
NAMES = sorted({_module(path) for path in WITH_EXAMPLES} | {"skywasm.batch"})


def test_the_examples_are_found() -> None:
    """The public modules with examples are among those looked at, and each example of a function is found there."""
    assert {"skywasm", "skywasm.batch", "skywasm.sandbox"} <= set(NAMES)
    finder = doctest.DocTestFinder()
    found = {one.name for module in (skywasm, skywasm.batch) for one in finder.find(module) if one.examples}
    for row in ROWS:
        assert (f"skywasm.{row.name}" in found) is (">>>" in (row.function.__doc__ or "")), row.name
        if row.batch is not None:
            assert (f"skywasm.batch.{row.name}" in found) is (">>>" in (row.batch.doc or "")), row.name


@pytest.mark.parametrize("name", NAMES)
def test_examples(name: str, backend: str) -> None:
    """Each module's examples run in each backend."""
    result = doctest.testmod(importlib.import_module(name), optionflags=doctest.IGNORE_EXCEPTION_DETAIL)
    assert result.attempted > 0
    assert result.failed == 0
