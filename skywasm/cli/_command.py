"""What a command is, and the exit statuses that all of them share."""

from __future__ import annotations

import textwrap
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

FINE = 0
WRONG = 1
USAGE = 2
# 128 and the number of the signal, as a shell reports a program that a signal ended.
INTERRUPTED = 130
PIPE_CLOSED = 141

_HELP_WIDTH = 78
_LEAST_WIDTH = 24


class Command(NamedTuple):
    """One command: its texts, its arguments, and the function that does it and gives the exit status.

    ``fine``, ``wrong`` and ``usage`` say what the exit statuses 0, 1 and 2 mean for it, ``more`` what others do;
    ``example`` is shown as it is.
    """

    name: str
    summary: str
    description: str
    example: str
    fine: str
    wrong: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]
    usage: str = "the command line or SKYWASM_BACKEND is wrong"
    more: tuple[tuple[int, str], ...] = ()

    def epilog(self) -> str:
        """The end of the command's help text."""
        return f"examples:\n{self.example}\n\n{exit_statuses(self.fine, self.wrong, self.usage, self.more)}"


def help_width() -> int:
    """How wide a paragraph of a help text is: as on a terminal of 80 columns, less where there are fewer."""
    import shutil

    return max(min(_HELP_WIDTH, shutil.get_terminal_size().columns - 2), _LEAST_WIDTH)


def exit_statuses(fine: str, wrong: str, usage: str, more: tuple[tuple[int, str], ...] = ()) -> str:
    """The list of exit statuses for a help text."""
    meanings = {
        FINE: fine,
        WRONG: wrong,
        USAGE: usage,
        **dict(more),
        INTERRUPTED: "stopped with Ctrl-C",
        PIPE_CLOSED: "nobody reads the output any more (a closed pipe)",
    }
    lines = (
        textwrap.fill(meaning, help_width(), initial_indent=f"  {status:<5}", subsequent_indent=" " * 7)
        for status, meaning in meanings.items()
    )
    return "exit status:\n" + "\n".join(lines)


class UsageError(Exception):
    """What the user typed cannot be done; the message says what can. Exit status 2."""


class Failure(Exception):
    """The command cannot go on; the message says why. Exit status 1."""


def add_json(parser: argparse.ArgumentParser) -> None:
    """Adds ``--json``."""
    parser.add_argument("--json", action="store_true", help="print JSON for programs instead of text for people")


def require_known_backend() -> None:
    """Refuses an unknown SKYWASM_BACKEND before a call of a function would.

    Raises:
        UsageError: it is none of the three.
    """
    from skywasm.routes.mode import environment_mode

    try:
        environment_mode()
    except ValueError as error:
        raise UsageError(str(error)) from None
