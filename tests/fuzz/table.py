"""Tables between the marks of a document, as ``make fuzz`` and ``make torture`` write them."""

from __future__ import annotations

import datetime
import os
import platform

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def marks(command: str) -> tuple[str, str]:
    """The two lines between which a command's table stands."""
    return f"<!-- {command}: begin -->", f"<!-- {command}: end -->"


def missing_marks(document: Path, command: str) -> str:
    """What is wrong with a document that is to be given a table; empty when nothing is."""
    begin, end = marks(command)
    if not document.is_file():
        return f"{document} is not a file; --update wants the document with the lines {begin!r} and {end!r}"
    if end in document.read_text(encoding="utf-8").partition(begin)[2]:
        return ""
    return f"{document} has no lines {begin!r} and {end!r}; put them where the table belongs"


def update(document: Path, command: str, text: str) -> None:
    """Puts a text between the marks of a document that has them."""
    begin, end = marks(command)
    before, _, rest = document.read_text(encoding="utf-8").partition(begin)
    after = rest.partition(end)[2]
    document.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}", encoding="utf-8")


def markdown(rows: Sequence[Sequence[str]], numbers: Sequence[int]) -> str:
    """A table; ``numbers`` are the columns that stand to the right."""
    rule = ["---:" if column in numbers else "---" for column in range(len(rows[0]))]
    return "\n".join("| " + " | ".join(row) + " |" for row in (rows[0], rule, *rows[1:]))


def plain(rows: Sequence[Sequence[str]]) -> str:
    """The table for a terminal."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def conditions(seconds: float) -> str:
    """Where and when a run was made, in one sentence."""
    import skywasm

    with skywasm.use_backend("wasm"):
        info = skywasm.get_backend_info(load=True)
    day = datetime.datetime.now(datetime.timezone.utc).date()
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (
        f"Run on {day} in {seconds / 60:.0f} minutes on {cpus} CPU(s) of a {platform.machine()} {platform.system()} "
        f"machine, with CPython {platform.python_version()}, wasmtime {info['wasmtime']} and the artifact of SHA-256 "
        f"`{info['core_sha256']}`."
    )
