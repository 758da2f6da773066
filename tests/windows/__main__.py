"""Runs the tests in real Pythons for Windows, under Wine, and prints one table.

    make windows                      all folders of tests in all Pythons, and the table into docs/PYTHONS.md
    make windows WINDOWS=--quick      the vectors in every backend, host functions, the crossing: about a minute
    make windows WINDOWS="--python 3.11 --tests cli"

Needs Debian's wine64, gcc-mingw-w64-x86-64-win32, maven and npm. All else lies in .venv-windows.
Exit status: 0 when no test failed; 1 when one did; 2 for bad arguments.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from fuzz import table as tables

from windows import differences, pythons, runs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from windows.runs import Outcome

FOLDER = pythons.ROOT / ".venv-windows"
COMMAND = "make windows"
COLUMNS = ("tests", "Python", "passed", "skipped", "differ under Wine", "failed", "seconds")


def cells(outcome: Outcome) -> tuple[str, ...]:
    """A row of the table."""
    numbers = (outcome.passed, outcome.skipped, outcome.differing, outcome.failed)
    return (outcome.tests, f"CPython {outcome.python}", *(f"{one:,}" for one in numbers), f"{outcome.seconds:.0f}")


def document(facts: Sequence[str], outcomes: Sequence[Outcome], wine: str) -> str:
    """The table for the documentation, with what it was made with and what differs."""
    lines = [tables.markdown([COLUMNS, *map(cells, outcomes)], range(2, len(COLUMNS))), ""]
    lines += [*facts, "", f"Under {wine}, with the artifact of SHA-256 `{runs.digest()}`.", ""]
    lines += ["What differs because of Wine, and not because of Windows:", ""]
    lines += [f"- `{one.tests.partition('::')[0].replace(chr(92), '')}`: {one.reason}." for one in differences.WINE]
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    title, _, rest = (__doc__ or "").partition("\n")
    parser = argparse.ArgumentParser(
        COMMAND, description=title, epilog=rest, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a choice of tests, in the first Python")
    parser.add_argument("--python", action="append", choices=list(pythons.BY_KEY), help="one of the Pythons")
    parser.add_argument("--tests", action="append", metavar="FOLDER", help="one of the folders, or of their files")
    parser.add_argument("--update", type=Path, metavar="DOCUMENT", help="put the table between the document's marks")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    parser = _parser()
    options = parser.parse_args(argv)
    if options.update and tables.missing_marks(options.update, COMMAND):
        parser.error(tables.missing_marks(options.update, COMMAND))
    keys = options.python or ([pythons.PYTHONS[0].key] if options.quick else list(pythons.BY_KEY))
    chosen = options.tests or (runs.QUICK if options.quick else runs.FOLDERS)
    outcomes, facts = [], []
    for key in keys:
        place = runs.Place(pythons.BY_KEY[key], FOLDER)
        python, wasmtime, psutil, backend = place.facts()
        facts.append(f"- CPython {python} for Windows, wasmtime {wasmtime}, psutil {psutil}: the backend is {backend}.")
        print(facts[-1], file=sys.stderr, flush=True)
        if backend != "wasm":
            print(f"the sandbox does not run in Python {python}", file=sys.stderr)
            return 1
        for tests in chosen:
            outcome, said = place.tested(tests)
            outcomes.append(outcome)
            print(*cells(outcome), sep="  ", file=sys.stderr, flush=True)
            if outcome.failed:
                print(said, file=sys.stderr)
            elif tests in runs.FOLDERS:
                runs.keep(FOLDER, outcome)
        wine = place.wine.version()
        place.wine.stop()
    print(tables.plain([COLUMNS, *map(cells, outcomes)]))
    if any(one.failed for one in outcomes):
        return 1
    if options.update:
        tables.update(options.update, COMMAND, document(facts, outcomes, wine))
    return 0


if __name__ == "__main__":
    sys.exit(main())
