"""What ``skywasm demo`` shows: a few lines of story, a row for each function, and what it comes to."""

from __future__ import annotations

from skywasm.cli import _findings, _output
from skywasm.machine import HOST

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rich.console import Console

    from skywasm.cli._demo import Result, Row

# From here on a row takes one line; below, the arguments stand under the function's name.
_WIDE = 134
# On less than this only the sandbox's answers are shown, and whether the others are the same.
_LEAST = {True: 79, False: 65}
_NARROW_ANSWER = 12
_WIDE_ANSWER = 18
_NOT_THERE = "not in SkyPilot"
_INPUT = "logs with emoji and broken UTF-8, real processes, folders, taken ports, this machine's limits"


def show(result: Result) -> None:
    """Prints the whole screen."""
    console = _output.console()
    wasmtime = _findings.distribution_version("wasmtime")
    before = "SkyPilot's functions, and skywasm's own in Python" if result.skypilot else "skywasm's functions in Python"
    before += ": with all of your rights"
    after = f"one WebAssembly artifact in wasmtime {wasmtime}: it may ask the machine {len(HOST)} things, no more"
    _output.print_text(console, f"{len(result.rows)} SkyPilot utilities, before and after", "bold")
    _output.print_columns(console, [("input", _INPUT), ("before", before), ("after", after)], indent=2)
    console.print()
    _table(console, result)
    console.print()
    _summary(console, result)


def _table(console: Console, result: Result) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    wide = console.width >= _WIDE
    width = _WIDE_ANSWER if wide else _NARROW_ANSWER
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    table.add_column(
        "function" if wide else "function\ncalled with",
        no_wrap=wide,
        max_width=max(len(row.function) for row in result.rows),
        overflow="fold",
    )
    if wide:
        table.add_column("called with", no_wrap=True)
    headings = [*(["before\nSkyPilot"] if result.skypilot else []), "before\nPython", "after\nsandbox"]
    shown = headings if console.width >= _LEAST[bool(result.skypilot)] else headings[-1:]
    for heading in shown:
        table.add_column(heading, width=width, overflow="fold")
    table.add_column("\nsame", no_wrap=True)
    for row in result.rows:
        which = _which(row, width)
        name, called = Text(row.function, "bold"), Text(_called(row, which), "dim")
        answers = [_shown(answer, which, width) for answer in _answers(row, result)]
        mark = Text("yes", "green") if row.equal() else Text("NO", "bold red")
        first = [name, called] if wide else [Text("\n").join([name, called])]
        table.add_row(*first, *answers[-len(shown) :], mark)
    _output.print_table(console, table)


def _answers(row: Row, result: Result) -> list[list[Any] | None]:
    return [*([row.skypilot] if result.skypilot else []), row.python, row.sandbox]


def _which(row: Row, width: int) -> list[int]:
    """The examples that are shown: all where their answers are short, else one of them. All are compared."""
    every = list(range(len(row.sandbox)))
    return every if len(_shown(row.sandbox, every, width)) <= width else [len(every) // 2]


def _called(row: Row, which: list[int]) -> str:
    others = len(row.called) - len(which)
    return ", ".join(row.called[index] for index in which) + (f" and {others} more" if others else "")


def _shown(answers: list[Any] | None, which: list[int], width: int) -> str:
    """Answers in few characters. What is cut out of the middle is compared all the same."""
    if answers is None:
        return _NOT_THERE
    return ", ".join(_one(answers[index], width) for index in which)


def _one(answer: Any, width: int) -> str:
    if isinstance(answer, list):
        return f"{len(answer)} lines, {sum(map(len, answer))} chars"
    if isinstance(answer, dict):
        answer = answer["error"]
    text = f"{answer:.7g}" if isinstance(answer, float) else str(answer)
    if len(text) <= width:
        return text
    last = (width - 3) // 2
    return f"{text[: width - 3 - last]}...{text[-last:]}"


def _summary(console: Console, result: Result) -> None:
    different = [row.function for row in result.rows if not row.equal()]
    seconds = f"({result.seconds:.1f} s)"
    if different:
        _output.print_text(console, f"The answers DIFFER for {', '.join(different)}. {seconds}", "bold red")
        _output.print_text(console, "Please report this with the output of `skywasm demo --json` and `skywasm info`.")
    else:
        text = f"Same answers: all {len(result.rows)} in the sandbox equal Python's"
        if result.skypilot:
            theirs = sum(row.skypilot is not None for row in result.rows)
            text += f", and the {theirs} that SkyPilot {result.skypilot} has equal its own"
        _output.print_text(console, f"{text}. {seconds}", "bold green")
    if result.problem:
        _output.print_text(console, f"SkyPilot is installed but could not be asked: {result.problem}")
    elif not result.skypilot:
        _output.print_text(console, "SkyPilot is not installed here; where it is, its answers stand beside these.")
