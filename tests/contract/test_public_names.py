"""The public names as users meet them: documented, plain functions, and safe to send to another process."""

from __future__ import annotations

import ast
import copy
import inspect
import pathlib
import pickle
import re
import types

import pytest

import skywasm
from skywasm import batch, errors, reference, sandbox, skypilot
from skywasm.functions import ROWS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from skywasm.functions.declare import Row

STEERING = [skywasm.get_backend_info, skywasm.set_backend, skywasm.use_backend, skywasm.warm_up]
FUNCTIONS = [row.function for row in ROWS]
# What raises nothing that a caller could provoke.
NEVER_RAISES = {"truncate_long_string", "use_backend"}
ERRORS = [getattr(errors, name) for name in errors.__all__]


@pytest.mark.parametrize("function", FUNCTIONS + STEERING, ids=lambda function: function.__name__)
def test_documented(function: Callable[..., Any]) -> None:
    """The docstring opens with one sentence and tells arguments, result and errors where there are any."""
    text = inspect.getdoc(function) or ""
    assert re.match(r"[A-Z][^\n]*\.\n", text + "\n")
    signature = inspect.signature(function)
    assert ("Args" in text) is bool(signature.parameters)
    if function in FUNCTIONS:
        for name in signature.parameters:
            assert re.search(rf"^    {name}: ", text, re.MULTILINE), name
        assert "\nReturns:\n" in text
    assert ("\nRaises:\n" in text) is (function.__name__ not in NEVER_RAISES)


CALLED = [
    (f"{module.__name__}.{name}", getattr(module, name))
    for module in (skywasm, batch, sandbox, skypilot)
    for name in module.__all__
    if callable(getattr(module, name))
]


@pytest.mark.parametrize("function", [function for _, function in CALLED], ids=[name for name, _ in CALLED])
def test_the_cost_is_told(function: Callable[..., Any]) -> None:
    """Time, or where it is told, so that a caller knows what a call in a loop means."""
    assert re.search(r"^(Cost: |Args, errors and cost as for )", inspect.getdoc(function) or "", re.MULTILINE)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_source_is_told(row: Row) -> None:
    """The function of SkyPilot's that it replaces, or that there is none."""
    source = re.search(r"^Source: (.*)", inspect.getdoc(row.function) or "", re.MULTILINE)
    assert source is not None
    assert source[1].startswith(f"``{row.replaces}.{row.name}``." if row.replaces else "not in SkyPilot;")


def test_every_public_definition_has_a_docstring() -> None:
    """Each public class, and each public function of the modules that users import from, says what it does."""
    package = pathlib.Path(skywasm.__file__).parent
    for path in (
        *(package / name for name in ("__init__.py", "errors.py", "sandbox.py", "reference.py", "batch/__init__.py")),
        *package.glob("routes/*.py"),
        *package.glob("functions/*.py"),
        *package.glob("crossing/**/*.py"),
    ):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert ast.get_docstring(tree), path.name
        if path.name == "_forwarders.py":
            # Generated, of functions that have theirs.
            continue
        for node in tree.body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
                assert ast.get_docstring(node), f"{path.name}: {node.name}"


BATCHES = [getattr(batch, row.name) for row in ROWS if row.batch is not None]


@pytest.mark.parametrize(
    "function", FUNCTIONS + BATCHES, ids=lambda function: f"{function.__module__}.{function.__name__}"
)
@pytest.mark.parametrize("mode", ["auto", "wasm", "python"])
def test_plain_functions_that_pickle(function: Callable[..., Any], mode: str) -> None:
    """Each is a plain function of the module that users import, and comes back as itself from a pickle, in any mode."""
    assert type(function) is types.FunctionType
    assert function.__module__ == ("skywasm.batch" if function in BATCHES else "skywasm")
    assert function.__qualname__ == function.__name__
    if mode == "wasm":
        pytest.importorskip("wasmtime")
    with skywasm.use_backend(mode):
        skywasm.base36_encode("ff")
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            assert pickle.loads(pickle.dumps(function, protocol)) is function


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_references_are_found_by_their_names(row: Row) -> None:
    """The bodies are plain functions of ``skywasm.reference``, and pickle too."""
    assert getattr(reference, row.name) is row.reference
    assert row.reference.__module__ == "skywasm.reference"
    assert pickle.loads(pickle.dumps(row.reference)) is row.reference


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_errors_pickle(kind: type[Exception]) -> None:
    """An error keeps its type, message and attributes through pickling and copying."""
    error = kind("the reason")
    error.batch_index = 7  # type: ignore[attr-defined]
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(again) is kind
        assert str(again) == "the reason"
        assert again.batch_index == 7


def test_errors_have_one_base() -> None:
    """All that the sandbox raises can be caught as SkyPilotError, and none of it is a ValueError or OSError."""
    assert set(errors.__all__) == {
        "CapabilityError",
        "CoreUnavailableError",
        "LimitError",
        "SkyPilotError",
        "TrapError",
    }
    for kind in ERRORS:
        assert issubclass(kind, errors.SkyPilotError)
        assert not issubclass(kind, (ValueError, OSError, TypeError, RuntimeError))


def test_internal_signals_are_not_public() -> None:
    """What steers calls inside is no SkyPilotError, so that catching those hides no bug."""
    assert not issubclass(errors.NeedsReference, errors.SkyPilotError)
    assert "NeedsReference" not in errors.__all__
