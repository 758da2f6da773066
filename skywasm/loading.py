"""The lock under which skywasm imports its later modules and loads its engine. A fork waits for it.

What another thread is importing at the moment of a fork stays locked in the child for ever.
"""

from __future__ import annotations

import _thread
import os

try:
    # What functools has its partial from takes no time to import.
    from _functools import partial  # type: ignore[import-not-found]
except ImportError:
    # As on PyPy.
    from functools import partial

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any, TypeVar

    Result = TypeVar("Result")

# Longer than loading takes, compiling included. A fork that waits in vain goes on without the lock.
_LONGEST_S = 60.0
lock: Any = _thread.RLock()
# Modules that have been found whole.
_whole: dict[str, ModuleType] = {}


def late(name: str) -> ModuleType:
    """A module that is imported when it is first needed, under the lock."""
    from sys import modules

    # Its entry is there from the beginning of its import on; only the lock tells when that has ended.
    found = modules.get(name)
    if found is None or _whole.get(name) is not found:
        found = _whole[name] = under(lock, lambda: __import__(name) and modules[name])
    return found


def under(lock: Any, work: Callable[[], Result]) -> Result:
    """What ``work`` gives, done under an RLock that no signal handler's exception can leave held.

    Up to Python 3.10 a ``with`` statement has moments at its end at which one can.
    """
    held: list[bool] = []
    try:
        # Into the list and out of it in C, where no handler runs.
        held += map(lock.acquire, (True,))
        return work()
    finally:
        try:
            _let_go(lock, held)
        finally:
            # Whatever has struck the first time.
            _let_go(lock, held)


def _let_go(lock: Any, held: list[bool]) -> None:
    # Of three arguments, which Python 3.15 counts.
    nothing = (None,) * len(held)
    any(map(lock.__exit__, map(held.pop, (0,) * len(held)), nothing, nothing))


if hasattr(os, "register_at_fork") and hasattr(lock, "_at_fork_reinit"):
    # In C, all three, so that no signal handler can come between taking the lock and giving it back.
    os.register_at_fork(
        before=partial(lock.acquire, True, _LONGEST_S),
        after_in_parent=lock.release,
        after_in_child=lock._at_fork_reinit,
    )
