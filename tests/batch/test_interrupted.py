"""hash_files: nothing stays open behind it, whatever ends it, and the next call is right."""

from __future__ import annotations

import _thread
import os
import signal
import time

import pytest
from children import finish, run, start, stop

import skywasm
from batch.files import Meddler, content, digest, need, write
from skywasm import batch, errors
from skywasm.batch import files as many_files

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib
    from typing import Any

pytestmark = pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs Linux's procfs")
SIZES = [number * 45_000 for number in range(20)]


def descriptors() -> set[str]:
    """The open descriptors of this process. Fewer may be open later: what tests leave is collected at any time."""
    return set(os.listdir("/proc/self/fd"))


@pytest.fixture
def paths(tmp_path: pathlib.Path) -> list[str]:
    """Files of which most take several reads."""
    return [write(tmp_path, str(size), content(size)) for size in SIZES]


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("alg", ["md5", "sha256", "blake3"])
def test_nothing_stays_open(backend: str, alg: str, threads: int, paths: list[str], tmp_path: pathlib.Path) -> None:
    """After batches with good and bad files as many descriptors are open as before."""
    need(backend, alg)
    bad: list[Any] = [str(tmp_path), tmp_path / "missing", None, "a\0b", "/proc/self/mem"]
    every = [path for pair in zip(paths, bad * 4) for path in pair]
    # The engine keeps a descriptor of its own once it is loaded.
    skywasm.warm_up()
    batch.hash_files(every, alg, threads=threads, return_exceptions=True)
    before = descriptors()
    for _ in range(5):
        batch.hash_files(every, alg, threads=threads, return_exceptions=True)
        with pytest.raises(IsADirectoryError):
            batch.hash_files(every, alg, threads=threads)
    assert not descriptors() - before


@pytest.mark.parametrize("read", [1, 2, 4])
def test_an_interrupt_between_reads(backend: str, read: int, paths: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while large files are open comes out, closes all of them, and leaves the next call right."""

    def interrupt() -> None:
        raise KeyboardInterrupt

    before = descriptors()
    with monkeypatch.context() as patch:
        Meddler(patch, paths[-1], interrupt, before=read)
        with pytest.raises(KeyboardInterrupt):
            batch.hash_files(paths, "md5", threads=1)
    assert not descriptors() - before
    assert batch.hash_files(paths, "md5", threads=1) == [digest(content(size), "md5") for size in SIZES]
    assert skywasm.base36_encode("ff") == "73"


def test_a_trap_between_reads(paths: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A trap in wasm mode, with large files open, is a TrapError, closes all of them, and costs one instance."""
    pytest.importorskip("wasmtime")
    from skywasm.crossing.instance import Instance
    from skywasm.routes import core

    with skywasm.use_backend("wasm"):
        batch.hash_files(paths, "md5", threads=1)
        before = descriptors()
        lost = core.core().pool[-1]
        with monkeypatch.context() as patch:
            patch.setattr(Instance, "enter", lambda *_: -77)
            with pytest.raises(errors.TrapError):
                batch.hash_files(paths, "md5", threads=1, return_exceptions=True)
        assert not descriptors() - before
        assert lost not in core.core().pool
        assert batch.hash_files(paths, "md5", threads=1) == [digest(content(size), "md5") for size in SIZES]


# A folder of files small and large, and a batch of them that can be checked.
FILES = """
    import hashlib, os, random, signal, sys, time
    import skywasm
    from skywasm import batch
    from skywasm.routes import core
    skywasm.set_backend(sys.argv[1])
    skywasm.warm_up()
    sys.unraisablehook = lambda _: None
    folder = sys.argv[2]
    contents = [b"%d" % number * 1000 for number in range(150)] + [b"%d" % number * 300_000 for number in range(8)]
    paths = [os.path.join(folder, str(number)) for number in range(len(contents))]
    for path, data in zip(paths, contents):
        with open(path, "wb") as file:
            file.write(data)
    descriptors = lambda: len(os.listdir("/proc/self/fd"))
    def right(alg):
        return batch.hash_files(paths, alg, threads=1) == [hashlib.new(alg, data).hexdigest() for data in contents]
    right("md5")
"""


@pytest.mark.parametrize("alg", ["md5", "sha256"])
@pytest.mark.parametrize("mode", ["auto", "wasm", "python"])
def test_interrupts_at_random_moments(mode: str, alg: str, tmp_path: pathlib.Path) -> None:
    """Of hundreds of interrupts at any moment none leaves a descriptor open, a wrong digest or a spoilt pool behind."""
    found = run(
        FILES
        + """
    alg = sys.argv[3]
    fired = 0
    def interrupt(number, frame):
        global fired
        fired += 1
        raise KeyboardInterrupt
    signal.signal(signal.SIGALRM, interrupt)
    dice = random.Random(5)
    raised, others, wrong, most = 0, [], 0, 0
    before = descriptors()
    for _ in range(250):
        seen = fired
        try:
            signal.setitimer(signal.ITIMER_REAL, dice.uniform(5e-5, 3e-3))
            while fired == seen:
                batch.hash_files(paths, alg, threads=1)
        except KeyboardInterrupt:
            raised += 1
        except BaseException as error:
            others.append(repr(error))
        most = max(most, len(core.core().pool))
    leaked = descriptors() - before
    report(fired=fired, raised=raised, others=others[:5], right=right(alg), most=most, leaked=leaked)
    """,
        args=[mode, str(tmp_path), alg],
    )
    assert found["others"] == []
    assert found["right"]
    assert found["fired"] == 250
    # One that strikes while the interpreter frees something is ignored by the interpreter itself.
    assert found["raised"] >= 225
    assert found["most"] <= 1
    # One file at a time, a signal at the very entrance of a `finally` may lose a descriptor.
    assert found["leaked"] <= (0 if alg == "md5" and mode != "python" else 12)


def interrupt() -> None:
    """Ctrl-C for this process. Windows has no such signal for one process: it would be ended."""
    if os.name == "nt":
        _thread.interrupt_main()
    else:
        os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize("threads", [2, 3])
def test_threads_stop_soon(threads: int, paths: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """After Ctrl-C the groups of files under way are finished, and no others are begun."""
    begun: list[int] = []

    def slow(group: list[str], alg: str, lanes: bool, rules: object) -> list[Any]:
        begun.append(len(group))
        # By then all groups have been handed out, and the main thread waits for results.
        time.sleep(0.1)
        if len(begun) == threads:
            begun.append(0)
            interrupt()
        return ["digest"] * len(group)

    monkeypatch.setattr(many_files, "hash_group", slow)
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            batch.hash_files(paths * 500, "md5", threads=threads)
    finally:
        signal.signal(signal.SIGINT, handler)
        monkeypatch.undo()
    # Each thread may have taken one more while the signal was on its way.
    assert threads < len(begun) <= 2 * threads + 1
    assert batch.hash_files(paths, "md5", threads=threads) == [digest(content(size), "md5") for size in SIZES]


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("alg", ["md5", "blake3"])
@pytest.mark.parametrize("mode", ["auto", "wasm", "python"])
def test_a_silent_pipe_can_be_interrupted(mode: str, alg: str, threads: int, tmp_path: pathlib.Path) -> None:
    """Ctrl-C gets out of a pipe among the files that nobody writes to, and leaves the next call right."""
    need(mode, alg)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    child = start(
        FILES
        + """
    import _thread
    alg, pipe, threads = sys.argv[3:]
    signal.signal(signal.SIGALRM, signal.getsignal(signal.SIGINT))
    # The first one may come before it blocks, which is Ctrl-C too.
    signal.setitimer(signal.ITIMER_REAL, 0.1, 0.1)
    before = descriptors()
    try:
        batch.hash_files([*paths, pipe, *paths], alg, threads=int(threads))
        outcome = "no error"
    except KeyboardInterrupt:
        outcome = "KeyboardInterrupt"
    signal.setitimer(signal.ITIMER_REAL, 0)
    right_after = right("md5")
    if threads != "1":
        # A thread that waits for the pipe cannot be stopped; it goes on once somebody has written.
        open(pipe, "wb").close()
        deadline = time.monotonic() + 10
        # Until its thread has ended: it goes on with the files of its group, one after the other.
        while (_thread._count() or descriptors() > before) and time.monotonic() < deadline:
            time.sleep(0.01)
    report(outcome=outcome, leaked=descriptors() - before, right=right_after, text=skywasm.base36_encode("ff"))
    """,
        args=[mode, str(tmp_path), alg, str(pipe), str(threads)],
    )
    try:
        found = finish(child, timeout_s=20)
    finally:
        stop(child)
    assert (found["outcome"], found["right"], found["text"]) == ("KeyboardInterrupt", True, "73")
    assert found["leaked"] == 0


@pytest.mark.parametrize("alg", ["md5", "blake3", "sha256"])
@pytest.mark.parametrize("delay_ms", [1, 5, 25])
def test_a_program_that_ends_at_ctrl_c(alg: str, delay_ms: int, tmp_path: pathlib.Path) -> None:
    """A program that Ctrl-C ends while threads are hashing ends as programs do: with a traceback and by the signal."""
    need("auto", alg)
    found = run(
        FILES
        + """
    signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGINT))
    signal.setitimer(signal.ITIMER_REAL, int(sys.argv[4]) / 1000)
    while True:
        batch.hash_files(paths * 3, sys.argv[3], threads=2)
    """,
        args=["auto", str(tmp_path), alg, str(delay_ms)],
        status=-signal.SIGINT,
        timeout_s=60,
    )
    assert found["stderr"].rstrip().endswith("KeyboardInterrupt")
    assert "Fatal" not in found["stderr"]


@pytest.mark.parametrize("call", ["hash_files", "read_last_n_lines"])
@pytest.mark.parametrize("mode", ["auto", "wasm", "python"])
def test_what_another_thread_throws_is_no_result(mode: str, call: str, tmp_path: pathlib.Path) -> None:
    """With return_exceptions, an exception that is thrown into the thread comes out and stands for no file."""
    found = run(
        FILES
        + """
    import ctypes, threading
    class Thrown(Exception):
        pass
    some = paths[:20]
    calls = {
        "hash_files": lambda: batch.hash_files(some, "sha1", threads=1, return_exceptions=True),
        "read_last_n_lines": lambda: batch.read_last_n_lines(some, 2, return_exceptions=True),
    }
    call = calls[sys.argv[3]]
    want, wrong, out, stop = call(), [], 0, False
    def work():
        global out
        while not stop:
            try:
                while not stop:
                    got = call()
                    if got != want:
                        wrong.append(repr([one for one in got if one not in want][:1]))
            except Thrown:
                out += 1
    def guarded():
        # What strikes on the way into a handler ends the work; then it begins anew.
        while not stop:
            try:
                work()
            except Thrown:
                pass
    thread = threading.Thread(target=guarded)
    threading.excepthook = lambda _: None
    thread.start()
    dice, end = random.Random(9), time.monotonic() + 1.5
    while time.monotonic() < end:
        time.sleep(dice.uniform(0, 0.001))
        if not thread.is_alive():
            thread = threading.Thread(target=guarded)
            thread.start()
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(Thrown))
    stop = True
    thread.join()
    report(wrong=wrong[:3], out=out, right=call() == want)
    """,
        args=[mode, str(tmp_path), call],
    )
    assert found["wrong"] == []
    assert found["right"]
    assert found["out"] > 20
