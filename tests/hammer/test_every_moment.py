"""An exception of the program's own at every moment of every call: it comes out as itself and leaves nothing behind."""

from __future__ import annotations

import pytest
from children import MODES, run
from conftest import PROFILE, SeededRandom

import examples

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

STEP = 7 if PROFILE == "quick" else 1
TIMEOUT_S = 120 if PROFILE == "quick" else 3600

KINDS = ("TimeoutError", "KeyboardInterrupt", "Own", "OwnValue", "OwnIndex", "OwnType")
# All calls by name, and what is raised in them: each kind is one that the package itself has to do with somewhere.
CALLS = """
    import os, sys, threading
    import examples, skywasm, strikes
    from skywasm import batch, errors, sandbox
    from skywasm.functions import ROWS
    from skywasm.routes import core
    unraisable = []
    sys.unraisablehook = lambda info: unraisable.append(repr(info.exc_value))
    class Own(Exception):
        pass
    class OwnValue(ValueError):
        pass
    class OwnIndex(IndexError):
        pass
    class OwnType(TypeError):
        pass
    KINDS = {kind.__name__: kind for kind in (TimeoutError, KeyboardInterrupt, Own, OwnValue, OwnIndex, OwnType)}
    place = examples.Workplace(quick=True).__enter__()
    first = examples.first(place)
    calls = {name: lambda name=name: examples.told(name, getattr(skywasm, name)(*first[name])) for name in first}
    for row in ROWS:
        if row.batch is not None:
            item, *rest = first[row.name]
            many = getattr(batch, row.name)
            calls["batch." + row.name] = lambda many=many, item=item, rest=rest: many([item] * 20, *rest)
            calls["long batch." + row.name] = lambda many=many, item=item, rest=rest: many([item] * 400, *rest)
    some, paths = [place.file(4096), place.file(300_000)] * 5, [place.file(4096), place.file(30_000)] * 20
    calls["hash_strings"] = lambda: batch.hash_strings(["a"] * 20, "md5")
    calls["hash_files"] = lambda: batch.hash_files(some, "md5", threads=1)
    calls["hash_files, kept"] = lambda: batch.hash_files(some, "md5", threads=1, return_exceptions=True)
    calls["hash_files, sha1"] = lambda: batch.hash_files(some, "sha1", threads=1, return_exceptions=True)
    calls["hash_files, threads"] = lambda: batch.hash_files(paths, "md5", threads=2)
    calls["tails, kept"] = lambda: batch.read_last_n_lines([place.log()] * 5, 3, return_exceptions=True)
    calls["long number"] = lambda: skywasm.base36_encode("7" * 20_000)
    def opened():
        return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    def struck(name, kind, step, start, before):
        call, wrong, count = calls[name], [], 0
        right = [call(), call()][1]
        descriptors = opened()
        for moment in strikes.moments(call, lambda: KINDS[kind]("the program's own"), step, start, before or call):
            count += 1
            if not moment.came_out:
                wrong.append(f"{name} {kind}: {moment.result!r:.200} at {moment.place}")
            # Threads of a batch may be at work on their files.
            if "threads" not in name and opened() > descriptors:
                wrong.append(f"{name} {kind}: a descriptor at {moment.place}")
                descriptors = opened()
            if count % 5 == 0 and call() != right:
                wrong.append(f"{name} {kind}: the next answer after {moment.place}")
        if call() != right or sandbox.rules.denied() or sandbox.rules.deadline_s() is not None:
            wrong.append(f"{name}: left behind")
        wrong += [f"{name} {kind} was lost: {one}" for one in unraisable]
        unraisable.clear()
        return count, wrong
"""


def _in(mode: str, rest: str, *args: Any) -> dict[str, Any]:
    code = CALLS + f"    skywasm.set_backend({mode!r})\n    skywasm.warm_up()\n" + rest
    return run(code, args=list(map(str, args)), timeout_s=TIMEOUT_S, **examples.seen())


@pytest.mark.parametrize("turn", range(2 if PROFILE == "quick" else len(KINDS)))
@pytest.mark.parametrize("mode", MODES)
def test_every_call(mode: str, turn: int, rng: SeededRandom) -> None:
    """The very exception comes out of every function and batch, the next answer is right, nothing stays open."""
    found = _in(
        mode,
        """
    kind, step, start, mode = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    # With an instance at hand, and without one.
    befores = [None] if mode == "python" else [None, core.core().pool.clear]
    count, wrong = 0, []
    for name in calls:
        for before in befores:
            moments, more = struck(name, kind, step * (7 if "long" in name else 1), start, before)
            count, wrong = count + moments, wrong + more
    pool = len(core.core().pool) if mode != "python" else 0
    report(wrong=wrong[:5], struck=count, pool=pool)
    """,
        rng.choice(KINDS) if PROFILE == "quick" else KINDS[turn],
        STEP,
        rng.randrange(1, STEP + 1),
        mode,
    )
    assert found["wrong"] == []
    assert found["struck"] > 300 / STEP
    assert found["pool"] <= 8


@pytest.mark.parametrize("mode", MODES)
def test_choosing_the_backend(mode: str) -> None:
    """A choice that was cut short leaves a mode in force, and that mode answers."""
    found = run(
        """
    import sys
    import skywasm, strikes
    from skywasm.routes import core
    wanted, wrong, count = sys.argv[1], [], 0
    other = "python" if wanted != "python" else MODES[1]
    def begin():
        core.unload()
        skywasm.set_backend(other)
        skywasm.base36_encode("f" * 33)
        return ValueError("the program's own")
    for moment in strikes.moments(lambda: skywasm.set_backend(wanted), begin):
        count += 1
        mode = skywasm.get_backend_info()["mode"]
        skywasm.base36_encode("f" * 33)
        loaded = core.if_loaded() is not None
        in_python = skywasm.base36_encode.__code__ is skywasm.reference.base36_encode.__code__
        if not moment.came_out or (mode == "wasm" and not loaded) or in_python is not (mode == "python"):
            wrong.append((moment.place, repr(moment.result), mode, loaded))
    skywasm.set_backend(wanted)
    report(wrong=wrong[:3], count=count)
    """,
        args=[mode],
        **examples.seen(),
    )
    assert found["wrong"] == []
    assert found["count"] > 5


RULES = {
    "deny": 'sandbox.deny("ports")',
    "limits": "sandbox.limits(deadline_s=30)",
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("rule", RULES)
def test_blocks_of_the_sandbox(rule: str, mode: str) -> None:
    """A block that was cut short where it begins, within it, or where it ends leaves no rule to anybody."""
    found = _in(
        mode,
        f"""
    def work():
        with {RULES[rule]}:
            skywasm.base36_encode("f" * 33)
    work()
    wrong, count = [], 0
    for moment in strikes.moments(work, lambda: TimeoutError("the program's own"), before=work):
        count += 1
        if not moment.came_out:
            wrong.append((moment.place, repr(moment.result)))
        here, there = [], []
        def ask(told):
            told.append((sorted(sandbox.rules.denied()), sandbox.rules.deadline_s()))
        ask(here)
        thread = threading.Thread(target=ask, args=(there,))
        thread.start()
        thread.join()
        if here != [([], None)]:
            wrong.append((moment.place, here))
        if there != [([], None)]:
            wrong.append((moment.place, there))
    report(wrong=wrong[:3], count=count)
    """,
    )
    assert found["wrong"] == []
    assert found["count"] > 20


@pytest.mark.parametrize("mode", ["auto", "wasm"])
def test_loading(mode: str, rng: SeededRandom) -> None:
    """Loading that was cut short lets the exception out, keeps no lock, and the next call loads."""
    found = _in(
        mode,
        """
    wrong, count = [], 0
    def begin():
        core.unload()
        return KINDS[sys.argv[1]]("the program's own")
    def free():
        from skywasm import loading
        got = loading.lock.acquire(timeout=5)
        if got:
            loading.lock.release()
        locks.append(got)
    skywasm.warm_up()
    for moment in strikes.moments(skywasm.warm_up, begin, int(sys.argv[2]), int(sys.argv[3])):
        count += 1
        locks = []
        thread = threading.Thread(target=free)
        thread.start()
        thread.join()
        # What the interpreter's own modules take for an answer, and what closing a generator loses, are not ours.
        theirs = "<frozen" in moment.place or "<genexpr>" in moment.place
        if not (moment.came_out or theirs) or locks != [True]:
            wrong.append((moment.place, repr(moment.result), locks))
        if count % 5 == 0 and (skywasm.base36_encode("f" * 32) != "f5lxx1zz5pnorynqglhzmsp33"):
            wrong.append((moment.place, "the next answer"))
    skywasm.warm_up()
    info = skywasm.get_backend_info()
    report(wrong=wrong[:3], count=count, backend=info["backend"], warnings=warnings)
    """,
        rng.choice(["TimeoutError", "OwnValue", "KeyboardInterrupt"]),
        7 if PROFILE == "quick" else 1,
        rng.randrange(1, 8) if PROFILE == "quick" else 1,
    )
    assert found["wrong"] == []
    assert (found["backend"], found["warnings"]) == ("wasm", [])
    assert found["count"] > 20


def test_an_import_of_the_first_call_is_struck() -> None:
    """An alarm in the midst of the first call's imports comes out as itself, and is no reason to answer in Python."""
    found = run(
        """
    import signal, sys
    import skywasm
    struck, lost = [], []
    def ring(number, frame):
        raise TimeoutError("the program's own")
    signal.signal(signal.SIGALRM, ring)
    class Finder:
        @staticmethod
        def find_spec(name, path=None, target=None):
            if name.startswith(("skywasm.", "ctypes", "wasmtime")) and name not in struck:
                struck.append(name)
                signal.raise_signal(signal.SIGALRM)
    skywasm.set_backend("auto")
    sys.meta_path.insert(0, Finder)
    for _ in range(50):
        before = len(struck)
        try:
            skywasm.warm_up()
        except TimeoutError:
            continue
        lost += struck[before:]
        break
    sys.meta_path.remove(Finder)
    report(struck=struck, lost=lost, info=skywasm.get_backend_info()["backend"], warnings=warnings)
    """
    )
    assert "skywasm.crossing.engine" in found["struck"]
    assert found["lost"] == []
    assert (found["info"], found["warnings"]) == ("wasm", [])
