"""Printing: text for people, JSON for programs, complaints on the standard error stream.

Never fails on a character that the terminal or pipe cannot hold. rich is imported by the functions that need it.
"""

from __future__ import annotations

import codecs
import contextlib
import os
import sys

from skywasm.cli._command import WRONG

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any, TextIO

    from rich.console import Console
    from rich.table import Table

    # A text, or a text and its style.
    Cell = str | tuple[str, str]

# Where no terminal says how wide it is. Logs of build machines and pagers show as much.
_WIDTH_WITHOUT_TERMINAL = 140
# Of a terminal that does not know its own.
_WIDTH_OF_TERMINAL = 80
_LEAST_WIDTH = 24
_HEIGHT = 25
_MOST_DIGITS = 6
_GAP = 2
_PATIENCE_SECONDS = 1.0
_HANDLER = "skywasm-printable"


def _printable(error: UnicodeError) -> tuple[str | bytes, int]:
    """Writes what an encoding cannot hold: smuggled bytes as they were, other characters escaped."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    # One at a time: a smuggled byte may stand beside a character that has to be escaped.
    error.end = error.start + 1
    if "\n".encode(error.encoding) != b"\n":
        # In UTF-16 a byte alone would shift all that follows.
        return codecs.lookup_error("backslashreplace")(error)
    try:
        return codecs.lookup_error("surrogateescape")(error)
    except UnicodeError:
        return codecs.lookup_error("backslashreplace")(error)


def prepare() -> None:
    """Makes the standard streams hold any text, and exist at all."""
    codecs.register_error(_HANDLER, _printable)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            # The descriptor was closed before we started: there is nobody to write to.
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=_HANDLER)


def flush() -> None:
    """Writes out what is still buffered, so that a failure shows here and not when the interpreter ends."""
    sys.stdout.flush()
    sys.stderr.flush()


def abandon(sparing_errors: bool = False) -> None:
    """Points the standard streams at nothing: what is left in them could not be written at the end either."""
    try:
        nothing = os.open(os.devnull, os.O_WRONLY)
    except OSError:
        # A pipe that nobody reads holds more than what a buffer may have left.
        nothing = os.pipe()[1]
    for stream in (sys.stdout,) if sparing_errors else (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            os.dup2(nothing, stream.fileno())
    os.close(nothing)


def complain(program: str, message: str) -> int:
    """Tells on the standard error stream what is wrong; gives the exit status for it."""
    # In order with what was printed before, when both go to the same place.
    sys.stdout.flush()
    sys.stderr.write(f"{program}: {message}\n")
    return WRONG


def write_bytes(data: bytes) -> None:
    """Prints bytes as they are."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def write_json(value: Any) -> None:
    """Prints JSON; in ASCII, so that it can be read whatever the encoding of the pipe."""
    import json

    sys.stdout.write(json.dumps(value, indent=2, default=repr) + "\n")


def console(errors: bool = False) -> Console:
    """rich's console for a standard stream, with colour only on a terminal and only without ``NO_COLOR``."""
    from rich.console import Console

    class PlainConsole(Console):
        def on_broken_pipe(self) -> None:
            # rich would leave with status 1; ``main`` knows what to do.
            raise BrokenPipeError

    stream = sys.stderr if errors else sys.stdout
    return PlainConsole(
        file=stream,
        width=_width(stream),
        height=None if _number("LINES") or "LINES" not in os.environ else _HEIGHT,
        # rich itself would keep bold and dim where NO_COLOR is set.
        color_system=None if os.environ.get("NO_COLOR") else "auto",
        markup=False,
        emoji=False,
        highlight=False,
    )


def width_is_known(stream: TextIO) -> bool:
    """Whether a terminal or the user says how wide a line may be."""
    return stream.isatty() or _number("COLUMNS") > 0


def _width(stream: TextIO) -> int | None:
    """The width to work with; None where rich finds it itself, and again when the terminal changes."""
    if not width_is_known(stream):
        return _WIDTH_WITHOUT_TERMINAL
    # rich would believe any digits, and 0, which shells export where a terminal knows no size.
    columns = _number("COLUMNS")
    if not columns:
        try:
            columns = os.get_terminal_size(stream.fileno()).columns or _WIDTH_OF_TERMINAL
        except (OSError, ValueError):
            columns = _WIDTH_OF_TERMINAL
        if columns >= _LEAST_WIDTH and not os.environ.get("COLUMNS"):
            return None
    # In less than that rich leaves text out.
    return max(columns, _LEAST_WIDTH)


def _number(variable: str) -> int:
    """The size that a variable names; 0 where it names none."""
    text = os.environ.get(variable, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < _MOST_DIGITS else 0


def print_columns(console: Console, rows: Sequence[Sequence[Cell]], indent: int = 0) -> None:
    """Prints rows in aligned columns. The last one is folded where a width is known; in a pipe, for grep, it is not."""
    from rich.text import Text

    texts = [[Text(cell) if isinstance(cell, str) else Text(*cell) for cell in row] for row in rows]
    widths = [max(cell.cell_len for cell in column) for column in list(zip(*texts))[:-1]]
    room = console.width - indent - sum(widths) - _GAP * len(widths)
    for *cells, last in texts:
        head = Text(" " * indent)
        for cell, width in zip(cells, widths):
            head.append_text(cell).append(" " * (width - cell.cell_len + _GAP))
        for line in last.wrap(console, room) if width_is_known(sys.stdout) and room > _GAP else [last]:
            line.rstrip()
            console.print(head + line, soft_wrap=True)
            head = Text(" " * head.cell_len)


def print_text(console: Console, text: str, style: str = "") -> None:
    """Prints a paragraph, folded like the last column of ``print_columns``."""
    print_columns(console, [((text, style),)])


def print_table(console: Console, table: Table) -> None:
    """Prints as the console would, less the blanks it pads each line with."""
    with console.capture() as capture:
        console.print(table)
    sys.stdout.writelines(line.rstrip() + "\n" for line in capture.get().splitlines())


@contextlib.contextmanager
def waiting(message: str) -> Iterator[None]:
    """Shows on a terminal that something is going on."""
    if not sys.stderr.isatty():
        yield
        return
    # A spinner of ASCII characters: there are terminals without others.
    with console(errors=True).status(message, spinner="line"):
        yield


@contextlib.contextmanager
def progress(message: str, total: int | None = None, wanted: bool = True) -> Iterator[Callable[[int], None]]:
    """Shows on a terminal how far work is that takes longer than a second; gives the function that moves it on.

    Without a total number of files it only shows that something is going on.
    """
    if not (wanted and sys.stderr.isatty()):
        yield lambda _: None
        return
    bar = _Bar(message, total)
    try:
        yield bar.advance
    finally:
        bar.close()


class _Bar:
    """A bar on the standard error stream that shows up after a second."""

    def __init__(self, message: str, total: int | None) -> None:
        import threading

        self._message, self._total, self._done = message, total, 0
        self._bar: Any = None
        self._timer = threading.Timer(_PATIENCE_SECONDS, self._show)
        self._timer.daemon = True
        self._timer.start()

    def _show(self) -> None:
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        text = "{task.description}" + (" {task.completed:,} of {task.total:,} files" if self._total else "")
        # A spinner of ASCII characters, as in ``waiting``.
        columns = (
            SpinnerColumn("line"),
            TextColumn(text),
            *([BarColumn()] if self._total else []),
            TimeElapsedColumn(),
        )
        # Complaints appear above the bar; the standard output may be a file.
        bar = Progress(*columns, console=console(errors=True), transient=True, redirect_stdout=False)
        self._task = bar.add_task(self._message, total=self._total, completed=self._done)
        bar.start()
        self._bar = bar

    def advance(self, count: int) -> None:
        self._done += count
        if self._bar is not None:
            self._bar.update(self._task, completed=self._done)

    def close(self) -> None:
        self._timer.cancel()
        # It may be showing the bar just now.
        self._timer.join()
        if self._bar is not None:
            self._bar.stop()
