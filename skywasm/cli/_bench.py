"""``skywasm bench``: SkyPilot's time beside skywasm's, function by function."""

from __future__ import annotations

from skywasm.cli import _command, _output
from skywasm.cli._command import Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from skywasm.bench.run import Row


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    _command.add_json(parser)
    parser.add_argument("--quick", action="store_true", help="a smoke run of seconds: answers checked, times rough")
    parser.add_argument("--only", metavar="TEXT", default="", help="only cases whose name contains TEXT")
    parser.add_argument("-o", "--output", metavar="FILE", help="also write the JSON, which pyperf can compare, to FILE")
    parser.add_argument("--update", metavar="FILE", help="put the tables, as Markdown, between the marks in FILE")


def _print_row(row: Row) -> None:
    from skywasm.bench import text

    what, before, after, ratio, asked, *_, routes = text.cells(row)
    print(f"{what:56} {before:>9} {after:>9} {ratio:>7} {asked:>12}  {routes}".rstrip(), flush=True)


def _run(arguments: argparse.Namespace) -> int:
    _command.require_known_backend()
    try:
        from skywasm.bench import run, text
    except ImportError as error:
        raise _command.Failure(f"the benchmark cannot run: {error}") from None
    quiet = arguments.json
    if not quiet:
        print(f"{'what':56} {'before':>9} {'skywasm':>9} {'ratio':>7} {'asked':>12}  other routes")
    with _output.waiting("importing SkyPilot"):
        from skywasm.bench.cases import Originals

        Originals()
    label, rows = run.run_cases(arguments.quick, arguments.only, (lambda _: None) if quiet else _print_row)
    about = run.machine()
    result = run.pyperf(label, rows, about)
    if arguments.output:
        import json

        with open(arguments.output, "w", encoding="utf-8") as file:
            json.dump(result, file, indent=1)
    if quiet:
        _output.write_json(result)
    if not arguments.only and not quiet:
        growth, crossing, starts = (
            run.growth(arguments.quick),
            run.crossing(arguments.quick),
            run.starts(arguments.quick),
        )
        for table in (text.growth_table(growth), text.crossing_table(crossing), text.starts_table(starts)):
            print("\n" + table, end="")
        if arguments.update:
            _update(arguments.update, text.markdown(label, rows, about, growth, crossing, starts))
    if not quiet:
        print(f"\ncompared with {label}; " + ", ".join(f"{name} {value}" for name, value in about.items()))
    return _verdict(rows)


def _update(path: str, tables: str) -> None:
    from skywasm.bench import text

    with open(path, encoding="utf-8") as file:
        document = file.read()
    try:
        document = text.replace_marked(document, tables)
    except ValueError as error:
        raise _command.UsageError(f"{path}: {error}") from None
    with open(path, "w", encoding="utf-8") as file:
        file.write(document)


def _verdict(rows: list[Row]) -> int:
    """Wrong answers are a failure; missed ratios are for people to judge."""
    differing = [row for row in rows if not row.same]
    for row in differing:
        _output.complain("skywasm bench", f"{row.name}, {row.size}: the answers differ")
    return _command.WRONG if differing else _command.FINE


COMMAND = Command(
    name="bench",
    summary="time every function beside the one it replaces",
    description=(
        "Times every function, scalar and batch, beside SkyPilot's (or skywasm's own Python fallback where SkyPilot "
        "is not installed), in turns in one process, and gives the minimum of many repeats. Each answer is checked "
        "before it is timed. The routes that auto mode does not take are timed too, so that a wrong route shows."
    ),
    example="  skywasm bench --quick\n  skywasm bench --only base36 -o today.json",
    fine="all answers were the same",
    wrong="an answer differed",
    add_arguments=_add_arguments,
    run=_run,
)
