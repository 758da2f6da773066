"""The examples in docstrings give what they show, in every backend."""

from __future__ import annotations

import doctest
import importlib
import pathlib
import re

import pytest

import skywasm

FOLDER = pathlib.Path(skywasm.__file__).parent
NAMES = sorted(
    "skywasm." + ".".join(path.relative_to(FOLDER).with_suffix("").parts).replace(".__init__", "")
    for path in FOLDER.rglob("*.py")
    if re.search(r"^\s*>>> ", path.read_text(encoding="utf-8"), re.MULTILINE)
)


def test_the_examples_are_found() -> None:
    """The public modules with examples are among those looked at."""
    assert {"skywasm.api", "skywasm.batch", "skywasm.sandbox"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_examples(name: str, backend: str) -> None:
    """Each module's examples run in each backend."""
    result = doctest.testmod(importlib.import_module(name), optionflags=doctest.IGNORE_EXCEPTION_DETAIL)
    assert result.attempted > 0
    assert result.failed == 0
