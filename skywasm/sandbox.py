"""What calls may ask of the machine, and how long they may take.

Both functions work at once and for good for the whole process, or, as context managers, for the context of the
``with`` block: the same thread or asyncio task, what it awaits, and the threads in which ``skywasm.batch`` works for
it. Threads that a program starts itself begin with a context of their own.

In the sandbox this is enforced at the requests of the artifact, whatever code it runs. The Python backend holds the
same rules as a guard at the door of each function; it is no sandbox.
"""

from __future__ import annotations

import sys

from skywasm.crossing import rules
from skywasm.functions.declare import ROWS

__all__ = ["CAPABILITIES", "deny", "limits"]

CAPABILITIES: tuple[str, ...] = tuple(sorted({capability for row in ROWS for capability in row.asks}))
"""``cpu``, ``files``, ``limits`` (of open files), ``memory``, ``ports`` and ``process``."""


def deny(*capabilities: str) -> rules.Rule:
    """Deny capabilities: functions that need one raise ``CapabilityError``, which names it, in every backend.

    Args:
        capabilities: one or more of ``CAPABILITIES``.

    Returns:
        A context manager. Used as such, the denial holds in the block only; else it is the process's, for good.

    Raises:
        ValueError: no capability is named, or one that there is not. Nothing is denied then.

    Cost: none for functions that need no capability; about a microsecond a call for the others from the first use on.

    >>> import skywasm
    >>> with deny("ports"):
    ...     skywasm.find_free_port(8000)
    Traceback (most recent call last):
    ...
    skywasm.errors.CapabilityError: find_free_port needs the capability 'ports', which skywasm.sandbox.deny() has denied
    """
    unknown = [one for one in capabilities if one not in CAPABILITIES]
    if unknown or not capabilities:
        problem = f"there is no capability {unknown[0]!r}" if unknown else "no capability is named"
        raise ValueError(f"{problem}; there are {', '.join(CAPABILITIES)}")
    return rules.made(rules.Rule(denied=capabilities), rules.caller_frame())


def limits(*, deadline_s: float) -> rules.Rule:
    """Bound the time that a call may spend in the sandbox; ``LimitError`` when it is over.

    Args:
        deadline_s: seconds for one call, a batch counting as one. The shortest of several limits counts. It is kept
            to some 6 ms; where 16 busy threads compete for the interpreter, to some 0.3 s. Loading the engine does not
            count in ``wasm`` mode.

    Returns:
        A context manager. Used as such, the limit holds in the block only; else it is the process's, for good.

    Raises:
        ValueError: not a positive, finite number of seconds.
        TypeError: not a number.

    Cost: a thread that wakes every 2 ms while calls with a deadline are under way, and about 10 us a call into the
    sandbox. What Python itself does, all of it in ``python`` mode and host functions in every mode, cannot be ended
    from outside: such a call fails when it next meets the sandbox.
    """
    if isinstance(deadline_s, bool) or not isinstance(deadline_s, (int, float)):
        raise TypeError(f"deadline_s must be a number of seconds, not {type(deadline_s).__name__}")
    # A whole number may be beyond all floats.
    if not 0 < deadline_s <= sys.float_info.max:
        raise ValueError(f"deadline_s is {deadline_s}; it must be a positive, finite number of seconds")
    return rules.made(rules.Rule(deadline_s=float(deadline_s)), rules.caller_frame())
