"""Many threads at once: every answer checked, host functions that fail among them, in wasm mode."""

from __future__ import annotations

import pytest
from children import run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

pytest.importorskip("wasmtime")

MIXED = """
    import os, random, sys, tempfile, threading
    import skywasm
    from skywasm import reference
    from skywasm.routes import core

    skywasm.set_backend("wasm")
    folder = tempfile.mkdtemp()
    file = os.path.join(folder, "file")
    with open(file, "w") as out:
        out.write("".join(f"line {number}\\n" for number in range(500)))
    missing = os.path.join(folder, "missing")

    def kind(function, *args):
        try:
            function(*args)
        except Exception as error:
            return type(error).__name__
        return "no error"

    def cut(module, length):
        return module.truncate_long_string(("word " * 50)[:length], 30)

    md5 = reference.hash_file(file, "md5").hexdigest()
    # Each piece of work and its answer; an error's type where it has to fail.
    WORK = [
        (lambda n: int(skywasm.base36_encode(f"{n:x}"), 36) == n),
        (lambda n: kind(skywasm.base36_encode, "xyz") == "ValueError"),
        (lambda n: skywasm.base36_encode("f" * (n % 300 + 1)) == reference.base36_encode("f" * (n % 300 + 1))),
        (lambda n: skywasm.format_float(n / 7, n % 9) == reference.format_float(n / 7, n % 9)),
        (lambda n: cut(skywasm, n % 250) == cut(reference, n % 250)),
        (lambda n: skywasm.is_process_alive(os.getpid()) and not skywasm.is_process_alive(2**31 - 1)),
        (lambda n: skywasm.get_cpu_count() == cpus),
        (lambda n: skywasm.get_parallel_threads() == threads_wanted),
        (lambda n: skywasm.get_mem_size_gb() == memory),
        (lambda n: skywasm.estimate_fd_for_directory(folder) == 5),
        (lambda n: kind(skywasm.estimate_fd_for_directory, missing) == "FileNotFoundError"),
        (lambda n: kind(skywasm.estimate_fd_for_directory, file) == "NotADirectoryError"),
        (lambda n: kind(skywasm.find_free_port, 65535) == "OSError"),
        (lambda n: kind(skywasm.find_free_port, -1) == "OverflowError"),
        (lambda n: kind(skywasm.hash_file, folder, "md5") == kind(reference.hash_file, folder, "md5")),
        (lambda n: skywasm.hash_file(file, "md5").hexdigest() == md5),
        (lambda n: skywasm.read_last_n_lines(file, 2) == ["line 498\\n", "line 499"]),
        (lambda n: skywasm.get_max_workers_for_file_mounts({"/a": folder, "/b": missing}) >= 1),
    ]
    cpus, memory = reference.get_cpu_count(), reference.get_mem_size_gb()
    threads_wanted = reference.get_parallel_threads()
    wrong, crashed, done = [], [], []

    def work(seed):
        source = random.Random(seed)
        try:
            for _ in range(ROUNDS):
                at, number = source.randrange(len(WORK)), source.getrandbits(100)
                if not WORK[at](number):
                    wrong.append((at, number))
        except BaseException as error:
            crashed.append(repr(error))
        done.append(seed)

    sys.setswitchinterval(1e-5)
    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # What a host function raises ends the seat of its call: the last one may have been such.
    skywasm.base36_encode("ff")
    report(wrong=wrong[:5], crashed=crashed[:5], done=len(done), pool=len(core.core().pool),
           fallbacks=skywasm.get_backend_info()["fallbacks"], warnings=warnings)
"""


def mixed(threads: int, rounds: int, **how: Any) -> dict[str, Any]:
    return run(MIXED.replace("THREADS", str(threads)).replace("ROUNDS", str(rounds)), **how)


def test_sixteen_threads_of_mixed_calls() -> None:
    """16 threads make 2,000 mixed calls each; every answer and every error belongs to its own call."""
    found = mixed(16, 2000)
    assert found["crashed"] == []
    assert found["wrong"] == []
    assert found["done"] == 16
    assert 1 <= found["pool"] <= 16
    assert found["fallbacks"] == {}


def test_all_threads_begin_at_once() -> None:
    """Threads that all make the first call load one engine, and all get the right answer."""
    found = run(
        """
    import threading
    import skywasm
    from skywasm.crossing.engine import setup
    made = []
    whole = setup.Loaded.__init__
    def counting(self, *arguments):
        made.append(threading.get_ident())
        whole(self, *arguments)
    setup.Loaded.__init__ = counting
    skywasm.set_backend("wasm")
    barrier = threading.Barrier(16)
    answers = []
    def work():
        barrier.wait()
        answers.append(skywasm.base36_encode("deadbeef"))
    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    report(answers=sorted(set(answers)), count=len(answers), engines=len(made))
    """
    )
    assert (found["answers"], found["count"], found["engines"]) == (["1ps9wxb"], 16, 1)


def test_warming_while_calls_go_on() -> None:
    """While one thread loads the engine and others change the backend, every answer stays right."""
    found = run(
        """
    import itertools, threading
    import skywasm
    stop = threading.Event()
    wrong = []
    def work():
        while not stop.is_set():
            if skywasm.base36_encode("deadbeef") != "1ps9wxb" or skywasm.format_float(0.25) != "0.2":
                wrong.append(1)
    threads = [threading.Thread(target=work, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    skywasm.warm_up(background=True)
    for mode, _ in zip(itertools.cycle(("auto", "wasm", "python")), range(300)):
        with skywasm.use_backend(mode):
            skywasm.base36_encode("ff")
    stop.set()
    for thread in threads:
        thread.join()
    report(wrong=len(wrong))
    """
    )
    assert found["wrong"] == 0
