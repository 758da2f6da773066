"""``skywasm report``: the benchmark's result as a page, as tables, or as JSON."""

from __future__ import annotations

import contextlib
import json
import os
import sys

from skywasm.cli import _command, _output
from skywasm.cli._command import Command, Failure, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator
    from typing import Any

    from rich.console import Console

    from skywasm.report.model import Report

_PROGRAM = "skywasm report"
_STANDARD = "-"
_FORMATS = ("text", "html", "json")
_ENDINGS = {"": "text", ".txt": "text", ".text": "text", ".log": "text"}
_ENDINGS.update({".html": "html", ".htm": "html", ".json": "json"})
_WANTED = "--from takes what `skywasm bench --json` or `skywasm report --format json` writes"
# A text file is read in editors and on web pages: wide enough for the tables.
_FILE_WIDTH = 150


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--format",
        choices=_FORMATS,
        help="text, html or json; without it FILE's ending decides: .txt, .html or .json; no ending is text",
    )
    parser.add_argument("-o", "--output", metavar="FILE", default=_STANDARD, help="write to FILE; - is standard output")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--quick", action="store_true", help="a smoke run of seconds: answers checked, times rough")
    source.add_argument(
        "--from",
        dest="source",
        metavar="RESULT",
        help="measure nothing: show a file that `skywasm bench --json` or an earlier report wrote; - is standard input",
    )


def _run(options: argparse.Namespace) -> int:
    if not options.output:
        raise UsageError("-o is followed by an empty name; give a file's, as in: -o report.html")
    form = options.format or _form(options.output)
    _refuse(form, options.output)
    if options.output == _STANDARD:
        report = _made(form, options, _print)
    else:
        from skywasm.report.destination import File, Unwritable

        try:
            # Before minutes of measuring: can the file be written?
            with File(options.output) as file:
                report = _made(form, options, file.write)
        except Unwritable as error:
            raise Failure(str(error)) from None
    for name in report.differing:
        _output.complain(_PROGRAM, f"{name}: the answers differ")
    return _command.WRONG if report.differing else _command.FINE


def _made(form: str, options: argparse.Namespace, write: Callable[[str], object]) -> Report:
    """Writes the report, and gives what it says."""
    from skywasm.report import model, result

    found = _read(options.source) if options.source else _measured(options.quick)
    report = _report(found, options.source)
    if form == "json":
        try:
            content = json.dumps(result.with_section(found, found.get(model.SECTION, {})), indent=1)
        except RecursionError:
            raise UsageError(f"{_named(options.source)} is nested too deeply; {_WANTED}") from None
        write(content + "\n")
    elif form == "html":
        from skywasm.report import html

        write(html.page(report))
    else:
        write(_text(report, _console() if options.output == _STANDARD else _file_console()))
    return report


def _print(content: str) -> None:
    """To standard output, a page in UTF-8 whatever the encoding there."""
    if content.startswith("<"):
        _output.write_bytes(content.encode("utf-8", "backslashreplace"))
    else:
        sys.stdout.write(content)


def _text(report: Report, console: Console) -> str:
    from skywasm.report import text

    with console.capture() as capture:
        for part in text.parts(report, console):
            console.print(part)
    return "".join(line.rstrip() + "\n" for line in capture.get().splitlines())


def _console() -> Console:
    """Standard output; as wide as a file where no terminal says how wide it is, so that no name is folded."""
    console = _output.console()
    if not sys.stdout.isatty() and not _output.width_is_known(sys.stdout):
        console.width = _FILE_WIDTH
    return console


def _file_console() -> Console:
    import io

    from rich.console import Console

    return Console(file=io.StringIO(), width=_FILE_WIDTH, color_system=None, markup=False, emoji=False, highlight=False)


def _measured(quick: bool) -> dict[str, Any]:
    _command.require_known_backend()
    with _output.waiting("importing SkyPilot"):
        from skywasm.bench.originals import Originals
        from skywasm.report import result

        Originals()
    with _telling() as told:
        return result.measured(quick, told)


@contextlib.contextmanager
def _telling() -> Iterator[Callable[[str, int, int | None], object]]:
    """A progress bar on a terminal, drawn between measurements and never during one."""
    if not sys.stderr.isatty():
        yield lambda _what, _done, _total: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (BarColumn(20), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    console = _output.console(errors=True)
    with Progress(*columns, console=console, auto_refresh=False, transient=True) as progress:
        task = progress.add_task("measuring", total=None)

        def told(what: str, done: int, total: int | None) -> None:
            progress.update(task, description=what, completed=done, total=total, refresh=True)

        yield told


def _form(output: str) -> str:
    """The format that a file's name asks for."""
    ending = os.path.splitext(output)[1]
    form = _ENDINGS.get(ending.lower())
    if form is None:
        raise UsageError(
            f"{output} ends in {ending}, which is no format of a report; "
            "end it in .html, .txt or .json, or add --format"
        )
    return form


def _refuse(form: str, output: str) -> None:
    """What can be known to fail fails before minutes are spent."""
    if form != "html":
        return
    from skywasm.report import html

    missing = html.missing()
    if missing:
        raise UsageError(f"the HTML report needs {' and '.join(missing)}: pip install 'skywasm[report]'")
    if output == _STANDARD and sys.stdout.isatty():
        raise UsageError("a page of 5 MB is not for a terminal: add -o report.html, or use --format text")


def _read(source: str) -> Any:
    try:
        if source == _STANDARD:
            content = sys.stdin.buffer.read()
        else:
            with open(source, "rb") as file:
                content = file.read()
    except OSError as error:
        raise UsageError(f"{source}: {error.strerror}") from None
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        why = f"is not JSON: {error}" if content.strip() else "is empty"
        raise UsageError(f"{_named(source)} {why}; {_WANTED}") from None


def _named(source: str) -> str:
    return "standard input" if source == _STANDARD else source


def _report(result: Any, source: str | None) -> Report:
    from skywasm.report import model

    try:
        return model.read(result)
    except model.NotAResult as error:
        raise UsageError(f"{_named(source or 'the result')} is JSON of another kind: {error}; {_WANTED}") from None


COMMAND = Command(
    name="report",
    summary="write the performance report: a page, tables, or JSON",
    description=(
        "Measures as `skywasm bench` does, and time over size besides, and writes what was found: functions, sizes, "
        "ratios, CPU time, memory, the machine. The page is one file that opens without a network; it needs "
        "skywasm[report]. JSON is that of the benchmark and a summary."
    ),
    example=(
        "  skywasm report -o report.html\n"
        "  skywasm report --quick\n"
        "  skywasm report --format json -o today.json\n"
        "  skywasm report --from today.json -o report.html"
    ),
    fine="the report was written, and all answers were the same",
    wrong="an answer differed, or the file cannot be written",
    usage="the command line or SKYWASM_BACKEND is wrong, RESULT cannot be read, or the page is asked for and "
    "skywasm[report] is not installed; the message has the pip line",
    add_arguments=_add_arguments,
    run=_run,
)
