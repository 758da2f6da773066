"""Runs blocks of cases: the oracle first, then each backend over the whole block."""

from __future__ import annotations

import collections
import contextlib
import functools
import os
import tempfile
import time

import skywasm
from fuzz import files, machine, plain, pure, shrink
from fuzz.dice import Dice
from fuzz.outcomes import raised, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from fuzz.outcomes import Outcome
    from fuzz.target import Case, Target

BACKENDS = ("auto", "wasm", "python")
# Cases of a block share one seed, and files where there are any; a case is replayed by making its block again.
BLOCK = 250
AGAIN = 4
MOST_REPORTED = 20
# Those that need files, ports and the like, or know more of their arguments than their declarations say.
_OWN = {
    kind.name: kind
    for kind in (
        pure.Base36,
        pure.FormatFloat,
        pure.Truncate,
        files.HashFile,
        files.Tail,
        machine.Port,
        machine.CpuCount,
        machine.MemSize,
        machine.Threads,
        machine.Workers,
        machine.Alive,
        files.Estimate,
    )
}
TARGETS: dict[str, type[Target]] = {**plain.TARGETS, **_OWN}


def _memory_folder() -> str | None:
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


@contextlib.contextmanager
def opened(name: str) -> Iterator[Target]:
    """The function's target, ready, with the engine loaded; at the end this process is as it was."""
    target = TARGETS[name]()
    with tempfile.TemporaryDirectory(dir=_memory_folder(), ignore_cleanup_errors=True) as folder:
        # Before anything is replaced that loading may need.
        with skywasm.use_backend("wasm"):
            skywasm.warm_up()
        target.open(folder)
        try:
            yield target
        finally:
            target.close()


def cases(target: Target, seed: int, block: int) -> list[Case]:
    """All cases of a block."""
    dice = Dice(f"{target.name} {seed} {block}")
    target.begin(dice)
    return [target.case(dice) for _ in range(BLOCK)]


def _outcomes(target: Target, some: list[Case], backend: str | None) -> list[Outcome]:
    call = target.theirs if backend is None else target.ours
    found = []
    with skywasm.use_backend(backend or "python"):
        for case in some:
            target.apply(case)
            found.append(call(case))
    return found


def _differs(target: Target, backend: str, case: Case) -> bool:
    """Whether one case differs; where others use the machine too, whether it does each time."""
    for _ in range(AGAIN if target.shared_machine else 1):
        (want,), (got,) = _outcomes(target, [case], None), _outcomes(target, [case], backend)
        if want == got or target.same(case, want, got, backend):
            return False
    return True


def _kind(found: Outcome) -> str:
    return f"{found[1]}" if raised(found) else f"{found[0]}"


def _report(target: Target, backend: str, case: Case, number: int, seed: int) -> dict[str, Any]:
    small = shrink.shrunk(case, functools.partial(_differs, target, backend))
    (want,), (got,) = _outcomes(target, [small], None), _outcomes(target, [small], backend)
    return {
        "function": target.name,
        "backend": backend,
        "case": number,
        "call": target.shown(small),
        "want": shown(want),
        "got": shown(got),
        "replay": f"python -m fuzz --function {target.name} --seed {seed} --case {number}",
    }


def run_block(target: Target, seed: int, block: int, counts: collections.Counter[str]) -> list[dict[str, Any]]:
    """The differences of a block's cases, made as small as they can be; what came up is added to ``counts``.

    One case of each kind of difference is reported, and ``MOST_REPORTED`` kinds; all are counted.
    """
    some = cases(target, seed, block)
    wants = _outcomes(target, some, None)
    counts["cases"] += len(some)
    counts["errors"] += sum(map(raised, wants))
    reports = []
    for backend in BACKENDS:
        gots = _outcomes(target, some, backend)
        counts["compared"] += len(gots)
        if gots == wants:
            continue
        for at, (case, want, got) in enumerate(zip(some, wants, gots)):
            if want == got:
                continue
            if target.same(case, want, got, backend):
                counts["documented"] += 1
            elif not target.shared_machine or _differs(target, backend, case):
                counts["differences"] += 1
                kind = f"kind {backend} {_kind(want)} {_kind(got)}"
                counts["kinds"] += kind not in counts
                counts[kind] += 1
                if counts[kind] == 1 and counts["kinds"] <= MOST_REPORTED:
                    reports.append(_report(target, backend, case, block * BLOCK + at, seed))
    return reports


def run(name: str, seed: int, count: int) -> dict[str, Any]:
    """Fuzzes one function with ``count`` cases, rounded up to whole blocks."""
    counts: collections.Counter[str] = collections.Counter()
    reports: list[dict[str, Any]] = []
    with opened(name) as target:
        begun = time.monotonic()
        for block in range(-(-count // BLOCK)):
            reports += run_block(target, seed, block, counts)
        seconds = time.monotonic() - begun
        mounted = bool(target.namespace and os.environ.get("SKYWASM_TEST_NAMESPACE"))
    fallbacks = skywasm.get_backend_info()["fallbacks"]
    if fallbacks:
        # An answer that Python had to give says nothing about the artifact.
        counts["differences"] += 1
        reports.append({"function": name, "backend": "auto", "case": -1, "call": "fallbacks", "got": str(fallbacks)})
    kept = {key: counts[key] for key in ("cases", "errors", "compared", "documented", "differences")}
    about = {"function": name, "seed": seed, "seconds": seconds, "oracle": target.oracle, "varies": target.varies}
    return {**about, **kept, "mounted": mounted, "namespace": target.namespace, "reports": reports}


def replay(name: str, seed: int, number: int) -> tuple[str, dict[str, str], bool]:
    """One case again: the call, each side's outcome, and whether all agree."""
    with opened(name) as target:
        # The cases before it made the machine what it was.
        case = cases(target, seed, number // BLOCK)[number % BLOCK]
        (want,) = _outcomes(target, [case], None)
        found, good = {target.oracle: shown(want)}, True
        for backend in BACKENDS:
            (got,) = _outcomes(target, [case], backend)
            found[backend] = shown(got)
            good = good and (want == got or target.same(case, want, got, backend))
        return target.shown(case), found, good
