"""What ``get_backend_info`` tells, and that asking changes nothing."""

from __future__ import annotations

import hashlib
import importlib.metadata
import pathlib

import pytest
from children import run

import skywasm
from skywasm import machine
from skywasm.crossing import convention
from skywasm.functions import ROWS

KEYS = {
    *("mode", "backend", "reason", "call_path", "wasmtime", "core_sha256"),
    *("abi", "imports", "requests", "cache", "routes", "fallbacks", "denied", "deadline_s"),
}


def test_keys_are_the_documented_ones() -> None:
    """The keys are those of the documentation, whatever the mode; each stands in the docstring."""
    for mode in ("auto", "python"):
        with skywasm.use_backend(mode):
            assert set(skywasm.get_backend_info()) == KEYS
    text = skywasm.get_backend_info.__doc__ or ""
    for key in KEYS:
        assert f"``{key}``" in text


def test_asking_loads_nothing() -> None:
    """Before any call needs the engine it is "not loaded", and asking leaves it so, in auto and in wasm mode."""
    for mode in ("auto", "wasm"):
        facts = run(
            """
            import sys, skywasm
            first, again = skywasm.get_backend_info(), skywasm.get_backend_info()
            report(info=again, same=first == again, loaded="skywasm.crossing.engine.setup" in sys.modules)
            """,
            env={"SKYWASM_BACKEND": mode},
        )
        assert facts["same"]
        assert not facts["loaded"]
        info = facts["info"]
        assert (info["mode"], info["backend"]) == (mode, "not loaded")
        assert (info["call_path"], info["wasmtime"], info["core_sha256"], info["cache"], info["requests"]) == (
            None,
        ) * 5


@pytest.mark.parametrize("mode", ["auto", "wasm"])
def test_load_makes_the_answer_final(mode: str) -> None:
    """With ``load`` the engine is there: version, digest of the artifact, call path and cache are told."""
    pytest.importorskip("wasmtime")
    with skywasm.use_backend(mode):
        info = skywasm.get_backend_info(load=True)
        assert info == skywasm.get_backend_info()
    core = pathlib.Path(skywasm.__file__).with_name("core.wasm").read_bytes()
    assert info["backend"] == "wasm"
    assert info["reason"]
    assert info["core_sha256"] == hashlib.sha256(core).hexdigest()
    assert info["call_path"] == "raw"
    assert info["requests"] == {one.name: one.capability for one in machine.HOST}
    assert info["wasmtime"] == importlib.metadata.version("wasmtime")
    assert info["cache"]


def test_python_mode_never_loads() -> None:
    """In python mode even ``load`` loads nothing, and the reason names the mode."""
    facts = run(
        """
        import sys, skywasm
        skywasm.set_backend("python")
        skywasm.warm_up()
        info = skywasm.get_backend_info(load=True)
        report(info=info, loaded="skywasm.crossing.engine.setup" in sys.modules)
        """
    )
    assert not facts["loaded"]
    assert (facts["info"]["backend"], facts["info"]["reason"]) == ("python", "the mode is python")


def test_static_facts() -> None:
    """The convention's version, that nothing is imported and every route are told without loading anything."""
    info = skywasm.get_backend_info()
    assert info["abi"] == convention.VERSION
    assert info["imports"] == []
    assert info["routes"] == {row.name: row.auto for row in ROWS}


def test_the_answer_is_the_callers_own() -> None:
    """Changing the dict that came back changes nothing inside."""
    pytest.importorskip("wasmtime")
    with skywasm.use_backend("wasm"):
        info = skywasm.get_backend_info(load=True)
    info["fallbacks"]["base36_encode"] = 99
    info["imports"].append("env.system")
    info["requests"].clear()
    info["routes"].clear()
    again = skywasm.get_backend_info()
    assert "base36_encode" not in again["fallbacks"] or again["fallbacks"]["base36_encode"] != 99
    assert again["imports"] == []
    assert again["requests"]
    assert again["routes"]
