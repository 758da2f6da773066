"""The files that the arguments of a command stand for: a file itself, a folder all files below it."""

from __future__ import annotations

import os

from host_shims.paths import is_junction

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Union

    # A file's name, or that of a folder and why it cannot be listed.
    Found = Union[str, tuple[str, OSError]]


def found(names: Iterable[str], recursive: bool) -> Iterator[Found]:
    """The names in their order, each folder replaced by the files below it when ``recursive``."""
    for name in names:
        # A link that the user names is followed.
        if recursive and name != "-" and os.path.isdir(name):
            yield from _below(name)
        else:
            yield name


def _below(folder: str) -> Iterator[Found]:
    """All files below a folder, in the order that the whole names have as bytes.

    Links are not followed, so that there is no loop and no file twice. What is no plain file is left out: reading
    a pipe would wait for ever.
    """
    ahead = [(folder, True)]
    while ahead:
        name, is_folder = ahead.pop()
        if not is_folder:
            yield name
            continue
        try:
            ahead += reversed(_entries(name))
        except OSError as error:
            yield name, error


def _entries(folder: str) -> list[tuple[str, bool]]:
    """The names of files and folders in a folder, sorted, and whether each is a folder."""
    entries = []
    with os.scandir(folder) as scan:
        for entry in scan:
            is_folder = entry.is_dir(follow_symlinks=False)
            if is_folder and os.name == "nt" and is_junction(entry.stat(follow_symlinks=False)):
                continue
            if is_folder or entry.is_file(follow_symlinks=False):
                # The separator that follows a folder's name counts, a slash as it is printed: "a-b" stands before what
                # is in "a".
                entries.append((os.fsencode(entry.name + "/" if is_folder else entry.name), entry.path, is_folder))
    return [(path, is_folder) for _, path, is_folder in sorted(entries)]
