"""Which backend answers and why, for people and programs that ask."""

from __future__ import annotations

from skywasm.crossing import convention, rules
from skywasm.functions.declare import ROWS
from skywasm.routes import backend, core, failures
from skywasm.routes import mode as modes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def _backend() -> tuple[str, str]:
    """The backend that answers, and why."""
    mode = modes.mode()
    if mode == "python":
        if modes.chosen() is None and modes.switched_off():
            return "python", "SKYPILOT_USE_RUST switches the artifact off"
        return "python", "the mode is python"
    if failures.reason is not None:
        return "python", failures.reason
    if core.if_loaded() is None:
        return "not loaded", core.problem() or "no call has needed the engine yet"
    return "wasm", "the mode is wasm" if mode == "wasm" else "the engine is loaded"


def get_backend_info(load: bool = False) -> dict[str, Any]:
    """Tell which backend answers and why.

    Args:
        load: load the engine first, so that the answer is final. Otherwise nothing is loaded.

    Returns:
        A dict with ``mode``; ``backend`` ("wasm", "python", or "not loaded" while nothing has needed the engine);
        ``reason``; ``call_path`` ("raw" or None); ``wasmtime`` (its version); ``core_sha256``; ``abi``; ``imports`` (of
        the artifact: none); ``requests`` (what it may ask, each with its capability; None while it is not loaded);
        ``cache`` (what the compiled-module cache did); ``routes`` (where each scalar call goes in ``auto`` once the
        engine is loaded); ``fallbacks`` (calls that Python had to answer); ``denied`` and ``deadline_s`` (what
        ``skywasm.sandbox`` has set for this context).

    Raises:
        ValueError: SKYWASM_BACKEND holds an unknown mode.
        CoreUnavailableError: with ``load`` in ``wasm`` mode, when the artifact cannot be used.

    Cost: about 10 us, with ``load`` also that of ``warm_up``.
    """
    if load:
        backend.warm_up()
    which, reason = _backend()
    module = core.if_loaded()
    world = module.loaded() if module is not None else None
    return {
        "mode": modes.mode(),
        "backend": which,
        "reason": reason,
        "call_path": "raw" if world else None,
        "wasmtime": world.version if world else None,
        "core_sha256": world.digest if world else None,
        "abi": convention.VERSION,
        "imports": [],
        "requests": (
            {one.name: one.capability for one in module.interface.requests.values()} if module is not None else None
        ),
        "cache": world.cache if world else None,
        "routes": {row.name: row.auto for row in ROWS},
        "fallbacks": dict(failures.counts),
        "denied": sorted(rules.denied()),
        "deadline_s": rules.deadline_s(),
    }
