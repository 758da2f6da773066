"""Forks at every moment, pools of workers, and interpreters that end while calls are under way."""

from __future__ import annotations

import pathlib
import random
import tempfile

from children import run
from hammer import test_exit, test_forks
from hammer.test_forks import FORKED

from torture.trial import Found, Trial, expect, time_s

METHODS = ("fork", "spawn", "forkserver")

BEFORE = """
    inside = [forked(everything) for _ in range(COUNT)]
    report(inside=inside, own=everything())
"""
AFTER = """
    own = everything()
    inside = [forked(everything) for _ in range(COUNT)]
    report(inside=inside, own=everything())
"""
DURING = """
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
    import random
    dice = random.Random(SEED)
    inside = []
    threads = [threading.Thread(target=work, daemon=True) for work in (long_calls, host_calls, loads)]
    for thread in threads:
        thread.start()
    for _ in range(COUNT):
        time.sleep(dice.uniform(0, 0.02))
        inside.append(forked(everything))
    stop.set()
    for thread in threads:
        thread.join()
    report(inside=inside, own=everything())
"""


def forks(count: int, seed: int) -> Found:
    """Children forked before the first use, after it, and while threads are inside calls and loading: all right."""
    problems: list[str] = []
    each = -(-count // 3)
    for name, code in (("before", BEFORE), ("after", AFTER), ("during", DURING)):
        text = FORKED + code.replace("COUNT", str(each)).replace("SEED", str(seed))
        found = run(text, timeout_s=time_s(each, 0.3))
        wrong = [answer for answer in found["inside"] if answer != found["own"]]
        expect(problems, not wrong, f"{name}: {len(wrong)} of {each} children, the first: {wrong[:1]}")
        expect(problems, found["own"][0] == "1ps9wxb", f"{name}: the parent answers {found['own']}")
    return Found(3 * each, problems, "a third each: before the first use, after it, during calls")


def pools(count: int, seed: int) -> Found:
    """Worker pools by fork, spawn and forkserver get all functions by name and give every answer back."""
    problems: list[str] = []
    for number in range(count):
        method, mode = METHODS[number % 3], ("wasm", "auto")[number // 3 % 2]
        with tempfile.TemporaryDirectory() as folder:
            try:
                test_forks.test_worker_pools(method, mode, pathlib.Path(folder))
            except AssertionError as error:
                problems.append(f"{method} {mode}: {error}")
    return Found(count, problems, "fork, spawn, forkserver in turn, 208 calls each")


def ends(count: int, seed: int) -> Found:
    """The interpreter ends at a random moment while daemon threads are inside calls: status 0, no crash."""
    problems: list[str] = []
    dice = random.Random(seed)
    for _ in range(count):
        names = dice.choice(test_exit.GROUPS)
        code = test_exit.DAEMONS.replace("NAMES", repr(names)).replace("PAUSE", str(dice.uniform(0, 0.03)))
        try:
            found = run(code)
            expect(problems, "Fatal" not in found["stderr"], f"{names}: {found['stderr'][-500:]}")
        except AssertionError as error:
            problems.append(f"{names}: {error}")
    return Found(count, problems)


TRIALS = (
    Trial("forks", "children", 30, 600, forks),
    Trial("worker pools", "pools", 3, 36, pools),
    Trial("interpreter's end", "programs", 6, 100, ends),
)
