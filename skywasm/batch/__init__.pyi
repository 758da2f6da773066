# Written by `make derived` from the declarations; do not edit.

from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from host_shims.contract import PathOrFd
from typing import Any

__all__ = [
    "hash_files",
    "hash_strings",
    "read_last_n_lines",
    "base36_encode",
    "format_float",
    "truncate_long_string",
    "is_process_alive",
]

def hash_files(paths: Iterable[PathOrFd], alg: str, *, threads: int | None = None, executor: Executor | None = None, progress: bool | Callable[[int, int], object] | None = None, return_exceptions: bool = False) -> list[Any]:
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
