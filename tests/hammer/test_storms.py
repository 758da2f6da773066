"""Signals without a pause, stacks near their end, greenlets, forks and interpreters within the interpreter."""

from __future__ import annotations

import importlib.util
import signal

import pytest
from children import run

import examples

pytest.importorskip("wasmtime")
posix = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs interval timers")


@posix
def test_a_storm_of_handlers_that_call() -> None:
    """A handler that calls every 0.3 ms, in the midst of calls and of each other, never piles up, never errs."""
    found = run(
        """
    import signal, time
    import skywasm
    skywasm.set_backend("wasm")
    digits = "f" * 64
    want, cut = skywasm.base36_encode(digits), skywasm.truncate_long_string("y" * 90)
    handled = wrong = 0
    def handler(*_):
        global handled, wrong
        handled += 1
        wrong += skywasm.base36_encode("abc") != "24c"
        wrong += skywasm.truncate_long_string("y" * 90) != cut
    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0003)
    end = time.monotonic() + 2
    while time.monotonic() < end:
        wrong += skywasm.base36_encode(digits) != want
    signal.setitimer(signal.ITIMER_REAL, 0)
    report(handled=handled, wrong=wrong)
    """,
        timeout_s=40,
    )
    assert found["wrong"] == 0
    assert found["handled"] > 200
    assert found["stderr"] == ""


@posix
@pytest.mark.parametrize("kind", ["TimeoutError", "ValueError", "Exception", "KeyboardInterrupt"])
@pytest.mark.parametrize("mode", ["wasm", "auto", "python"])
def test_a_timeout_of_the_programs_own(mode: str, kind: str) -> None:
    """Of a thousand alarms in calls of every function each comes out as the exception that the handler raised."""
    found = run(
        f"""
    import os, random, signal, sys
    import examples, skywasm
    from skywasm import batch
    class Late({kind}):
        pass
    """
        + """
    lost = []
    sys.unraisablehook = lambda info: lost.append(repr(info.exc_value))
    skywasm.set_backend(sys.argv[1])
    skywasm.warm_up()
    place = examples.Workplace(quick=True).__enter__()
    arguments = examples.first(place)
    calls = [lambda name=name: examples.told(name, getattr(skywasm, name)(*arguments[name])) for name in arguments]
    calls.append(lambda: batch.base36_encode(["ff"] * 50))
    calls.append(lambda: batch.read_last_n_lines([place.log()] * 5, 3, return_exceptions=True))
    calls.append(lambda: batch.hash_files([place.file(4096)] * 20, "md5", threads=1, return_exceptions=True))
    # Once each, so that all is imported: what strikes an import is Python's own matter.
    answers = [call() for call in calls]
    armed, mine = False, None
    def handler(*_):
        global armed
        if armed:
            armed = False
            raise mine
    signal.signal(signal.SIGALRM, handler)
    dice, wrong, out = random.Random(5), [], 0
    def until_struck(call, answer):
        while armed:
            if call() != answer:
                wrong.append("answer")
    for number in range(1000):
        at = number % len(calls)
        mine, armed = Late("late"), True
        try:
            signal.setitimer(signal.ITIMER_REAL, dice.uniform(5e-6, 4e-4))
            until_struck(calls[at], answers[at])
            wrong.append(f"swallowed in {at}")
        except BaseException as error:
            if error is mine:
                out += 1
            else:
                wrong.append(repr(error))
        armed = False
    report(wrong=wrong[:5], out=out, lost=lost, right=[call() for call in calls] == answers)
    """,
        args=[mode],
        **examples.seen(),
    )
    # One that strikes while the interpreter frees something is ignored by the interpreter itself.
    assert len(found["wrong"]) <= len(found["lost"]), found["wrong"]
    assert found["out"] >= 990
    assert found["right"]


def test_near_the_recursion_limit() -> None:
    """At every depth near the limit a call answers or is a RecursionError, host functions included; nothing breaks."""
    found = run(
        """
    import os, sys
    import examples, skywasm
    skywasm.set_backend("wasm")
    skywasm.warm_up()
    place = examples.Workplace(quick=True).__enter__()
    arguments = examples.first(place)
    def answer(name):
        return examples.told(name, getattr(skywasm, name)(*arguments[name]))
    calls = {name: lambda name=name: answer(name) for name in arguments}
    answers = {name: call() for name, call in calls.items()}
    def deep(depth, call):
        return deep(depth - 1, call) if depth else call()
    kinds, wrong = {}, []
    for name, call in calls.items():
        for depth in range(sys.getrecursionlimit() - 90, sys.getrecursionlimit()):
            try:
                if deep(depth, call) != answers[name]:
                    wrong.append((name, depth))
                kind = "answered"
            except BaseException as error:
                # ctypes says it in words of its own.
                kind = "RecursionError" if "recursion" in str(error).lower() else repr(error)
            kinds[kind] = kinds.get(kind, 0) + 1
        if call() != answers[name]:
            wrong.append((name, "after"))
    report(wrong=wrong, kinds=kinds)
    """,
        **examples.seen(),
    )
    assert found["wrong"] == []
    assert set(found["kinds"]) == {"answered", "RecursionError"}


@pytest.mark.skipif(importlib.util.find_spec("greenlet") is None, reason="greenlet is not installed")
@pytest.mark.parametrize("mode", ["wasm", "auto", "python"])
def test_greenlets_that_switch_inside_host_functions(mode: str) -> None:
    """Calls that are left and gone on with in any order, in the midst of what the artifact asks, are right."""
    found = run(
        """
    import os, sys, tempfile
    import greenlet, skywasm
    skywasm.set_backend(sys.argv[1])
    skywasm.warm_up()
    main = greenlet.getcurrent()
    folder = tempfile.mkdtemp()
    open(os.path.join(folder, "file"), "w").close()
    class Path:
        def __fspath__(self):
            main.switch()
            return folder
    works = [greenlet.greenlet(lambda: skywasm.estimate_fd_for_directory(Path())) for _ in range(8)]
    answers = []
    for order in (works, works[::-1], works[::2] + works[1::2], works):
        for one in order:
            if not one.dead:
                answer = one.switch()
                if one.dead:
                    answers.append(answer)
                if skywasm.base36_encode("ff") != "73":
                    answers.append("between")
    report(answers=answers)
    """,
        args=[mode],
    )
    assert found["answers"] == [5] * 8


@posix
@pytest.mark.filterwarnings("ignore")
def test_forks_under_alarms() -> None:
    """An exception that a handler raises in a fork's hooks keeps no lock: other threads load, and children answer."""
    found = run(
        """
    import os, random, signal, threading
    import skywasm
    from skywasm import loading
    class Mine(BaseException):
        pass
    armed = False
    def handler(*_):
        global armed
        if armed:
            armed = False
            raise Mine
    signal.signal(signal.SIGALRM, handler)
    skywasm.set_backend("wasm")
    skywasm.warm_up()
    dice, held, out, wrong = random.Random(3), [], 0, []
    def other():
        got = loading.lock.acquire(timeout=5)
        if got:
            loading.lock.release()
        else:
            held.append("held")
    main = os.getpid()
    for number in range(250):
        child = None
        try:
            try:
                armed = True
                signal.setitimer(signal.ITIMER_REAL, dice.uniform(2e-6, 3e-4))
                child = os.fork()
                if child == 0:
                    os._exit(0)
            finally:
                armed = False
        except Mine:
            out += 1
            if os.getpid() != main:
                os._exit(0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        try:
            while True:
                os.waitpid(-1, 0)
        except ChildProcessError:
            pass
        if number % 10 == 0:
            thread = threading.Thread(target=other)
            thread.start()
            thread.join()
            child = os.fork()
            if child == 0:
                os._exit(7 if skywasm.base36_encode("f" * 16) == "3w5e11264sgsf" else 8)
            if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 7:
                wrong.append(number)
    report(held=held, out=out, wrong=wrong)
    """
    )
    assert (found["held"], found["wrong"]) == ([], [])
    assert found["out"] > 0


@pytest.mark.parametrize("mode", ["auto", "wasm", "python"])
def test_an_interpreter_within_the_interpreter(mode: str) -> None:
    """A subinterpreter answers, loads an engine of its own where it may, and the program ends as it should."""
    for module in ("_xxsubinterpreters", "_interpreters"):
        if importlib.util.find_spec(module) is not None:
            break
    else:
        pytest.skip("no subinterpreters here")
    found = run(
        f"""
    import sys, threading
    import {module} as interpreters
    """
        + """
    code = [
        "import skywasm",
        "from skywasm import batch",
        f"skywasm.set_backend({sys.argv[1]!r})",
        "try:",
        "    assert batch.base36_encode(['%032x' % n for n in range(100_000)])[-1] == '255r'",
        "except skywasm.errors.CoreUnavailableError as error:",
        "    assert 'subinterpreters' in str(error), error",
    ]
    one = interpreters.create()
    problem = interpreters.run_string(one, chr(10).join(code))
    # A thread that goes on while the interpreter ends, and would hold the program were the main thread gone.
    threading.Thread(target=threading.Event().wait, args=(30,), daemon=True).start()
    import skywasm
    import atexit
    atexit.register(lambda: report(at_exit=True))
    report(problem=problem, own=skywasm.base36_encode("f" * 16))
    """,
        args=[mode],
        timeout_s=25,
    )
    assert (found["problem"], found["own"], found["at_exit"]) == (None, "3w5e11264sgsf", True)
