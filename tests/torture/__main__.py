"""Runs the long form of the tests of threads, forks, interrupts, traps, the cache and leaks.

    make torture                                everything, and the table into docs/RELIABILITY.md
    make torture TORTURE="--scale 0.05"         a twentieth of the counts; no document is changed
    python -m torture --only forks --seed 7     one trial (in tests/)

Exit status: 0 when all held; 1 when something did not; 2 for bad arguments.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

from fuzz import table

from torture import faults, interrupts, leaks, limits, processes, threads
from torture.trial import Found, Trial

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

TRIALS: tuple[Trial, ...] = (
    *threads.TRIALS,
    *interrupts.TRIALS,
    *processes.TRIALS,
    *faults.TRIALS,
    *limits.TRIALS,
    *leaks.TRIALS,
)
NAMES = [trial.name for trial in TRIALS]
SEED = 20_251_125
COLUMNS = ("trial", "done", "of what", "seed", "seconds", "failures", "seen")


def _parser() -> argparse.ArgumentParser:
    title, _, rest = (__doc__ or "").partition("\n")
    parser = argparse.ArgumentParser(
        "python -m torture", description=title, epilog=rest, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    shown = ", ".join(NAMES)
    parser.add_argument("--only", action="append", choices=NAMES, metavar="TRIAL", help=f"one of: {shown}; repeatable")
    parser.add_argument("--scale", type=float, default=1.0, metavar="X", help="times the counts of the long form")
    parser.add_argument("--seed", type=int, default=SEED, metavar="S", help=f"the seed (default {SEED})")
    parser.add_argument("--log", type=Path, metavar="FILE", help="append one line of JSON a trial")
    parser.add_argument("--update", type=Path, metavar="DOCUMENT", help="put the table between the document's marks")
    return parser


def _checked(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = _parser()
    options = parser.parse_args(argv)
    if options.scale <= 0:
        parser.error("--scale must be more than 0")
    if options.update:
        problem = table.missing_marks(options.update, "make torture")
        if problem:
            parser.error(problem)
        if options.only or options.scale < 1:
            parser.error("--update writes the whole table; leave out --only, and --scale below 1")
    return options


def attempt(trial: Trial, count: int, seed: int) -> Found:
    """Runs a trial; one that breaks down has a problem."""
    try:
        return trial.run(count, seed)
    except AssertionError as error:
        return Found(0, [f"the trial broke down: {error}"])


def row(trial: Trial, found: Found, seed: int, seconds: float) -> tuple[str, ...]:
    """A trial's row of the table."""
    texts = (f"{found.done:,}", trial.unit, str(seed), f"{seconds:.0f}", str(len(found.problems)), found.note)
    return (trial.name, *texts)


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    options = _checked(argv)
    begun = time.monotonic()
    rows: list[tuple[str, ...]] = [COLUMNS]
    failed = False
    with tempfile.TemporaryDirectory() as folder, mock.patch.dict("os.environ", {"SKYWASM_CACHE_DIR": folder}):
        for trial in TRIALS:
            if options.only and trial.name not in options.only:
                continue
            start = time.monotonic()
            found = attempt(trial, max(int(trial.long * options.scale), 1), options.seed)
            rows.append(row(trial, found, options.seed, time.monotonic() - start))
            print("  ".join(rows[-1]), file=sys.stderr, flush=True)
            for problem in found.problems:
                failed = True
                print(f"    {problem}", file=sys.stderr, flush=True)
            if options.log:
                with open(options.log, "a", encoding="utf-8") as log:
                    log.write(json.dumps(dict(zip(COLUMNS, rows[-1]), problems=found.problems)) + "\n")
    print(table.plain(rows))
    if options.update:
        text = table.markdown(rows, (1, 3, 4, 5))
        table.update(options.update, "make torture", f"{text}\n\n{table.conditions(time.monotonic() - begun)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
