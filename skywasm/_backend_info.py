"""Which backend answers and why, for people and programs that ask."""

from __future__ import annotations

import sys

from skywasm import _abi, _dispatch, _policy, _registry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def _backend() -> tuple[str, str]:
    """The backend that answers, and why."""
    if _dispatch.mode() == "python":
        if _dispatch._set_mode is None and _dispatch.switched_off():
            return "python", "SKYPILOT_USE_RUST switches the artifact off"
        return "python", "the mode is python"
    if _dispatch._failure is not None:
        return "python", _dispatch._failure
    runtime = _dispatch._runtime_if_loaded()
    if runtime is None:
        problem = getattr(sys.modules.get("skywasm._runtime"), "problem", None)
        return "not loaded", (problem and problem()) or "no call has needed the engine yet"
    if _dispatch.mode() == "auto" and not _dispatch.is_warm():
        return "python", f"{runtime.raw_problem()}; batches use the artifact"
    return "wasm", "the mode is wasm" if _dispatch.mode() == "wasm" else "the engine is loaded"


def get_backend_info(load: bool = False) -> dict[str, Any]:
    """Tell which backend answers and why.

    Args:
        load: load the engine first, so that the answer is final. Otherwise nothing is loaded.

    Returns:
        A dict with ``mode``; ``backend`` ("wasm", "python", or "not loaded" while nothing has needed the engine);
        ``reason``; ``call_path`` ("raw", "public" or None); ``wasmtime`` (its version); ``core_sha256``; ``abi``;
        ``imports`` (each with its capability); ``cache`` (what the compiled-module cache did); ``routes`` (where
        each scalar call goes in ``auto`` once the engine is loaded); ``fallbacks`` (calls that Python had to answer);
        ``denied`` and ``deadline_s`` (what ``skywasm.sandbox`` has set for this context).

    Raises:
        ValueError: SKYWASM_BACKEND holds an unknown mode.
        CoreUnavailableError: with ``load`` in ``wasm`` mode, when the artifact cannot be used.

    Cost: about 10 us, with ``load`` also that of ``warm_up``.
    """
    if load:
        _dispatch.warm_up()
    backend, reason = _backend()
    runtime = _dispatch._runtime_if_loaded()
    engine = runtime.loaded() if runtime is not None else None
    return {
        "mode": _dispatch.mode(),
        "backend": backend,
        "reason": reason,
        "call_path": runtime.call_path() if engine else None,
        "wasmtime": engine.version if engine else None,
        "core_sha256": engine.digest if engine else None,
        "abi": _abi.ABI_VERSION,
        "imports": {f"{_abi.IMPORT_MODULE}.{name}": capability for name, capability in _abi.IMPORTS.items()},
        "cache": engine.cache if engine else None,
        "routes": {row.name: row.auto for row in _registry.ROWS},
        "fallbacks": dict(_dispatch._fallbacks),
        "denied": sorted(_policy.denied()),
        "deadline_s": _policy.deadline_s(),
    }
