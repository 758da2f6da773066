"""From the artifact on disk to a module ready for instances.

One strict configuration always, for reasons measured and listed in docs/RATIONALE.md. Everything that can go
wrong comes out as CoreUnavailableError with the reason.
"""

from __future__ import annotations

import os
import sys

from skywasm import _abi, _cache
from skywasm.errors import CoreUnavailableError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ARTIFACT = "core.wasm"
PROVENANCE = "core.provenance"
_SHA256_DIGITS = 64
_WASMTIME = "wasmtime"

# Majors of wasmtime whose raw calling convention the tests have run against. Others take the public API.
RAW_TESTED_MAJORS = ("50",)
# Not Windows: there libffi loads a result even for callbacks that have none (see _callbacks._BARE).
RAW_PLATFORMS = ("linux", "darwin")

# The setters in this order are also part of the cache key.
CONFIGURATION = (
    # The compile threads do not survive a fork: a child that compiles would wait for them for ever.
    ("parallel_compilation", False),
    # faulthandler, enabled after the engine, would turn a trap that arrives as a signal into a crash.
    ("signals_based_traps", False),
    # The default reserves 4 GiB of addresses for each instance, which `ulimit -v` and containers refuse.
    ("memory_reservation", _abi.MEMORY_LIMIT),
    ("memory_reservation_for_growth", 0),
    ("memory_guard_size", 0),
    # The cached view of linear memory stays valid, and the reservation is the hard limit of its size.
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


def package_data(name: str) -> bytes:
    """A file of the package, wherever the package was imported from."""
    # Every loader that can hold data has this, those of zip files too. pkgutil would load a dozen modules for it.
    try:
        return __loader__.get_data(location(name))  # type: ignore[name-defined,no-any-return]
    except (OSError, AttributeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CoreUnavailableError(f"{location(name)} cannot be read ({reason}); reinstall skywasm") from error


def location(name: str) -> str:
    return os.path.join(os.path.dirname(__file__), name)


def provenance() -> dict[str, str]:
    """The provenance file: ``name: value`` lines."""
    lines = package_data(PROVENANCE).decode("utf-8", "replace").splitlines()
    return {name: value.strip() for name, colon, value in (line.partition(":") for line in lines) if colon}


def artifact() -> tuple[bytes, str]:
    """The bytes of the artifact and their SHA-256, once they are known to be the ones that were built."""
    content = package_data(ARTIFACT)
    recorded = provenance()
    expected = recorded.get("artifact-sha256", "missing from " + PROVENANCE)
    if recorded.get("artifact-blake2b") == _cache.fingerprint(content).hex() and len(expected) == _SHA256_DIGITS:
        return content, expected
    import hashlib

    digest = hashlib.sha256(content).hexdigest()
    if digest != expected:
        raise CoreUnavailableError(
            f"{location(ARTIFACT)} is not the artifact that was built: its SHA-256 is {digest}, expected {expected}; "
            "reinstall skywasm"
        )
    return content, digest


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
        from importlib.metadata import version

        return version(_WASMTIME)
    except Exception:
        return "unknown"


def _entry(version: str, digest: str) -> str:
    """The name of the compiled artifact in the cache."""
    return _cache.key(digest, version, repr(CONFIGURATION), _cache.processor())


def prospect() -> str:
    """What loading will find in the cache, as ``_cache.prospect`` says it. About 1 ms, loads nothing."""
    try:
        version = wasmtime_version(wasmtime_package())
        return _cache.prospect(_entry(version, provenance().get("artifact-sha256", "")))
    except Exception:
        # Loading will say what is wrong, and soon.
        return "hit"


class Raw:
    """The compiled artifact by the engine's C API."""

    def __init__(self, package: str) -> None:
        from skywasm import _capi

        self._load = _capi.Module
        self.engine = _capi.Engine(_capi.Library(package), CONFIGURATION)
        self.module: _capi.Module | None = None

    def load(self, compiled: bytes) -> None:
        self.module = self._load(self.engine, compiled)


class Public:
    """The compiled artifact by wasmtime-py's own classes, which also do the compiling."""

    def __init__(self, version: str) -> None:
        import wasmtime

        self.wasmtime: Any = wasmtime
        config = wasmtime.Config()
        for name, value in CONFIGURATION:
            if not hasattr(type(config), name):
                raise CoreUnavailableError(
                    f"wasmtime {version} has no setting {name!r}; install wasmtime 50.0.1 or newer"
                )
            setattr(config, name, value)
        self.engine = wasmtime.Engine(config)
        self.module: Any = None

    def load(self, compiled: bytes) -> None:
        self.module = self.wasmtime.Module.deserialize(self.engine, compiled)

    def compile(self, content: bytes) -> bytes:
        """Compiles the artifact and gives what ``load`` takes."""
        module = self.wasmtime.Module(self.engine, content)
        # Before it is kept: what comes from the cache, under the digest of the same artifact, has been through this.
        _check_module(module)
        self.module = module
        return bytes(module.serialize())


class Engine:
    """A compiled artifact. ``raw`` is there when raw calls may be tried; ``raw_problem`` says why it is not."""

    def __init__(self) -> None:
        self._content, self.digest = artifact()
        self._public: Public | None = None
        self.raw: Raw | None = None
        self.raw_problem: str | None = None
        self.cache = ""
        try:
            if sys.implementation.name != "cpython":
                # PyPy's ctypes hands out the sandbox's memory in a form that no file can be read into.
                raise CoreUnavailableError(f"the sandbox needs CPython, and this is {sys.implementation.name}")
            package = wasmtime_package()
            self.version = wasmtime_version(package)
            self._entry = _entry(self.version, self.digest)
            if not self._try_raw(package):
                self.public()
        except CoreUnavailableError:
            raise
        except Exception as error:
            # RuntimeError on an unknown machine, OSError when the library does not load, and more.
            raise CoreUnavailableError(f"wasmtime cannot be used: {type(error).__name__}: {error}") from error

    def _try_raw(self, package: str) -> bool:
        if self.version.split(".")[0] not in RAW_TESTED_MAJORS or sys.platform not in RAW_PLATFORMS:
            self.raw_problem = f"raw calls are not tested with wasmtime {self.version} on {sys.platform}"
            return False
        try:
            raw = Raw(package)
            self._fill(raw)
        except CoreUnavailableError:
            raise
        except Exception as error:
            self.raw_problem = f"the engine's C API cannot be used: {type(error).__name__}: {error}"
            return False
        self.raw = raw
        return True

    def public(self) -> Public:
        """The artifact as a module of wasmtime-py's, made when it is first asked for."""
        if self._public is None or self._public.module is None:
            self._public = Public(self.version)
            self._fill(self._public)
        return self._public

    def _fill(self, side: Raw | Public) -> None:
        """Gives one side its module, from the cache or by compiling."""
        compiled, self.cache = _cache.load(self._entry)
        if compiled is not None:
            try:
                side.load(compiled)
            except Exception as error:
                self.cache = f"unusable: {error}"
            else:
                return
        self._public = self._public or Public(self.version)
        compiled = self._public.compile(self._content)
        if not self.cache.startswith("off"):
            self.cache = f"{self.cache}; {_cache.store(self._entry, compiled)}"
        if side is not self._public:
            side.load(compiled)


def _check_module(module: Any) -> None:
    """The sandbox's promise and the calling convention, read from the module itself."""
    uniform = ["i64"] * 4, ["i64"]
    for entry in module.imports:
        if entry.module != _abi.IMPORT_MODULE or entry.name not in _abi.IMPORTS:
            raise CoreUnavailableError(f"the artifact imports {entry.module}.{entry.name}, which it may not")
        if _signature(entry.type) != uniform:
            raise CoreUnavailableError(f"the import {entry.name} has another signature than the convention's")
    exports = {entry.name for entry in module.exports}
    if not exports.issuperset(_abi.RUNTIME_EXPORTS):
        raise CoreUnavailableError(f"the artifact lacks exports of the convention: {_abi.RUNTIME_EXPORTS}")
    for entry in module.exports:
        if entry.name.startswith("sky_") and _signature(entry.type) != uniform:
            raise CoreUnavailableError(f"the export {entry.name} has another signature than the convention's")


def _signature(kind: Any) -> tuple[list[str], list[str]] | None:
    try:
        return [str(t) for t in kind.params], [str(t) for t in kind.results]
    except AttributeError:
        return None
