"""Compares every backend with SkyPilot on a million generated cases a function, and says how to repeat a difference.

    make fuzz                                   1,000,000 cases a function, and the table into docs/RELIABILITY.md
    make fuzz FUZZ="--cases 20000"              a shorter run that changes no document
    python -m fuzz --function format_float --seed 7 --case 1234     one case again (in tests/)

Exit status: 0 when nothing differed; 1 when something did, or a worker failed; 2 for bad arguments.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import json
import logging
import os
import shutil
import subprocess
import sys
import time
import warnings
from pathlib import Path

from fuzz import table
from skywasm.functions import ROWS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

FUNCTIONS = tuple(row.name for row in ROWS)
IN_CONTAINERS = ("get_cpu_count", "get_mem_size_gb")
CASES = 1_000_000
SEED = 20_251_125
COLUMNS = (
    "function",
    "cases",
    "of them errors",
    "answers compared",
    "seed",
    "seconds",
    "cases a second",
    "differences",
)


def _parser() -> argparse.ArgumentParser:
    title, _, rest = (__doc__ or "").partition("\n")
    parser = argparse.ArgumentParser(
        "python -m fuzz", description=title, epilog=rest, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--function", action="append", choices=FUNCTIONS, metavar="F", help="only this one; repeatable")
    parser.add_argument("--cases", type=int, default=CASES, metavar="N", help=f"cases a function (default {CASES:,})")
    parser.add_argument("--seed", type=int, default=SEED, metavar="S", help=f"the seed (default {SEED})")
    parser.add_argument("--case", type=int, metavar="N", help="run only this case again and show each side's answer")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)), metavar="N", help="processes at once")
    parser.add_argument("--log", type=Path, metavar="FILE", help="append one line of JSON a function")
    parser.add_argument("--update", type=Path, metavar="DOCUMENT", help="put the table between the document's marks")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    return parser


def _checked(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = _parser()
    options = parser.parse_args(argv)
    if options.cases < 1 or options.jobs < 1:
        parser.error("--cases and --jobs must be at least 1")
    if options.case is not None and (options.case < 0 or len(options.function or ()) != 1):
        parser.error("--case wants a number of at least 0, and one --function with it")
    if options.update:
        problem = table.missing_marks(options.update, "make fuzz")
        if problem:
            parser.error(problem)
        if options.function or options.cases < CASES:
            parser.error(f"--update writes the whole table; leave out --function, and run at least {CASES:,} cases")
    return options


def _command(function: str, *more: str) -> tuple[list[str], dict[str, str]]:
    """How to start a worker: in a mount namespace of its own where the function needs one and one can be had."""
    command = [sys.executable, "-m", "fuzz", "--worker", "--function", function, *more]
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("SKYWASM_", "SKYPILOT_"))}
    tests = str(Path(__file__).resolve().parent.parent)
    environment["PYTHONPATH"] = os.pathsep.join((tests, f"{tests}/vectors"))
    if function in IN_CONTAINERS and _can_mount():
        return ["unshare", "-m", *command], {**environment, "SKYWASM_TEST_NAMESPACE": "1"}
    return command, environment


def _can_mount() -> bool:
    if sys.platform != "linux" or shutil.which("unshare") is None:
        return False
    command = ["unshare", "-m", "mount", "-t", "tmpfs", "none", "/sys/fs/cgroup"]
    tried = subprocess.run(command, capture_output=True, check=False)
    return tried.returncode == 0


def worker(function: str, seed: int, count: int) -> dict[str, Any]:
    """Fuzzes one function in a process of its own."""
    command, environment = _command(function, "--seed", str(seed), "--cases", str(count))
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        # A worker that dies is the worst of differences.
        failure = {"backend": "", "call": f"the worker ended with status {done.returncode}", "got": done.stderr[-3000:]}
        none = {"seconds": 0.0, "cases": 0, "errors": 0, "compared": 0, "differences": 1}
        return {"function": function, "seed": seed, **none, "reports": [failure]}
    return json.loads(done.stdout.splitlines()[-1])  # type: ignore[no-any-return]


def row(found: dict[str, Any]) -> tuple[str, ...]:
    """A function's row of the table."""
    rate = found["cases"] / found["seconds"] if found["seconds"] else 0
    numbers = (found["cases"], found["errors"], found["compared"])
    texts = [f"{number:,}" for number in numbers] + [str(found["seed"]), f"{found['seconds']:.0f}", f"{rate:,.0f}"]
    return (f"`{found['function']}`", *texts, f"{found['differences']:,}")


def _say(found: dict[str, Any]) -> None:
    for one in found["reports"]:
        print(f"{found['function']} differs with the backend {one['backend']}: {one['call']}", file=sys.stderr)
        for key in ("want", "got", "replay"):
            if key in one:
                print(f"    {key:<6} {one[key]}", file=sys.stderr)
    if found.get("namespace") and not found["mounted"]:
        print(f"{found['function']}: no mount namespace here, so only the environment varied", file=sys.stderr)


def _work(options: argparse.Namespace) -> int:
    """In the worker: one function, or one case of it."""
    from fuzz import blocks

    warnings.simplefilter("ignore")
    # Both sides warn of a low limit of open files, once.
    logging.disable(logging.WARNING)
    name = options.function[0]
    if options.case is None:
        print(json.dumps(blocks.run(name, options.seed, options.cases)))
        return 0
    call, found, good = blocks.replay(name, options.seed, options.case)
    print(call)
    for side, outcome in found.items():
        print(f"    {side:<8} {outcome}")
    print("all agree, or differ as documented" if good else "DIFFERENT")
    return 0 if good else 1


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    options = _checked(argv)
    if options.worker:
        return _work(options)
    if options.case is not None:
        command, environment = _command(options.function[0], "--seed", str(options.seed), "--case", str(options.case))
        return subprocess.run(command, env=environment, check=False).returncode
    functions = list(dict.fromkeys(options.function or FUNCTIONS))
    begun = time.monotonic()
    results: dict[str, dict[str, Any]] = {}
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        waiting = [pool.submit(worker, function, options.seed, options.cases) for function in functions]
        for future in concurrent.futures.as_completed(waiting):
            found = future.result()
            results[found["function"]] = found
            print("  ".join(row(found)), file=sys.stderr, flush=True)
            _say(found)
            if options.log:
                with open(options.log, "a", encoding="utf-8") as log:
                    log.write(json.dumps(found) + "\n")
    rows = [COLUMNS, *(row(results[function]) for function in functions)]
    print(table.plain(rows))
    if options.update:
        text = table.markdown(rows, range(1, len(COLUMNS)))
        table.update(options.update, "make fuzz", f"{text}\n\n{table.conditions(time.monotonic() - begun)}")
    return 1 if any(found["differences"] for found in results.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
