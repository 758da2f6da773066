"""The engine's C API (wasmtime.h), as much of it as calls need, through ctypes.

The library lies in wasmtime's wheel, whose Python package is never imported: that takes two thirds of all the time that
a first call takes. ``proof`` holds these declarations against the ones in the wheel where its version is a new one.
"""

from __future__ import annotations

import ctypes
import os
import sys

from skywasm.crossing.engine import cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

_POINTER = ctypes.c_void_p
_SIZE = ctypes.c_size_t
_TEXT = ctypes.c_char_p
# Name: result, parameters. Structures go by address.
PROTOTYPES: dict[str, tuple[Any, ...]] = {
    "wasm_config_new": (_POINTER,),
    "wasm_engine_new_with_config": (_POINTER, _POINTER),
    "wasm_engine_delete": (None, _POINTER),
    "wasmtime_engine_increment_epoch": (None, _POINTER),
    "wasmtime_module_new": (_POINTER, _POINTER, _TEXT, _SIZE, _POINTER),
    "wasmtime_module_serialize": (_POINTER, _POINTER, _POINTER),
    "wasmtime_module_deserialize": (_POINTER, _POINTER, _TEXT, _SIZE, _POINTER),
    "wasmtime_module_delete": (None, _POINTER),
    "wasmtime_store_new": (_POINTER, _POINTER, _POINTER, _POINTER),
    "wasmtime_store_context": (_POINTER, _POINTER),
    "wasmtime_store_delete": (None, _POINTER),
    "wasmtime_context_set_epoch_deadline": (None, _POINTER, ctypes.c_uint64),
    "wasmtime_linker_new": (_POINTER, _POINTER),
    "wasmtime_linker_delete": (None, _POINTER),
    "wasmtime_linker_instantiate_pre": (_POINTER, _POINTER, _POINTER, _POINTER),
    "wasmtime_instance_pre_instantiate": (_POINTER, _POINTER, _POINTER, _POINTER, _POINTER),
    "wasmtime_instance_pre_delete": (None, _POINTER),
    "wasmtime_instance_export_get": (ctypes.c_bool, _POINTER, _POINTER, _TEXT, _SIZE, _POINTER),
    "wasmtime_memory_data": (_POINTER, _POINTER, _POINTER),
    "wasmtime_memory_data_size": (_SIZE, _POINTER, _POINTER),
    "wasmtime_func_call_unchecked": (_POINTER, _POINTER, _POINTER, _POINTER, _SIZE, _POINTER),
    "wasmtime_error_message": (None, _POINTER, _POINTER),
    "wasmtime_error_delete": (None, _POINTER),
    "wasm_trap_message": (None, _POINTER, _POINTER),
    "wasm_trap_delete": (None, _POINTER),
    "wasm_byte_vec_delete": (None, _POINTER),
}
# What a pool of instances is made with: setting, type, value. A slot has the addresses of one instance's memory.
POOL: tuple[tuple[str, Any, int], ...] = (
    ("total_core_instances", ctypes.c_uint32, 64),
    ("total_memories", ctypes.c_uint32, 64),
    ("total_tables", ctypes.c_uint32, 64),
    ("table_elements", _SIZE, 4096),
    ("max_memory_size", _SIZE, 64 * 1024 * 1024),
    ("max_unused_warm_slots", ctypes.c_uint32, 64),
    # What a call in a new instance touches is cleared and kept, which costs less than to be mapped anew.
    ("linear_memory_keep_resident", _SIZE, 256 * 1024),
    ("table_keep_resident", _SIZE, 64 * 1024),
)
PROTOTYPES.update(
    {
        "wasmtime_pooling_allocation_config_new": (_POINTER,),
        "wasmtime_pooling_allocation_config_delete": (None, _POINTER),
        "wasmtime_pooling_allocation_strategy_set": (None, _POINTER, _POINTER),
        **{f"wasmtime_pooling_allocation_config_{name}_set": (None, _POINTER, kind) for name, kind, _ in POOL},
    }
)
_FILES = {
    "linux": "_libwasmtime.so",
    "android": "_libwasmtime.so",
    "darwin": "_libwasmtime.dylib",
    "win32": "_wasmtime.dll",
}
_PROCESSORS = {"arm64": "aarch64", "amd64": "x86_64"}


class ByteVector(ctypes.Structure):
    """``wasm_byte_vec_t``."""

    _fields_ = (("size", _SIZE), ("data", _POINTER))


class Extern(ctypes.Structure):
    """``wasmtime_extern_t``; ``of`` is where the function or memory itself stands, as long as the longest of them."""

    _fields_ = (("kind", ctypes.c_uint8), ("of", ctypes.c_uint64 * 3))

    FUNCTION, MEMORY = 0, 3

    @property
    def address(self) -> int:
        return ctypes.addressof(self) + Extern.of.offset


InstanceHandle: Any = ctypes.c_uint64 * 2
"""``wasmtime_instance_t``."""

SLOT_WORDS = 2
"""64-bit words of ``wasmtime_val_raw_t``, the union in which parameters and results lie."""


def file_name(package: str) -> str:
    """The library in the folder of the installed wasmtime.

    Raises:
        OSError: wasmtime has no library for this platform.
    """
    machine = cache.machine().lower()
    name = _FILES.get(sys.platform)
    if name is None:
        raise OSError(f"wasmtime has no library for {sys.platform}")
    platform = "linux" if sys.platform == "android" else sys.platform
    return os.path.join(package, f"{platform}-{_PROCESSORS.get(machine, machine)}", name)


class Library:
    """The loaded library, its functions by name.

    Raises:
        OSError: the library is not there or does not load.
        AttributeError: it lacks a function.
    """

    def __init__(self, package: str) -> None:
        self._loaded = ctypes.cdll.LoadLibrary(file_name(package))
        # What frees keeps the GIL: when the interpreter ends, the thread that gives it away does not come back.
        self._freeing = ctypes.PyDLL(self._loaded._name, handle=self._loaded._handle)
        for function, prototype in PROTOTYPES.items():
            setattr(self, function, self.function(function, *prototype))
        entry = ctypes.cast(self.wasmtime_func_call_unchecked, _POINTER).value or 0
        # No argument types: the arguments are prepared once, and conversion at each call costs 20 ns each.
        self.keep_gil: Any = ctypes.PYFUNCTYPE(_POINTER)(entry)
        self.release_gil: Any = ctypes.CFUNCTYPE(_POINTER)(entry)
        # As the callback of a weak reference, which is handed the reference: C ignores what is too much.
        delete = ctypes.cast(self.wasmtime_store_delete, _POINTER).value or 0
        self.delete_store: Any = ctypes.PYFUNCTYPE(None, _POINTER, ctypes.py_object)(delete)

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

    def function(self, name: str, result: Any, *parameters: Any) -> Any:
        function = getattr(self._freeing if name.endswith("_delete") else self._loaded, name)
        function.restype, function.argtypes = result, parameters
        return function

    def message(self, kind: str, pointer: int) -> str:
        """What an error or trap says; frees it."""
        text = ByteVector()
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


class Owned:
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


class Engine(Owned):
    """An engine with wasmtime-py's names of settings. ``pooled``: it keeps the memory of its instances for the next.

    Raises:
        AttributeError: the library has no such setting.
    """

    def __init__(self, library: Library, configuration: Sequence[tuple[str, int]], pooled: bool = False) -> None:
        super().__init__(library, "wasm_engine_delete")
        settings = []
        for name, value in configuration:
            kind = ctypes.c_bool if isinstance(value, bool) else ctypes.c_uint64
            settings.append((library.function(f"wasmtime_config_{name}_set", None, _POINTER, kind), value))
        config = library.wasm_config_new()
        for setter, value in settings:
            setter(config, value)
        if pooled:
            pool = library.wasmtime_pooling_allocation_config_new()
            for name, _, value in POOL:
                getattr(library, f"wasmtime_pooling_allocation_config_{name}_set")(pool, value)
            library.wasmtime_pooling_allocation_strategy_set(config, pool)
            library.wasmtime_pooling_allocation_config_delete(pool)
        self.pointer: int | None = library.wasm_engine_new_with_config(config)
        self._increment_epoch = library.wasmtime_engine_increment_epoch

    def increment_epoch(self) -> None:
        self._increment_epoch(self.pointer)

    def compile(self, content: bytes) -> bytes:
        """The compiled form of a module, which ``Compiled`` takes.

        Raises:
            RuntimeError: the bytes are no module that this engine takes.
        """
        library = self.library
        made, out = _POINTER(), ByteVector()
        library.require(library.wasmtime_module_new(self.pointer, content, len(content), ctypes.byref(made)))
        try:
            library.require(library.wasmtime_module_serialize(made, ctypes.byref(out)))
            try:
                return ctypes.string_at(out.data, out.size)
            finally:
                library.wasm_byte_vec_delete(ctypes.byref(out))
        finally:
            library.wasmtime_module_delete(made)


class Compiled(Owned):
    """A compiled module that is ready to be instantiated, from the bytes that ``Engine.compile`` gives.

    They are native code and believed: the cache is what looks at where they come from.

    Raises:
        RuntimeError: they are of another version, configuration or processor.
    """

    def __init__(self, engine: Engine, compiled: bytes) -> None:
        library = engine.library
        super().__init__(library, "wasmtime_instance_pre_delete")
        self.engine = engine
        made, prepared = _POINTER(), _POINTER()
        library.require(
            library.wasmtime_module_deserialize(engine.pointer, compiled, len(compiled), ctypes.byref(made))
        )
        # Nothing is linked: a module that imports anything is refused before it comes here.
        linker = library.wasmtime_linker_new(engine.pointer)
        try:
            library.require(library.wasmtime_linker_instantiate_pre(linker, made, ctypes.byref(prepared)))
        finally:
            library.wasmtime_linker_delete(linker)
            library.wasmtime_module_delete(made)
        self.pointer: int | None = prepared.value
