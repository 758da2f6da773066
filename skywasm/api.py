"""The public functions. Signatures are SkyPilot's; so are results, exception types and messages.

Each is entered into the registry beside its definition, and calls its road, a module variable that ``_dispatch``
points to the reference or the artifact. The shortest functions hold their Python body here: one more call would
cost as much as they do.
"""

from __future__ import annotations

from skywasm._dispatch import first_road
from skywasm._registry import COMMON, MIXED, PYTHON, SUBPROCESS, WASM, public

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Protocol

    from host_shims._contract import PathOrFd

    class HashObject(Protocol):
        """The interface of hashlib's objects, as far as all algorithms share it."""

        @property
        def name(self) -> str: ...
        @property
        def digest_size(self) -> int: ...
        @property
        def block_size(self) -> int: ...
        def update(self, data: Any, /) -> None: ...
        def digest(self) -> bytes: ...
        def hexdigest(self) -> str: ...
        def copy(self) -> HashObject: ...


__all__ = [
    "base36_encode",
    "estimate_fd_for_directory",
    "find_free_port",
    "format_float",
    "get_cpu_count",
    "get_max_workers_for_file_mounts",
    "get_mem_size_gb",
    "get_parallel_threads",
    "hash_file",
    "is_process_alive",
    "read_last_n_lines",
    "truncate_long_string",
]

# Whether the bodies written out below answer. False until the first call has decided the mode.
_inline = False
# os.kill where is_process_alive's body answers and the platform's fact is kill(pid, 0)'s.
_kill: Callable[[int, int], None] | None = None
_LAST_PID = 2**31 - 1

_base36_encode: Callable[..., str] = first_road("base36_encode")
_estimate_fd_for_directory: Callable[..., int] = first_road("estimate_fd_for_directory")
_find_free_port: Callable[..., int] = first_road("find_free_port")
_format_float: Callable[..., str] = first_road("format_float")
_get_cpu_count: Callable[..., int] = first_road("get_cpu_count")
_get_max_workers_for_file_mounts: Callable[..., int] = first_road("get_max_workers_for_file_mounts")
_get_mem_size_gb: Callable[..., float] = first_road("get_mem_size_gb")
_get_parallel_threads: Callable[..., int] = first_road("get_parallel_threads")
_hash_file: Callable[..., HashObject] = first_road("hash_file")
_is_process_alive: Callable[..., bool] = first_road("is_process_alive")
_read_last_n_lines: Callable[..., list[str]] = first_road("read_last_n_lines")
_truncate_long_string: Callable[..., str] = first_road("truncate_long_string")


@public(
    COMMON,
    WASM,
    "the crossing costs less than the conversion in Python",
    helpers=("sky_batch_base36_encode",),
)
def base36_encode(hex_str: str) -> str:
    """Encode a hexadecimal number in base 36, in lower case and without leading zeros.

    Args:
        hex_str: the number, as ``int(hex_str, 16)`` takes it: any length, ``0x``, blanks around it and single
            underscores allowed.

    Returns:
        The digits; ``"0"`` for zero.

    Raises:
        ValueError: not a hexadecimal number, or a negative one (SkyPilot never returns for those).
        TypeError: not text or bytes.

    Cost: about 1 us for 32 digits in the artifact, 1.4 us in Python; for thousands of digits it grows with their
    square.

    Source: ``sky.utils.common_utils.base36_encode``.

    >>> base36_encode("ff")
    '73'
    """
    return _base36_encode(hex_str)


@public(COMMON, PYTHON, "the work takes less time than the crossing", helpers=("sky_batch_format_float",))
def format_float(num: float | int, precision: int = 1) -> str:
    """Format a number without an exponent; integral values get no decimal places.

    Args:
        num: a float, or an int, which is written as it is.
        precision: decimal places. The exact binary value is rounded, halves to the even digit.

    Returns:
        The text; ``nan``, ``inf`` and ``-inf`` for what has no digits.

    Raises:
        AttributeError: not a number.
        ValueError: a precision that Python's format does not take.

    Cost: 0.3 us; more for numbers or precisions of many digits, 11 us for ``1e300``.

    Source: ``sky.utils.common_utils.format_float``.

    >>> format_float(0.25), format_float(2.0), format_float(1e16)
    ('0.2', '2', '10000000000000000')
    """
    if _inline:
        if isinstance(num, int):
            return str(num)
        if num.is_integer():
            return f"{num:.0f}"
        return f"{num:.{precision}f}"
    return _format_float(num, precision)


@public(
    COMMON,
    PYTHON,
    "CPython's string methods take less time than the crossing",
    helpers=("sky_batch_truncate_long_string",),
)
def truncate_long_string(s: str, max_length: int = 35, truncate_middle: bool = False) -> str:
    """Shorten a text, marking the cut with three dots.

    Args:
        s: the text. Its length is counted in code points.
        max_length: the length from which on it is shortened. At the end the dots come on top of it, and blanks
            between words do not count, so the result may be longer than this.
        truncate_middle: cut out the middle; the dots then count.

    Returns:
        ``s`` itself when it is short enough, else the shortened text.

    Cost: 0.1 us when nothing is cut, 0.6 us for 200 characters.

    Source: ``sky.utils.common_utils.truncate_long_string``.

    >>> truncate_long_string("sky launch -c dev task.yaml", 12)
    'sky launch -c...'
    >>> truncate_long_string("0123456789", 7, truncate_middle=True)
    '01...89'
    """
    if _inline and len(s) <= max_length:
        return s
    return _truncate_long_string(s, max_length, truncate_middle)


@public(
    COMMON,
    MIXED,
    "hashlib uses the processor's own instructions; blake3 it does not know",
    capabilities=("files",),
    helpers=("sky_hash_update", "sky_hash_digest", "sky_batch_hash_strings", "sky_batch_md5"),
)
def hash_file(path: PathOrFd, hash_alg: str) -> HashObject:
    """Hash a file's content.

    Args:
        path: the file. A named pipe blocks until somebody writes to it and closes it.
        hash_alg: any name that ``hashlib.new`` takes, or ``"blake3"``, which needs the artifact and so is unknown in
            ``python`` mode. In ``wasm`` mode md5, sha1, the sha2, sha3 and blake2 families and blake3.

    Returns:
        A hash object with hashlib's interface.

    Raises:
        OSError: the file cannot be opened or read; checked before the algorithm.
        ValueError: an unknown algorithm, or one that the host's policy refuses.
        TypeError: the algorithm is not text.

    Cost: about 10 us to open, read and close a file, and hashlib's time for its bytes: 1.4 ms a MiB of MD5. Memory: at
    most 256 KiB.

    Source: ``sky.utils.common_utils.hash_file``.
    """
    return _hash_file(path, hash_alg)


@public(
    COMMON,
    MIXED,
    "making the lines costs most; for many lines the artifact finds the first one faster",
    capabilities=("files",),
)
def read_last_n_lines(
    file_path: PathOrFd, n: int, chunk_size: int = 8192, encoding: str = "utf-8", errors: str = "replace"
) -> list[str]:
    r"""Read the last lines of a file, from its end.

    Args:
        file_path: the file. A named pipe blocks.
        n: how many lines, at least 0.
        chunk_size: bytes of the first read, at least 1; later ones are larger. The result does not depend on it.
        encoding: any Python encoding. Lines are split at newline bytes first and decoded after.
        errors: any Python error handler.

    Returns:
        The lines, each with ``"\n"`` but for the last, which never has one: add it when you print. Carriage
        returns before a newline are dropped.

    Raises:
        AssertionError: n is negative, chunk_size is not positive, or there is no such file.
        RuntimeError: the file cannot be read; its cause is the OSError.
        UnicodeDecodeError, LookupError: as decoding raises them.

    Cost: about 12 us and 0.1 to 0.3 us a line; how long the file is does not matter. Memory: the lines and their bytes.

    Source: ``sky.utils.common_utils.read_last_n_lines``.
    """
    return _read_last_n_lines(file_path, n, chunk_size, encoding, errors)


@public(COMMON, PYTHON, "system calls are all there is", capabilities=("ports",))
def find_free_port(start_port: int) -> int:
    """Find the first free TCP port from ``start_port`` on.

    Args:
        start_port: the first port to try, at least 0. Port 65535 is never tried.

    Returns:
        A port that could be bound on all IPv4 addresses just now; another program may take it at any time. It
        may lie far above ``start_port``.

    Raises:
        OSError: no port is free.
        OverflowError: a negative port.
        TypeError: not an integer.

    Cost: about 7 us, and 2 us for each port that is taken.

    Source: ``sky.utils.common_utils.find_free_port``.
    """
    return _find_free_port(start_port)


@public(COMMON, PYTHON, "system calls are all there is", capabilities=("cpu",))
def get_cpu_count() -> int:
    """Count the CPUs this process may use.

    Returns:
        ``SKYPILOT_POD_CPU_CORE_LIMIT`` when it is set, else the least of the online CPUs, the affinity mask and the
        cgroup's quota in whole CPUs. A quota below one CPU gives 0: use ``max(1, n)``.

    Raises:
        ValueError: the variable is no number.
        OverflowError: the variable is infinite.

    Cost: about 20 us on Linux, most of it two kernel files that are read at each call.

    Source: ``sky.utils.common_utils.get_cpu_count``.
    """
    return _get_cpu_count()


@public(COMMON, PYTHON, "system calls are all there is", capabilities=("memory",))
def get_mem_size_gb() -> float:
    """Tell how much memory this process may use, in units of 2**30 bytes.

    Returns:
        ``SKYPILOT_POD_MEMORY_GB_LIMIT`` or ``SKYPILOT_POD_MEMORY_BYTES_LIMIT`` when one is set, else the smaller of
        the machine's memory and the cgroup's limit.

    Raises:
        ValueError: a variable is no number.

    Cost: about 25 us on Linux, most of it two kernel files that are read at each call.

    Source: ``sky.utils.common_utils.get_mem_size_gb``.
    """
    return _get_mem_size_gb()


@public(SUBPROCESS, PYTHON, "system calls are all there is", capabilities=("cpu",))
def get_parallel_threads(cloud_str: str | None = None) -> int:
    """Tell how many worker threads to start.

    Args:
        cloud_str: a cloud's name; ``"kubernetes"`` in any letter case gets four times as many.

    Returns:
        One less than ``os.cpu_count()``, at least 4. Affinity and cgroups do not count.

    Raises:
        AttributeError: a name that is not text.

    Cost: that of ``os.cpu_count()``, about 6 us.

    Source: ``sky.utils.subprocess_utils.get_parallel_threads``.
    """
    return _get_parallel_threads(cloud_str)


@public(SUBPROCESS, PYTHON, "system calls are all there is", capabilities=("cpu", "files", "limits"))
def get_max_workers_for_file_mounts(common_file_mounts: Mapping[str, Any], cloud_str: str | None = None) -> int:
    """Tell how many file mounts may be transferred at once under the limit of open files.

    Args:
        common_file_mounts: sources by destination. For each directory five descriptors an entry are reckoned.
        cloud_str: as for ``get_parallel_threads``.

    Returns:
        At least 1, at most ``get_parallel_threads(cloud_str)``. A limit below 1,024 is logged once a process.

    Raises:
        OSError: a directory cannot be listed.
        AttributeError, TypeError: arguments of other types.

    Cost: that of listing each folder, about 7 us for one of few entries.

    Source: ``sky.utils.subprocess_utils.get_max_workers_for_file_mounts``.
    """
    return _get_max_workers_for_file_mounts(common_file_mounts, cloud_str)


@public(None, PYTHON, "system calls are all there is", capabilities=("process",))
def is_process_alive(pid: int) -> bool:
    """Tell whether a process or thread is in the process table, by the rule of ``kill(pid, 0)``.

    Args:
        pid: the number. Not positive, or larger than any can be: False.

    Returns:
        True for what exists, even when it may not be signalled, is a zombie, or has re-used the number.

    Raises:
        TypeError: not an int.

    Cost: one system call, about 0.6 us.

    Source: not in SkyPilot; the rule is POSIX's for ``kill`` with signal 0.
    """
    if _kill is None:
        return _is_process_alive(pid)
    if isinstance(pid, int):
        if not 0 < pid <= _LAST_PID:
            return False
        try:
            _kill(pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True
    raise TypeError(f"pid must be an int, not {type(pid).__name__}")


@public(None, PYTHON, "system calls are all there is", capabilities=("files",))
def estimate_fd_for_directory(path: PathOrFd) -> int:
    """Estimate the file descriptors that the transfer of a directory takes: five an entry.

    Args:
        path: the directory; hidden entries count, those of sub-directories do not.

    Returns:
        The number, 0 for an empty directory.

    Raises:
        OSError: it cannot be listed.

    Cost: that of listing the directory, about 7 us for one of few entries.

    Source: not in SkyPilot; the estimate is the one inside ``get_max_workers_for_file_mounts``.
    """
    return _estimate_fd_for_directory(path)
