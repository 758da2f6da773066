"""Signatures: SkyPilot's own where a function replaces one, and the same on every road."""

from __future__ import annotations

import importlib
import inspect

import pytest

import skywasm
from skywasm import _registry, reference

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

# Additions of ours; SkyPilot has none to compare with.
OWN = {"estimate_fd_for_directory": ["path"], "is_process_alive": ["pid"]}
PATCHES = [row for row in _registry.ROWS if row.patches is not None]


def parameters(function: Callable[..., Any]) -> list[tuple[str, Any, Any]]:
    """Name, kind and default of each parameter in order."""
    found = inspect.signature(function).parameters.values()
    return [(parameter.name, parameter.kind, parameter.default) for parameter in found]


@pytest.mark.parametrize("row", PATCHES, ids=lambda row: row.name)
def test_signature_is_skypilots(row: _registry.Row) -> None:
    """Parameter names, order, kinds and defaults are those of the SkyPilot function that the row replaces."""
    pytest.importorskip("sky")
    replaced = row.implementation(importlib.import_module(str(row.patches)))
    assert parameters(row.implementation(skywasm)) == parameters(replaced)


@pytest.mark.parametrize("row", _registry.ROWS, ids=lambda row: row.name)
def test_every_road_has_the_same_signature(row: _registry.Row) -> None:
    """The reference and the sandboxed road take what the public function takes."""
    public = parameters(row.implementation(skywasm))
    assert parameters(row.implementation(reference)) == public
    pytest.importorskip("wasmtime")
    from skywasm import _sandboxed

    assert parameters(row.implementation(_sandboxed)) == public


def test_additions_are_known() -> None:
    """The rows without a SkyPilot original are the two documented ones, with the documented parameters."""
    own = {row.name: row.implementation(skywasm) for row in _registry.ROWS if row.patches is None and row.name in OWN}
    assert {name: list(inspect.signature(function).parameters) for name, function in own.items()} == OWN
