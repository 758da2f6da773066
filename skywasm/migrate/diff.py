"""A unified diff of bytes, as ``patch -p1`` and ``git apply`` take it."""

from __future__ import annotations

import difflib
import os
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from skywasm.migrate.one_file import Outcome

_NO_NEWLINE = b"\n\\ No newline at end of file\n"
# What would end a name in the heading of a diff before its time.
_QUOTED = re.compile(rb'[\x00-\x1f"\\\x7f]')


def unified(outcome: Outcome) -> Iterator[bytes]:
    """The lines of the diff between a file's two contents, nothing when they are the same."""
    name = _label(outcome.path)
    lines = difflib.diff_bytes(
        difflib.unified_diff,
        _lines(outcome.before),
        _lines(outcome.after),
        _heading(b"a/" + name),
        _heading(b"b/" + name),
    )
    for line in lines:
        yield line if line.endswith(b"\n") else line + _NO_NEWLINE


def _lines(data: bytes) -> list[bytes]:
    # Not splitlines: to patch only a newline ends a line.
    return re.findall(rb"[^\n]*\n|[^\n]+\Z", data)


def _label(path: str) -> bytes:
    """The name for the heading: relative to the current folder, or to the root for a file elsewhere."""
    whole = os.path.abspath(path)
    here = _current_folder()
    is_near = here and os.path.splitdrive(whole)[0] == os.path.splitdrive(here)[0]
    inside = os.path.relpath(whole, here) if is_near else whole
    shown = whole if inside.startswith(os.pardir + os.sep) else inside
    return os.fsencode(shown.replace(os.sep, "/").lstrip("/"))


def _current_folder() -> str:
    """Nothing where it has been deleted."""
    try:
        return os.getcwd()
    except FileNotFoundError:
        return ""


def _heading(name: bytes) -> bytes:
    if _QUOTED.search(name):
        return b'"' + _QUOTED.sub(lambda match: b"\\%03o" % match.group()[0], name) + b'"'
    # patch takes the name to end at the first blank, unless a tab does.
    return name + b"\t" if b" " in name else name
