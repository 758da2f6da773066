"""Ctrl-C and asynchronous exceptions at random moments: they come out, and the next call is right."""

from __future__ import annotations

import os
import random
import signal
import time

import pytest
from children import finish, run, start, stop

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib
    import subprocess
    from typing import Any

pytest.importorskip("wasmtime")
# Tests that take ports in a row run one after the other.
pytestmark = pytest.mark.xdist_group("ports")
posix = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs interval timers")

# Calls of every kind with their right answers. `taken` are ports in a row, so that a search takes its time.
CALLS = """
    import os, random, signal, socket, sys, threading, time
    import skywasm
    from skywasm import reference
    from skywasm.routes import core
    skywasm.set_backend("wasm")
    skywasm.warm_up()
    sys.unraisablehook = lambda _: None
    folder, source = os.path.dirname(skywasm.__file__), skywasm.__file__
    # A block of its own: other tests take ports at the same time, and give theirs back in between.
    for start in range(22000, 32000, 300):
        taken = []
        try:
            for port in range(start, start + 300):
                taken.append(socket.socket())
                taken[-1].bind(("", port))
            break
        except OSError:
            for probe in taken:
                probe.close()
    long = "7" * 3000
    calls = {
        "short": (lambda: skywasm.base36_encode("deadbeef"), "1ps9wxb"),
        "long": (lambda: skywasm.base36_encode(long), reference.base36_encode(long)),
        "float": (lambda: skywasm.format_float(0.25), "0.2"),
        "text": (lambda: skywasm.truncate_long_string("0123456789" * 9, 7, True), "01...89"),
        "process": (lambda: skywasm.is_process_alive(os.getpid()), True),
        "cpu": (skywasm.get_cpu_count, reference.get_cpu_count()),
        "memory": (skywasm.get_mem_size_gb, reference.get_mem_size_gb()),
        "port": (lambda: skywasm.find_free_port(start) >= start + 300, True),
        "file": (lambda: skywasm.hash_file(sys.executable, "md5").hexdigest(),
                 reference.hash_file(sys.executable, "md5").hexdigest()),
        "tail": (lambda: skywasm.read_last_n_lines(source, 5), reference.read_last_n_lines(source, 5)),
        "folder": (lambda: skywasm.estimate_fd_for_directory(folder), reference.estimate_fd_for_directory(folder)),
    }
    wrong = []
    def check(name):
        call, answer = calls[name]
        if call() != answer:
            wrong.append(name)
    def check_all():
        for name in calls:
            check(name)
    check_all()
"""


@posix
@pytest.mark.parametrize("names", ["short process cpu float", "port", "long text", "memory folder tail file"])
def test_keyboard_interrupt_at_random_moments(names: str) -> None:
    """Hundreds of interrupts inside calls and host functions: none turns into an answer, none spoils the next call."""
    found = run(
        CALLS
        + f"    names = {names.split()!r}\n"
        + """
    fired = 0
    def interrupt(number, frame):
        global fired
        fired += 1
        raise KeyboardInterrupt
    signal.signal(signal.SIGALRM, interrupt)
    dice = random.Random(7)
    rounds, raised, others, most = 200, 0, [], 0
    # In a function of its own: CPython's table of handlers has gaps at the jumps of a loop.
    def busy(seen):
        while fired == seen:
            check(dice.choice(names))
    for _ in range(rounds):
        seen = fired
        try:
            signal.setitimer(signal.ITIMER_REAL, dice.uniform(2e-5, 1.5e-3))
            busy(seen)
        except KeyboardInterrupt:
            raised += 1
        except BaseException as error:
            others.append(repr(error))
        most = max(most, len(core.core().pool))
        for name in names:
            check(name)
    check_all()
    report(rounds=rounds, fired=fired, raised=raised, others=others[:5], wrong=wrong[:5], most=most,
           alive=skywasm.get_backend_info()["backend"])
    """
    )
    assert found["others"] == []
    assert found["wrong"] == []
    assert found["fired"] == found["rounds"]
    # One that strikes while the interpreter frees a dropped instance is ignored by the interpreter itself.
    assert found["raised"] >= found["rounds"] * 0.9
    assert found["most"] <= 1
    assert found["alive"] == "wasm"


@posix
def test_sigint_from_another_process() -> None:
    """Real SIGINTs sent by another process come out as KeyboardInterrupt from whatever call they meet."""
    child = start(
        CALLS
        + """
    raised = 0
    def busy():
        while True:
            for name in ("process", "port", "short", "memory", "file"):
                check(name)
    for _ in range(60):
        try:
            print("ready", flush=True)
            busy()
        except KeyboardInterrupt:
            raised += 1
        check_all()
        if len(core.core().pool) > 1:
            wrong.append("pool")
    report(raised=raised, wrong=wrong[:5])
    """
    )
    dice = random.Random(13)
    try:
        assert child.stdout is not None
        for _ in range(60):
            assert child.stdout.readline() == "ready\n"
            time.sleep(dice.uniform(0, 0.004))
            child.send_signal(signal.SIGINT)
        found = finish(child)
    finally:
        stop(child)
    assert (found["raised"], found["wrong"]) == (60, [])


def test_exceptions_set_from_another_thread() -> None:
    """An exception set from another thread strikes anywhere; it comes out as itself, and calls are right."""
    found = run(
        CALLS
        + """
    import ctypes
    class Struck(BaseException):
        pass
    outcomes, rounds, stop = {}, [0], threading.Event()
    names = ["short", "process", "cpu", "port", "memory", "folder", "tail"]
    def work():
        dice = random.Random(3)
        while not stop.is_set():
            try:
                try:
                    ready.set()
                    while True:
                        check(dice.choice(names))
                except Struck as error:
                    outcomes[type(error).__name__] = outcomes.get(type(error).__name__, 0) + 1
                    for name in names:
                        check(name)
            except Struck:
                # Struck again while checking: the next round checks.
                pass
            except BaseException as error:
                outcomes[repr(error)] = 1
    ready = threading.Event()
    thread = threading.Thread(target=work)
    thread.start()
    ready.wait()
    dice = random.Random(11)
    for _ in range(300):
        time.sleep(dice.uniform(1e-4, 4e-3))
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(Struck))
    stop.set()
    while thread.is_alive():
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(Struck))
        thread.join(0.05)
    check_all()
    report(outcomes=outcomes, wrong=wrong[:5], pool=len(core.core().pool))
    """
    )
    assert set(found["outcomes"]) == {"Struck"}
    assert sum(found["outcomes"].values()) > 50
    assert found["wrong"] == []
    assert found["pool"] <= 2


@posix
def test_a_handler_that_calls_skywasm() -> None:
    """A signal handler may call any function in the middle of any other call: both get their own answers."""
    found = run(
        CALLS
        + """
    handled = 0
    dice = random.Random(5)
    def handler(number, frame):
        global handled
        handled += 1
        check(dice.choice(list(calls)))
        # Set again only now: handlers do not pile up on one another.
        signal.setitimer(signal.ITIMER_REAL, dice.uniform(1e-4, 1e-3))
    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 5e-4)
    end = time.monotonic() + 3
    while handled < 400 and time.monotonic() < end:
        for name in calls:
            check(name)
    # A handler under way sets the timer once more: from here on the signal is nobody's.
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    signal.setitimer(signal.ITIMER_REAL, 0)
    check_all()
    report(handled=handled, wrong=wrong[:5], pool=len(core.core().pool))
    """
    )
    assert found["handled"] > 50
    assert found["wrong"] == []
    assert found["pool"] <= 2


@posix
@pytest.mark.parametrize("mode", ["wasm", "python", "auto"])
def test_a_long_calculation_can_be_interrupted(mode: str) -> None:
    """Ctrl-C during the encoding of 1,000,000 digits comes out before it is done, and the next call is right."""
    found = run(
        """
    import signal, sys, traceback
    import skywasm
    skywasm.set_backend(sys.argv[1])
    skywasm.warm_up()
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    digits = "7" * 1_000_000
    interrupted = []
    for _ in range(3):
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        try:
            skywasm.base36_encode(digits)
            interrupted.append(False)
        except KeyboardInterrupt:
            interrupted.append("base36_encode" in traceback.format_exc())
    report(interrupted=interrupted, text=skywasm.base36_encode("ff"))
    """,
        args=[mode],
        timeout_s=30,
    )
    assert found["interrupted"] == [True] * 3
    assert found["text"] == "73"


def blocked(pid: int, calls: tuple[str, ...]) -> bool:
    """Whether a process waits in one of these kernel functions or system calls."""
    try:
        with open(f"/proc/{pid}/wchan") as file:
            where = file.read()
        with open(f"/proc/{pid}/status") as file:
            sleeping = "State:\tS" in file.read()
    except OSError:
        return True
    return sleeping and (where in ("0", "") or any(name in where for name in calls))


def interrupted_while_blocked(child: subprocess.Popen[str]) -> dict[str, Any]:
    """Interrupts a child that has said it is about to block, again and again until it ends."""
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        while child.poll() is None:
            # The first one may come before it blocks, which is Ctrl-C too.
            if blocked(child.pid, ("pipe", "fifo", "wait")):
                child.send_signal(signal.SIGINT)
            time.sleep(0.02)
        return finish(child)
    finally:
        stop(child)


BLOCKED = """
    import os, sys
    import skywasm
    mode, path, what = sys.argv[1:]
    skywasm.set_backend(mode)
    skywasm.warm_up()
    calls = {
        "hash": lambda: skywasm.hash_file(path, "md5"),
        "blake3": lambda: skywasm.hash_file(path, "blake3"),
        "tail": lambda: skywasm.read_last_n_lines(path, 3),
    }
    outcome = "no error"
    try:
        print("ready", flush=True)
        calls[what]()
    except KeyboardInterrupt:
        outcome = "KeyboardInterrupt"
    except BaseException as error:
        outcome = repr(error)
    from skywasm.routes import core
    report(outcome=outcome, text=skywasm.base36_encode("ff"), lines=skywasm.read_last_n_lines(skywasm.__file__, 1),
           pool=len(core.core().pool))
"""


@posix
@pytest.mark.parametrize("mode", ["wasm", "auto", "python"])
@pytest.mark.parametrize("what", ["hash", "blake3", "tail"])
@pytest.mark.parametrize("writer", [False, True], ids=["nobody writes", "a silent writer"])
def test_a_named_pipe_can_be_interrupted(mode: str, what: str, writer: bool, tmp_path: pathlib.Path) -> None:
    """Ctrl-C gets out of opening a pipe that nobody writes to, and of reading one whose writer is silent."""
    if what == "blake3" and mode == "python":
        pytest.skip("hashlib has no blake3")
    if what == "tail" and writer:
        pytest.skip("a pipe has no end to seek to, so it is not read")
    path = tmp_path / "pipe"
    os.mkfifo(path)
    holder = os.open(path, os.O_RDWR) if writer else None
    try:
        found = interrupted_while_blocked(start(BLOCKED, args=[mode, str(path), what]))
    finally:
        if holder is not None:
            os.close(holder)
    assert found["outcome"] == "KeyboardInterrupt"
    assert found["text"] == "73"
    assert found["pool"] <= 1


@posix
@pytest.mark.parametrize("mode", ["wasm", "auto"])
def test_a_slow_writer_is_waited_for(mode: str, tmp_path: pathlib.Path) -> None:
    """A pipe that is filled bit by bit gives the hash of all of it, signals with handlers in between or not."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    child = start(
        """
    import signal, sys
    import skywasm
    skywasm.set_backend(sys.argv[1])
    skywasm.warm_up()
    handled = []
    signal.signal(signal.SIGALRM, lambda number, frame: handled.append(skywasm.base36_encode("ff")))
    signal.setitimer(signal.ITIMER_REAL, 0.002, 0.005)
    digest = skywasm.hash_file(sys.argv[2], "blake3").hexdigest()
    signal.setitimer(signal.ITIMER_REAL, 0)
    report(digest=digest, handled=len(handled), right=set(handled) <= {"73"},
           known=skywasm.hash_file(sys.argv[2] + ".copy", "blake3").hexdigest())
    """,
        args=[mode, str(path)],
    )
    content = bytes(range(256)) * 40
    (tmp_path / "pipe.copy").write_bytes(content * 10)
    try:
        with open(path, "wb", 0) as file:
            for _ in range(10):
                file.write(content)
                time.sleep(0.01)
        found = finish(child)
    finally:
        stop(child)
    assert found["digest"] == found["known"]
    assert found["handled"] > 0
    assert found["right"]
