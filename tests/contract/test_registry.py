"""The registry is complete: every list of functions, exports, imports and capabilities says the same."""

from __future__ import annotations

import hashlib
import inspect
import os
import pathlib

import pytest

import skywasm
from skywasm import _abi, _engine, _registry, api, reference

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NAMES = [row.name for row in _registry.ROWS]
# Public names that are no rows: they steer the backend.
STEERING = {"batch", "errors", "get_backend_info", "sandbox", "set_backend", "skypilot", "use_backend", "warm_up"}


@pytest.fixture(scope="module")
def core() -> Any:
    """The committed artifact, compiled without any of skywasm's code."""
    wasmtime = pytest.importorskip("wasmtime")
    content = (pathlib.Path(skywasm.__file__).parent / _engine.ARTIFACT).read_bytes()
    return wasmtime.Module(wasmtime.Engine(), content)


def test_each_function_has_one_row() -> None:
    """There are twelve rows, no name twice, and they are found by name."""
    assert len(NAMES) == len(set(NAMES)) >= 12
    assert list(_registry.BY_NAME) == NAMES


@pytest.mark.parametrize("module", [api, reference], ids=lambda module: module.__name__)
def test_api_and_reference_offer_the_rows(module: Any) -> None:
    """``__all__`` is the registry's names, and each is a function defined there or below."""
    assert sorted(module.__all__) == sorted(NAMES)
    for row in _registry.ROWS:
        assert inspect.isfunction(row.implementation(module))
        assert row.implementation(module).__module__.startswith(module.__name__)


def functions_of(module: Any) -> set[str]:
    return {
        name
        for name, function in vars(module).items()
        if inspect.isfunction(function) and function.__module__ == module.__name__ and not name.startswith("_")
    }


def test_the_sandboxed_road_offers_the_rows() -> None:
    """``_sandboxed`` defines each row's function, and a direct road only for a row."""
    pytest.importorskip("wasmtime")
    from skywasm import _sandboxed

    own = functions_of(_sandboxed)
    assert set(NAMES) <= own
    direct = {name[: -len("_direct")] for name in own if name.endswith("_direct")}
    assert direct
    assert direct <= set(NAMES)


def test_mixed_roads_are_those_of_the_rows() -> None:
    """``_mixed`` has a road for exactly the rows whose route depends on the arguments."""
    from skywasm import _mixed

    assert functions_of(_mixed) == {row.name for row in _registry.ROWS if row.auto == _registry.MIXED}


def test_the_package_offers_the_rows() -> None:
    """``skywasm.__all__`` is the registry's names and the functions that steer the backend; all are there."""
    assert set(skywasm.__all__) - STEERING == set(NAMES)
    assert len(skywasm.__all__) == len(set(skywasm.__all__))
    for name in NAMES:
        assert getattr(skywasm, name) is getattr(api, name)


def test_every_road_is_known_to_the_api() -> None:
    """``api`` has the module variable of each row that ``_dispatch`` sets, and each row a known kind of route."""
    for row in _registry.ROWS:
        assert callable(getattr(api, "_" + row.name))
        assert row.auto in (_registry.PYTHON, _registry.WASM, _registry.MIXED)
        assert row.why


def test_exports_are_those_of_the_rows(core: Any) -> None:
    """The artifact's exports, less the calling convention's own, are the rows' exports."""
    exports = {entry.name for entry in core.exports}
    assert set(_abi.RUNTIME_EXPORTS) <= exports
    assert exports - set(_abi.RUNTIME_EXPORTS) == {export for row in _registry.ROWS for export in row.exports}


def test_imports_are_sky_host_and_nothing_else(core: Any) -> None:
    """Every import is a function of ``sky_host`` that ``_abi`` declares, and every declared one is imported."""
    assert {entry.module for entry in core.imports} == {_abi.IMPORT_MODULE} == {"sky_host"}
    assert {entry.name for entry in core.imports} == set(_abi.IMPORTS)
    assert len(core.imports) == len(_abi.IMPORTS)


def test_one_signature_for_all(core: Any) -> None:
    """Imports and ``sky_`` exports all take four i64 and give one: the raw calls build their arguments for that."""
    kinds = [entry.type for entry in core.imports]
    kinds += [entry.type for entry in core.exports if entry.name.startswith("sky_")]
    assert {(tuple(map(str, kind.params)), tuple(map(str, kind.results))) for kind in kinds} == {
        (("i64",) * 4, ("i64",))
    }


def test_every_import_has_a_host_function() -> None:
    """The host functions are those that ``_abi`` declares."""
    from skywasm import _host_link

    assert set(_host_link.HOST_FUNCTIONS) == set(_abi.IMPORTS)


def test_capabilities_are_those_of_the_imports() -> None:
    """The capabilities that rows name are those the imports belong to; none is unused."""
    assert {capability for row in _registry.ROWS for capability in row.capabilities} == set(_abi.IMPORTS.values())


def test_a_function_asks_only_for_the_capabilities_of_its_row(
    monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    """In wasm mode each function calls host functions of every capability that its row names, and of no other.

    Python reads the windows of a file whose last lines are wanted, so that one asks for files at the door only.
    """
    pytest.importorskip("wasmtime")
    from skywasm import _host_link, _runtime

    asked: set[str] = set()
    for name, function in _host_link.HOST_FUNCTIONS.items():

        def noting(context: Any, a: int, b: int, c: int, name: str = name, function: Any = function) -> int:
            asked.add(_abi.IMPORTS[name])
            return function(context, a, b, c)

        monkeypatch.setitem(_host_link.HOST_FUNCTIONS, name, noting)
    file = tmp_path / "file"
    file.write_bytes(b"content\n")
    sample = {
        "base36_encode": ("ff",),
        "estimate_fd_for_directory": (tmp_path,),
        "find_free_port": (20000,),
        "format_float": (1.25,),
        "get_max_workers_for_file_mounts": ({"/there": str(tmp_path)},),
        "hash_file": (file, "md5"),
        "is_process_alive": (os.getpid(),),
        "read_last_n_lines": (file, 1),
        "truncate_long_string": ("long enough", 3),
    }
    _runtime.unload()
    try:
        with skywasm.use_backend("wasm"):
            for row in _registry.ROWS:
                _runtime.engine()
                asked.clear()
                if row.name not in sample and not row.capabilities:
                    # Asks for nothing: there is nothing to see.
                    continue
                row.implementation(skywasm)(*sample.get(row.name, ()))
                if row.name == "read_last_n_lines":
                    asked.add("files")
                assert asked == set(row.capabilities), row.name
    finally:
        # The instances made here hold the noting functions.
        _runtime.unload()


def test_provenance_names_the_committed_artifact() -> None:
    """The digest in ``core.provenance`` is that of ``core.wasm``."""
    folder = pathlib.Path(skywasm.__file__).parent
    digest = hashlib.sha256((folder / _engine.ARTIFACT).read_bytes()).hexdigest()
    assert _engine.provenance()["artifact-sha256"] == digest
