"""Runs the cases and gathers what they gave."""

from __future__ import annotations

import ctypes
import gc
import os
import platform
import subprocess
import sys
import time

import skywasm
from skywasm.bench import cases, measure, text
from skywasm.bench.originals import Originals
from skywasm.bench.workplace import Workplace
from skywasm.functions import ROWS
from skywasm.functions.declare import WASM
from skywasm.routes import core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

ROUNDS = 25
_QUICK_ROUNDS = 3
# A route not taken must be this much faster before the one taken counts as wrong: machines are noisy, and the
# public function's own call, which the bare routes do not have, takes some 50 ns.
_CLEARLY = 1.15
_CALL_S = 100e-9


class Row:
    """One case's outcome. Times are seconds a call, ``ratio`` is the time before divided by the time after."""

    def __init__(self, case: cases.Case, same: bool, timings: dict[str, measure.Timing]) -> None:
        self.name: str = case.name
        self.size: str = case.size
        self.against: str = case.against
        self.least: float | None = case.least
        self.same = same
        self.before: measure.Timing | None = timings.get("before")
        self.after: measure.Timing | None = timings.get("after")
        self.floor: measure.Timing | None = timings.get("floor")
        self.routes: dict[str, measure.Timing] = {
            name: timing for name, timing in timings.items() if name not in ("before", "after", "floor")
        }

    @property
    def ratio(self) -> float:
        if self.before is None or self.after is None:
            return float("nan")
        return self.before.seconds / self.after.seconds

    @property
    def reachable(self) -> float | None:
        """The ratio that the system's own calls alone would reach; None where they were not timed."""
        return None if self.before is None or self.floor is None else self.before.seconds / self.floor.seconds

    @property
    def met(self) -> bool | None:
        """Whether the ratio is what the project asks for; None where it asks for none."""
        return None if self.least is None or not self.same else self.ratio >= self.least

    @property
    def wrong_route(self) -> str | None:
        """A route not taken that is clearly faster than the one taken."""
        if self.after is None:
            return None
        for name, timing in self.routes.items():
            if timing.seconds * _CLEARLY + _CALL_S < self.after.seconds:
                return name
        return None


def run_case(case: cases.Case, rounds: int, quick: bool) -> Row:
    """Checks that all routes give the same answer, then times them."""
    calls = {"before": case.before, "after": case.after, **case.routes}
    if not measure.agree(calls, case.name):
        return Row(case, False, {})
    if case.floor is not None:
        # It answers nothing: it is there to be timed.
        calls["floor"] = case.floor
    return Row(case, True, measure.compare(calls, rounds, quick))


def _possible(case: cases.Case, originals: Originals) -> cases.Case:
    """The case less what cannot be had here."""
    if not originals.modules:
        # The ratios asked for are over SkyPilot's functions.
        case.least = None
    return case


def run_cases(quick: bool, wanted: str, seen: Callable[[Row], None]) -> tuple[str, list[Row]]:
    """All cases whose name contains ``wanted``; each row is also given to ``seen`` as it comes."""
    skywasm.warm_up()
    originals = Originals()
    # What SkyPilot's import left is not looked at again: collecting it would take longer than measuring.
    gc.collect()
    gc.freeze()
    rows = []
    try:
        with Workplace(quick) as place:
            for case in cases.all_cases(originals, place):
                if wanted in case.key:
                    row = run_case(_possible(case, originals), _QUICK_ROUNDS if quick else ROUNDS, quick)
                    rows.append(row)
                    seen(row)
    finally:
        gc.unfreeze()
    return originals.label, rows


def growth(quick: bool) -> dict[str, tuple[float, float, list[tuple[int, float]]]]:
    """For each batch the a and b of its cost a + b * n, and the times they were fitted to; seconds."""
    sizes = (10, 100, 1000) if quick else (10, 30, 100, 300, 1000, 3000, 10_000)
    result = {}
    with Workplace(quick) as place:
        for name, make in cases.growing(place, sizes[-1]):
            calls = {str(size): make(size) for size in sizes}
            timings = measure.compare(calls, _QUICK_ROUNDS if quick else ROUNDS, quick)
            points = [(int(size), timing.seconds) for size, timing in timings.items()]
            result[name] = (*measure.line(points), points)
    return result


def crossing(quick: bool) -> dict[str, float]:
    """Seconds of a bare ctypes call with the crossing's arguments, and of functions forced through wasm."""
    module = core.if_loaded()
    if module is None:
        return {}
    seat = module.borrow()
    try:
        arguments = seat[-1].bind(module.resume)
        # A C function of Python's that does nothing to speak of.
        address = ctypes.cast(ctypes.pythonapi.Py_IsInitialized, ctypes.c_void_p).value or 0
        calls = {text.BARE_CALL: measure.Call(ctypes.PYFUNCTYPE(ctypes.c_void_p)(address), arguments)}
        for row in ROWS:
            for size, example in row.examples.items():
                if not callable(example):
                    asking = " (asks the host)" if row.asks else ""
                    calls[f"{row.name}{size and ', '}{size}{asking}"] = measure.Call(row.function, example)
        with skywasm.use_backend("wasm"):
            timings = measure.compare(calls, _QUICK_ROUNDS if quick else ROUNDS, quick)
    finally:
        module.give_back(seat)
    return {name: timing.seconds for name, timing in timings.items()}


def _first_call() -> str:
    """A call that a program might begin with: the first function that auto mode sends through the artifact."""
    row = next((row for row in ROWS if row.auto == WASM), ROWS[0])
    example = next((one for one in row.examples.values() if not callable(one)), ())
    return f"skywasm.{row.name}(*{example!r})"


_STARTS = {
    "nothing, the clock alone": "pass",
    text.IMPORT_SKYWASM: "import skywasm",
    text.IMPORT_WASMTIME: "import wasmtime",
    "first call in auto, cold": f"import skywasm; {_first_call()}",
    text.FIRST_WASM: f"import skywasm; skywasm.set_backend('wasm'); {_first_call()}",
}
_START_PROGRAM = """
import sys, time
start = time.perf_counter()
{code}
taken = time.perf_counter() - start
heavy = [name for name in ("wasmtime", "psutil", "rich", "ctypes", "typing", "logging") if name in sys.modules]
print(taken, ",".join(heavy))
"""


def starts(quick: bool) -> dict[str, tuple[float, str]]:
    """Seconds that each beginning takes inside a new interpreter, and the heavy modules it loaded.

    Those that this machine cannot do are left out.
    """
    result: dict[str, tuple[float, str]] = {}
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SKYWASM_B", "SKYPILOT_"))}
    for _ in range(2 if quick else 15):
        for name, code in _STARTS.items():
            # -I keeps the user's environment out; skywasm must be importable without it.
            command = [
                sys.executable,
                "-I",
                "-c",
                f"import sys; sys.path[:0] = {_paths()!r}" + _START_PROGRAM.format(code=code),
            ]
            done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
            if done.returncode:
                # No wasmtime, or one that does not load.
                continue
            seconds, _, heavy = done.stdout.strip().partition(" ")
            if name not in result or float(seconds) < result[name][0]:
                result[name] = float(seconds), heavy
    return result


def _paths() -> list[str]:
    return [os.path.dirname(os.path.dirname(os.path.abspath(skywasm.__file__)))]


def machine() -> dict[str, str]:
    """What the numbers were taken on, and when: UTC, ISO 8601."""
    info = skywasm.get_backend_info()
    return {
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "processor": _processor(),
        "cpus": str(skywasm.get_cpu_count()),
        "system": f"{platform.system()} {platform.machine()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "wasmtime": str(info["wasmtime"]),
        "skywasm": skywasm.__version__,
        "core_sha256": str(info["core_sha256"]),
        "backend": f"{info['mode']}, {info['backend']}",
    }


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def pyperf(label: str, rows: list[Row], about: dict[str, str]) -> dict[str, Any]:
    """The outcome in pyperf's JSON format: two benchmarks a case, so that two files can be compared."""
    benchmarks = []
    for row in rows:
        for who, timing in (("before", row.before), ("after", row.after)):
            if timing is None:
                continue
            name = f"{row.name} {row.size}".strip()
            metadata: dict[str, Any] = {
                "name": f"{name} [{who}]",
                "unit": "second",
                "skywasm_ratio": row.ratio,
                "skywasm_cpu_s": timing.cpu_s,
                "skywasm_peak_bytes": timing.peak_bytes,
                "skywasm_against": row.against or label,
            }
            if row.least is not None:
                metadata["skywasm_least"] = row.least
            if row.reachable is not None:
                metadata["skywasm_reachable"] = row.reachable
            benchmarks.append({"metadata": metadata, "runs": [{"values": timing.samples_s}]})
    metadata = {f"skywasm_{name}": value for name, value in about.items()}
    return {"version": "1.0", "metadata": {**metadata, "skywasm_compared_with": label}, "benchmarks": benchmarks}
