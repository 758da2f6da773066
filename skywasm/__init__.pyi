# Written by `make derived` from the declarations; do not edit.

from collections.abc import Mapping
from host_shims.contract import PathOrFd
from skywasm import batch as batch
from skywasm import errors as errors
from skywasm import reference as reference
from skywasm import sandbox as sandbox
from skywasm import skypilot as skypilot
from skywasm.functions.hashing import HashObject
from skywasm.routes.backend import set_backend as set_backend
from skywasm.routes.backend import use_backend as use_backend
from skywasm.routes.backend import warm_up as warm_up
from skywasm.routes.info import get_backend_info as get_backend_info
from typing import Any

__all__ = [
    "batch",
    "errors",
    "get_backend_info",
    "sandbox",
    "set_backend",
    "skypilot",
    "use_backend",
    "warm_up",
    "base36_encode",
    "format_float",
    "truncate_long_string",
    "hash_file",
    "read_last_n_lines",
    "find_free_port",
    "get_cpu_count",
    "get_mem_size_gb",
    "get_parallel_threads",
    "get_max_workers_for_file_mounts",
    "estimate_fd_for_directory",
    "is_process_alive",
]

__version__: str

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

def read_last_n_lines(file_path: PathOrFd, n: int, chunk_size: int = 8192, encoding: str = 'utf-8', errors: str = 'replace') -> list[str]:
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
