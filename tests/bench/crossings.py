"""The crossing beside the one before it, in one process: ``python tests/bench/crossings.py [REVISION]``.

Takes the package of an earlier revision out of git under another name, so that both run side by side, checks that both
answer alike, and prints the table of docs/BENCHMARKS.md. Minima of interleaved repeats; the spread is the third
quartile's distance from the minimum.
"""

from __future__ import annotations

import importlib
import io
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

ROOT = pathlib.Path(__file__).resolve().parents[2]
BEFORE = "6508325"
_REPEATS = 40
_REPEAT_S = 0.004


class Row:
    """A comparison: what both do, and the ratio that is asked for."""

    def __init__(self, what: str, before: Callable[[], Any], after: Callable[[], Any], most: float, unit: str) -> None:
        self.what = what
        self.before = before
        self.after = after
        self.most = most
        self.unit = unit


def unpack(revision: str, folder: str) -> None:
    """The package of a revision as ``skywasm_before``, with its own host functions."""
    command = ["git", "-C", str(ROOT), "archive", revision, "skywasm", "host_shims"]
    archive = subprocess.run(command, check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(folder)
    for path in pathlib.Path(folder).rglob("*.py"):
        path.write_text(re.sub(r"\b(skywasm|host_shims)\b(?!-|/)", r"\1_before", path.read_text()))
    for name in ("skywasm", "host_shims"):
        os.rename(os.path.join(folder, name), os.path.join(folder, name + "_before"))


def rows(before: Any, after: Any) -> Iterator[Row]:
    """What is compared in ``wasm`` mode, then in ``python`` mode."""
    yield Row("empty raw call", _raw_before(before), _raw_after(after), 0.65, "ns")
    digits = "d41d8cd98f00b204e9800998ecf8427e"
    text = ("Launching a cluster named train with 8 nodes on the first cloud that has them " * 3)[:200]
    me = os.getpid()
    calls: list[tuple[str, Callable[[Any], Any], float]] = [
        ("(str)->str, base36 of an MD5", lambda m: m.base36_encode(digits), 0.85),
        ("(str,int,bool)->str, truncate 200 characters", lambda m: m.truncate_long_string(text), 0.40),
        ("(float,int)->str", lambda m: m.format_float(3.14159), 0.40),
        ("host round trip, is_process_alive", lambda m: m.is_process_alive(me), 0.70),
        ("a batch of one item", lambda m: m.batch.base36_encode([digits]), 0.40),
    ]
    odd = [f"{number:032x}" for number in range(10_000)]
    odd[5_000] = " 0xFF "
    calls.append(("a batch of 10,000 with one odd item", lambda m: m.batch.base36_encode(odd), 0.15))
    for what, call, most in calls:
        yield Row(what, _bound(call, before), _bound(call, after), most, "ns")
    yield Row("a new instance", _instance_before(before), _instance_after(after), 0.20, "ns")
    yield Row(
        "fresh=True: a new instance for every call (at most 45 us)", _instance_before(before), _fresh(after), 1, "ns"
    )


def python_rows(before: Any, after: Any) -> Iterator[Row]:
    """What is compared where Python answers."""
    for what, call in (
        ("short truncate_long_string, Python", lambda m: m.truncate_long_string("sky launch")),
        ("format_float, Python", lambda m: m.format_float(3.14159)),
    ):
        yield Row(what, _bound(call, before), _bound(call, after), 1.0, "ns")


def _bound(call: Callable[[Any], Any], module: Any) -> Callable[[], Any]:
    return lambda: call(module)


def _raw_before(before: Any) -> Callable[[], Any]:
    instance = importlib.import_module("skywasm_before._runtime").borrow()
    enter, arguments = instance.keep_gil, instance.arguments["sky_abi_version"]
    # The instance is named so that it lives as long as what is called.
    return lambda kept=instance: enter(*arguments) and kept and None


def _raw_after(after: Any) -> Callable[[], Any]:
    module = importlib.import_module("skywasm.routes.core").core()
    seat = module.borrow()
    index = module.index("skywasm.buffers")
    arguments = seat[-1].bind(index)
    enter = seat[-4]
    return lambda kept=seat: enter(*arguments) and kept and None


def _instance_before(before: Any) -> Callable[[], Any]:
    runtime = importlib.import_module("skywasm_before._runtime")
    engine = runtime.engine()
    return lambda: runtime._instance(engine) and None


def _instance_after(after: Any) -> Callable[[], Any]:
    module = importlib.import_module("skywasm.routes.core").core()
    return lambda: module.new_seat() and None


def _fresh(after: Any) -> Callable[[], Any]:
    core = importlib.import_module("skywasm.routes.core")
    machine = importlib.import_module("skywasm.machine")
    content, digest = core.artifact()
    module = importlib.import_module("skywasm.crossing.module").Module(
        content, "core.wasm", machine.HOST, digest=digest, fresh=True
    )
    return lambda: module.call("base36_encode", "d41d8cd98f00b204e9800998ecf8427e") and None


def measure(row: Row) -> tuple[list[float], list[float]]:
    """Seconds a call, before and after, repeat by repeat in turn."""
    sides = (row.before, row.after)
    counts = [_count(side) for side in sides]
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(_REPEATS):
        for side, count, kept in zip(sides, counts, times):
            repeat = range(count)
            began = time.perf_counter()
            for _ in repeat:
                side()
            kept.append((time.perf_counter() - began) / count)
    return times


def _count(side: Callable[[], Any]) -> int:
    began, count = time.perf_counter(), 0
    while time.perf_counter() - began < _REPEAT_S:
        side()
        count += 1
    return count


def shown(seconds: float) -> str:
    """A time with three digits."""
    for unit, size in (("ns", 1e-9), ("us", 1e-6), ("ms", 1e-3)):
        if seconds < 1000 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"


def imports() -> tuple[float, float]:
    """Seconds that ``import skywasm`` takes in a new process, before and after."""
    best = []
    for name in ("skywasm_before", "skywasm"):
        code = f"import time, sys; began = time.perf_counter(); import {name}; print(time.perf_counter() - began)"
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        command = [sys.executable, "-c", code]
        runs = [subprocess.run(command, env=environment, capture_output=True, check=True).stdout for _ in range(15)]
        best.append(min(map(float, runs)))
    return best[0], best[1]


def main() -> None:
    """Measures and prints the table."""
    revision = sys.argv[1] if len(sys.argv) > 1 else BEFORE
    with tempfile.TemporaryDirectory() as folder:
        unpack(revision, folder)
        sys.path.insert(0, folder)
        sys.path.insert(0, str(ROOT))
        before, after = importlib.import_module("skywasm_before"), importlib.import_module("skywasm")
        for module in (before, after):
            importlib.import_module(module.__name__ + ".batch")
        print(f"CPython {sys.version.split()[0]}, revision {revision} against this tree\n")
        print("| call | before | after | times | asked | spread |\n|---|---:|---:|---:|---:|---:|")
        for mode, made in (("wasm", rows), ("python", python_rows)):
            for module in (before, after):
                module.set_backend(mode)
                if mode == "wasm":
                    module.warm_up()
            for row in made(before, after):
                right = row.before(), row.after()
                assert row.most == 1 or right[0] == right[1], (row.what, right)
                old, new = measure(row)
                ratio = min(new) / min(old)
                spread = statistics.quantiles(new, n=4)[2] / min(new) - 1
                print(
                    f"| {row.what} | {shown(min(old))} | {shown(min(new))} | {ratio:.2f} | {row.most} | {spread:.0%} |",
                    flush=True,
                )
        old_s, new_s = imports()
        print(f"| import skywasm | {shown(old_s)} | {shown(new_s)} | {new_s / old_s:.2f} | 1.0 | |")


if __name__ == "__main__":
    main()
