"""Which processes there are."""

from __future__ import annotations

import os

from host_shims import facts
from host_shims.posix import process_signal as posix_signal
from host_shims.struck import let_out
from skywasm.functions.declare import BY_NAME, PYTHON, Batch, function
from skywasm.functions.machine import SYSTEM_CALLS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

LAST_PID = 2**31 - 1
_EPERM = 1

_MANY = """Tell for many processes whether they exist, as ``skywasm.is_process_alive`` does for one.

Args:
    pids: their numbers.

Returns:
    A bool for each, in order.

Raises:
    TypeError: not an int; ``batch_index`` says which.

>>> import os
>>> is_process_alive([os.getpid(), -1])
[True, False]
"""


def _all_in_python(pids: Sequence[Any]) -> list[bool]:
    """``is_process_alive`` of each, without a call for each where all are ints."""
    results: list[bool] = []
    append = results.append
    if facts.process_signal is not posix_signal or not set(map(type, pids)) <= {int}:
        alive = BY_NAME["is_process_alive"].reference
        try:
            for pid in pids:
                append(alive(pid))
        except Exception as error:
            error.batch_index = len(results)  # type: ignore[attr-defined]
            raise
        return results
    kill = os.kill
    for pid in pids:
        there = 0 < pid <= LAST_PID
        if there:
            try:
                kill(pid, 0)
            except ProcessLookupError as error:
                let_out(error)
                there = False
            except PermissionError as error:
                let_out(error)
        append(there)
    return results


@function(
    auto=PYTHON,
    why=SYSTEM_CALLS,
    asks=("process",),
    batch=Batch("pids", _MANY, "one system call each, about 1 us with the loop around it.", in_python=_all_in_python),
    examples={
        # In a child process this is its parent.
        "alive": (os.getpid(),),
        "ended": lambda place: (place.ended_pid(),),
        "zombie": lambda place: (place.zombie_pid(),),
    },
)
def is_process_alive(pid: int) -> bool:
    """Tell whether a process or thread is in the process table, by the rule of ``kill(pid, 0)``.

    Args:
        pid: the number. Not positive, or larger than any can be: False.

    Returns:
        True for what exists, even when it may not be signalled, is a zombie, or has re-used the number.

    Raises:
        TypeError: not an int.

    Cost: one system call, about 0.6 us.

    Source: not in SkyPilot; the rule is POSIX's for ``kill`` with signal 0.
    """
    if not isinstance(pid, int):
        raise TypeError(f"pid must be an int, not {type(pid).__name__}")
    if not 0 < pid <= LAST_PID:
        return False
    # A refusal proves that there is somebody to be protected.
    if facts.process_signal is not posix_signal:
        return facts.process_signal(pid) in (0, _EPERM)
    # What that function does, without the call.
    try:
        os.kill(pid, 0)
    except ProcessLookupError as error:
        let_out(error)
        return False
    except PermissionError as error:
        let_out(error)
    return True
