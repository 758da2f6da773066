"""The interpreter ends while calls are under way: exit status 0, nothing on standard error."""

from __future__ import annotations

import sys

import pytest
from children import run

pytest.importorskip("wasmtime")

DAEMONS = """
    import os, sys, threading, time
    import skywasm
    skywasm.set_backend("wasm")
    skywasm.warm_up()
    works = {
        "short": lambda: skywasm.base36_encode("deadbeef"),
        "long": lambda: skywasm.base36_encode("9" * 30_000),
        "process": lambda: skywasm.is_process_alive(os.getpid()),
        "port": lambda: skywasm.find_free_port(20000),
        "file": lambda: skywasm.hash_file(sys.executable, "sha3_512"),
        "cpu": skywasm.get_cpu_count,
        "text": lambda: skywasm.truncate_long_string("x" * 100_000, 50_000),
    }
    running = threading.Barrier(len(NAMES) + 1)
    def forever(work):
        work()
        running.wait()
        while True:
            work()
    for name in NAMES:
        threading.Thread(target=forever, args=(works[name],), daemon=True).start()
    running.wait()
    time.sleep(PAUSE)
"""
GROUPS = (["long", "long"], ["short", "process", "cpu"], ["port", "port"], ["file", "text"])


@pytest.mark.parametrize("names", GROUPS, ids="-".join)
@pytest.mark.parametrize("pause", [0, 0.003, 0.02])
def test_daemon_threads_inside_calls(names: list[str], pause: float) -> None:
    """Daemon threads that are inside the artifact, or in its host functions, when the interpreter ends do no harm."""
    for _ in range(3):
        found = run(DAEMONS.replace("NAMES", repr(names)).replace("PAUSE", str(pause)))
        assert "Fatal" not in found["stderr"]


def test_ordinary_threads_are_waited_for() -> None:
    """Threads that are no daemons finish their calls, each with the right answer, after the main thread's end."""
    found = run(
        """
    import threading
    import skywasm
    skywasm.set_backend("wasm")
    def work(number):
        digits = f"{number:x}" * 3000
        answers = [skywasm.base36_encode(digits), skywasm.base36_encode(digits)]
        report(**{str(number): answers[0] == answers[1] and len(answers[0]) > 1000})
    for number in range(17, 21):
        threading.Thread(target=work, args=(number,)).start()
    """
    )
    assert [found[str(number)] for number in range(17, 21)] == [True] * 4


@pytest.mark.parametrize("how", ["return", "sys.exit(0)", "raise SystemExit", "os._exit(0)"])
@pytest.mark.parametrize("mode", ["wasm", "auto"])
def test_a_plain_end_is_silent(how: str, mode: str) -> None:
    """A program that has used the artifact ends without a word, however it ends."""
    found = run(
        f"""
    import os, sys, threading
    import skywasm
    skywasm.set_backend({mode!r})
    skywasm.warm_up()
    def main():
        digest = skywasm.hash_file(os.devnull, "blake3")
        threads = [threading.Thread(target=lambda: skywasm.base36_encode("7" * 9000)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        skywasm.get_cpu_count()
        report(digest=digest.hexdigest())
        {how}
    main()
    """
    )
    assert found["digest"].startswith("af1349b9")
    assert found["stderr"] == ""


def test_calls_at_exit() -> None:
    """Calls in atexit functions, in module finalizers and in the last garbage collection are right or plain errors."""
    found = run(
        """
    import atexit, builtins, os, sys
    import skywasm
    skywasm.set_backend("wasm")
    skywasm.base36_encode("ff")
    def ask():
        report(at_exit=skywasm.base36_encode("deadbeef"), alive=skywasm.is_process_alive(os.getpid()))
    atexit.register(ask)
    class Last:
        def __del__(self, encode=skywasm.base36_encode):
            try:
                encode("deadbeef")
            except Exception:
                pass
    builtins.last = Last()
    sys.last = Last()
    kept = Last()
    """
    )
    assert (found["at_exit"], found["alive"]) == ("1ps9wxb", True)
    assert "Fatal" not in found["stderr"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_an_uncaught_error_is_the_only_word() -> None:
    """A program that ends by an error of its own shows that error's traceback and nothing of the engine's."""
    found = run(
        """
    import skywasm
    skywasm.set_backend("wasm")
    skywasm.base36_encode("ff")
    skywasm.base36_encode("not hexadecimal")
    """,
        status=1,
    )
    assert found["stderr"].strip().splitlines()[-1].startswith("ValueError: invalid literal")
    assert found["stderr"].count("Traceback") == 1
