"""Runs the tests in real Pythons for Windows, under Wine, and prints one table.

    make windows                      all, and the table into docs/PYTHONS.md
    make windows WINDOWS=--quick      the vectors in every backend, host functions, exceptions: about a minute
    make windows WINDOWS="--python 3.11 --tests cli"
    make windows WINDOWS=--speed      the crossing beside this Python's, in alternating runs
    make windows WINDOWS="--table --update docs/PYTHONS.md"    of what was found before

Needs Debian's wine64, gcc-mingw-w64-x86-64-win32, maven and npm. All else lies in .venv-windows.
Exit status: 0 when no test failed, and Windows is quick enough; 1 otherwise; 2 for bad arguments.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from fuzz import table as tables

from windows import pythons, rows, runs, speed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from windows.runs import Outcome

FOLDER = pythons.ROOT / ".venv-windows"
COMMAND = "make windows"
# Exceptions that are thrown into calls.
FEW, MANY = 300, 30_000


def _parser() -> argparse.ArgumentParser:
    title, _, rest = (__doc__ or "").partition("\n")
    parser = argparse.ArgumentParser(
        COMMAND, description=title, epilog=rest, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a choice of tests, in the first Python")
    parser.add_argument("--python", action="append", choices=list(pythons.BY_KEY), help="one of the Pythons")
    parser.add_argument("--tests", action="append", metavar="FOLDER", help="one of the folders, or of their files")
    parser.add_argument("--speed", action="store_true", help="time the crossing here and there, and nothing else")
    parser.add_argument("--table", action="store_true", help="run nothing: what was found before counts")
    parser.add_argument("--update", type=Path, metavar="DOCUMENT", help="put the table between the document's marks")
    return parser


def _told(*cells: str) -> None:
    print(*cells, sep="  ", file=sys.stderr, flush=True)


def _ready(key: str) -> runs.Place:
    """A Python that is ready.

    Raises:
        SystemExit: it does not start, or the sandbox does not run in it.
    """
    place = runs.Place(pythons.BY_KEY[key], FOLDER)
    python, wasmtime, psutil, backend = place.facts()
    fact = f"CPython {python} for Windows, wasmtime {wasmtime}, psutil {psutil}: the backend is {backend}."
    _told(fact)
    if backend != "wasm":
        raise SystemExit(f"the sandbox does not run in Python {python}")
    rows.keep(FOLDER, "facts", key, [fact, place.wine.version()])
    return place


def _tested(place: runs.Place, tests: str, exceptions: int) -> Outcome:
    outcome, said = place.tested(tests, exceptions)
    _told(*rows.cells(outcome))
    if outcome.failed:
        _told(said)
    elif exceptions == MANY:
        rows.keep(FOLDER, place.python.key, tests, outcome)
    return outcome


def _run(options: argparse.Namespace) -> tuple[list[Outcome], bool]:
    """The outcomes, and whether all is well."""
    outcomes, is_quick_enough = [], True
    for key in options.python or ([pythons.PYTHONS[0].key] if options.quick else list(pythons.BY_KEY)):
        place = _ready(key)
        chosen = options.tests or (runs.QUICK if options.quick else runs.of(place.python))
        exceptions = FEW if options.quick else MANY
        outcomes += [_tested(place, tests, exceptions) for tests in (() if options.speed else chosen)]
        if options.speed or not (options.quick or options.tests):
            times, well = speed.run(place)
            is_quick_enough = is_quick_enough and well
            rows.keep(FOLDER, "speed", key, times)
            _told(tables.plain(times))
        place.wine.stop()
    return outcomes, is_quick_enough and not any(one.failed for one in outcomes)


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    parser = _parser()
    options = parser.parse_args(argv)
    if options.update and tables.missing_marks(options.update, COMMAND):
        parser.error(tables.missing_marks(options.update, COMMAND))
    good = True
    if not options.table:
        outcomes, good = _run(options)
        if outcomes:
            print(tables.plain([rows.COLUMNS, *map(rows.cells, outcomes)]))
            # As other runners close, for whoever counts.
            print(f"{sum(one.passed for one in outcomes)} passed, {sum(one.failed for one in outcomes)} failed")
    if options.update and good:
        tables.update(options.update, COMMAND, rows.document(FOLDER))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
