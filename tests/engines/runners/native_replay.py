"""Counts what the native tests of the Rust core say of the vectors, in the form of the other runners.

    python native_replay.py CORE_WASM CALLS_JSON [CRATE]

The Rust functions have no exports natively, so no calls are replayed: ``cargo test --test vectors`` reads the vector
files itself, and the cases of CALLS_JSON tell how many there are of each function. Lists are not asked here.
"""

from __future__ import annotations

import collections
import json
import pathlib
import platform
import re
import subprocess
import sys

_CRATE = pathlib.Path(__file__).resolve().parents[3] / "wasm-core"
_MOST_SHOWN = 300
_OUTCOME = re.compile(r"^test (\w+) \.\.\. (ok|FAILED)$", re.MULTILINE)
_DIFFERENCE = re.compile(r"^(\w+): (\d+) differ\n(.*)", re.MULTILINE)


def counted(output: str, functions: collections.Counter[tuple[str, str]]) -> tuple[dict[str, int], list[str]]:
    """Cases passed by kind, and failures, from what cargo prints.

    Args:
        output: of ``cargo test``, where each test bears the name of a function.
        functions: cases by function and kind.
    """
    outcomes = dict(_OUTCOME.findall(output))
    differences = {name: (int(count), first.strip()) for name, count, first in _DIFFERENCE.findall(output)}
    passed, failures = {"answer": 0, "refusal": 0, "batch": 0}, []
    for function in sorted({function for function, _ in functions}):
        kinds = {kind: functions[function, kind] for kind in passed}
        if outcomes.get(function) != "ok":
            # A test that failed in another way than by differences passed nothing that is known.
            count, first = differences.get(function, (sum(kinds.values()), outcomes.get(function, "was not run")))
            failures.append(f"{function}: {count} cases differ, {first[:_MOST_SHOWN]}")
            failures += [f"{function}: another of {count}"] * (count - 1)
            kinds["answer"], kinds["refusal"] = max(sum(kinds.values()) - count, 0), 0
        for kind, count in kinds.items():
            passed[kind] += count
    return passed, failures


def main(_core: str, calls: str, crate: str = str(_CRATE)) -> None:
    with open(calls, encoding="ascii") as file:
        cases = json.load(file)["cases"]
    functions = collections.Counter((case["function"], case["kind"]) for case in cases if case["kind"] != "batch")
    command = ["cargo", "test", "--locked", "--test", "vectors"]
    done = subprocess.run(command, cwd=crate, capture_output=True, text=True, check=False)
    if not _OUTCOME.search(done.stdout):
        sys.exit(f"cargo test ran no test: {done.stderr[-2000:]}")
    passed, failures = counted(done.stdout, functions)
    version = subprocess.run(["rustc", "--version"], cwd=crate, capture_output=True, text=True, check=True).stdout
    line = {
        "version": "rustc " + version.split()[1],
        "processor": platform.machine(),
        "passed": passed,
        "failures": failures,
    }
    print(json.dumps(line))


if __name__ == "__main__":
    main(*sys.argv[1:])
