"""The native random loop of the Rust core in its long form: 1,000,000 rounds, and the table into docs/RELIABILITY.md.

    make rust-fuzz                                  needs cargo
    python -m fuzz.native --rounds 20000            a shorter run that changes no document (in tests/)

Exit status: 0 when nothing differed; 1 when something did; 2 for bad arguments, or where there is no cargo.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from fuzz import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

CRATE = Path(__file__).resolve().parents[2] / "wasm-core"
COMMAND = "make rust-fuzz"
ROUNDS = 1_000_000
SEED = 20_251_125
COLUMNS = ("function of the core", "cases", "seed", "seconds", "differences")
TESTS = 11


def _parser() -> argparse.ArgumentParser:
    title, _, rest = (__doc__ or "").partition("\n")
    parser = argparse.ArgumentParser(
        "python -m fuzz.native", description=title, epilog=rest, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=ROUNDS, metavar="N", help="costly functions get a share of them")
    parser.add_argument("--seed", type=int, default=SEED, metavar="S", help=f"the seed (default {SEED})")
    parser.add_argument("--update", type=Path, metavar="DOCUMENT", help="put the table between the document's marks")
    return parser


def rows(output: str) -> list[tuple[str, ...]]:
    """The table's rows, out of what the tests print."""
    found: list[dict[str, Any]] = []
    for line in output.splitlines():
        _, mark, text = line.partition("RANDOM ")
        if mark:
            found.append(json.loads(text))
    found.sort(key=lambda one: str(one["name"]))
    return [(f"`{one['name']}`", f"{one['cases']:,}", str(one["seed"]), f"{one['seconds']:.0f}", "0") for one in found]


def sources() -> str:
    """The digest of the Rust sources, as the artifact's provenance has it."""
    from skywasm.routes import core

    return core.provenance()["sources-sha256"]


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    parser = _parser()
    options = parser.parse_args(argv)
    if options.rounds < 1 or not 0 <= options.seed < 2**64:
        parser.error("--rounds must be at least 1, and --seed from 0 to 2**64 - 1")
    if options.update:
        problem = table.missing_marks(options.update, COMMAND)
        if problem or options.rounds < ROUNDS:
            parser.error(problem or f"--update wants at least {ROUNDS:,} rounds")
    if shutil.which("cargo") is None:
        parser.error("there is no cargo here; install Rust 1.88 or newer")
    command = ["cargo", "test", "--quiet", "--release", "--test", "random", "--", "--nocapture", "--test-threads=1"]
    settings = {"SKYWASM_TEST_ROUNDS": str(options.rounds), "SKYWASM_TEST_SEED": str(options.seed)}
    environment = {**os.environ, **settings}
    done = subprocess.run(command, cwd=CRATE, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    ran = rows(done.stdout)
    if done.returncode != 0 or len(ran) != TESTS:
        print(f"{len(ran)} of {TESTS} ran; cargo ended with status {done.returncode}\n{done.stdout}", file=sys.stderr)
        return 1
    print(table.plain([COLUMNS, *ran]))
    if options.update:
        made = f"\n\nRun on {time.strftime('%Y-%m-%d')} with the sources of SHA-256 `{sources()}`."
        table.update(options.update, COMMAND, table.markdown([COLUMNS, *ran], (1, 2, 3, 4)) + made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
