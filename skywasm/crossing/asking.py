"""Host functions as the engine's C code calls them: a pointer that always returns no trap, whatever strikes in Python.

The engine takes a pointer from a host function, and frees what it gets. A signal or asynchronous exception may strike
before the first line of a Python function; ctypes then drops the exception and leaves the result of the call unset.
"""

from __future__ import annotations

import ctypes
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

# Environment, caller, parameters and results, their number.
_ARGUMENTS = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
# A result that is not declared cannot be left unset: libffi gives back 0. (On 64-bit Windows it does not.)
_BARE = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.POINTER(ctypes.c_int64), ctypes.c_size_t)
_POINTER = ctypes.CFUNCTYPE(ctypes.c_void_p, *_ARGUMENTS)
_PASSING_ON = ctypes.PYFUNCTYPE(None, *_ARGUMENTS)
# Until Python 3.10 ctypes prepares a callback without a result as one that returns an int, and never writes it.
_NEEDS_OUTER = sys.version_info < (3, 11)


def make(function: Callable[[Any, Any, Any, int], None]) -> Any:
    """A C function pointer that calls ``function`` with the parameters as an array of i64, and returns null."""
    bare = _BARE(function)
    if not _NEEDS_OUTER:
        return bare
    # The outer callback calls no Python code but a C function pointer, so that nothing can strike it, and that gives
    # None, which becomes the null pointer, whatever the inner one did.
    outer = _POINTER(_PASSING_ON(ctypes.cast(bare, ctypes.c_void_p).value or 0))
    outer.inner = bare  # type: ignore[attr-defined]
    return outer


def problem() -> str | None:
    """Why callbacks cannot be relied on in this interpreter; None when they return what they have to."""

    def function(_environment: Any, _caller: Any, raw: Any, count: int) -> None:
        raw[0] = count

    array = (ctypes.c_int64 * 1)()
    callback = make(function)
    called = _POINTER(ctypes.cast(callback, ctypes.c_void_p).value or 0)
    for count in (1, 2):
        result = called(None, None, ctypes.addressof(array), count)
        if result is not None or array[0] != count:
            return f"a callback without a result gives {result!r} on Python {sys.version.split()[0]}"
    return None
