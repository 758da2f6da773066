"""Whole lists in one crossing: the functions of ``skywasm`` for many items at once.

Results and errors are those of the scalar functions. An error carries the index of the item as ``batch_index``.
Lists of any size: they cross in pieces. In ``auto`` mode small lists are answered in Python until the engine is
loaded, and batches load it once the time they save has paid for it.
"""

from __future__ import annotations

from skywasm.batch import derived, files, strings
from skywasm.crossing import rules
from skywasm.crossing.items import as_list

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from concurrent.futures import Executor
    from typing import Any

    from host_shims.contract import PathOrFd

_DERIVED = derived.all_of(__name__)
globals().update(_DERIVED)

__all__ = ["hash_files", "hash_strings", "read_last_n_lines"]
__all__ += list(_DERIVED)


@rules.needs()
def hash_strings(strs: Iterable[str | bytes], alg: str) -> list[str]:
    """Hash short texts or bytes.

    Args:
        strs: each a ``str``, taken as UTF-8, or bytes.
        alg: a name that ``hashlib.new`` takes, or ``"blake3"``; not one of the shake family, whose length is free.

    Returns:
        Hexadecimal digests, in order.

    Raises:
        ValueError: an unknown algorithm, or one that the host's policy refuses.
        TypeError: an item that is neither text nor bytes; ``batch_index`` says which.
        UnicodeEncodeError: a text with lone surrogates; likewise.

    Cost: about 0.1 us an MD5 of a short text once the engine is loaded; other algorithms take hashlib's time.

    >>> hash_strings(["a", b"a"], "md5")
    ['0cc175b9c0f1b6a831c399e269772661', '0cc175b9c0f1b6a831c399e269772661']
    """
    items = as_list(strs)
    if not strings.may_cross(alg, len(items)):
        return strings.in_python(items, alg)
    return strings.crossing(items, alg)


@rules.needs("files")
def hash_files(
    paths: Iterable[PathOrFd],
    alg: str,
    *,
    threads: int | None = None,
    executor: Executor | None = None,
    progress: bool | Callable[[int, int], object] | None = None,
    return_exceptions: bool = False,
) -> list[Any]:
    """Hash many files: MD5 eight files at a time in the artifact, other algorithms in threads.

    Args:
        paths: the files.
        alg: as for ``skywasm.hash_file``, but not of the shake family.
        threads: how many to use; by default one a CPU that this process may use, at most eight.
        executor: a ``concurrent.futures.Executor`` (or one of the same interface, such as Dask's) to run groups of
            files on, instead of threads. The paths must mean the same where it runs.
        progress: True shows a bar on standard error; a callable is called with the files done and their number.
        return_exceptions: put the exception in place of the digest of a file that cannot be hashed. By default the
            first one is raised, after all files are done.

    Returns:
        Hexadecimal digests (or exceptions), in order.

    Raises:
        OSError: a file cannot be opened or read; ``batch_index`` says which.
        ValueError: an unknown algorithm, or one that the host's policy refuses.

    Cost: about 0.4 ms a MiB and thread for MD5, 5 to 10 us for a small file.
    """
    if isinstance(paths, (str, bytes)) or hasattr(paths, "__fspath__"):
        raise TypeError(f"paths must be several, not the one {paths!r}; pass a list")
    items = as_list(paths)
    results = files.hash_files(items, alg, threads, executor, progress)
    return results if return_exceptions else files.without_exceptions(results)


@rules.needs("files")
def read_last_n_lines(paths: Iterable[PathOrFd], n: int, return_exceptions: bool = False) -> list[Any]:
    """Read the last lines of many files, as ``skywasm.read_last_n_lines`` does each.

    Args:
        paths: the files.
        n: how many lines of each.
        return_exceptions: put the exception in place of the lines of a file that cannot be read. By default the
            first one is raised, after all files are done.

    Returns:
        A list of lines (or an exception) for each file, in order.

    Raises:
        AssertionError, RuntimeError: as for one file; ``batch_index`` says which.

    Cost: that of ``skywasm.read_last_n_lines`` for each file.
    """
    results = [files.tail_one(path, n, index) for index, path in enumerate(paths)]
    return results if return_exceptions else files.without_exceptions(results)
