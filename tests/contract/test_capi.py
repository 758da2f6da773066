"""What skywasm declares of the engine's C API is what the header says, by way of wasmtime-py's generated bindings."""

from __future__ import annotations

import ctypes

import pytest

from skywasm import _capi, _engine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

pytest.importorskip("wasmtime")

from wasmtime import _bindings  # noqa: E402 - after it is known to be there


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


@pytest.mark.parametrize("name", _capi._PROTOTYPES)
def test_a_function_is_declared_as_in_the_header(name: str) -> None:
    """Result and parameters: as many, and each of the kind that the header gives it."""
    result, *parameters = _capi._PROTOTYPES[name]
    theirs = _theirs(name)
    assert _kind(result) == _kind(theirs.restype)
    assert list(map(_kind, parameters)) == list(map(_kind, theirs.argtypes))


@pytest.mark.parametrize(("name", "value"), _engine.CONFIGURATION)
def test_a_setting_is_declared_as_in_the_header(name: str, value: int) -> None:
    """A setter takes a bool where the configuration has one, and an integer of 64 bits elsewhere."""
    theirs = _theirs(f"wasmtime_config_{name}_set")
    kind = ctypes.c_bool if isinstance(value, bool) else ctypes.c_uint64
    assert list(map(_kind, theirs.argtypes)) == ["pointer", _kind(kind)]
    assert theirs.restype is None


def test_structures_have_the_size_of_the_header() -> None:
    """Externs, instances, functions, memories, vectors and values: sizes and where the parts stand."""
    theirs = _bindings.wasmtime_extern
    assert ctypes.sizeof(_capi.Extern) == ctypes.sizeof(theirs)
    assert _capi.Extern.of.offset == theirs.of.offset
    assert _capi.Extern.kind.size == theirs.kind.size
    assert ctypes.sizeof(_bindings.wasmtime_instance) == 2 * ctypes.sizeof(ctypes.c_uint64)
    vector = _bindings.wasm_valtype_vec_t
    for made in (vector, _bindings.wasm_byte_vec_t):
        assert ctypes.sizeof(_capi._Vector) == ctypes.sizeof(made)
        assert (_capi._Vector.size.offset, _capi._Vector.data.offset) == (made.size.offset, made.data.offset)
    assert ctypes.sizeof(_bindings.wasmtime_val_raw) == 2 * ctypes.sizeof(ctypes.c_int64)


def test_kinds_have_the_numbers_of_the_header() -> None:
    """The kind of an i64, of a function and of a memory."""
    from wasmtime import _ffi

    assert _ffi.WASM_I64.value == _capi._I64
    assert (_ffi.WASMTIME_EXTERN_FUNC.value, _ffi.WASMTIME_EXTERN_MEMORY.value) == (_capi._FUNCTION, _capi._MEMORY)
