"""The lock under which skywasm imports its later modules and loads its engine. A fork waits for it.

What another thread is importing at the moment of a fork stays locked in the child for ever.
"""

from __future__ import annotations

import _thread
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

# Longer than loading takes, compiling included. A fork that waits in vain goes on without the lock.
_LONGEST_S = 60.0
lock: Any = _thread.RLock()


def late(name: str) -> ModuleType:
    """A module that is imported when it is first needed, under the lock."""
    from sys import modules

    # Its entry is there from the beginning of its import on; only the lock tells when that has ended.
    with lock:
        found = modules.get(name)
        if found is None:
            __import__(name)
            found = modules[name]
    return found


if hasattr(os, "register_at_fork") and hasattr(lock, "_at_fork_reinit"):
    # In C, all three, so that no signal handler can come between taking the lock and giving it back. What functools
    # has its partial from takes no time to import.
    from _functools import partial  # type: ignore[import-not-found]

    os.register_at_fork(
        before=partial(lock.acquire, True, _LONGEST_S),
        after_in_parent=lock.release,
        after_in_child=lock._at_fork_reinit,
    )
