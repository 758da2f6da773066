"""`skywasm info`: what is installed, what it may do, where calls go."""

from __future__ import annotations

import hashlib
import json
import platform
import re

import pytest
from children import copy_packages

import skywasm
from cli.program import run
from skywasm import _abi, _engine, _registry
from skywasm.cli._info_features import features

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib
    from collections.abc import Mapping
    from typing import Any


def info(env: Mapping[str, str] | None = None) -> dict[str, Any]:
    done = run("info", "--json", env=env)
    assert (done.status, done.err) == (0, "")
    about: dict[str, Any] = json.loads(done.out)
    return about


def test_json_is_the_truth() -> None:
    """Versions, path, size, digest, ABI, imports and routes are those of the package under test."""
    about = info()
    content = _engine.package_data("core.wasm")
    assert about["versions"]["skywasm"] == skywasm.__version__
    assert about["versions"]["Python"] == platform.python_version()
    assert about["artifact"]["path"] == _engine.location("core.wasm")
    assert about["artifact"]["bytes"] == len(content)
    assert about["artifact"]["sha256"] == hashlib.sha256(content).hexdigest()
    assert about["artifact"]["provenance"] == _engine.provenance()
    assert about["abi"] == _abi.ABI_VERSION
    assert about["imports"] == {f"sky_host.{name}": capability for name, capability in _abi.IMPORTS.items()}
    assert [(row["function"], row["route"]) for row in about["routes"]] == [
        (row.name, row.auto) for row in _registry.ROWS
    ]


def test_exports_are_read_from_the_artifact() -> None:
    """Every export that a function needs, and the runtime's own, are listed."""
    exports = set(info()["exports"])
    assert set(_abi.RUNTIME_EXPORTS) <= exports
    assert {export for row in _registry.ROWS for export in row.exports} <= exports


# One module of WebAssembly text for each feature, and one that needs none.
USES = {
    "": """(memory 1) (table 1 funcref) (func $f (result f64) (local v128 i32) i32.const -70000 i64.load offset=128
        drop (block (br_table 0 0 (i32.const 0))) (call_indirect (result f64) (i32.const 0)))""",
    "bulk-memory": "(memory 1) (func (memory.fill (i32.const 0) (i32.const 0) (i32.const 9)))",
    "multivalue": "(func (result i32 i32) i32.const 1 i32.const 2)",
    "nontrapping-fptoint": "(func (drop (i64.trunc_sat_f64_s (f64.const 1e300))))",
    "reference-types": "(func (drop (ref.null extern)))",
    "sign-ext": "(func (drop (i32.extend8_s (i32.const 128))))",
    "simd128": "(func (drop (i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 25 13 14 15 (v128.const i64x2 0 0)"
    " (v128.const i64x2 0 0))))",
}


@pytest.mark.parametrize("name", USES, ids=lambda name: name or "none")
def test_features_are_found_in_instructions(name: str) -> None:
    """Each extension of WebAssembly is named when an instruction or a type uses it, and only then."""
    wasmtime = pytest.importorskip("wasmtime")
    assert features(bytes(wasmtime.wat2wasm(f"(module {USES[name]})"))) == ([name] if name else [])


def test_features_of_the_artifact() -> None:
    """SIMD, and four extensions that engines have had for longer; what cannot be read is unknown, and not none."""
    assert info()["artifact"]["features"] == [
        *("bulk-memory", "call-indirect-overlong", "nontrapping-fptoint", "sign-ext", "simd128"),
    ]
    content = _engine.package_data("core.wasm")
    for damaged in (b"", b"text", content[: len(content) // 2]):
        with pytest.raises((ValueError, IndexError)):
            features(damaged)


def test_auto_mode() -> None:
    """In auto the engine is loaded and the raw call path in use."""
    about = info()
    assert (about["mode"], about["backend"], about["call_path"]) == ("auto", "wasm", "raw")


def test_python_mode() -> None:
    """In python mode the backend is python, and the artifact is shown all the same."""
    about = info({"SKYWASM_BACKEND": "python"})
    assert (about["mode"], about["backend"]) == ("python", "python")
    assert about["exports"] != []


def test_a_missing_artifact_is_shown_as_such(tmp_path: pathlib.Path) -> None:
    """Without core.wasm the screen says why Python answers, what cannot be told, and ends with 0."""
    env = copy_packages(tmp_path)["env"]
    (tmp_path / "skywasm" / "core.wasm").unlink()
    about = info(env)
    assert (about["backend"], about["artifact"]["bytes"], about["exports"]) == ("python", None, [])
    assert about["artifact"]["features"] is None
    assert "core.wasm cannot be read" in about["reason"]
    done = run("info", env=env)
    assert done.status == 0
    assert "cannot be read" in done.out
    assert info({**env, "SKYWASM_BACKEND": "wasm"})["backend"] == "none"


def test_the_screen_has_every_part() -> None:
    """The text names mode, digest, each capability with its imports, and each function with its route."""
    out = run("info").out
    assert hashlib.sha256(_engine.package_data("core.wasm")).hexdigest() in out
    assert re.search("^  features +bulk-memory, .*simd128$", out, re.MULTILINE)
    for name, capability in _abi.IMPORTS.items():
        line = next(line for line in out.splitlines() if line.split()[:1] == [capability])
        assert f"sky_host.{name}" in line
    for row in _registry.ROWS:
        assert any(line.split()[:1] == [row.name] and row.why in line for line in out.splitlines())
