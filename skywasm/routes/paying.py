"""When loading the engine pays: what calls and batches would have saved so far, against what loading costs here."""

from __future__ import annotations

import os

from skywasm.routes import core

LOADING_US = 12_000
"""What loading costs, roughly, when the compiled artifact is in the cache."""

COMPILING_US = 100_000
"""Compiling takes 300 ms, but once for all processes: some way towards that, a process begins it."""

COMPILING_ALWAYS_US = 350_000
"""Where nothing can be kept, each process compiles for itself."""

WARM_AFTER_CALLS = 8_000
"""A crossing saves 1 to 2 us: with this many calls loading would have paid."""

_saved_us = 0.0
# What loading costs here, once that has been looked up.
_loading_us: float | None = None


def _after_fork_in_child() -> None:
    global _saved_us
    _saved_us = 0.0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)


def now(saved_us: float) -> bool:
    """Adds to what the engine would have saved; whether that is as much as loading costs."""
    global _saved_us, _loading_us
    _saved_us += saved_us
    if _loading_us is None and _saved_us >= LOADING_US:
        # Already, because looking it up may lead here again.
        _loading_us = COMPILING_ALWAYS_US
        _loading_us = {"hit": LOADING_US, "miss": COMPILING_US}.get(_prospect(), COMPILING_ALWAYS_US)
    return _loading_us is not None and _saved_us >= _loading_us


def _prospect() -> str:
    from skywasm.crossing.engine import setup
    from skywasm.errors import CoreUnavailableError

    try:
        return setup.prospect(core.digest())
    except CoreUnavailableError:
        # Loading will say what is wrong, and soon.
        return "hit"
