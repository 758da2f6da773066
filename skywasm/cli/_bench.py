"""``skywasm bench``: SkyPilot's time beside skywasm's, function by function."""

from __future__ import annotations

import contextlib
import json
import sys

from skywasm.cli import _command, _output
from skywasm.cli._command import Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from skywasm.bench.run import Row


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    _command.add_json(parser)
    parser.add_argument("--quick", action="store_true", help="a smoke run of seconds: answers checked, times rough")
    parser.add_argument(
        "--only", metavar="TEXT", default="", help="only cases whose name contains TEXT, as in the column `what`"
    )
    parser.add_argument("-o", "--output", metavar="FILE", help="also write the JSON, which pyperf can compare, to FILE")
    parser.add_argument(
        "--update",
        metavar="FILE",
        action="append",
        default=[],
        help="put the tables, as Markdown, between the marks in FILE; may be given for several files",
    )


# Columns.
_WITH_ROUTES = 130


class _Printer:
    """Prints the rows as they come, below a heading."""

    def __init__(self) -> None:
        self._begun = False

    def __call__(self, row: Row) -> None:
        if not self._begun:
            _print_cells("what", "before", "skywasm", "ratio", "asked", "other routes")
            self._begun = True
        _print_row(row)


def _print_row(row: Row) -> None:
    from skywasm.bench import text

    what, before, after, ratio, asked, *_, routes = text.cells(row)
    _print_cells(what, before, after, ratio, asked, routes)


def _print_cells(what: str, before: str, after: str, ratio: str, asked: str, routes: str) -> None:
    """A line of the table; on a terminal that is too narrow for it, one without the other routes."""
    if not sys.stdout.isatty() or _output.console().width >= _WITH_ROUTES:
        line = f"{what:56} {before:>9} {after:>9} {ratio:>7} {asked:>12}  {routes}"
    else:
        line = f"{what:51} {before:>9}{after:>10}{ratio:>8}  {asked}"
    print(line.rstrip(), flush=True)


@contextlib.contextmanager
def _destination(path: str | None) -> Iterator[Callable[[str], None]]:
    """What writes the file that ``-o`` names; found out before minutes of measuring whether it can."""
    if path is None:
        yield lambda _: None
        return
    from skywasm.report import destination

    try:
        with destination.File(path) as file:
            yield file.write
    except destination.Unwritable as error:
        raise _command.Failure(str(error)) from None


def _run(arguments: argparse.Namespace) -> int:
    _command.require_known_backend()
    if arguments.update:
        if arguments.only or arguments.json:
            raise _command.UsageError("--update takes the whole run: not with --only or --json")
        # Before minutes of measuring: are they files that can be updated?
        for path in arguments.update:
            _replaced(path, "", "")
    with _output.waiting("importing SkyPilot"):
        from skywasm.bench import run
        from skywasm.bench.originals import Originals

        Originals()
    with _destination(arguments.output) as write:
        seen = (lambda _: None) if arguments.json else _Printer()
        with _output.progress("measuring", wanted=arguments.json):
            label, rows = run.run_cases(arguments.quick, arguments.only, seen)
        if not rows:
            raise _command.UsageError(
                f"no case has {arguments.only!r} in its name; `skywasm bench --quick` shows all names"
            )
        about = run.machine()
        result = run.pyperf(label, rows, about)
        write(json.dumps(result, indent=1))
    if arguments.json:
        _output.write_json(result)
    else:
        _print_rest(arguments, label, rows, about)
    return _verdict(rows)


def _print_rest(arguments: argparse.Namespace, label: str, rows: list[Row], about: dict[str, str]) -> None:
    """Growth, crossing and starts of a whole run, and what all was measured on."""
    from skywasm.bench import run, text

    if not arguments.only:
        quick = arguments.quick
        with _output.progress("measuring growth, crossing and starts"):
            growth, crossing, starts = run.growth(quick), run.crossing(quick), run.starts(quick)
        for table in (text.growth_table(growth), text.crossing_table(crossing), text.starts_table(starts)):
            print("\n" + table, end="")
        tables = text.markdown(label, rows, about, growth, crossing, starts)
        for path in arguments.update:
            _write(path, _replaced(path, tables, text.short(label, rows, about, starts)))
    print(f"\ncompared with {label}; " + ", ".join(f"{name} {value}" for name, value in about.items()))


def _write(path: str, content: str) -> None:
    try:
        with open(path, "w", encoding="utf-8") as file:
            file.write(content)
    except OSError as error:
        raise _command.Failure(f"{path}: {error.strerror}") from None


def _replaced(path: str, tables: str, brief: str) -> str:
    """The document with new tables between its marks."""
    from skywasm.bench import text

    try:
        with open(path, encoding="utf-8") as file:
            return text.replace_marked(file.read(), tables, brief)
    except OSError as error:
        raise _command.UsageError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise _command.UsageError(f"{path}: not UTF-8 text ({error}); --update takes a Markdown document") from None
    except ValueError as error:
        raise _command.UsageError(f"{path}: {error}") from None


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
        "Time every function, scalar and batch, beside SkyPilot's (or skywasm's own Python fallback where SkyPilot "
        "is not installed), in turns in one process, and give the minimum of many repeats. Each answer is checked "
        "before it is timed. The routes that auto mode does not take are timed too, so that a wrong route shows. "
        "The ratio is the time before divided by skywasm's; `asked` is the one that this project holds itself to."
    ),
    example="  skywasm bench --quick\n  skywasm bench --only base36 -o today.json",
    fine="all answers were the same",
    usage="the command line or SKYWASM_BACKEND is wrong, or a FILE of --update cannot be read",
    wrong="an answer differed, or FILE cannot be written; a ratio below the one asked for is no failure",
    add_arguments=_add_arguments,
    run=_run,
)
