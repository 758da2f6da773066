"""Which way a call goes, and why.

``api`` holds one module variable a function, its road. This module sets them: to the reference, to the artifact,
or, in ``auto`` before the engine is loaded, to the reference with a counter that loads the engine once it pays.
"""

from __future__ import annotations

import _thread
import os
import sys

from host_shims import facts
from skywasm import _loading, _log, _policy, _registry, reference
from skywasm.errors import BeingLoaded, CoreUnavailableError, LimitError, TrapError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

# The platform's own way of asking for a process, for as long as nobody has replaced it.
_posix_signal = facts.process_signal if os.name == "posix" else None
MODES = ("auto", "wasm", "python")
# What loading costs, roughly, when the compiled artifact is in the cache.
LOADING_US = 12_000
# Compiling takes 300 ms, but once for all processes: some way towards that, a process begins it.
COMPILING_US = 100_000
# Where nothing can be kept, each process compiles for itself.
COMPILING_ALWAYS_US = 350_000
# What a batch's crossing takes more than beginning in Python.
_CROSSING_US = 3
# A crossing saves 1 to 2 us: with this many calls loading would have paid.
WARM_AFTER_CALLS = 8_000

_mode: str | None = None
# Held for a few assignments only.
_binding = _thread.RLock()
_set_mode: str | None = None
_failure: str | None = None
_fallbacks: dict[str, int] = {}
_saved_us = 0.0
# What loading costs here, once that has been looked up.
_loading_us: float | None = None


def environment_mode() -> str:
    """The mode that the environment asks for.

    ``SKYPILOT_USE_RUST=0`` (also ``false``, ``no``) means python and beats ``SKYWASM_BACKEND``.

    Raises:
        ValueError: SKYWASM_BACKEND is none of auto, wasm, python.
    """
    if switched_off():
        return "python"
    mode = os.environ.get("SKYWASM_BACKEND", "").strip().lower() or "auto"
    if mode not in MODES:
        raise ValueError(f"SKYWASM_BACKEND is {mode!r}; it must be one of auto, wasm, python")
    return mode


def switched_off() -> bool:
    """Whether ``SKYPILOT_USE_RUST`` switches the artifact off for this process."""
    return os.environ.get("SKYPILOT_USE_RUST", "").strip().lower() in ("0", "false", "no")


def _after_fork_in_child() -> None:
    global _binding, _saved_us
    _binding = _thread.RLock()
    _saved_us = 0.0
    if _mode == "auto":
        # The parent's engine is not the child's: roads that would load one begin anew.
        _unbind()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)


def mode() -> str:
    """The mode in force: set by ``set_backend``, else the environment's at the first call."""
    global _mode
    if _mode is None:
        _mode = _set_mode or environment_mode()
    return _mode


def first_road(name: str) -> Callable[..., Any]:
    """The road a function has until the first call decides the mode."""

    def road(*args: Any, **kwargs: Any) -> Any:
        bind()
        return _road(name)(*args, **kwargs)

    return road


def _road(name: str) -> Callable[..., Any]:
    row = _registry.BY_NAME[name]
    road = _unguarded_road(row)
    if _policy.timed or (_policy.armed and row.capabilities):
        return _policy.guarded(name, row.capabilities, road)
    return road


def _unguarded_road(row: _registry.Row) -> Callable[..., Any]:
    python: Callable[..., Any] = row.implementation(reference)
    if mode() == "python":
        return python
    if mode() == "wasm":
        return _artifact_road(row, row.implementation(_sandboxed()), None)
    if row.auto == _registry.MIXED:
        from skywasm import _mixed

        return row.implementation(_mixed)  # type: ignore[no-any-return]
    if row.auto == _registry.PYTHON or _failure is not None:
        return python
    return _artifact_road(row, _guarded(row, python), python) if is_warm() else _counted(python)


def _sandboxed() -> Any:
    with _loading.lock:
        from skywasm import _sandboxed as module

        return module


def _artifact_road(
    row: _registry.Row, indirect: Callable[..., Any], short: Callable[..., Any] | None
) -> Callable[..., Any]:
    """The direct road of a function that has one, else the general one. ``short`` is for what need not cross."""
    # A direct road keeps the GIL, and while others cannot run no deadline can be kept.
    direct = None if _policy.timed else getattr(_sandboxed(), row.name + "_direct", None)
    return direct(indirect, short) if direct is not None else indirect


def _runtime_if_loaded() -> Any:
    """The runtime module once it holds an engine, else None. Loads nothing."""
    # Another thread may be importing the module just now; then it has no such function yet.
    runtime = sys.modules.get("skywasm._runtime")
    loaded = getattr(runtime, "loaded", None)
    return runtime if loaded is not None and loaded() is not None else None


def is_warm() -> bool:
    """Whether scalar calls may go to the artifact: through the public API none would be faster than Python."""
    runtime = _runtime_if_loaded()
    return runtime is not None and runtime.call_path() == "raw"


def _guarded(row: _registry.Row, python: Callable[..., Any]) -> Callable[..., Any]:
    """The artifact, with the reference for a call that it cannot answer."""
    sandboxed = row.implementation(_sandboxed())

    def road(*args: Any, **kwargs: Any) -> Any:
        try:
            return sandboxed(*args, **kwargs)
        except (TrapError, CoreUnavailableError) as error:
            fell_back(row.name, error)
        return python(*args, **kwargs)

    return road


def _counted(python: Callable[..., Any]) -> Callable[..., Any]:
    """The reference, which loads the engine once so many calls have been made that it would have paid."""
    left = WARM_AFTER_CALLS

    def road(*args: Any, **kwargs: Any) -> Any:
        nonlocal left
        left -= 1
        if left <= 0:
            left = WARM_AFTER_CALLS
            _load_when_paid(LOADING_US)
        return python(*args, **kwargs)

    return road


def _state() -> tuple[object, ...]:
    """All that roads depend on."""
    return mode(), _policy.armed, _policy.timed, is_warm(), _failure


def bind() -> None:
    """Points every road of ``api`` to where the mode says.

    Threads may do this at the same time. Roads that were made for another state never replace those of the last one:
    a denial that has been said would not hold. Nothing is imported with the lock in hand.
    """
    from skywasm import api

    while True:
        state = _state()
        roads = {"_" + row.name: _road(row.name) for row in _registry.ROWS}
        inline = state[0] != "wasm"
        kill = os.kill if inline and not _policy.armed and facts.process_signal is _posix_signal else None
        with _binding:
            if _state() == state:
                vars(api).update(roads, _inline=inline, _kill=kill)
        # A signal handler may have come in between.
        if _state() == state:
            return


def rebind() -> None:
    """Binds anew where roads are bound already: ``skywasm.sandbox`` is used for the first time."""
    if _mode is not None:
        bind()


def load_where_forced() -> None:
    """Loads the engine in ``wasm`` mode, where the next call would."""
    if mode() == "wasm" and _runtime_if_loaded() is None:
        _engine()


def fell_back(name: str, error: Exception) -> None:
    """Takes note that the reference answers a call of ``name`` for the artifact, which failed with ``error``."""
    global _failure
    reason = f"{type(error).__name__}: {error}"
    _fallbacks[name] = _fallbacks.get(name, 0) + 1
    _log.warn_once(f"skywasm answers {name} in Python: {reason}")
    if isinstance(error, CoreUnavailableError) and not isinstance(error, BeingLoaded) and _runtime_if_loaded() is None:
        # Not one call but the engine failed to load, after a fork for example. Trying at every call would make each
        # take as long as loading does.
        _failure = str(error)
        bind()


def too_large(problem: str) -> None:
    """Raises LimitError in ``wasm`` mode; in ``auto`` Python answers what is too large to cross."""
    if mode() == "wasm":
        raise LimitError(f"{problem}; use the backend 'auto' or 'python' for it")


def _load() -> None:
    """Loads the engine and takes the roads that need it."""
    global _failure
    try:
        _engine()
    except BeingLoaded:
        return
    except CoreUnavailableError as error:
        if mode() == "wasm":
            raise
        _failure = str(error)
        _log.warn_once(f"skywasm runs in Python: {error}")
    bind()


def batch_may_cross(saved_us: float) -> bool:
    """Whether a batch goes to the artifact in ``auto``, where crossing saves ``saved_us`` microseconds against Python.

    Before the engine is loaded, batches add up what they would have saved; when that would have paid for loading,
    it is loaded.
    """
    if saved_us < _CROSSING_US or _failure is not None:
        return False
    if _runtime_if_loaded() is not None:
        return True
    _load_when_paid(saved_us)
    return _runtime_if_loaded() is not None


def _load_when_paid(saved_us: float) -> None:
    """Adds to what the engine would have saved, and loads it when that is as much as loading costs."""
    global _saved_us, _loading_us
    _saved_us += saved_us
    if _loading_us is None and _saved_us >= LOADING_US:
        from skywasm import _engine

        # Already, because looking it up may lead here again.
        _loading_us = COMPILING_ALWAYS_US
        _loading_us = {"hit": LOADING_US, "miss": COMPILING_US}.get(_engine.prospect(), COMPILING_ALWAYS_US)
    if _loading_us is not None and _saved_us >= _loading_us:
        _load()


def _engine() -> None:
    with _loading.lock:
        try:
            from skywasm import _runtime
        except (ImportError, OSError) as error:
            # Pythons without libffi have no ctypes.
            raise CoreUnavailableError(f"Python cannot load what the engine needs: {error}") from error
        _runtime.engine()


def warm_up(background: bool = False) -> None:
    """Load the engine now, so that no later call pays for it.

    Args:
        background: load in a daemon thread and return at once.

    Raises:
        CoreUnavailableError: in ``wasm`` mode, when the artifact cannot be used. In ``auto`` that is logged once
            and Python goes on answering.

    Cost: about 10 ms the first time, nothing after that; some 300 ms where the artifact has to be compiled, which is
    once a machine and version. In ``python`` mode nothing is loaded.
    """
    if mode() == "python":
        return
    if background:
        import threading

        threading.Thread(target=_load, name="skywasm-warm-up", daemon=True).start()
    else:
        _load()


def set_backend(mode: str) -> None:
    """Choose the backend for the whole process.

    Args:
        mode: ``"auto"`` (each call where it is fastest), ``"wasm"`` (everything through the sandbox, failures are
            errors) or ``"python"`` (no sandbox). Beats ``SKYWASM_BACKEND`` and ``SKYPILOT_USE_RUST``.

    Raises:
        ValueError: for any other mode; the backend stays as it was.

    Cost: about 20 us, and what loading takes at the next call that needs it.
    """
    global _mode, _set_mode, _failure
    if mode not in MODES:
        raise ValueError(f"backend is {mode!r}; it must be one of 'auto', 'wasm', 'python'")
    _mode = _set_mode = mode
    _failure = None
    bind()


class use_backend:  # noqa: N801 - used like a function
    """Choose the backend within a ``with`` block, for the whole process; meant for tests and scripts.

    Args, errors and cost as for ``set_backend``. The earlier choice comes back at the end.
    """

    # A class of its own because importing contextlib takes longer than all of skywasm.
    def __init__(self, mode: str) -> None:
        self._chosen = mode
        self._before: list[str | None] = []

    def __enter__(self) -> None:
        before = _set_mode
        set_backend(self._chosen)
        self._before.append(before)

    def __exit__(self, *exception: object) -> None:
        _restore(self._before.pop())


def _restore(before: str | None) -> None:
    global _mode, _set_mode
    _mode = _set_mode = before
    if before is not None:
        bind()
        return
    # The environment decides again, at the next call: it may hold a mode that is none.
    _unbind()


def _unbind() -> None:
    """Lets the next call of each function find out its road."""
    from skywasm import api

    roads = {"_" + row.name: first_road(row.name) for row in _registry.ROWS}
    vars(api).update(roads, _inline=False, _kill=None)
