"""``auto`` begins in Python and loads the engine when that pays: by use, by ``warm_up``, or by need."""

from __future__ import annotations

import pytest
from children import MODES, run

pytest.importorskip("wasmtime")

# In each child: whether the engine has been loaded, without asking for it.
LOADED = """
    import sys, threading, skywasm
    from skywasm.routes import core, paying
    def loaded():
        return skywasm.get_backend_info()["backend"] == "wasm"
"""


def test_base36_warms_by_use() -> None:
    """The engine loads about when the count is complete, not before; answers are right throughout."""
    facts = run(
        LOADED
        + """
    paying.WARM_AFTER_CALLS = 50
    states, wrong = [], 0
    for number in range(120):
        wrong += int(skywasm.base36_encode(hex(number)), 36) != number
        states.append(loaded())
    imported = "skywasm.crossing.engine.setup" in sys.modules
    report(wrong=wrong, before=any(states[:45]), after=all(states[55:]), imported=imported)
    """
    )
    assert (facts["wrong"], facts["before"], facts["after"], facts["imported"]) == (0, False, True, True)


def test_other_functions_do_not_warm() -> None:
    """Functions that auto answers in Python never load the engine, however often they are called."""
    facts = run(
        LOADED
        + """
    paying.WARM_AFTER_CALLS = 5
    for _ in range(50):
        skywasm.format_float(1.25)
        skywasm.truncate_long_string("x" * 50)
        skywasm.is_process_alive(1)
        skywasm.get_cpu_count()
    report(loaded=loaded(), imported="skywasm.crossing.engine.setup" in sys.modules)
    """
    )
    assert (facts["loaded"], facts["imported"]) == (False, False)


def test_the_default_count() -> None:
    """Without help some 8,000 calls load the engine; a few do not."""
    facts = run(
        LOADED
        + """
    for _ in range(7_000):
        skywasm.base36_encode("ff")
    before = loaded()
    for _ in range(2_000):
        skywasm.base36_encode("ff")
    report(before=before, after=loaded())
    """
    )
    assert (facts["before"], facts["after"]) == (False, True)


def test_warm_up_loads_now() -> None:
    """After ``warm_up`` the engine is there, and a second one does nothing."""
    facts = run(
        LOADED
        + """
    before = loaded()
    skywasm.warm_up()
    after = loaded()
    engine = core.if_loaded().loaded()
    skywasm.warm_up()
    report(before=before, after=after, same=engine is core.if_loaded().loaded(),
           text=skywasm.base36_encode("ff"))
    """
    )
    assert (facts["before"], facts["after"], facts["same"], facts["text"]) == (False, True, True, "73")


def test_warm_up_in_the_background() -> None:
    """With ``background`` a daemon thread loads the engine while calls go on being answered."""
    facts = run(
        LOADED
        + """
    skywasm.warm_up(background=True)
    own = [thread for thread in threading.enumerate() if thread is not threading.main_thread()]
    daemons = all(thread.daemon for thread in own)
    wrong = calls = 0
    while any(thread.is_alive() for thread in own):
        calls += 1
        wrong += skywasm.base36_encode("ff") != "73"
    report(threads=len(own), daemons=daemons, wrong=wrong, calls=calls, after=loaded(),
           text=skywasm.base36_encode("ffff"))
    """
    )
    assert facts["threads"] <= 1
    assert (facts["daemons"], facts["wrong"], facts["after"], facts["text"]) == (True, 0, True, "1ekf")


def test_blake3_loads_by_need() -> None:
    """An algorithm that only the artifact knows loads the engine at the first call; hashlib's do not."""
    facts = run(
        LOADED
        + """
    skywasm.hash_file(sys.executable, "md5")
    before = loaded()
    digest = skywasm.hash_file("/dev/null", "blake3").hexdigest()
    report(before=before, after=loaded(), digest=digest)
    """
    )
    assert (facts["before"], facts["after"]) == (False, True)
    assert facts["digest"] == "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"


def test_wasm_mode_loads_at_the_first_call() -> None:
    """Choosing wasm loads nothing; the first call does."""
    facts = run(
        LOADED
        + """
    skywasm.set_backend("wasm")
    before = loaded()
    skywasm.format_float(1.25)
    report(before=before, after=loaded())
    """
    )
    assert (facts["before"], facts["after"]) == (False, True)


def test_warming_up_without_a_thread_to_be_had() -> None:
    """Where no thread can be started the engine is loaded all the same, in this one."""
    found = run(
        """
    import threading
    import skywasm
    def refused(self):
        raise RuntimeError("can't start new thread")
    threading.Thread.start = refused
    skywasm.set_backend("auto")
    skywasm.warm_up(background=True)
    report(backend=skywasm.get_backend_info()["backend"], warnings=warnings)
    """
    )
    assert (found["backend"], found["warnings"]) == ("wasm" if "wasm" in MODES else "python", [])
