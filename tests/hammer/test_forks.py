"""Forks at bad moments, and pools of worker processes of every kind."""

from __future__ import annotations

import sys
import textwrap

import pytest
from children import finish, run, start

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib

pytest.importorskip("wasmtime")
posix = pytest.mark.skipif(sys.platform == "win32", reason="needs fork")

# forked(work) runs work in a forked child and gives what it returned, or how the child ended.
FORKED = """
    import os, pickle, sys, threading, time, warnings as _warnings
    import skywasm
    from skywasm.routes import core
    # 3.12 and newer warn of forks beside threads; here they are the point.
    _warnings.simplefilter("ignore", DeprecationWarning)
    def forked(work):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                answer = work()
            except BaseException as error:
                answer = repr(error)
            os.write(writing, pickle.dumps(answer))
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as file:
            content = file.read()
        status = os.waitpid(child, 0)[1]
        return pickle.loads(content) if status == 0 else f"status {status}"
    def everything():
        digest = skywasm.hash_file(os.devnull, "blake3")
        digest.update(b"x" * 100_000)
        return (
            skywasm.base36_encode("deadbeef"), skywasm.base36_encode("7" * 5000)[:5], skywasm.format_float(0.25),
            skywasm.truncate_long_string("0123456789", 7, True), skywasm.is_process_alive(os.getpid()),
            skywasm.get_cpu_count(), digest.hexdigest(), skywasm.find_free_port(20000) >= 20000,
        )
    skywasm.set_backend("wasm")
"""


@posix
def test_before_first_use() -> None:
    """A child that was forked before the engine was loaded loads its own; so does the parent afterwards."""
    found = run(FORKED + "    inside = forked(everything)\n    report(inside=inside, own=everything())\n")
    assert found["inside"] == found["own"]
    assert found["own"][0] == "1ps9wxb"


@posix
def test_after_first_use() -> None:
    """Children of a process that has used the engine are right, and so are their own children; the parent too."""
    found = run(
        FORKED
        + """
    own = everything()
    report(own=own, children=[forked(everything) for _ in range(5)],
           deep=forked(lambda: (everything(), forked(lambda: (everything(), forked(everything))))),
           again=everything(), pool=forked(lambda: len(core.core().pool)), parent=len(core.core().pool))
    """
    )
    own = found["own"]
    assert found["children"] == [own] * 5
    assert found["deep"] == [own, [own, own]]
    assert found["again"] == own
    # An instance of the parent's must not be used by two processes' threads in turn.
    assert (found["pool"], found["parent"]) == (0, 1)


@posix
@pytest.mark.parametrize("cache", ["0", ""])
def test_compiling_in_a_forked_child(cache: str) -> None:
    """A child compiles though its parent has compiled before: the compile threads of the parent are not there."""
    found = run(
        FORKED
        + """
    own = everything()
    report(own=own, inside=[forked(everything) for _ in range(2)], cache=skywasm.get_backend_info()["cache"])
    """,
        env={"SKYWASM_CACHE": cache},
    )
    assert found["inside"] == [found["own"]] * 2
    assert found["cache"].startswith("off") is (cache == "0")


@posix
def test_while_other_threads_are_inside_calls() -> None:
    """Forked while threads are inside the artifact, in host functions and in loading, a child is right."""
    found = run(
        FORKED
        + """
    own = everything()
    stop = threading.Event()
    def long_calls():
        while not stop.is_set():
            skywasm.base36_encode("9" * 60_000)
    def host_calls():
        while not stop.is_set():
            skywasm.find_free_port(65000)
            skywasm.hash_file(sys.executable, "blake3")
    def loads():
        while not stop.is_set():
            core.core().unload()
            skywasm.get_backend_info(load=True)
    threads = [threading.Thread(target=work, daemon=True) for work in (long_calls, host_calls, loads)]
    for thread in threads:
        thread.start()
    inside = []
    for _ in range(12):
        time.sleep(0.01)
        inside.append(forked(everything))
    stop.set()
    for thread in threads:
        thread.join()
    report(own=own, inside=inside, again=everything())
    """
    )
    assert found["inside"] == [found["own"]] * 12
    assert found["again"] == found["own"]


@posix
def test_a_fork_inside_a_host_function() -> None:
    """A host function may fork: parent and child both go on inside the same call, each with its own memory."""
    found = run(
        FORKED
        + """
    from host_shims import facts
    own = everything()
    reading, writing = os.pipe()
    def forking():
        os.fork()
        return 50
    facts.cpu_count = forking
    main = os.getpid()
    threads = skywasm.get_parallel_threads()
    facts.cpu_count = os.cpu_count
    if os.getpid() != main:
        os.write(writing, pickle.dumps((threads, everything())))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as file:
        inside = pickle.loads(file.read())
    report(own=own, threads=threads, inside=inside, again=everything())
    """
    )
    assert found["threads"] == 49
    assert found["inside"] == [49, found["own"]]
    assert found["again"] == found["own"]


POOL = """
    import multiprocessing, os, sys, concurrent.futures
    import skywasm

    def lines(path):
        return skywasm.read_last_n_lines(path, 1)

    if __name__ == "__main__":
        method, mode = sys.argv[1:]
        skywasm.set_backend(mode)
        skywasm.base36_encode("ff")
        context = multiprocessing.get_context(method)
        numbers = [f"{number:x}" for number in range(200)]
        with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool:
            encoded = list(pool.map(skywasm.base36_encode, numbers, chunksize=20))
            alive = list(pool.map(skywasm.is_process_alive, [os.getpid(), 2**31 - 1]))
            tails = list(pool.map(lines, [__file__] * 4))
            failed = pool.submit(skywasm.base36_encode, "not hexadecimal").exception()
            modes = pool.submit(skywasm.get_backend_info).result()["mode"]
        assert [int(text, 36) for text in encoded] == list(range(200)), encoded
        assert alive == [True, False]
        assert tails == [["# the end"]] * 4
        assert type(failed) is ValueError, failed
        print("mode in the worker:", modes)
    # the end
"""


@pytest.mark.parametrize("mode", ["wasm", "auto"])
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_worker_pools(method: str, mode: str, tmp_path: pathlib.Path) -> None:
    """Functions travel to workers of every kind by name, work there, and errors travel back."""
    if sys.platform == "win32" and method != "spawn":
        pytest.skip("Windows only spawns")
    path = tmp_path / "program.py"
    path.write_text(textwrap.dedent(POOL).strip() + "\n")
    child = start(
        f"import runpy, sys\nsys.argv[0] = {str(path)!r}\nrunpy.run_path(sys.argv[0], run_name='__main__')",
        args=[method, mode],
        env={"SKYWASM_BACKEND": mode},
    )
    assert finish(child)


def test_a_fork_while_a_thread_loads() -> None:
    """A fork waits for the thread that is loading the engine, so that the child does not wait for ever."""
    found = run(
        """
    import os, signal, sys, threading, time
    import skywasm
    from skywasm import loading
    from skywasm.routes import core
    outcomes = []
    for delay_s in (0.0, 0.005, 0.02, 0.06, 0.15, 0.25):
        core.core().unload()
        for name in [name for name in sys.modules if name.partition(".")[0] == "wasmtime"]:
            del sys.modules[name]
        skywasm.warm_up(background=True)
        time.sleep(delay_s)
        child = os.fork()
        if child == 0:
            signal.alarm(20)
            skywasm.set_backend("wasm")
            os._exit(7 if skywasm.base36_encode("deadbeef") == "1ps9wxb" else 8)
        outcomes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        skywasm.warm_up()
        outcomes.append(skywasm.batch.base36_encode(["deadbeef"] * 3) == ["1ps9wxb"] * 3)
    # Asked by another thread, which the lock keeps out where this one has not given it back.
    free = []
    thread = threading.Thread(target=lambda: free.append(loading.lock.acquire(timeout=5)))
    thread.start()
    thread.join()
    report(outcomes=outcomes, free=free)
    """,
        env={"SKYWASM_CACHE": "0"},
    )
    assert found["outcomes"] == [7, True] * 6
    assert found["free"] == [True]


def test_a_child_of_a_warm_parent_pays_for_no_engine() -> None:
    """In auto a forked child begins in Python, as a new process does; what it says then is right."""
    found = run(
        """
    import os, sys, skywasm
    from skywasm.routes import core
    skywasm.warm_up()
    before = skywasm.base36_encode("f" * 40)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        answer = skywasm.base36_encode("f" * 40)
        os.write(writing, f"{answer == before} {core.if_loaded() is None} {skywasm.is_process_alive(1)}".encode())
        os._exit(0)
    os.waitpid(child, 0)
    report(said=os.read(reading, 100).decode(), parent=skywasm.get_backend_info()["backend"])
    """
    )
    assert (found["said"], found["parent"]) == ("True True True", "wasm")
