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

# Majors of wasmtime whose raw calling convention the tests have run against. Others take the public API.
RAW_TESTED_MAJORS = ("50",)
# There libffi loads a result even for callbacks that have none (see _callbacks._BARE).
RAW_UNTESTED_PLATFORMS = ("win32",)

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


def wasmtime_version() -> str:
    """The installed wasmtime's version, without importing importlib.metadata when the folder's name tells it."""
    import wasmtime

    try:
        installed: list[str] = os.listdir(os.path.dirname(os.path.dirname(os.path.abspath(wasmtime.__file__))))
        for name in installed:
            if name.startswith("wasmtime-") and name.endswith(".dist-info"):
                return name[len("wasmtime-") : -len(".dist-info")]
        from importlib.metadata import version

        return version("wasmtime")
    except Exception:
        return "unknown"


class Engine:
    """A compiled artifact. ``raw`` says whether raw calls may be tried with this wasmtime."""

    def __init__(self) -> None:
        content, self.digest = artifact()
        try:
            import wasmtime

            self.wasmtime: Any = wasmtime
            self.version = wasmtime_version()
            self.engine = wasmtime.Engine(self._config())
            self.module, self.cache = self._compiled(content)
        except CoreUnavailableError:
            raise
        except Exception as error:
            # RuntimeError on an unknown machine, OSError when the library does not load, and more.
            raise CoreUnavailableError(f"wasmtime cannot be used: {type(error).__name__}: {error}") from error
        self.raw = self.version.split(".")[0] in RAW_TESTED_MAJORS and sys.platform not in RAW_UNTESTED_PLATFORMS

    def _config(self) -> Any:
        config = self.wasmtime.Config()
        for name, value in CONFIGURATION:
            if not hasattr(type(config), name):
                raise CoreUnavailableError(
                    f"wasmtime {self.version} has no setting {name!r}; install wasmtime 50.0.1 or newer"
                )
            setattr(config, name, value)
        return config

    def _compiled(self, content: bytes) -> tuple[Any, str]:
        name = _cache.key(self.digest, self.version, repr(CONFIGURATION), _cache.processor())
        compiled, state = _cache.load(name)
        if compiled is not None:
            try:
                return self.wasmtime.Module.deserialize(self.engine, compiled), state
            except Exception as error:
                state = f"unusable: {error}"
        module = self.wasmtime.Module(self.engine, content)
        # Before it is kept: what comes from the cache, under the digest of the same artifact, has been through this.
        _check_module(module)
        if not state.startswith("off"):
            state = f"{state}; {_cache.store(name, bytes(module.serialize()))}"
        return module, state


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
