"""What skywasm declares of the engine's C API is what the header says, by way of wasmtime-py's generated bindings."""

from __future__ import annotations

import ctypes
import importlib.metadata
import os
import types

import pytest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

pytest.importorskip("wasmtime")

from wasmtime import _bindings  # noqa: E402 - after it is known to be there

from skywasm import errors  # noqa: E402
from skywasm.crossing.engine import library, proof, setup  # noqa: E402
from skywasm.routes import core  # noqa: E402

FUNCTIONS = dict(proof.declarations(setup.CONFIGURATION))


def _kind(declared: Any) -> str:
    """A type as the calling convention sees it: every pointer is the same, and so are integers of one size."""
    if declared is None:
        return "nothing"
    if declared in (ctypes.c_void_p, ctypes.c_char_p) or issubclass(
        declared, (ctypes._Pointer, ctypes._CFuncPtr, ctypes.c_void_p)
    ):
        return "pointer"
    if declared is ctypes.c_bool:
        return "bool"
    assert issubclass(declared, ctypes._SimpleCData)
    return f"{ctypes.sizeof(declared) * 8} bits"


def _theirs(name: str) -> Any:
    """wasmtime-py keeps each C function under its name with an underscore before it."""
    return getattr(_bindings, "_" + name)


@pytest.mark.parametrize("name", library.PROTOTYPES)
def test_a_function_is_declared_as_in_the_header(name: str) -> None:
    """Result and parameters: as many, and each of the kind that the header gives it."""
    result, *parameters = library.PROTOTYPES[name]
    theirs = _theirs(name)
    assert _kind(result) == _kind(theirs.restype)
    assert list(map(_kind, parameters)) == list(map(_kind, theirs.argtypes))


@pytest.mark.parametrize(("name", "value"), setup.CONFIGURATION)
def test_a_setting_is_declared_as_in_the_header(name: str, value: int) -> None:
    """A setter takes a bool where the configuration has one, and an integer of 64 bits elsewhere."""
    theirs = _theirs(f"wasmtime_config_{name}_set")
    kind = ctypes.c_bool if isinstance(value, bool) else ctypes.c_uint64
    assert list(map(_kind, theirs.argtypes)) == ["pointer", _kind(kind)]
    assert theirs.restype is None


def test_structures_have_the_size_of_the_header() -> None:
    """Externs, instances, functions, memories, vectors and values: sizes and where the parts stand."""
    theirs = _bindings.wasmtime_extern
    assert ctypes.sizeof(library.Extern) == ctypes.sizeof(theirs)
    assert library.Extern.of.offset == theirs.of.offset
    assert library.Extern.kind.size == theirs.kind.size
    assert ctypes.sizeof(_bindings.wasmtime_instance) == ctypes.sizeof(library.InstanceHandle)
    vector, ours = _bindings.wasm_byte_vec_t, library.ByteVector
    assert ctypes.sizeof(ours) == ctypes.sizeof(vector)
    assert (ours.size.offset, ours.data.offset) == (vector.size.offset, vector.data.offset)
    assert ctypes.sizeof(_bindings.wasmtime_val_raw) == library.SLOT_WORDS * ctypes.sizeof(ctypes.c_int64)


def test_kinds_have_the_numbers_of_the_header() -> None:
    """The kind of a function and of a memory."""
    from wasmtime import _ffi

    numbers = (_ffi.WASMTIME_EXTERN_FUNC.value, _ffi.WASMTIME_EXTERN_MEMORY.value)
    assert numbers == (library.Extern.FUNCTION, library.Extern.MEMORY)


def test_the_proof_agrees() -> None:
    """The comparison that is made for a wasmtime which the tests do not know finds nothing in this one."""
    assert list(proof.differences(_bindings, setup.CONFIGURATION)) == []
    assert proof.problem("wasmtime", setup.CONFIGURATION) is None


def copied(**changes: Any) -> Any:
    """Bindings that differ from the installed ones in what is said; None takes a name away."""
    made = types.SimpleNamespace(**{**vars(_bindings), **changes})
    for name, value in changes.items():
        if value is None:
            delattr(made, name)
    return made


def declared(name: str, result: Any, parameters: list[Any]) -> Any:
    return copied(**{"_" + name: types.SimpleNamespace(restype=result, argtypes=parameters)})


def _damages(name: str) -> Iterator[tuple[str, Any]]:
    theirs = _theirs(name)
    result, parameters = theirs.restype, list(theirs.argtypes)
    yield "one parameter more", declared(name, result, [*parameters, ctypes.c_size_t])
    if parameters:
        yield "one parameter less", declared(name, result, parameters[:-1])
    yield "another result", declared(name, ctypes.c_double if result is None else None, parameters)
    for at, kind in enumerate(parameters):
        other = ctypes.c_uint16 if _kind(kind) != "16 bits" else ctypes.c_uint64
        yield f"parameter {at}", declared(name, result, [*parameters[:at], other, *parameters[at + 1 :]])
    yield "not there", copied(**{"_" + name: None})


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_declaration_that_differs_is_found(name: str) -> None:
    """Any difference of any one function, its result or a parameter, is found and named."""
    for damage, theirs in _damages(name):
        found = list(proof.differences(theirs, setup.CONFIGURATION))
        assert [problem.split()[0] for problem in found] == [name], damage


STRUCTURES = {
    "wasm_byte_vec_t": [("size", ctypes.c_size_t), ("data", ctypes.c_void_p), ("more", ctypes.c_void_p)],
    "wasmtime_extern": [("kind", ctypes.c_uint8), ("of", ctypes.c_uint64 * 5)],
    "wasmtime_instance": [("store_id", ctypes.c_uint64)],
    "wasmtime_val_raw": [("i64", ctypes.c_int64)],
}


@pytest.mark.parametrize("name", STRUCTURES)
def test_a_structure_that_differs_is_found(name: str) -> None:
    """Another size of a structure is found and named."""
    other = type(name, (ctypes.Structure,), {"_fields_": STRUCTURES[name]})
    found = list(proof.differences(copied(**{name: other}), setup.CONFIGURATION))
    assert len(found) >= 1
    assert name.replace("_t", "") in found[0]


def test_parts_in_other_places_and_other_numbers_are_found() -> None:
    """The same size is not enough: where the parts stand, and what the kinds are called, counts too."""
    packed = type(
        "packed",
        (ctypes.Structure,),
        {"_pack_": 4, "_layout_": "ms", "_fields_": [("kind", ctypes.c_uint8), ("of", ctypes.c_uint32 * 7)]},
    )
    assert ctypes.sizeof(packed) == ctypes.sizeof(_bindings.wasmtime_extern)
    assert "other places" in " ".join(proof.differences(copied(wasmtime_extern=packed), setup.CONFIGURATION))
    found = list(proof.differences(copied(WASMTIME_EXTERN_MEMORY=4), setup.CONFIGURATION))
    assert found == ["WASMTIME_EXTERN_MEMORY is another number"]


@pytest.fixture
def untested(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The installed wasmtime as one that the tests do not know, without a cache; what the proof was asked for."""
    asked: list[str] = []
    whole = proof.problem

    def problem(package: str, configuration: Any) -> str | None:
        asked.append(package)
        return whole(package, configuration)

    monkeypatch.setattr(setup, "TESTED_MAJORS", ())
    monkeypatch.setattr(proof, "problem", problem)
    monkeypatch.setenv("SKYWASM_CACHE", "0")
    return asked


def test_an_untested_wasmtime_is_proven(untested: list[str]) -> None:
    """Where the major is none that the tests know, the proof is made, passes, and calls are answered."""
    content, digest = core.artifact()
    loaded = setup.Loaded(content, digest)
    assert loaded.compiled.pointer
    assert [os.path.basename(package) for package in untested] == ["wasmtime"]
    assert loaded.version == importlib.metadata.version("wasmtime")


@pytest.mark.parametrize("name", ["wasmtime_func_call_unchecked", "wasmtime_config_memory_may_move_set"])
def test_an_untested_wasmtime_that_differs_is_refused(
    name: str, untested: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One declaration that differs is enough: the library is never called, and the error names the difference."""
    import wasmtime

    theirs = _theirs(name)
    monkeypatch.setattr(wasmtime, "_bindings", declared(name, theirs.restype, theirs.argtypes[:-1]))

    def never(*_: Any) -> Any:
        raise AssertionError("the engine was made")

    monkeypatch.setattr(library, "Engine", never)
    with pytest.raises(errors.CoreUnavailableError, match=f"{name} is declared otherwise; install wasmtime"):
        setup.Loaded(*core.artifact())
    assert len(untested) == 1


def test_a_tested_wasmtime_is_not_proven(untested: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the tests know the major, importing wasmtime-py is spared."""
    monkeypatch.setattr(setup, "TESTED_MAJORS", (importlib.metadata.version("wasmtime").partition(".")[0],))
    setup.Loaded(*core.artifact())
    assert untested == []
