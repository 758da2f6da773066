"""Whether the declarations in ``library`` hold for a wasmtime that the tests have not seen.

wasmtime-py is generated from the header of the library that it ships. So its own declarations are what the library has,
and a call that checks nothing is made only where the two agree to the last parameter.
"""

from __future__ import annotations

import ctypes

from host_shims.struck import let_out
from skywasm.crossing.engine import library

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any


def kind(declared: Any) -> str:
    """A type as the calling convention sees it: every pointer is the same, and so are integers of one size."""
    if declared is None:
        return "nothing"
    # Names of ctypes' own: pointers to something, and function pointers.
    pointers = (getattr(ctypes, name) for name in ("_Pointer", "_CFuncPtr", "c_void_p", "c_char_p"))
    if issubclass(declared, tuple(pointers)):
        return "pointer"
    if declared is ctypes.c_bool:
        return "bool"
    return f"{ctypes.sizeof(declared) * 8} bits"


def declarations(configuration: Sequence[tuple[str, int]]) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Every function that is called, with its result and parameters."""
    yield from library.PROTOTYPES.items()
    for name, value in configuration:
        setting = ctypes.c_bool if isinstance(value, bool) else ctypes.c_uint64
        yield f"wasmtime_config_{name}_set", (None, ctypes.c_void_p, setting)


def structures(theirs: Any) -> list[tuple[str, Any, Any]]:
    """Structures by name: ours and theirs, which must be of one size with the same places of the parts."""
    return [
        ("wasm_byte_vec_t", library.ByteVector, theirs.wasm_byte_vec_t),
        ("wasmtime_extern_t", library.Extern, theirs.wasmtime_extern),
        ("wasmtime_instance_t", library.InstanceHandle, theirs.wasmtime_instance),
        ("wasmtime_val_raw_t", ctypes.c_uint64 * library.SLOT_WORDS, theirs.wasmtime_val_raw),
    ]


def differences(theirs: Any, configuration: Sequence[tuple[str, int]]) -> Iterator[str]:
    """What differs from wasmtime-py's own declarations."""
    for name, (result, *parameters) in declarations(configuration):
        function = getattr(theirs, "_" + name, None)
        if function is None:
            yield f"{name} is not there"
        elif [kind(result), *map(kind, parameters)] != [kind(function.restype), *map(kind, function.argtypes)]:
            yield f"{name} is declared otherwise"
    for name, ours, other in structures(theirs):
        if ctypes.sizeof(ours) != ctypes.sizeof(other):
            yield f"{name} has {ctypes.sizeof(other)} bytes, not {ctypes.sizeof(ours)}"
    if library.Extern.of.offset != theirs.wasmtime_extern.of.offset:
        yield "wasmtime_extern_t has its parts in other places"
    for name, ours in (("FUNC", library.Extern.FUNCTION), ("MEMORY", library.Extern.MEMORY)):
        number = getattr(theirs, f"WASMTIME_EXTERN_{name}", None)
        if number is not None and getattr(number, "value", number) != ours:
            yield f"WASMTIME_EXTERN_{name} is another number"


def problem(package: str, configuration: Sequence[tuple[str, int]]) -> str | None:
    """Why the library in this wasmtime must not be called; None when all declarations agree."""
    try:
        import wasmtime
        from wasmtime import _bindings
    except (ImportError, AttributeError, OSError, RuntimeError) as error:
        let_out(error, "wasmtime")
        return f"its own declarations cannot be read ({type(error).__name__}: {error})"
    del wasmtime
    try:
        return next(differences(_bindings, configuration), None)
    except (AttributeError, TypeError, ValueError) as error:
        let_out(error, "wasmtime")
        return f"its own declarations cannot be compared in {package} ({type(error).__name__}: {error})"
