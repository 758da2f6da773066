"""Deadlines of calls inside the engine: a thread that counts epochs up while any call has one.

The engine compares its epoch with the instance's at every loop and function. The thread starts with the first call that
has a deadline, ends when there has been none for a while, and is started anew in a forked child. There is no lock: a
signal handler may come here in the middle of anything.
"""

from __future__ import annotations

import _thread
import os
import sys
import time

from host_shims.struck import let_out
from skywasm.errors import LimitError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from skywasm.crossing.engine.library import Engine

    Result = TypeVar("Result")

NEVER = 2**62
"""An epoch that does not come: the deadline of calls that have none."""

TICK_S = 0.002
_IDLE_TICKS = 500
# A thread that has not ticked for so long is gone, or so slow that one more does no harm.
_SILENCE_S = 0.25

# Calls with a deadline that are under way, each with the engine it runs in.
_active: dict[object, Engine] = {}
# When the thread last ticked; None where there is none.
_ticked: float | None = None
# Stands for the thread that is to tick.
_ticker: object = None


def _after_fork_in_child() -> None:
    global _ticked
    _active.clear()
    _ticked = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)


def _original(module: Any, name: str) -> Any:
    """The system's own function where gevent or eventlet has put its own in its place: a greenlet could not tick."""
    for library, get in (("gevent.monkey", "get_original"), ("eventlet.patcher", "original")):
        found = getattr(sys.modules.get(library), get, None)
        if found is not None:
            return found(module.__name__, name) if get == "get_original" else getattr(found(module.__name__), name)
    return getattr(module, name)


def _tick(me: object) -> None:
    global _ticked
    sleep = _original(time, "sleep")
    idle = 0
    # Two would make every deadline come early.
    while _ticker is me and (idle <= _IDLE_TICKS or _going_on()):
        # Whatever is thrown into this thread, calls rely on it.
        try:
            sleep(TICK_S)
            _ticked = time.monotonic()
            idle = 0 if _active else idle + 1
            for engine in set(_active.values()):
                engine.increment_epoch()
        except BaseException:  # noqa: PERF203, S112 - see above
            continue


def _going_on() -> bool:
    """Takes leave, unless a call has begun meanwhile; one that begins now finds that nobody ticks."""
    global _ticked
    _ticked = None
    return bool(_active)


def _see_to_ticks() -> None:
    """Starts the thread where there is none, or none any more.

    Raises:
        LimitError: no thread can be started, so that no deadline could be kept.
    """
    global _ticked, _ticker
    now = time.monotonic()
    if _ticked is not None and now - _ticked < _SILENCE_S:
        return
    _ticked = now
    try:
        _ticker = object()
        _original(_thread, "start_new_thread")(_tick, (_ticker,))
    except RuntimeError as error:
        _ticked = None
        let_out(error)
        raise LimitError(f"no deadline can be kept: {error}") from error


def ticks(left_s: float) -> int:
    """Epochs from now until ``left_s`` seconds have passed, and at most three ticks more."""
    return min(int(min(left_s / TICK_S, NEVER)) + 2, NEVER)


def counted(engine: Engine, work: Callable[[], Result]) -> Result:
    """What ``work`` gives, while the engine's epochs are counted up.

    Raises:
        LimitError: its deadline could not be kept.
    """
    call = object()
    try:
        # In this order: see where the thread ends.
        _active[call] = engine
        _see_to_ticks()
        return work()
    finally:
        try:
            _active.pop(call, None)
        finally:
            # Whatever has struck the first time.
            _active.pop(call, None)
