"""A host function that is struck before its first line, where no ``try`` reaches, as signals do at times.

Profiling makes it happen each time: the profiler is called before the first line and its exception counts as the
function's. Each test is a process of its own, because a mistake here ends the process.
"""

from __future__ import annotations

import pytest
from children import run

pytest.importorskip("wasmtime")

CODE = """
    import os, sys, threading
    import skywasm
    from skywasm import _runtime
    from skywasm.errors import TrapError

    skywasm.set_backend("wasm")
    raw = skywasm.get_backend_info(load=True)["call_path"] == "raw"
    sys.unraisablehook = lambda _: None

    def strike(frame, event, argument):
        if event == "call" and frame.f_code.co_name == "callback":
            sys.setprofile(None)
            raise KeyboardInterrupt

    def cut_short(call):
        sys.setprofile(strike)
        try:
            call()
        except BaseException as error:
            return type(error).__name__
        finally:
            sys.setprofile(None)
        return "nothing"

    calls = {
        "process": lambda: skywasm.is_process_alive(os.getpid()),
        "cpu": skywasm.get_cpu_count,
        "memory": skywasm.get_mem_size_gb,
        "threads": skywasm.get_parallel_threads,
        "port": lambda: skywasm.find_free_port(20000) >= 20000,
        "file": lambda: skywasm.hash_file(os.devnull, "md5").hexdigest(),
        "folder": lambda: skywasm.estimate_fd_for_directory(os.path.dirname(skywasm.__file__)),
        "mounts": lambda: skywasm.get_max_workers_for_file_mounts({"/a": os.path.dirname(skywasm.__file__)}),
    }
    expected = {name: call() for name, call in calls.items()}

    def round_of_all():
        outcomes, wrong = set(), []
        for _ in range(ROUNDS):
            for name, call in calls.items():
                before = len(_runtime.pool)
                outcomes.add(cut_short(call))
                if call() != expected[name] or len(_runtime.pool) > max(before, 1):
                    wrong.append(name)
        return outcomes, wrong

    def in_threads():
        found = []
        threads = [threading.Thread(target=lambda: found.append(round_of_all())) for _ in range(4)]
        for thread in threads:
            thread.start()
            thread.join()
        return set().union(*(outcomes for outcomes, _ in found)), [name for _, wrong in found for name in wrong]
"""


def struck(where: str, rounds: int) -> dict[str, object]:
    found = run(
        CODE.replace("ROUNDS", str(rounds))
        + f"    outcomes, wrong = {where}()\n    report(raw=raw, outcomes=sorted(outcomes), wrong=wrong)\n"
    )
    if not found["raw"]:
        pytest.skip("only raw callbacks can be struck there")
    return found


def test_in_the_main_thread() -> None:
    """In the main thread a host function that was cut short is a KeyboardInterrupt, and every next call is right."""
    found = struck("round_of_all", 20)
    assert found["outcomes"] == ["KeyboardInterrupt"]
    assert found["wrong"] == []


def test_in_other_threads() -> None:
    """In any other thread it is a TrapError; the engine never takes what is left behind for an answer or a trap."""
    found = struck("in_threads", 10)
    assert found["outcomes"] == ["TrapError"]
    assert found["wrong"] == []
