"""``skywasm tail``: the last lines of files."""

from __future__ import annotations

import argparse
import os
import sys

from skywasm.cli import _output
from skywasm.cli._command import FINE, Command, UsageError, require_known_backend

_PROGRAM = "skywasm tail"
_HANDLERS = ("replace", "ignore", "backslashreplace", "surrogateescape", "strict")


def _count(text: str) -> int:
    # Stricter than int(): "+5" means something else to the tail of coreutils.
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of lines; give 0 or more")
    return int(text)


def _require_encoding(name: str) -> None:
    """Refuses an unknown encoding even where no file needs it."""
    import codecs

    try:
        codecs.lookup(name)
    except (LookupError, ValueError):
        raise _unknown_encoding(name) from None


def _unknown_encoding(name: str) -> UsageError:
    return UsageError(f"unknown encoding {name!r}; utf-8, latin-1 and cp1252 are common ones")


def _lines(name: str, options: argparse.Namespace) -> list[str]:
    """The last lines of a file.

    Raises:
        OSError: it cannot be read.
        UsageError: the encoding is none.
    """
    from skywasm.functions.tails import read_last_n_lines

    # Asked first for the reason: the function only says that there is no such file.
    os.stat(name)
    try:
        return read_last_n_lines(name, options.lines, encoding=options.encoding, errors=options.errors)
    except LookupError:
        # Python also knows "encodings" between other things than text and bytes.
        raise _unknown_encoding(options.encoding) from None
    except (AssertionError, RuntimeError) as error:
        raise error.__cause__ if isinstance(error.__cause__, OSError) else OSError(str(error)) from None


def _print(name: str, options: argparse.Namespace) -> str | None:
    """Prints the last lines of a file; what is wrong with it, if anything."""
    if name == "-":
        return "standard input has no end to read from; save it to a file first"
    try:
        lines = _lines(name, options)
    except OSError as error:
        # To open a folder is "Permission denied" on Windows.
        return "Is a directory" if os.name == "nt" and os.path.isdir(name) else error.strerror or str(error)
    except UnicodeError as error:
        return f"{error}; try --errors replace or another --encoding"
    if len(options.files) > 1:
        sys.stdout.write(f"{options.separator}==> {name} <==\n")
        options.separator = "\n"
    sys.stdout.writelines(lines)
    if lines:
        sys.stdout.write("\n")
    return None


def _run(options: argparse.Namespace) -> int:
    require_known_backend()
    _require_encoding(options.encoding)
    options.separator = ""
    status = FINE
    for name in options.files:
        problem = _print(name, options)
        if problem is not None:
            status = _output.complain(_PROGRAM, f"{name or repr('')}: {problem}")
    return status


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE", help="a file to read from its end")
    parser.add_argument(
        "-n", "--lines", type=_count, default=10, metavar="N", help="how many lines to print (default: 10)"
    )
    parser.add_argument(
        "--encoding",
        default="utf-8",
        metavar="NAME",
        help="encoding of the files, as Python names it (default: utf-8). Lines end at newline bytes, so that UTF-16 "
        "and UTF-32 do not come out well",
    )
    parser.add_argument(
        "--errors",
        default="replace",
        choices=_HANDLERS,
        metavar="HOW",
        help="what becomes of bytes that the encoding does not know: replace (default, by U+FFFD), ignore, "
        "backslashreplace, surrogateescape (printed as they are), or strict (the file is refused)",
    )


COMMAND = Command(
    name="tail",
    summary="print the last lines of files",
    description="Print the last lines of each file, however large it is and whatever bytes are in it. A last line "
    "without a newline gets one.",
    example="  skywasm tail -n 20 ~/sky_logs/latest/run.log\n  skywasm tail --encoding latin-1 old.log new.log",
    fine="every file was read",
    wrong="a file could not be read; the others are still printed",
    add_arguments=_add_arguments,
    run=_run,
)
