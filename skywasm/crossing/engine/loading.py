"""The lock under which skywasm imports its later modules and loads its engine. A fork waits for it.

What another thread is importing at the moment of a fork stays locked in the child for ever.
"""

from __future__ import annotations

import _thread
import os

# Longer than loading takes, compiling included, and no longer than a fork may wait.
_LONGEST_S = 5.0
# Threads that hold the lock while they fork.
_forking: set[int] = set()
lock = _thread.RLock()


def _before_fork() -> None:
    if lock.acquire(timeout=_LONGEST_S):
        _forking.add(_thread.get_ident())


def _after_fork_in_parent() -> None:
    if _thread.get_ident() in _forking:
        _forking.discard(_thread.get_ident())
        lock.release()


def _after_fork_in_child() -> None:
    global lock
    lock = _thread.RLock()
    _forking.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)
