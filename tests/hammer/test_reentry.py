"""Calls that begin while another is under way in the same thread: in loading, in host functions, in finalizers."""

from __future__ import annotations

import signal

import pytest
from children import run

pytest.importorskip("wasmtime")

# Runs `inner` in the middle of loading the engine: when wasmtime is looked for, until it comes through once.
IN_LOADING = """
    import importlib.abc, sys
    import skywasm
    class Finder(importlib.abc.MetaPathFinder):
        through = False
        def find_spec(self, name, path=None, target=None):
            if name == "wasmtime" and not self.through:
                inner()
                self.through = True
            return None
    sys.meta_path.insert(0, Finder())
    outcomes = []
    def attempt(call):
        try:
            outcomes.append(call())
        except Exception as error:
            outcomes.append(type(error).__name__ + ": " + str(error))
"""


def test_during_loading_in_auto() -> None:
    """A call that comes in while its own thread loads the engine is answered in Python; afterwards all is warm."""
    found = run(
        IN_LOADING
        + """
    def inner():
        attempt(lambda: skywasm.base36_encode("ff"))
        attempt(lambda: skywasm.format_float(0.25))
        attempt(lambda: skywasm.hash_file("/dev/null", "md5").hexdigest()[:8])
        attempt(lambda: skywasm.get_backend_info()["backend"])
        attempt(skywasm.warm_up)
    skywasm.warm_up()
    report(outcomes=outcomes, text=skywasm.base36_encode("ff"), info=skywasm.get_backend_info(), warnings=warnings)
    """
    )
    assert found["outcomes"] == ["73", "0.2", "d41d8cd9", "not loaded", None]
    assert found["text"] == "73"
    assert found["info"]["backend"] == "wasm"
    assert found["warnings"] == []


def test_warming_by_use_that_meets_itself() -> None:
    """The call that loads the engine may be met by more of its kind: all are answered, one engine is made."""
    found = run(
        IN_LOADING
        + """
    from skywasm.routes import paying
    paying.WARM_AFTER_CALLS = 4
    def inner():
        for number in range(20):
            attempt(lambda: skywasm.base36_encode(hex(number)))
    answers = [skywasm.base36_encode(hex(number)) for number in range(30)]
    report(outcomes=outcomes, answers=answers, info=skywasm.get_backend_info(), warnings=warnings)
    """
    )
    assert [int(text, 36) for text in found["answers"]] == list(range(30))
    assert [int(text, 36) for text in found["outcomes"]] == list(range(20))
    assert found["info"]["backend"] == "wasm"
    assert found["warnings"] == []


def test_during_loading_in_wasm_mode() -> None:
    """In wasm mode such a call is an error that says so, and neither blocks nor spoils the loading."""
    found = run(
        IN_LOADING
        + """
    def inner():
        for _ in range(2):
            try:
                outcomes.append(skywasm.base36_encode("ff"))
            except skywasm.errors.CoreUnavailableError as error:
                outcomes.append("loading" in str(error))
    skywasm.set_backend("wasm")
    report(text=skywasm.base36_encode("ff"), outcomes=outcomes, info=skywasm.get_backend_info())
    """
    )
    assert found["outcomes"] == [True, True]
    assert found["text"] == "73"
    assert found["info"]["backend"] == "wasm"


def test_loading_that_is_interrupted() -> None:
    """Ctrl-C in the middle of loading comes out, and the next call loads anew."""
    found = run(
        IN_LOADING
        + """
    strikes = [KeyboardInterrupt(), MemoryError("no room"), None]
    def inner():
        strike = strikes.pop(0)
        if strike is not None:
            raise strike
    skywasm.set_backend("wasm")
    for _ in range(2):
        try:
            outcomes.append(skywasm.base36_encode("ff"))
        except BaseException as error:
            outcomes.append(type(error).__name__)
    report(text=skywasm.base36_encode("ff"), outcomes=outcomes)
    """
    )
    assert found["outcomes"] == ["KeyboardInterrupt", "CoreUnavailableError"]
    assert found["text"] == "73"


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs interval timers")
def test_interrupts_throughout_loading() -> None:
    """Ctrl-C at any moment of loading and of the first call: the next call is right, the pool holds one instance."""
    found = run(
        """
    import random, signal, sys
    import skywasm
    from skywasm.routes import core
    sys.unraisablehook = lambda _: None
    skywasm.set_backend("wasm")
    skywasm.base36_encode("ff")
    fired = 0
    def interrupt(number, frame):
        global fired
        fired += 1
        raise KeyboardInterrupt
    signal.signal(signal.SIGALRM, interrupt)
    dice = random.Random(17)
    wrong, most, others = 0, 0, []
    # In a function of its own: CPython's table of handlers has gaps at the jumps of a loop.
    def busy(seen):
        wrong = 0
        while fired == seen:
            core.core().unload()
            wrong += skywasm.base36_encode("deadbeef") != "1ps9wxb"
        return wrong
    for _ in range(150):
        seen = fired
        try:
            signal.setitimer(signal.ITIMER_REAL, dice.uniform(1e-5, 4e-3))
            wrong += busy(seen)
        except KeyboardInterrupt:
            pass
        except BaseException as error:
            others.append(repr(error))
        wrong += skywasm.base36_encode("deadbeef") != "1ps9wxb"
        wrong += skywasm.is_process_alive(1) is not True
        most = max(most, len(core.core().pool))
    report(wrong=wrong, most=most, others=others[:3], path=skywasm.get_backend_info(load=True)["call_path"])
    """
    )
    assert found["others"] == []
    assert found["wrong"] == 0
    # An engine that was being put in place when the interrupt came may have left its first instance.
    assert found["most"] <= 2
    assert found["path"] == "raw"


def test_inside_host_functions_and_finalizers() -> None:
    """Host functions, finalizers and callbacks of the garbage collector may call any function."""
    found = run(
        """
    import gc, os, sys
    import skywasm
    from host_shims import facts
    skywasm.set_backend("wasm")
    wrong, inner = [], [0]
    def check():
        inner[0] += 1
        if skywasm.base36_encode("deadbeef") != "1ps9wxb" or not skywasm.is_process_alive(os.getpid()):
            wrong.append("inner")
        if skywasm.truncate_long_string("0123456789" * 99, 7, True) != "01...89":
            wrong.append("inner text")
    def nested(depth):
        if depth:
            facts.cpu_count = lambda: nested(depth - 1) + 1
            answer = skywasm.get_parallel_threads()
            check()
            return answer
        check()
        return 50
    whole = facts.cpu_count
    # Each level takes one and adds one.
    deep = nested(10)
    facts.cpu_count = whole
    class Finalized:
        def __del__(self):
            check()
    class Cycle:
        def __init__(self):
            self.own = self
        __del__ = Finalized.__del__
    for number in range(200):
        Finalized()
        Cycle()
        if int(skywasm.base36_encode(f"{number:x}" * 3), 36) != int(f"{number:x}" * 3, 16):
            wrong.append("outer")
    gc.callbacks.append(lambda phase, info: check())
    for _ in range(20):
        gc.collect()
    gc.callbacks.clear()
    report(wrong=wrong[:5], inner=inner[0], deep=deep)
    """
    )
    assert found["wrong"] == []
    assert found["inner"] > 400
    assert found["deep"] == 50
