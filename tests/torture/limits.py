"""Deadlines and denials by the thousand, among threads that have none, and against an artifact that never returns."""

from __future__ import annotations

import pathlib
import tempfile

import artifacts
from children import copy_packages, run

from torture.trial import Found, Trial, expect, time_s

THREADS = 16
DEADLINES = """
    import random, sys, threading, time
    import skywasm
    from skywasm import batch, errors, sandbox
    from skywasm.crossing import module
    from skywasm.routes import core
    skywasm.set_backend("wasm")
    skywasm.warm_up()
    LONG = "f" * 1_000_000
    SHORT = ["%032x" % (number * 7919) for number in range(50)]
    RIGHT = batch.base36_encode(SHORT)
    wrong, over, counts = [], [], {"in time": 0, "ended": 0, "denied": 0, "free": 0}
    def ended(dice):
        deadline_s = dice.uniform(0.001, 0.01)
        with sandbox.limits(deadline_s=deadline_s):
            start = time.monotonic()
            try:
                skywasm.base36_encode(LONG)
            except errors.LimitError:
                over.append(time.monotonic() - start - deadline_s)
                return True
    def in_time(dice):
        with sandbox.limits(deadline_s=60):
            at = dice.randrange(50)
            return skywasm.base36_encode(SHORT[at]) == RIGHT[at] and batch.base36_encode(SHORT) == RIGHT
    def denied(dice):
        with sandbox.deny(dice.choice(("process", "cpu"))) as rule:
            try:
                return skywasm.is_process_alive(1) and skywasm.get_parallel_threads() < 0
            except errors.CapabilityError:
                return skywasm.base36_encode(SHORT[3]) == RIGHT[3]
    def free(dice):
        at = dice.randrange(50)
        return skywasm.base36_encode(SHORT[at]) == RIGHT[at] and skywasm.is_process_alive(1)
    KINDS = {"ended": ended, "in time": in_time, "denied": denied, "free": free}
    lock = threading.Lock()
    def work(seed):
        dice = random.Random(seed)
        try:
            for _ in range(COUNT):
                kind = dice.choice(list(KINDS))
                good = KINDS[kind](dice)
                with lock:
                    counts[kind] += 1
                if not good:
                    wrong.append(kind)
        except BaseException as error:
            wrong.append(repr(error))
    threads = [threading.Thread(target=work, args=(SEED + number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    right = batch.base36_encode(SHORT) == RIGHT
    tickers = sum(frame.f_code.co_name == "_tick" or frame.f_back is not None and frame.f_back.f_code.co_name == "_tick"
                  for frame in sys._current_frames().values())
    report(wrong=wrong[:5], counts=counts, over=max(over, default=0), right=right, tickers=tickers,
           pool=len(core.core().pool), most=module.MOST_IDLE, denied=skywasm.get_backend_info()["denied"])
"""


def deadlines(count: int, seed: int) -> Found:
    """Threads with deadlines, with denials and with neither: each call gets what holds in its own context."""
    each = -(-count // THREADS)
    code = DEADLINES.replace("COUNT", str(each)).replace("SEED", str(seed)).replace("THREADS", str(THREADS))
    found = run(code, timeout_s=time_s(count, 0.02))
    problems: list[str] = []
    expect(problems, found["wrong"] == [], f"wrong: {found['wrong']}")
    expect(problems, found["right"], "a batch after it all is wrong")
    expect(problems, found["denied"] == [], f"still denied: {found['denied']}")
    expect(problems, found["tickers"] <= 1, f"{found['tickers']} threads count epochs")
    expect(problems, found["pool"] <= found["most"], f"{found['pool']} instances in the pool")
    done = sum(found["counts"].values())
    expect(problems, done == each * THREADS, f"only {done} calls ended")
    told = ", ".join(f"{number:,} {kind}" for kind, number in found["counts"].items())
    return Found(done, problems, f"{told}; the latest {found['over'] * 1000:.0f} ms after its deadline")


# An endless loop; memory that grows for ever, in one call and over many.
HOSTILE = {
    "endless": "(loop $again (br $again)) unreachable",
    "bomb": "(loop $more (drop (memory.grow (i32.const 16))) (br $more)) unreachable",
    "growing": "(drop (memory.grow (i32.const 64))) unreachable",
}
ATTACKED = """
    import os, sys
    import skywasm
    from skywasm import errors, sandbox
    from skywasm.routes import core
    skywasm.set_backend("wasm")
    def resident():
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    wrong, kinds, before = [], {}, 0
    for number in range(COUNT):
        with sandbox.limits(deadline_s=0.005):
            try:
                wrong.append(skywasm.truncate_long_string("a text " * 50))
            except (errors.LimitError, errors.TrapError) as error:
                kinds[type(error).__name__] = kinds.get(type(error).__name__, 0) + 1
        if skywasm.base36_encode("f" * 16) != "3w5e11264sgsf":
            wrong.append("after")
        if number == COUNT // 5:
            before = resident()
    report(wrong=wrong[:5], kinds=kinds, grown=resident() - before, pool=len(core.core().pool))
"""


def hostile_artifacts(count: int, seed: int) -> Found:
    """An artifact that never returns or takes all memory is ended each time, and leaves nothing behind."""
    problems: list[str] = []
    each, most, kinds = -(-count // len(HOSTILE)), 0, set()
    for name, body in HOSTILE.items():
        with tempfile.TemporaryDirectory() as folder:
            how = copy_packages(pathlib.Path(folder))
            artifacts.install(pathlib.Path(folder), artifacts.text({"truncate_long_string": body}))
            found = run(ATTACKED.replace("COUNT", str(each)), timeout_s=time_s(each, 0.05), **how)
        expect(problems, found["wrong"] == [], f"{name}: {found['wrong']}")
        expect(problems, sum(found["kinds"].values()) == each, f"{name}: {found['kinds']}")
        expect(problems, found["pool"] == 1, f"{name}: {found['pool']} instances in the pool")
        expect(problems, found["grown"] < 4 * 2**20, f"{name}: {found['grown']:,} bytes more")
        most = max(most, found["grown"])
        kinds |= set(found["kinds"])
    return Found(each * len(HOSTILE), problems, f"{', '.join(sorted(kinds))}; at most {most / 2**10:,.0f} KiB more")


TRIALS = (
    Trial("deadlines", "calls", 320, 20_000, deadlines),
    Trial("hostile artifacts", "calls", 60, 3_000, hostile_artifacts),
)
