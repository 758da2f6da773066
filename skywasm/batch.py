"""Whole lists in one crossing: the functions of ``skywasm`` for many items at once.

Results and errors are those of the scalar functions. An error carries the index of the item as ``batch_index``.
Lists of any size: they cross in pieces. In ``auto`` mode small lists are answered in Python until the engine is
loaded, and batches load it once the time they save has paid for it.
"""

from __future__ import annotations

from skywasm import _dispatch, _lists, _policy, reference
from skywasm._lists import as_list, one_by_one

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from concurrent.futures import Executor
    from typing import Any

    from host_shims._contract import PathOrFd


__all__ = [
    "base36_encode",
    "format_float",
    "hash_files",
    "hash_strings",
    "is_process_alive",
    "read_last_n_lines",
    "truncate_long_string",
]

# Microseconds that crossing saves an item against Python, roughly: what a batch brings towards loading the engine.
_SAVED_BASE36 = 1.2
_SAVED_FLOAT = 0.28
_SAVED_HASH = 0.4
# A text takes Python longer the longer it is: so much a character, up to so much.
_SAVED_CHARACTER = 0.008
_SAVED_TRUNCATE = 0.6


def _in_python(saved_us: float) -> bool:
    """Whether this batch is Python's to answer; ``saved_us`` is what crossing would save."""
    mode = _dispatch.mode()
    return mode == "python" or (mode == "auto" and not _dispatch.batch_may_cross(saved_us))


_batched: Any = None


def _crossing() -> Any:
    """The artifact's side, imported when a batch first goes there. Kept: an import statement takes 0.5 us each time."""
    global _batched
    if _batched is None:
        from importlib import import_module

        _batched = import_module("skywasm._batched")
    return _batched


@_policy.batch()
def base36_encode(hex_strs: Iterable[str]) -> list[str]:
    """Encode hexadecimal numbers in base 36, as ``skywasm.base36_encode`` does each.

    Args:
        hex_strs: the numbers, as text.

    Returns:
        Their digits, in order.

    Raises:
        ValueError, TypeError: as for one number; ``batch_index`` says which.

    Cost: about 0.2 us an MD5 once the engine is loaded.

    >>> base36_encode(["ff", "0"])
    ['73', '0']
    """
    items = as_list(hex_strs)
    if _in_python(len(items) * _SAVED_BASE36):
        return one_by_one(reference.base36_encode, items)
    return _crossing().base36_encode(items)  # type: ignore[no-any-return]


@_policy.batch()
def format_float(nums: Iterable[float], precision: int = 1) -> list[str]:
    """Format numbers without exponents, as ``skywasm.format_float`` does each.

    Args:
        nums: floats or ints; ``array.array``, numpy arrays and anything else with the buffer protocol are read
            without making Python numbers where they hold doubles.
        precision: decimal places.

    Returns:
        Their texts, in order.

    Raises:
        AttributeError, ValueError: as for one number; ``batch_index`` says which.

    Cost: about 0.08 us a float once the engine is loaded, 0.05 us from an array of doubles.

    >>> format_float([0.25, 2.0])
    ['0.2', '2']
    """
    numbers = _lists.numbers(nums)
    if _in_python(len(numbers) * _SAVED_FLOAT):
        return one_by_one(reference.format_float, numbers, 0, precision)
    return _crossing().format_float(numbers, precision)  # type: ignore[no-any-return]


@_policy.batch()
def truncate_long_string(strs: Iterable[str], max_length: int = 35, truncate_middle: bool = False) -> list[str]:
    """Shorten texts, as ``skywasm.truncate_long_string`` does each.

    Args:
        strs: the texts.
        max_length: the length in code points from which on one is shortened.
        truncate_middle: cut out the middle instead of the end.

    Returns:
        The texts, in order.

    Raises:
        TypeError, AttributeError: as for one text; ``batch_index`` says which.

    Cost: about 0.2 us a text of 200 characters once the engine is loaded.

    >>> truncate_long_string(["0123456789", "short"], 7, truncate_middle=True)
    ['01...89', 'short']
    """
    items = as_list(strs)
    first = items[0] if items else ""
    characters = len(first) if isinstance(first, str) else 0
    if _in_python(len(items) * min(characters * _SAVED_CHARACTER, _SAVED_TRUNCATE)):
        return one_by_one(reference.truncate_long_string, items, 0, max_length, truncate_middle)
    return _crossing().truncate_long_string(items, max_length, truncate_middle)  # type: ignore[no-any-return]


@_policy.batch()
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
    if not _lists.may_cross(alg, len(items) * _SAVED_HASH):
        return _lists.hash_strings(items, alg)
    return _crossing().hash_strings(items, alg)  # type: ignore[no-any-return]


@_policy.batch("files")
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
    from skywasm import _many_files

    if isinstance(paths, (str, bytes)) or hasattr(paths, "__fspath__"):
        raise TypeError(f"paths must be several, not the one {paths!r}; pass a list")
    items = as_list(paths)
    results = _many_files.hash_files(items, alg, threads, executor, progress)
    return results if return_exceptions else _many_files.without_exceptions(results)


@_policy.batch("files")
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
    from skywasm import _many_files

    results = [_many_files.tail_one(path, n, index) for index, path in enumerate(paths)]
    return results if return_exceptions else _many_files.without_exceptions(results)


@_policy.batch("process")
def is_process_alive(pids: Iterable[int]) -> list[bool]:
    """Tell for many processes whether they exist, as ``skywasm.is_process_alive`` does for one.

    Args:
        pids: their numbers.

    Returns:
        A bool for each, in order.

    Raises:
        TypeError: not an int; ``batch_index`` says which.

    Cost: one system call each, about 1 us with the loop around it.

    >>> import os
    >>> is_process_alive([os.getpid(), -1])
    [True, False]
    """
    from skywasm import api

    items = as_list(pids)
    if api._kill is None or not set(map(type, items)) <= {int}:
        return one_by_one(api.is_process_alive, items)
    return _alive_by_kill(api._kill, items)


def _alive_by_kill(kill: Callable[[int, int], None], pids: Sequence[int]) -> list[bool]:
    """``is_process_alive`` of ints, without a call for each."""
    results: list[bool] = []
    append = results.append
    last = reference.system.LAST_PID
    for pid in pids:
        alive = 0 < pid <= last
        if alive:
            try:
                kill(pid, 0)
            except ProcessLookupError:
                alive = False
            except PermissionError:
                pass
        append(alive)
    return results
