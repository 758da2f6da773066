"""What ``os.path`` tells of paths. Its functions take an OSError that a signal handler raises in them for an answer."""

from __future__ import annotations

import os
import stat

from host_shims.struck import let_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def _mode(path: Any) -> int:
    """The mode of what a path leads to; 0 where that is nothing, or it cannot be looked at."""
    try:
        return os.stat(path).st_mode
    except (OSError, ValueError) as error:
        let_out(error)
        return 0


def is_directory(path: Any) -> bool:
    """``os.path.isdir``: that very function where a program has replaced it."""
    if os.path.isdir.__module__ != "genericpath":
        return os.path.isdir(path)
    return stat.S_ISDIR(_mode(path))


# What Windows calls a folder that leads elsewhere.
_MOUNT_POINT = 0xA0000003


def is_junction(status: Any) -> bool:
    """Whether what ``os.lstat`` tells is of Windows' own kind of link, which Python takes for a folder until 3.12."""
    return getattr(status, "st_reparse_tag", 0) == _MOUNT_POINT


def exists(path: Any) -> bool:
    """``os.path.exists``, likewise."""
    if os.path.exists.__module__ != "genericpath":
        return os.path.exists(path)
    return _mode(path) != 0
