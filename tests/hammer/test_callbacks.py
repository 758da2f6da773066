"""Callbacks of the engine: whatever strikes in Python, the engine gets a null pointer."""

from __future__ import annotations

import pytest
from children import run

pytest.importorskip("wasmtime")

PROGRAM = """
import ctypes, itertools, signal, sys, time
from skywasm import _callbacks
sys.unraisablehook = id
signature = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
as_the_engine_does = ctypes.CFUNCTYPE(ctypes.c_void_p, *signature)
array = (ctypes.c_int64 * 1)()
place = ctypes.addressof(array)
def called(function):
    callback = _callbacks.make(function)
    return callback, as_the_engine_does(ctypes.cast(callback, ctypes.c_void_p).value)
"""


@pytest.mark.parametrize("error", ["ValueError", "KeyboardInterrupt", "SystemExit", "MemoryError"])
def test_one_that_raises(error: str) -> None:
    """An exception of any kind is dropped, and null comes out."""
    found = run(
        PROGRAM
        + f"""
def fails(environment, caller, raw, count):
    raise {error}
kept, call = called(fails)
report(results=sorted({{repr(call(1, 2, place, 4)) for _ in range(100)}}), problem=_callbacks.problem())
"""
    )
    assert found["results"] == ["None"]
    assert found["problem"] is None


def test_one_that_is_struck_before_its_first_line() -> None:
    """Thousands of signals that raise on the way into the function leave no result unset."""
    found = run(
        PROGRAM
        + """
def function(environment, caller, raw, count):
    raw[0] = count
hits = 0
def strike(number, frame):
    global hits
    if frame is not None and frame.f_code is function.__code__:
        hits += 1
        raise KeyboardInterrupt
kept, call = called(function)
signal.signal(signal.SIGALRM, strike)
signal.setitimer(signal.ITIMER_REAL, 0.0001, 0.0001)
results, end = set(), time.monotonic() + 20
while hits < 2000 and time.monotonic() < end:
    # In C, so that the signals find little else to strike.
    some = map(call, itertools.repeat(1, 1000), itertools.repeat(2), itertools.repeat(place), itertools.repeat(4))
    results.update(some)
signal.setitimer(signal.ITIMER_REAL, 0)
report(results=sorted(map(repr, results)), hits=hits)
"""
    )
    assert found["hits"] >= 2000
    assert found["results"] == ["None"]
