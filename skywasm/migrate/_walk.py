"""Which files a path stands for."""

from __future__ import annotations

import contextlib
import os
import stat
from typing import NamedTuple

from host_shims.paths import is_junction

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_SUFFIXES = (".py", ".pyw")
_SKIPPED = {"__pycache__", "node_modules"}
# A folder with this file is a virtual environment.
_ENVIRONMENT = "pyvenv.cfg"


class Found(NamedTuple):
    """A file to look at, or why there is none: then ``problem`` is not empty."""

    path: str
    problem: str = ""


def files(paths: Sequence[str]) -> Iterator[Found]:
    """The files named by paths that exist, each once, those of folders in the order of their names.

    A folder stands for the Python files in it at any depth, but for links and for what is hidden, installed into a
    virtual environment, ``__pycache__`` or ``node_modules``. A path that was named itself is never skipped.
    """
    seen: set[str | tuple[int, int]] = set()
    for path in paths:
        for found in _within(path) if os.path.isdir(path) else [_named(path)]:
            real = _identity(found.path)
            if real not in seen:
                seen.add(real)
                yield found


def _identity(path: str) -> str | tuple[int, int]:
    """What two names of one file have in common, links of both kinds."""
    try:
        status = os.stat(path)
    except OSError:
        return os.path.realpath(path)
    return (status.st_dev, status.st_ino) if status.st_nlink > 1 else os.path.realpath(path)


def kind(mode: int) -> str:
    """What a thing is that is no regular file, by its mode; nothing for one that is."""
    if stat.S_ISREG(mode):
        return ""
    kinds = {
        stat.S_IFIFO: "a named pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFDIR: "a folder",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
    }
    return kinds.get(stat.S_IFMT(mode), "something else")


def _within(top: str) -> Iterator[Found]:
    problems: list[OSError] = []
    for folder, folders, names in os.walk(top, onerror=problems.append):
        folders[:] = sorted(name for name in folders if _is_wanted(folder, name))
        for name in sorted(names):
            path = os.path.join(folder, name)
            if name.endswith(_SUFFIXES) and not name.startswith(".") and not os.path.islink(path):
                yield Found(path)
    for error in problems:
        yield Found(str(error.filename), error.strerror or str(error))


def _is_wanted(folder: str, name: str) -> bool:
    if name.startswith(".") or name in _SKIPPED:
        return False
    # What is gone meanwhile, walking into it will tell.
    with contextlib.suppress(OSError):
        if is_junction(os.lstat(os.path.join(folder, name))):
            return False
    return not os.path.exists(os.path.join(folder, name, _ENVIRONMENT))


def _named(path: str) -> Found:
    """A file that was named itself: any suffix will do for a script that says that it is Python."""
    if path.endswith(_SUFFIXES):
        return Found(path)
    try:
        what = kind(os.stat(path).st_mode)
        if what:
            # Not even opened: a named pipe would wait for somebody to write to it.
            return Found(path, f"not a regular file but {what}")
        with open(path, "rb") as file:
            first = file.readline(200)
    except OSError as error:
        return Found(path, error.strerror or str(error))
    if first.startswith(b"#!") and b"python" in first:
        return Found(path)
    return Found(path, "not a Python file: expected a name that ends in .py or a first line #!...python")
