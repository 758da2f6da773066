"""Signatures: SkyPilot's own where a function replaces one, and the same on every road."""

from __future__ import annotations

import importlib
import inspect

import pytest

import skywasm
from skywasm import batch
from skywasm.functions import BY_NAME, ROWS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from skywasm.functions.declare import Row

# Additions of ours, whose parameters are documented; SkyPilot has none to compare with.
OWN = {"estimate_fd_for_directory": ["path"], "is_process_alive": ["pid"]}
REPLACEMENTS = [row for row in ROWS if row.replaces is not None]


def parameters(function: Callable[..., Any]) -> list[tuple[str, Any, Any]]:
    """Name, kind and default of each parameter in order."""
    found = inspect.signature(function).parameters.values()
    return [(parameter.name, parameter.kind, parameter.default) for parameter in found]


@pytest.mark.parametrize("row", REPLACEMENTS, ids=lambda row: row.name)
def test_signature_is_skypilots(row: Row) -> None:
    """Parameter names, order, kinds and defaults are those of the SkyPilot function that the row replaces."""
    pytest.importorskip("sky")
    replaced = getattr(importlib.import_module(str(row.replaces)), row.name)
    assert parameters(row.function) == parameters(replaced)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_road_has_the_same_signature(row: Row) -> None:
    """The body and the road through the artifact take what the public function takes, in every mode."""
    public = parameters(row.function)
    assert parameters(row.reference) == public
    pytest.importorskip("wasmtime")
    from skywasm.crossing import calls, roads
    from skywasm.routes import bind, core

    if row.crossing is not None:
        assert parameters(row.crossing(core.core())) == public
    else:
        way = calls.Way(core.core(), row.exports[0], row.reference, True)
        assert parameters(roads.road(way, bind.defaults(row))) == public
    for mode in ("python", "wasm", "auto"):
        with skywasm.use_backend(mode):
            skywasm.warm_up()
            assert parameters(row.function) == public


@pytest.mark.parametrize("row", [row for row in ROWS if row.batch is not None], ids=lambda row: row.name)
def test_a_batch_has_its_functions_parameters(row: Row) -> None:
    """The first parameter holds the items under the declared name, all others are the function's."""
    assert row.batch is not None
    (first, *rest), (_, *others) = parameters(getattr(batch, row.name)), parameters(row.function)
    assert first == (row.batch.items, inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.empty)
    assert rest == others


def test_additions_are_known() -> None:
    """The documented additions to SkyPilot's functions have their documented parameters."""
    for name, wanted in OWN.items():
        assert BY_NAME[name].replaces is None
        assert list(inspect.signature(BY_NAME[name].function).parameters) == wanted
