"""Runs the same artifact and the same vectors in seven engines and prints one table.

    make engines                    all engines, and the table into docs/ENGINES.md
    make engines ENGINES=--quick    without the emulated machine, which is a large download

Exit status: 0 when every engine gave every answer; 1 when one did not, or is missing; 2 for bad arguments.
"""

from __future__ import annotations

import argparse
import collections
import json
import sys
import tempfile
from pathlib import Path

from engines import batches, calls, rows, table
from skywasm.crossing.interface import Interface

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def maker() -> calls.Maker:
    """Makes calls of the package's artifact."""
    return calls.Maker(Interface(rows.CORE.read_bytes(), rows.CORE.name), calls.Blobs())


def written(path: Path, every: int = 1) -> table.Totals:
    """Writes the calls for the runners; counts them."""
    made = maker()
    cases, apart = calls.of_vectors(made, every)
    cases += batches.of_vectors(made)
    path.write_text(json.dumps(calls.document(cases, made)), encoding="ascii")
    kinds = collections.Counter(case["kind"] for case in cases)
    return table.Totals(kinds["answer"], kinds["refusal"], kinds["batch"], apart)


def _parser() -> argparse.ArgumentParser:
    title, _, rest = (__doc__ or "").partition("\n")
    parser = argparse.ArgumentParser(
        "make engines", description=title, epilog=rest, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="leave out the emulated machine")
    keys = [engine.key for engine in rows.ENGINES]
    parser.add_argument("--only", action="append", choices=keys, metavar="ENGINE", help=f"one of {', '.join(keys)}")
    parser.add_argument("--allow-missing", action="store_true", help="an engine that cannot be had here is no error")
    parser.add_argument("--update", type=Path, metavar="DOCUMENT", help="put the table between the document's marks")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    parser = _parser()
    options = parser.parse_args(argv)
    if options.update and (options.quick or options.only):
        parser.error("--update writes the whole table; leave out --quick and --only")
    if options.update and not table.has_marks(options.update):
        parser.error(
            f"{options.update} has no lines {table.BEGIN!r} and {table.END!r}; put them where the table belongs"
        )
    chosen = [engine for engine in rows.ENGINES if engine.quick or not options.quick]
    if options.only:
        chosen = [rows.BY_KEY[key] for key in dict.fromkeys(options.only)]
    outcomes = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "calls.json"
        totals = written(path)
        for engine in chosen:
            print(f"{engine.key} ...", file=sys.stderr, flush=True)
            outcomes.append(rows.outcome(engine, path))
    print(table.plain(outcomes, totals))
    for problem in table.problems(outcomes, totals):
        print(problem, file=sys.stderr)
    failed = [one for one in outcomes if not table.good(one, totals) and one.missing is None]
    missing = [one for one in outcomes if one.missing is not None]
    if failed or (missing and not options.allow_missing):
        return 1
    if options.update and missing:
        print(f"{options.update} is left as it was: it wants every engine", file=sys.stderr)
    elif options.update:
        table.update(options.update, outcomes, totals)
    return 0


if __name__ == "__main__":
    sys.exit(main())
