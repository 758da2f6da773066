"""Deadlines of calls inside the engine: a thread that counts epochs up while any call has one.

The engine compares its epoch with the instance's at every loop and function. The thread starts with the first call
that has a deadline, ends when there has been none for a while, and is started anew in a forked child.
"""

from __future__ import annotations

import os
import threading
import time

from skywasm.errors import LimitError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NEVER = 2**62
"""An epoch that does not come: the deadline of calls that have none."""

TICK_S = 0.002
_IDLE_TICKS = 500

_lock = threading.Lock()
_running: threading.Thread | None = None
# Calls with a deadline that are under way, by the engine they run in.
_active: dict[Any, int] = {}


def _after_fork_in_child() -> None:
    global _lock, _running, _active
    _lock, _running, _active = threading.Lock(), None, {}


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)


def _tick() -> None:
    global _running
    idle = 0
    while True:
        time.sleep(TICK_S)
        with _lock:
            idle = 0 if _active else idle + 1
            if idle > _IDLE_TICKS:
                _running = None
                return
            for engine in _active:
                engine.increment_epoch()


def begin(engine: Any, store: Any, left_s: float) -> None:
    """Lets the engine end what runs in ``store`` after ``left_s`` seconds and at most three ticks of 2 ms.

    Raises:
        LimitError: no thread can be started, so that no deadline could be kept.
    """
    global _running
    with _lock:
        if _running is None:
            thread = threading.Thread(target=_tick, name="skywasm-epochs", daemon=True)
            try:
                thread.start()
            except RuntimeError as error:
                raise LimitError(f"no deadline can be kept: {error}") from error
            _running = thread
        _active[engine] = _active.get(engine, 0) + 1
    store.set_epoch_deadline(int(left_s / TICK_S) + 2)


def end(engine: Any, store: Any) -> None:
    """Ends what ``begin`` began."""
    with _lock:
        left = _active.get(engine, 1) - 1
        if left:
            _active[engine] = left
        else:
            _active.pop(engine, None)
    store.set_epoch_deadline(NEVER)
