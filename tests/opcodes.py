"""A real signal at one chosen opcode of a call, whose handler raises an exception of the program's own.

A trace function written in C makes the signal pending there; CPython calls its handler where it next looks for
signals, as it would for one that came from outside. ``strikes`` chooses moments otherwise, and raises by itself.
"""

from __future__ import annotations

import ctypes
import signal
import sys
import time
from functools import partial

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

SIGNAL = getattr(signal, "SIGUSR2", signal.SIGINT)
_LIBRARY = ctypes.PyDLL(None)
_OWN = frozenset((__file__, *(f"<frozen importlib.{name}>" for name in ("_bootstrap", "_bootstrap_external"))))


class Strike:
    """What came of one strike: where it struck, from the inside out, and what the call gave or raised."""

    def __init__(self, mine: BaseException) -> None:
        self.mine = mine
        self.stack: list[tuple[str, str, int]] = []
        self.result: Any = None

    @property
    def struck(self) -> bool:
        """Whether the call had so many opcodes."""
        return bool(self.stack)

    @property
    def came_out(self) -> bool:
        """Whether the very exception came out."""
        return self.result is self.mine

    @property
    def place(self) -> str:
        """Where it struck."""
        return " < ".join(f"{file.rpartition('/')[2]}:{name}:{at}" for file, name, at in self.stack[:4])


def _once() -> Callable[..., None]:
    """A trace function in C: makes the signal pending at its first call, and does nothing after that."""

    class Number:
        from_param = staticmethod(partial(next, iter((int(SIGNAL),))))

    # With the GIL, and without a look at signals on the way back.
    function = _LIBRARY["raise"]
    function.argtypes = (Number, *[ctypes.py_object] * 3)  # type: ignore[assignment]
    function.restype = None
    return partial(function, 0)


def _aim(at: int, fire: Callable[..., None]) -> Callable[..., Any]:
    """A trace function that counts, and leaves the event after the ``at``-th to ``fire``."""
    seen = 0

    def trace(frame: Any, event: str, _argument: object) -> Any:
        nonlocal seen
        if event == "call":
            if frame.f_code.co_filename in _OWN:
                return None
            frame.f_trace_opcodes, frame.f_trace_lines, frame.f_trace = True, False, trace
        seen += 1
        if seen < at:
            return trace
        sys.settrace(fire)
        outer = frame
        while outer is not None:
            if outer.f_trace is not None:
                outer.f_trace = fire
            outer = outer.f_back
        return fire

    return trace


def strike(work: Callable[[], Any], at: int, mine: BaseException) -> Strike:
    """Calls ``work`` with a signal at its ``at``-th opcode, counted in all Python code but the import system's."""
    found = Strike(mine)

    def handler(_number: int, frame: Any) -> None:
        sys.settrace(None)
        while frame is not None and frame.f_code.co_filename != __file__:
            found.stack.append((frame.f_code.co_filename, frame.f_code.co_name, frame.f_lasti))
            frame.f_trace, frame = None, frame.f_back
        if not found.stack:
            found.stack.append(("", "behind the call", 0))
        raise mine

    before = signal.signal(SIGNAL, handler)
    fire = _once()
    # Python 3.12 asks at ``settrace`` whether any frame wants its opcodes.
    sys._getframe().f_trace_opcodes = True
    try:
        sys.settrace(_aim(at, fire))
        found.result = work()
        for _ in "look":
            # What is pending still comes out here.
            time.monotonic()
    except BaseException as error:
        found.result = error
    finally:
        sys.settrace(None)
        signal.signal(SIGNAL, before)
    return found


def count(work: Callable[[], Any]) -> int:
    """How many opcodes a call has."""
    seen = 0

    def trace(frame: Any, event: str, _argument: object) -> Any:
        nonlocal seen
        if event == "call":
            if frame.f_code.co_filename in _OWN:
                return None
            frame.f_trace_opcodes, frame.f_trace_lines, frame.f_trace = True, False, trace
        seen += 1
        return trace

    sys._getframe().f_trace_opcodes = True
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(None)
    return seen
