"""Strikes at every opcode of public calls, in this process: ``python -m torture.every_opcode {"mode": ...}`` as JSON.

What must hold after each: the very exception came out, the next answer is right, and nothing is left behind.
"""

from __future__ import annotations

import _thread
import gc
import json
import os
import sys
import time
from typing import NamedTuple

import opcodes

import skywasm
from skywasm import batch, loading, sandbox
from skywasm.bench.workplace import Workplace, arguments
from skywasm.crossing import clock, instance, rules
from skywasm.functions import ROWS
from skywasm.routes import bind, core, failures
from skywasm.routes import mode as modes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class OwnTimeout(TimeoutError):
    """A subclass of OSError, which the package catches in many places."""


class OwnError(Exception):
    """None that the package knows."""


class OwnInterrupt(KeyboardInterrupt):
    """None that ``except Exception`` catches."""


KINDS = {kind.__name__: kind for kind in (OwnTimeout, OwnError, OwnInterrupt)}
# Instances that may exist beside those of the pool, in a program of one thread.
_PATIENCE_S = 2
# Opcodes that the strikes at one call run with one kind of exception.
_OPCODES = 1_500_000


class Case(NamedTuple):
    """One public call, and what is to be done before each strike and after it."""

    work: Callable[[], Any]
    begin: Callable[[], object] = lambda: None
    end: Callable[[], object] = lambda: None
    # Whether the mode is as it was before ``end``.
    keeps_mode: bool = True
    # Answers as ``work`` should where the machine has changed: another program has taken a port.
    reference: Callable[[], Any] | None = None


def _told(result: Any) -> Any:
    return result.hexdigest() if hasattr(result, "hexdigest") else result


def _called(function: Callable[..., Any], *args: Any, **named: Any) -> Callable[[], Any]:
    return lambda: _told(function(*args, **named))


def _scalars(place: Workplace) -> dict[str, Case]:
    return {
        f"{row.name}, {size}": Case(_called(row.function, *given), reference=_called(row.reference, *given))
        for row in ROWS
        for size, example in row.examples.items()
        for given in [arguments(example, place)]
    }


def _batches(place: Workplace) -> dict[str, Case]:
    cases = {}
    for row in ROWS:
        if row.batch is not None:
            item, *rest = arguments(next(iter(row.examples.values())), place)
            for count in (20, 2000):
                cases[f"batch.{row.name}, {count}"] = Case(_called(getattr(batch, row.name), [item] * count, *rest))
    some, log = [place.file(4096), place.file(300_000)] * 3, place.log()
    cases["batch.hash_strings"] = Case(_called(batch.hash_strings, ["a", b"b"] * 9, "md5"))
    cases["batch.hash_files"] = Case(_called(batch.hash_files, some, "md5", threads=1, return_exceptions=True))
    cases["batch.hash_files, sha1"] = Case(_called(batch.hash_files, some, "sha1", threads=1))
    cases["batch.hash_files, threads"] = Case(_called(batch.hash_files, some * 8, "md5", threads=2))
    cases["batch.read_last_n_lines"] = Case(_called(batch.read_last_n_lines, [log] * 3, 3, return_exceptions=True))
    return cases


def _blocks(mode: str) -> dict[str, Case]:
    other = "python" if mode != "python" else "auto"

    def denied() -> Any:
        with sandbox.deny("ports"):
            return skywasm.base36_encode("f" * 33)

    def limited() -> Any:
        with sandbox.limits(deadline_s=30):
            return skywasm.base36_encode("f" * 33)

    def used() -> Any:
        with skywasm.use_backend(other):
            return skywasm.base36_encode("f" * 33)

    def told() -> Any:
        return skywasm.get_backend_info()["mode"]

    def back() -> None:
        skywasm.set_backend(mode)
        skywasm.warm_up()

    return {
        "get_backend_info": Case(told),
        "set_backend": Case(lambda: skywasm.set_backend(mode), lambda: skywasm.set_backend(other), back, False),
        "use_backend": Case(used, end=back),
        "first call in a mode": Case(_called(skywasm.base36_encode, "f" * 33), bind.undecide),
        "sandbox.deny": Case(denied),
        "sandbox.limits": Case(limited),
    }


def _loading(mode: str) -> dict[str, Case]:
    def cold() -> None:
        core.unload()
        failures.forget()
        bind.undecide()

    def empty() -> None:
        core.core().pool.clear()

    cases = {"warm_up": Case(skywasm.warm_up, cold)}
    if mode != "python":
        cases["call that makes an instance"] = Case(_called(skywasm.base36_encode, "f" * 33), empty)
    if mode == "wasm":
        cases["call that loads"] = Case(_called(skywasm.base36_encode, "f" * 33), cold)
    return cases


def cases(mode: str, place: Workplace) -> dict[str, Case]:
    """All calls by name."""
    return {**_scalars(place), **_batches(place), **_loading(mode), **_blocks(mode)}


def _descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


class Watch:
    """What there is beside the answers, and what must not change."""

    def __init__(self, mode: str) -> None:
        self.mode = mode
        self.unraisable: list[str] = []
        sys.unraisablehook = lambda info: self.unraisable.append(repr(info.exc_value))
        self.descriptors, self.threads = _descriptors(), _thread._count()
        self.counts = dict(failures.counts)

    def amiss(self) -> list[str]:
        """What is not as it was."""
        found = []
        if rules.denied() or rules.deadline_s() is not None or rules.remaining_s() is not None:
            found.append("a rule is left")
        if loading.lock._is_owned() or bind._binding._is_owned():
            found.append("a lock is held")
        if clock._active:
            found.append("a call counts as under way")
        if failures.counts != self.counts or failures.reason is not None:
            found.append(f"counted as a failure: {failures.counts} {failures.reason}")
        if modes.mode() != self.mode:
            found.append(f"the mode is {modes.mode()}")
        if self.unraisable:
            found.append(f"lost: {self.unraisable}")
        self.counts = dict(failures.counts)
        failures.forget()
        self.unraisable.clear()
        return [*found, *self._counted()]

    def _counted(self) -> list[str]:
        end = time.monotonic() + _PATIENCE_S
        wrong = self._more()
        while wrong and time.monotonic() < end:
            # Threads of a batch may be at work still, and a cycle may hold an instance.
            gc.collect()
            time.sleep(0.01)
            wrong = self._more()
        self.descriptors, self.threads = _descriptors(), _thread._count()
        return wrong

    def _more(self) -> list[str]:
        wrong = []
        if _descriptors() > self.descriptors:
            wrong.append(f"descriptors: {_descriptors()} after {self.descriptors}")
        # One ticks for deadlines, and ends by itself.
        if _thread._count() - (clock._ticked is not None) > self.threads:
            wrong.append(f"threads: {_thread._count()} after {self.threads}")
        module = core._core
        if module is not None and instance.existing(module) > len(module.pool):
            wrong.append(f"instances: {instance.existing(module)}, of which {len(module.pool)} idle")
        return wrong


def gap(found: opcodes.Strike) -> str:
    """Which of Python's own gaps a strike fell into, where nothing can be done; empty for none."""
    if not found.place:
        return ""
    file, name, at = found.stack[0]
    if any("importlib" in one[0] for one in found.stack):
        return "import system"
    # The end of a block that chooses a backend has been called and has not begun; that of a rule is one step in C.
    if name == "__exit__" and at <= _FIRST and [one[1] for one in found.stack[1:2]] == ["used"]:
        return "entrance of __exit__"
    # It is about to be called: up to 3.10 Python looks for signals there.
    if sys.version_info < (3, 11) and file == __file__ and name in ("denied", "limited", "used"):
        return "entrance of __exit__"
    return ""


# Where the opcodes of a function begin that do something.
_FIRST = 0 if sys.version_info >= (3, 11) else -1


def struck(name: str, case: Case, kind: str, watch: Watch, most: int, first: int) -> dict[str, Any]:
    """Strikes at up to ``most`` opcodes of a call, evenly from the ``first`` one on.

    Fewer where the call is long: they run ``_OPCODES`` altogether, so up to 1,732 all are struck.
    """
    case.begin()
    right = case.work()
    case.end()
    case.begin()
    total = opcodes.count(case.work)
    case.end()
    step = max(1, total // min(most, 2 * _OPCODES // total))
    wrong: list[str] = []
    gaps: dict[str, int] = {}
    done, moments, at = 0, set(), 1 + first % step
    while True:
        case.begin()
        found = opcodes.strike(case.work, at, KINDS[kind]("the program's own"))
        if not found.struck:
            break
        done, at = done + 1, at + step
        moments.add(found.place)
        amiss = [] if found.came_out else [f"gave {found.result!r:.300}"]
        found.mine.__traceback__ = found.result = None
        if case.keeps_mode and modes.mode() != watch.mode:
            amiss.append(f"the mode is {modes.mode()}")
        case.end()
        answer = case.work()
        if answer != right and case.reference is not None:
            right = case.reference()
        if answer != right:
            amiss.append("the next answer")
        case.end()
        amiss += watch.amiss()
        if amiss:
            why = gap(found)
            gaps[why] = gaps.get(why, 0) + 1
            if not why:
                wrong.append(f"{name}, {kind}: {'; '.join(amiss)} at {found.place}")
            rules._here.set(())
            clock._active.clear()
            for lock in (loading.lock, bind._binding):
                while lock._is_owned():
                    lock.release()
    gaps.pop("", None)
    return {"done": done, "moments": len(moments), "gaps": gaps, "wrong": wrong}


def main() -> None:
    """Strikes as the JSON in the first argument says, and prints one line of JSON."""
    how = json.loads(sys.argv[1])
    skywasm.set_backend(how["mode"])
    skywasm.warm_up()
    gc.disable()
    totals: dict[str, Any] = {"calls": 0, "done": 0, "moments": 0, "gaps": {}, "wrong": []}
    with Workplace(quick=True) as place:
        for name, case in cases(how["mode"], place).items():
            if how.get("only", "") not in name:
                continue
            totals["calls"] += 1
            case.begin()
            case.work()
            case.end()
            watch = Watch(how["mode"])
            for kind in how["kinds"]:
                found = struck(name, case, kind, watch, how["most"], how["first"])
                totals["done"] += found["done"]
                totals["moments"] += found["moments"]
                totals["wrong"] += found["wrong"]
                for why, number in found["gaps"].items():
                    totals["gaps"][why] = totals["gaps"].get(why, 0) + number
                if how.get("told"):
                    print(name, kind, found["done"], found["moments"], found["gaps"], file=sys.stderr, flush=True)
                    for one in found["wrong"][:6]:
                        print("   ", one, file=sys.stderr, flush=True)
            gc.collect()
    print("REPORT " + json.dumps(totals))


if __name__ == "__main__":
    main()
