"""From the bytes of a module to compiled code that is ready for instances.

One strict configuration always, for reasons measured and listed in docs/RATIONALE.md. Everything that can go wrong
comes out as CoreUnavailableError with the reason.
"""

from __future__ import annotations

import os
import sys

from skywasm.crossing import convention
from skywasm.crossing.engine import cache
from skywasm.errors import CoreUnavailableError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from skywasm.crossing.engine.library import Compiled, Engine

_WASMTIME = "wasmtime"

TESTED_MAJORS = ("50",)
"""Majors of wasmtime that the tests have run against. Any other proves its declarations before it is used."""

# The setters in this order are also part of the cache key.
CONFIGURATION = (
    # The compile threads do not survive a fork: a child that compiles would wait for them for ever.
    ("parallel_compilation", False),
    # faulthandler, enabled after the engine, would turn a trap that arrives as a signal into a crash.
    ("signals_based_traps", False),
    # The default reserves 4 GiB of addresses for each instance, which `ulimit -v` and containers refuse.
    ("memory_reservation", convention.MEMORY_LIMIT),
    ("memory_reservation_for_growth", 0),
    ("memory_guard_size", 0),
    # The address of linear memory stays valid, and the reservation is the hard limit of its size.
    ("memory_may_move", False),
    ("epoch_interruption", True),
    ("cranelift_nan_canonicalization", True),
    # A trap instead of a crash when guest recursion meets the small stack of a thread.
    ("max_wasm_stack", 64 * 1024),
    ("wasm_threads", False),
    ("wasm_memory64", False),
    ("wasm_gc", False),
    ("wasm_component_model", False),
)


def wasmtime_package() -> str:
    """The folder of the installed wasmtime, asked of the import system: importing it takes over 30 ms.

    Raises:
        ImportError: there is none, and whatever else finders and importing raise.
    """
    if _WASMTIME in sys.modules:
        origin = getattr(sys.modules[_WASMTIME], "__file__", None)
    else:
        finders = (getattr(finder, "find_spec", None) for finder in sys.meta_path)
        specs = (finder(_WASMTIME, None, None) for finder in finders if finder is not None)
        origin = getattr(next((spec for spec in specs if spec is not None), None), "origin", None)
    if origin is None:
        # Not there, or in some form that only importing can tell.
        import wasmtime

        origin = wasmtime.__file__
    return os.path.dirname(os.path.abspath(str(origin)))


def wasmtime_version(package: str) -> str:
    """The version of the wasmtime in a folder, without importlib.metadata when its neighbour's name tells it."""
    try:
        for name in os.listdir(os.path.dirname(package)):
            if name.startswith("wasmtime-") and name.endswith(".dist-info"):
                return name[len("wasmtime-") : -len(".dist-info")]
    except OSError:
        # Inside an archive.
        pass
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(_WASMTIME)
    except PackageNotFoundError:
        return "unknown"


def _entry(version: str, digest: str) -> str:
    """The name of a compiled module in the cache."""
    return cache.key(digest, version, repr(CONFIGURATION), cache.processor())


def prospect(digest: str) -> str:
    """What loading will find in the cache, as ``cache.prospect`` says it. About 1 ms, loads nothing."""
    try:
        return cache.prospect(_entry(wasmtime_version(wasmtime_package()), digest))
    except Exception:
        # Loading will say what is wrong, and soon.
        return "hit"


class Loaded:
    """A module compiled and ready. ``cache`` says what the compiled-code cache did."""

    def __init__(self, content: bytes, digest: str) -> None:
        self.digest = digest
        self.cache = ""
        try:
            if sys.implementation.name != "cpython":
                # PyPy's ctypes hands out the sandbox's memory in a form that no file can be read into.
                raise CoreUnavailableError(f"the sandbox needs CPython, and this is {sys.implementation.name}")
            self._package = wasmtime_package()
            self.version = wasmtime_version(self._package)
            self._load(content)
        except CoreUnavailableError:
            raise
        except Exception as error:
            # ImportError without ctypes or wasmtime, OSError when the library does not load, and more.
            raise CoreUnavailableError(f"wasmtime cannot be used: {type(error).__name__}: {error}") from error

    def _load(self, content: bytes) -> None:
        from skywasm.crossing.engine import library

        self.library = library.Library(self._package)
        entry = _entry(self.version, self.digest)
        kept, self.cache = cache.load(entry)
        if kept is None:
            # What has been kept is kept under this version's name, so it has been through this before.
            self._prove()
        self.engine: Engine = library.Engine(self.library, CONFIGURATION)
        self.compiled: Compiled
        if kept is not None:
            try:
                self.compiled = library.Compiled(self.engine, kept)
            except RuntimeError as error:
                self.cache = f"unusable: {error}"
            else:
                return
        made = self.engine.compile(content)
        if not self.cache.startswith("off"):
            self.cache = f"{self.cache}; {cache.store(entry, made)}"
        self.compiled = library.Compiled(self.engine, made)

    def _prove(self) -> None:
        if self.version.split(".")[0] not in TESTED_MAJORS:
            from skywasm.crossing.engine import proof

            problem = proof.problem(self._package)
            if problem is not None:
                raise CoreUnavailableError(f"wasmtime {self.version} has another C API than skywasm knows: {problem}")
