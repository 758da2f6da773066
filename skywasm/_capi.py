"""The engine's C API (wasmtime.h), as much of it as raw calls need, through ctypes.

The library lies in wasmtime's wheel. Importing that wheel's package takes two thirds of all the time that the first
call takes, so it is left for compiling and for the public way. What stands here holds for the majors of wasmtime in
``_engine.RAW_TESTED_MAJORS``: their header promises nothing for others.
"""

from __future__ import annotations

import ctypes
import os
import sys

from skywasm import _cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

_POINTER = ctypes.c_void_p
_SIZE = ctypes.c_size_t
_TEXT = ctypes.c_char_p
# Name: result, parameters. Structures go by address.
_PROTOTYPES: dict[str, tuple[Any, ...]] = {
    "wasm_config_new": (_POINTER,),
    "wasm_engine_new_with_config": (_POINTER, _POINTER),
    "wasm_engine_delete": (None, _POINTER),
    "wasmtime_engine_increment_epoch": (None, _POINTER),
    "wasmtime_module_deserialize": (_POINTER, _POINTER, _TEXT, _SIZE, _POINTER),
    "wasmtime_module_delete": (None, _POINTER),
    "wasmtime_store_new": (_POINTER, _POINTER, _POINTER, _POINTER),
    "wasmtime_store_context": (_POINTER, _POINTER),
    "wasmtime_store_delete": (None, _POINTER),
    "wasmtime_context_set_epoch_deadline": (None, _POINTER, ctypes.c_uint64),
    "wasm_valtype_new": (_POINTER, ctypes.c_uint8),
    "wasm_valtype_vec_new": (None, _POINTER, _SIZE, _POINTER),
    "wasm_functype_new": (_POINTER, _POINTER, _POINTER),
    "wasm_functype_delete": (None, _POINTER),
    "wasmtime_linker_new": (_POINTER, _POINTER),
    "wasmtime_linker_delete": (None, _POINTER),
    "wasmtime_linker_define_func_unchecked": (
        *(_POINTER, _POINTER, _TEXT, _SIZE, _TEXT, _SIZE, _POINTER, _POINTER, _POINTER, _POINTER),
    ),
    "wasmtime_linker_instantiate": (_POINTER, _POINTER, _POINTER, _POINTER, _POINTER, _POINTER),
    "wasmtime_instance_export_nth": (ctypes.c_bool, _POINTER, _POINTER, _SIZE, _POINTER, _POINTER, _POINTER),
    "wasmtime_memory_data": (_POINTER, _POINTER, _POINTER),
    "wasmtime_memory_data_size": (_SIZE, _POINTER, _POINTER),
    "wasmtime_func_call_unchecked": (_POINTER, _POINTER, _POINTER, _POINTER, _SIZE, _POINTER),
    "wasmtime_error_message": (None, _POINTER, _POINTER),
    "wasmtime_error_delete": (None, _POINTER),
    "wasm_trap_message": (None, _POINTER, _POINTER),
    "wasm_trap_delete": (None, _POINTER),
    "wasm_byte_vec_delete": (None, _POINTER),
}
_LIBRARIES = {"linux": "_libwasmtime.so", "darwin": "_libwasmtime.dylib"}
_PROCESSORS = {"arm64": "aarch64"}
_I64 = 1
_FUNCTION, _MEMORY = 0, 3


class _Vector(ctypes.Structure):
    """``wasm_byte_vec_t`` and ``wasm_valtype_vec_t``."""

    _fields_ = (("size", _SIZE), ("data", _POINTER))


class Extern(ctypes.Structure):
    """``wasmtime_extern_t``; ``of`` is where the function or memory itself stands, as long as the longest of them."""

    _fields_ = (("kind", ctypes.c_uint8), ("of", ctypes.c_uint64 * 3))

    @property
    def address(self) -> int:
        return ctypes.addressof(self) + Extern.of.offset


class Library:
    """The loaded library, its functions by name.

    Raises:
        OSError: the library is not there or does not load.
        AttributeError: it lacks a function.
    """

    def __init__(self, package: str) -> None:
        machine = _cache.machine()
        folder = os.path.join(package, f"{sys.platform}-{_PROCESSORS.get(machine, machine)}")
        self._loaded = ctypes.cdll.LoadLibrary(os.path.join(folder, _LIBRARIES[sys.platform]))
        for function, prototype in _PROTOTYPES.items():
            setattr(self, function, self.function(function, *prototype))

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

    def function(self, name: str, result: Any, *parameters: Any) -> Any:
        function = getattr(self._loaded, name)
        function.restype, function.argtypes = result, parameters
        return function

    def message(self, kind: str, pointer: int) -> str:
        """What an error or trap says; frees it."""
        text = _Vector()
        getattr(self, f"{kind}_message")(pointer, ctypes.byref(text))
        try:
            return ctypes.string_at(text.data, text.size).rstrip(b"\0").decode("utf-8", "replace").strip()
        finally:
            self.wasm_byte_vec_delete(ctypes.byref(text))
            getattr(self, f"{kind}_delete")(pointer)

    def require(self, error: int | None, trap: int | None = None) -> None:
        """Raises RuntimeError with the engine's message when there is an error or a trap."""
        if error is not None:
            raise RuntimeError(self.message("wasmtime_error", error))
        if trap is not None:
            raise RuntimeError(self.message("wasm_trap", trap))


class _Owned:
    """A thing of the library's, freed with the last reference to it."""

    # Without it, an object whose making failed would have nothing to look at.
    pointer: int | None = None

    def __init__(self, library: Library, delete: str) -> None:
        self.library = library
        self._delete = getattr(library, delete)

    def __del__(self) -> None:
        pointer, self.pointer = self.pointer, None
        if pointer is not None:
            self._delete(pointer)


class Engine(_Owned):
    """An engine with wasmtime-py's names of settings.

    Raises:
        AttributeError: the library has no such setting.
    """

    def __init__(self, library: Library, configuration: Sequence[tuple[str, int]]) -> None:
        super().__init__(library, "wasm_engine_delete")
        settings = []
        for name, value in configuration:
            kind = ctypes.c_bool if isinstance(value, bool) else ctypes.c_uint64
            settings.append((library.function(f"wasmtime_config_{name}_set", None, _POINTER, kind), value))
        config = library.wasm_config_new()
        for setter, value in settings:
            setter(config, value)
        self.pointer = library.wasm_engine_new_with_config(config)
        self._increment_epoch = library.wasmtime_engine_increment_epoch

    def increment_epoch(self) -> None:
        self._increment_epoch(self.pointer)


class Module(_Owned):
    """A compiled module, from the bytes that ``wasmtime.Module.serialize`` gives.

    They are native code and believed: the cache is what looks at where they come from.

    Raises:
        RuntimeError: they are of another version, configuration or processor.
    """

    def __init__(self, engine: Engine, compiled: bytes) -> None:
        library = engine.library
        super().__init__(library, "wasmtime_module_delete")
        made = _POINTER()
        library.require(
            library.wasmtime_module_deserialize(engine.pointer, compiled, len(compiled), ctypes.byref(made))
        )
        self.engine = engine
        self.pointer = made.value


class Store(_Owned):
    """A store with one instance of a module in it.

    ``imports`` are callbacks of the unchecked convention, each of four i64 that returns one.

    Raises:
        RuntimeError: the module cannot be instantiated.
    """

    def __init__(self, module: Module, namespace: str, imports: Mapping[str, Any]) -> None:
        library, engine = module.library, module.engine
        super().__init__(library, "wasmtime_store_delete")
        self.pointer = library.wasmtime_store_new(engine.pointer, None, None)
        self.context: int = library.wasmtime_store_context(self.pointer)
        self._set_epoch_deadline = library.wasmtime_context_set_epoch_deadline
        # Called for as long as the store lives.
        self._imports = imports
        self.exports: dict[str, Extern] = {}
        linker = library.wasmtime_linker_new(engine.pointer)
        try:
            self._define(linker, namespace.encode())
            self._instantiate(linker, module)
        finally:
            library.wasmtime_linker_delete(linker)
        memory = self.exports.get("memory")
        if memory is None or memory.kind != _MEMORY:
            raise RuntimeError("the module exports no memory")
        self._memory = memory.address

    def _define(self, linker: int, namespace: bytes) -> None:
        library = self.library
        kind = _uniform_type(library)
        try:
            for name, callback in self._imports.items():
                where = (namespace, len(namespace), name.encode(), len(name))
                library.require(
                    library.wasmtime_linker_define_func_unchecked(
                        linker, *where, kind, ctypes.cast(callback, _POINTER), None, None
                    )
                )
        finally:
            library.wasm_functype_delete(kind)

    def _instantiate(self, linker: int, module: Module) -> None:
        library = self.library
        instance = (ctypes.c_uint64 * 2)()
        trap = _POINTER()
        error = library.wasmtime_linker_instantiate(
            linker, self.context, module.pointer, ctypes.byref(instance), ctypes.byref(trap)
        )
        library.require(error, trap.value)
        name, length = _POINTER(), _SIZE()
        while True:
            export = Extern()
            where = (ctypes.byref(name), ctypes.byref(length), ctypes.byref(export))
            if not library.wasmtime_instance_export_nth(
                self.context, ctypes.byref(instance), len(self.exports), *where
            ):
                break
            self.exports[ctypes.string_at(name.value or 0, length.value).decode()] = export

    def functions(self) -> dict[str, Extern]:
        return {name: export for name, export in self.exports.items() if export.kind == _FUNCTION}

    def memory(self) -> tuple[int, int]:
        """Where linear memory begins, and how many bytes it has now."""
        library = self.library
        return (
            library.wasmtime_memory_data(self.context, self._memory),
            library.wasmtime_memory_data_size(self.context, self._memory),
        )

    def set_epoch_deadline(self, ticks: int) -> None:
        self._set_epoch_deadline(self.context, ticks)


def _uniform_type(library: Library) -> int:
    """The type of every function that crosses: four i64 in, one out."""
    vectors = []
    for count in (4, 1):
        vector = _Vector()
        types = (_POINTER * count)(*(library.wasm_valtype_new(_I64) for _ in range(count)))
        library.wasm_valtype_vec_new(ctypes.byref(vector), count, types)
        vectors.append(ctypes.byref(vector))
    return library.wasm_functype_new(*vectors)  # type: ignore[no-any-return]
