"""From the bytes of a module to compiled code that is ready for instances.

One strict configuration always, for reasons measured and listed in docs/RATIONALE.md. Everything that can go wrong
comes out as CoreUnavailableError with the reason.
"""

from __future__ import annotations

import os
import sys

from host_shims.struck import let_out
from skywasm.crossing import convention
from skywasm.crossing.engine import cache
from skywasm.errors import CoreUnavailableError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from skywasm.crossing.engine.library import Compiled, Engine, Library

_WASMTIME = "wasmtime"
# Bytes of stack that the compiler is sure to get along with.
_DEEP = 4 * 1024 * 1024

TESTED_MAJORS = ("50",)
"""Majors of wasmtime that the tests have run against. Any other proves its declarations before it is used."""

_ADVICE = "install wasmtime 50.0.1 or newer"

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
    # A trap instead of a crash when guest recursion meets the small stack of a thread; Python's smallest is 32 KiB.
    ("max_wasm_stack", 16 * 1024),
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
    except OSError as error:
        # Inside an archive.
        let_out(error)
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(_WASMTIME)
    except PackageNotFoundError as error:
        let_out(error)
        return "unknown"


def _entry(version: str, digest: str, pooled: bool = False) -> str:
    """The name of a compiled module in the cache."""
    return cache.key(digest, version, repr(CONFIGURATION) + (" pooled" if pooled else ""), cache.processor())


def prospect(digest: str) -> str:
    """What loading will find in the cache, as ``cache.prospect`` says it. About 1 ms, loads nothing."""
    try:
        return cache.prospect(_entry(wasmtime_version(wasmtime_package()), digest))
    except Exception as error:
        let_out(error)
        # Loading will say what is wrong, and soon.
        return "hit"


def roomy(work: Callable[[], bytes]) -> bytes:
    """Does work that needs a deep stack: in a thread of its own where the program gives its threads small ones."""
    import threading

    if threading.current_thread() is threading.main_thread() or not 0 < threading.stack_size() < _DEEP:
        return work()
    done: list[bytes] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            done.append(work())
        except BaseException as error:
            failed.append(error)

    before = threading.stack_size(_DEEP)
    try:
        thread = threading.Thread(target=run, name="skywasm-compile", daemon=True)
        thread.start()
    except RuntimeError as error:
        let_out(error)
        raise CoreUnavailableError(f"compiling needs a thread with a deeper stack: {error}") from error
    finally:
        threading.stack_size(before)
    thread.join()
    if failed:
        raise failed[0]
    return done[0]


class Loaded:
    """A module compiled and ready. ``cache`` says what the compiled-code cache did.

    ``pooled``: for many instances that live for one call each. It takes 4 GiB of addresses.
    """

    def __init__(self, content: bytes, digest: str, pooled: bool = False) -> None:
        self.digest = digest
        self.pooled = pooled
        self.cache: str = ""
        self.version: str = ""
        try:
            if sys.implementation.name != "cpython":
                # PyPy's ctypes hands out the sandbox's memory in a form that no file can be read into.
                raise CoreUnavailableError(f"the sandbox needs CPython, and this is {sys.implementation.name}")
            self._package = wasmtime_package()
            self.version = wasmtime_version(self._package)
            self._load(content)
        except CoreUnavailableError:
            raise
        except AttributeError as error:
            let_out(error)
            # Of wasmtime's own import, or a function that the library lacks.
            known = f"wasmtime {self.version}".rstrip()
            raise CoreUnavailableError(f"{known} cannot be used: {type(error).__name__}: {error}; {_ADVICE}") from error
        except Exception as error:
            let_out(error)
            # ImportError without ctypes or wasmtime, OSError when the library does not load, and more.
            raise CoreUnavailableError(f"wasmtime cannot be used: {type(error).__name__}: {error}") from error

    def _load(self, content: bytes) -> None:
        from skywasm.crossing.engine import headroom, library

        self.limited: bool = headroom.require(
            headroom.LIBRARY_MIB + headroom.INSTANCE_MIB, "the engine with an instance"
        )
        self.library: Library = library.Library(self._package)
        pooled = self.pooled and not self.limited
        entry = _entry(self.version, self.digest, pooled)
        kept, self.cache = cache.load(entry)
        if kept is None:
            # What has been kept is kept under this version's name, so it has been through this before.
            self._prove()
        self.engine: Engine = library.Engine(self.library, CONFIGURATION, pooled)
        self.compiled: Compiled
        if kept is not None:
            try:
                self.compiled = library.Compiled(self.engine, kept)
            except RuntimeError as error:
                let_out(error)
                self.cache = f"unusable: {error}"
            else:
                return
        made = roomy(lambda: self.engine.compile(content))
        if not self.cache.startswith("off"):
            self.cache = f"{self.cache}; {cache.store(entry, made)}"
        self.compiled = library.Compiled(self.engine, made)

    def _prove(self) -> None:
        if self.version.split(".")[0] not in TESTED_MAJORS:
            from skywasm.crossing.engine import proof

            problem = proof.problem(self._package, CONFIGURATION)
            if problem is not None:
                raise CoreUnavailableError(
                    f"wasmtime {self.version} has another C API than skywasm knows: {problem}; "
                    f"install wasmtime {' or '.join(TESTED_MAJORS)}"
                )
