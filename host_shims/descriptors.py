"""Descriptors that no exception of a signal handler can lose.

They are kept in a list. On their way into it and out of it they are in the hands of C, where no handler runs: they are
opened by ``opened += map(os.open, (path,), (flags,))``.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    Result = TypeVar("Result")


def close_all(opened: list[int]) -> None:
    """Closes descriptors, each of which leaves the list in the same step."""
    any(map(os.close, map(opened.pop, (0,) * len(opened))))


def closing(work: Callable[[list[int]], Result]) -> Result:
    """What ``work`` makes of a list for descriptors, all of which are closed after it."""
    opened: list[int] = []
    try:
        return work(opened)
    finally:
        try:
            close_all(opened)
        finally:
            # Whatever has struck the first time.
            close_all(opened)


def read_small(path: str, size: int = 4096) -> bytes:
    """A file of the kernel's, which makes these anew for each read and answers a read with all that it has."""

    def read(opened: list[int]) -> bytes:
        opened += map(os.open, (path,), (os.O_RDONLY | getattr(os, "O_CLOEXEC", 0),))
        text = block = os.read(opened[0], size)
        # Only a full block has more behind it.
        while len(block) == size:
            block = os.read(opened[0], size)
            text += block
        return text

    return closing(read)
