"""``skywasm migrate``: moves a program from SkyPilot's functions to skywasm's."""

from __future__ import annotations

import contextlib
import os
import sys

from skywasm.cli import _output
from skywasm.cli._command import FINE, WRONG, Command, UsageError, add_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from typing import Any

    from rich.console import Console
    from rich.progress import Progress

    from skywasm.migrate.many import Scan
    from skywasm.migrate.one_file import Outcome

_PROGRAM = "skywasm migrate"
# So many files to parse take long enough for a progress bar.
_MANY = 4
_STYLES = ((b"+++", "bold"), (b"---", "bold"), (b"@@", "cyan"), (b"+", "green"), (b"-", "red"))
# What a terminal would take for commands.
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"}


def _require_libcst() -> None:
    from importlib import import_module

    try:
        # All of it that is used: its native part may be another platform's, its version one without what we need.
        import_module("libcst.native")
        import_module("skywasm.migrate._plan")
    except Exception as error:
        # Half of a package raises anything.
        why = str(error) if isinstance(error, ImportError) else f"{type(error).__name__}: {error}"
        raise UsageError(f"libcst is needed ({why}): pip install 'skywasm[migrate]'") from None


def _require_paths(paths: list[str]) -> None:
    """Refuses a path that is not there before anything is done: it is most likely mistyped."""
    missing = [path for path in paths if not os.path.lexists(path)]
    if missing:
        hint = "; standard input is not read" if "-" in missing else ""
        raise UsageError(f"no such file or folder: {', '.join(name or repr('') for name in missing)}{hint}")


def _outcomes(found: Scan, options: argparse.Namespace) -> list[Outcome]:
    """The outcome of every file. With ``--write`` the first is written once all are known."""
    from skywasm.migrate import many

    results = list(found.problems)
    with _progress(len(found.paths)) as bar:
        task = bar.add_task("parsing", total=len(found.paths))
        for outcome in many.outcomes(found, options.keep_imports, bar.start):
            results.append(outcome)
            bar.advance(task)
    return [_written(outcome) if options.write and outcome.changed else outcome for outcome in results]


def _written(outcome: Outcome) -> Outcome:
    from skywasm.migrate import one_file

    try:
        one_file.write(outcome)
    except OSError as error:
        return outcome._replace(after=outcome.before, notes=(), problem=f"not written: {error.strerror or error}")
    return outcome


@contextlib.contextmanager
def _progress(files: int) -> Iterator[Progress]:
    """A bar over many files, on a terminal only; who uses it starts it."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=_output.console(errors=True),
        transient=True,
        disable=not sys.stderr.isatty() or files < _MANY,
    )
    try:
        yield bar
    finally:
        bar.stop()


def _print_diff(outcomes: list[Outcome]) -> None:
    from skywasm.migrate import diff

    console = _output.console()
    for outcome in outcomes:
        for line in diff.unified(outcome):
            # FORCE_COLOR is for what people read: a diff in a file is for patch.
            if sys.stdout.isatty():
                _print_diff_line(console, line, outcome.encoding)
            else:
                _output.write_bytes(line)


def _print_diff_line(console: Console, line: bytes, encoding: str) -> None:
    """A line for people: in colour, and without what a terminal would obey."""
    from rich.text import Text

    style = next((style for start, style in _STYLES if line.startswith(start)), "")
    text = line.decode(encoding, "replace").rstrip("\r\n").translate(_CONTROLS)
    console.print(Text(text, style), soft_wrap=True)


def _numbers(outcomes: list[Outcome]) -> dict[str, int]:
    changed = [outcome for outcome in outcomes if outcome.changed]
    return {
        "changed": len(changed),
        "uses": sum(outcome.uses for outcome in changed),
        "imported": sum(outcome.imported for outcome in changed),
        "removed": sum(outcome.removed for outcome in changed),
    }


def _summary(outcomes: list[Outcome], files: int, options: argparse.Namespace) -> str:
    """The last line: what changes, or what would."""
    numbers = _numbers(outcomes)
    if not outcomes and not files:
        return f"no Python files in {', '.join(options.paths)}"
    if not outcomes:
        return f"nothing to move in {_counted(files, 'file')}: no use of SkyPilot's functions that skywasm has"
    if not numbers["changed"]:
        return f"nothing to move in {_counted(files, 'file')}"
    parts = [
        _counted(numbers["uses"], "use"),
        *([_counted(numbers["imported"], "imported name")] if numbers["imported"] else []),
    ]
    text = " and ".join(parts) + (" moved" if options.write else " would move")
    text += f" to skywasm, in {numbers['changed']} of {_counted(files, 'file')}"
    if numbers["removed"]:
        text += f"; {_counted(numbers['removed'], 'import')} no longer needed"
    if not options.write:
        text += "; nothing was written" + ("" if options.check else " (--write writes)")
    return text


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")


def _print_report(outcomes: list[Outcome], files: int, options: argparse.Namespace) -> None:
    """On standard error: what is left to the user, what could not be done, and what it comes to."""
    lines = [
        f"{outcome.path}:{note.line}: {note.text}\n"
        for outcome in outcomes
        if not outcome.problem
        for note in outcome.notes
    ]
    sys.stdout.flush()
    if lines:
        sys.stderr.write("left to you:\n" + "".join(f"  {line}" for line in lines))
    for outcome in outcomes:
        if outcome.problem:
            _output.complain(_PROGRAM, f"{outcome.path}: {outcome.problem}")
    sys.stderr.write(f"{_summary(outcomes, files, options)}\n")


def _as_json(outcomes: list[Outcome], files: int, ok: bool) -> dict[str, Any]:
    rows = [
        {
            "file": outcome.path,
            "changed": outcome.changed,
            "uses": outcome.uses,
            "imported": outcome.imported,
            "removed": outcome.removed,
            "problem": outcome.problem or None,
            "notes": [note._asdict() for note in outcome.notes],
        }
        for outcome in outcomes
        if outcome.changed or outcome.problem or outcome.notes
    ]
    return {"ok": ok, "files_seen": files, **_numbers(outcomes), "files": rows}


def _run(options: argparse.Namespace) -> int:
    _require_libcst()
    _require_paths(options.paths)
    from skywasm.migrate import many

    with _output.waiting("looking for files"):
        found = many.scan(options.paths)
    outcomes = _outcomes(found, options)
    is_wrong = any(outcome.problem for outcome in outcomes)
    is_wrong = is_wrong or (options.check and any(outcome.changed for outcome in outcomes))
    if options.json:
        _output.write_json(_as_json(outcomes, found.files, not is_wrong))
        return WRONG if is_wrong else FINE
    if options.check:
        for outcome in outcomes:
            if outcome.changed:
                sys.stdout.write(f"would change: {outcome.path}\n")
    elif not options.write:
        _print_diff(outcomes)
    _print_report(outcomes, found.files, options)
    return WRONG if is_wrong else FINE


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths",
        nargs="+",
        metavar="PATH",
        help="a file, or a folder: all Python files in it but for hidden ones, links and virtual environments",
    )
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--write", action="store_true", help="change the files instead of printing a diff")
    action.add_argument("--check", action="store_true", help="list the files that would change; exit status 1 if any")
    parser.add_argument(
        "--keep-imports", action="store_true", help="leave imports of SkyPilot's modules that nothing needs any more"
    )
    add_json(parser)


COMMAND = Command(
    name="migrate",
    summary="move a program's imports and uses of SkyPilot's functions to skywasm",
    description="Rewrite imports and uses of the functions that skywasm has in place of those in "
    "sky.utils.common_utils and sky.utils.subprocess_utils. Prints a diff and writes nothing, unless --write is "
    "given. What cannot be moved safely stays as it is; what needs a look is listed, such as tests that replace a "
    "function by its name in a string. Files that mention none of these functions are not parsed, whatever is in "
    "them. Needs libcst: pip install 'skywasm[migrate]'.",
    example="  skywasm migrate src tests\n"
    "  skywasm migrate src > moves.diff && patch -p1 < moves.diff\n"
    "  skywasm migrate --write src tests\n"
    "  skywasm migrate --check .",
    fine="done, whether or not there was anything to move",
    wrong="a file could not be read or written, or mentions these functions and is not valid Python (the others are "
    "still done); or --check found something to move",
    usage="the command line is wrong, a PATH does not exist, or skywasm[migrate] is not installed; the message has "
    "the pip line",
    add_arguments=_add_arguments,
    run=_run,
)
