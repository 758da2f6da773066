"""The twelve functions in pure Python: the fallback, and what the sandbox's answers are compared with.

Written from the behaviour of SkyPilot 0.14.1, warts included; where it differs the function says so. Needs
neither wasmtime nor the artifact. Facts of the machine come from ``host_shims``.
"""

from __future__ import annotations

import os

from host_shims import facts
from skywasm import _abi

TYPE_CHECKING = False
if TYPE_CHECKING:
    import io
    from collections.abc import Callable, Mapping
    from typing import Any

    from host_shims._contract import PathOrFd
    from skywasm.api import HashObject

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

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_PAIR = 36**2
# Up to here one division a digit pair is fastest; an MD5 and a SHA-256 are far below.
_PLAIN_DIGITS = 64
_PLAIN = 36**_PLAIN_DIGITS
# One division by this is small enough that Ctrl-C gets in between, however long the number.
_BLOCK_DIGITS = 1536
_BLOCK = 36**_BLOCK_DIGITS
# log2(36), a little less.
_BITS_PER_DIGIT = 5.1699
_pairs: list[str] = []


def _pair_texts() -> list[str]:
    if not _pairs:
        _pairs[:] = [a + b for a in _DIGITS for b in _DIGITS]
    return _pairs


def _plain_digits(number: int) -> str:
    texts = _pairs or _pair_texts()
    out: list[str] = []
    while number >= _PAIR:
        number, pair = divmod(number, _PAIR)
        out.append(texts[pair])
    out.append(texts[number])
    out.reverse()
    return "".join(out)


def _padded_digits(number: int, width: int) -> str:
    """Exactly ``width`` digits of a number below ``36**width``, by halving it."""
    if width <= _PLAIN_DIGITS:
        return _plain_digits(number)[-width:].rjust(width, "0")
    half = width // 2
    high, low = divmod(number, 36**half)
    return _padded_digits(high, width - half) + _padded_digits(low, half)


def checked_hex(hex_str: Any) -> int:
    """``int(hex_str, 16)``, refusing the negative numbers on which SkyPilot's loop never ends."""
    number = int(hex_str, 16)
    if number < 0:
        raise ValueError(f"cannot encode a negative number in base 36: {hex_str!r}; pass a non-negative hex number")
    return number


def base36_encode(hex_str: str) -> str:
    number = checked_hex(hex_str)
    if number < _PLAIN:
        return _plain_digits(number).lstrip("0") or "0"
    blocks = []
    while number >= _BLOCK:
        number, block = divmod(number, _BLOCK)
        blocks.append(_padded_digits(block, _BLOCK_DIGITS))
    blocks.append(_padded_digits(number, int(number.bit_length() / _BITS_PER_DIGIT) + 1))
    return "".join(reversed(blocks)).lstrip("0")


def format_float(num: float | int, precision: int = 1) -> str:
    if isinstance(num, int):
        return str(num)
    if num.is_integer():
        return f"{num:.0f}"
    return f"{num:.{precision}f}"


_DOTS = "..."


def _end_of_words(s: str, max_length: int) -> int:
    """Where the word begins in which the ``max_length``-th letter stands, less its blank; blanks do not count."""
    end = max_length
    while True:
        # Every blank before the end pushes it on by one, and may bring more blanks in.
        beyond = max_length + s.count(" ", 0, end)
        if beyond == end or end >= len(s):
            break
        end = beyond
    return s.rfind(" ", 0, end)


def truncate_long_string(s: str, max_length: int = 35, truncate_middle: bool = False) -> str:
    if len(s) <= max_length:
        return s
    if truncate_middle:
        kept = max_length - len(_DOTS)
        if kept <= 0:
            return _DOTS
        last = kept // 2
        # s[-0:] would be all of it.
        return s[: kept - last] + _DOTS + (s[-last:] if last else s[:0])
    first_word = s.split(" ", 1)[0]
    if len(first_word) > max_length:
        return first_word[:max_length] + _DOTS
    if max_length <= 0:
        return _DOTS
    return s[: max(_end_of_words(s, max_length), max_length)] + _DOTS


# Enough for one read call of the kernel, small enough to stay in the processor's cache.
_READ_BLOCK = 256 * 1024


def hash_file(path: PathOrFd, hash_alg: str) -> HashObject:
    import hashlib

    # Opened first: a missing file counts for more than an unknown algorithm.
    with open(path, "rb", 0) as file:
        digest = hashlib.new(hash_alg)
        block = file.read(_READ_BLOCK)
        while block:
            digest.update(block)
            block = file.read(_READ_BLOCK)
    return digest


_WINDOW_LIMIT = 1024 * 1024


def checked_tail_arguments(file_path: Any, n: int, chunk_size: int) -> None:
    """SkyPilot asserts these; the error stays the same when Python runs with -O."""
    if not n >= 0:
        raise AssertionError(f"n must be non-negative. Got {n}")
    if not chunk_size > 0:
        raise AssertionError(f"chunk_size must be positive. Got {chunk_size}")
    if not os.path.exists(file_path):
        raise AssertionError(f"File not found: {file_path}")


def tail_error(file_path: Any, n: int, error: OSError) -> RuntimeError:
    """What becomes of an error of the file system while the file is read."""
    return RuntimeError(f"Failed to read last {n} lines from {file_path}: {error}")


def read_exactly(file: io.FileIO, offset: int, size: int) -> bytes:
    """``size`` bytes from ``offset``, fewer only where the file has become shorter."""
    file.seek(offset)
    data = file.read(size)
    while len(data) < size:
        more = file.read(size - len(data))
        if not more:
            break
        data += more
    return data


def _read_tail(file: io.FileIO, n: int, chunk_size: int) -> bytes:
    """The end of the file with more than ``n`` newlines in it, or all of it."""
    position = file.seek(0, os.SEEK_END)
    windows = []
    newlines = 0
    size = chunk_size
    while position > 0 and newlines <= n:
        size = min(size, position)
        position -= size
        windows.append(read_exactly(file, position, size))
        newlines += windows[-1].count(b"\n")
        size = max(size, min(size * 2, _WINDOW_LIMIT))
    windows.reverse()
    return b"".join(windows)


# Decoding a whole block gives the same as decoding each line for these: a newline byte is a newline, no
# character spans it, and the handlers neither raise nor look beyond the broken bytes.
_WHOLE_BLOCK_ENCODINGS = frozenset(("utf-8", "utf8", "UTF-8", "ascii", "us-ascii", "latin-1", "latin1", "iso-8859-1"))
_WHOLE_BLOCK_ERRORS = frozenset(("replace", "ignore", "surrogateescape", "backslashreplace"))


def _whole_lines(text: str, newlines: int, ends: bool, n: int) -> list[str]:
    """The last ``n`` lines of a decoded block with ``newlines`` newlines, one of them at its end if ``ends``."""
    # The ignore handler may have dropped all that stood behind the last newline.
    if "\r" not in text and text.endswith("\n") is ends:
        lines = text.splitlines(True)
        # splitlines also breaks at \f, U+2028 and more. When it made as many lines as there are newlines, it
        # broke at nothing else.
        if len(lines) == newlines + (not ends):
            lines = lines[-n:]
            if ends:
                lines[-1] = lines[-1][:-1]
            return lines
    lines = text.split("\n")
    if ends:
        lines.pop()
    lines = lines[-n:]
    last = lines.pop().rstrip("\r")
    return [line.rstrip("\r") + "\n" for line in lines] + [last]


def last_lines(data: bytes, n: int, encoding: str, errors: str) -> list[str]:
    """The last ``n`` lines of ``data``, decoded; all but the last get a newline, carriage returns before it go."""
    if not data:
        return []
    if encoding in _WHOLE_BLOCK_ENCODINGS and errors in _WHOLE_BLOCK_ERRORS:
        return _whole_lines(data.decode(encoding, errors), data.count(b"\n"), data.endswith(b"\n"), n)
    rows = data.split(b"\n")
    if not rows[-1]:
        rows.pop()
    lines = [row.decode(encoding, errors).rstrip("\r") + "\n" for row in rows[-n:]]
    lines[-1] = lines[-1][:-1]
    return lines


def read_last_n_lines(
    file_path: PathOrFd, n: int, chunk_size: int = 8192, encoding: str = "utf-8", errors: str = "replace"
) -> list[str]:
    checked_tail_arguments(file_path, n, chunk_size)
    if n == 0:
        return []
    try:
        with open(file_path, "rb", 0) as file:
            data = _read_tail(file, n, chunk_size)
    except OSError as error:
        raise tail_error(file_path, n, error) from error
    return last_lines(data, n, encoding, errors)


_PORT_END = 65535


def no_free_port() -> OSError:
    """SkyPilot's error for a search that came to the end."""
    return OSError("No free ports available.")


def find_free_port(start_port: int) -> int:
    ports = range(start_port, _PORT_END)
    if not ports:
        raise no_free_port()
    with facts.port_socket() as probe:
        for port in ports:
            if facts.port_bind(probe, port) == 0:
                return port
    raise no_free_port()


CPU_LIMIT_VARIABLE = "SKYPILOT_POD_CPU_CORE_LIMIT"
MEMORY_GB_VARIABLE = "SKYPILOT_POD_MEMORY_GB_LIMIT"
MEMORY_BYTES_VARIABLE = "SKYPILOT_POD_MEMORY_BYTES_LIMIT"
_GB = 1024**3


def cpu_override() -> int | None:
    """CPUs as the pod's environment sets them, None when it does not."""
    limit = os.environ.get(CPU_LIMIT_VARIABLE)
    if limit is None:
        return None
    try:
        return int(float(limit))
    except ValueError as error:
        raise ValueError(f"Failed to parse the number of CPUs from {limit}") from error


def memory_override() -> float | None:
    """Memory in GB (2**30 bytes) as the pod's environment sets it, None when it does not."""
    for variable, unit, divisor in ((MEMORY_GB_VARIABLE, "GB", 1), (MEMORY_BYTES_VARIABLE, "bytes", _GB)):
        limit = os.environ.get(variable)
        if limit is not None:
            try:
                return float(limit) / divisor
            except ValueError as error:
                raise ValueError(f"Failed to parse the memory size from {limit} ({unit})") from error
    return None


def _cgroup_number(fact: int, parse: Callable[[str], Any]) -> Any:
    """A number out of a cgroup file; None for a file that cannot be read or holds none, as for "max"."""
    try:
        return parse(facts.cgroup_text(_abi.CGROUP_FILES[fact]).decode())
    except (OSError, ValueError):
        return None


def _two_floats(text: str) -> tuple[float, float] | None:
    quota, period = text.split()
    return None if quota == "max" else (float(quota), float(period))


def _quota_cpus() -> int | None:
    """Whole CPUs of the cgroup's quota; 0 for less than one."""
    if facts.cgroup_version() == _abi.CGROUP_V2:
        limits = _cgroup_number(_abi.FACT_CPU_MAX, _two_floats)
        if limits is None or limits[0] <= 0:
            return None
        return int(limits[0] / limits[1])
    quota = _cgroup_number(_abi.FACT_CPU_QUOTA, float)
    period = _cgroup_number(_abi.FACT_CPU_PERIOD, float)
    if quota is None or period is None or not (quota > 0 and period > 0):
        return None
    return int(quota / period)


def get_cpu_count() -> int:
    override = cpu_override()
    if override is not None:
        return override
    count: Any = facts.cpu_online()
    for limit in (facts.cpu_affinity(), _quota_cpus()):
        if limit is not None:
            count = min(count, limit)
    return count  # type: ignore[no-any-return]


def _memory_total() -> int:
    """Bytes of memory as psutil reads them, which wants the free memory to be told as well."""
    text = facts.meminfo()
    start = text.find(b"MemTotal:")
    if start >= 0 and b"MemFree:" in text:
        try:
            return int(text[start + 9 : text.index(b"kB", start)]) * 1024
        except ValueError:
            pass
    import psutil

    return psutil.virtual_memory().total


def get_mem_size_gb() -> float:
    override = memory_override()
    if override is not None:
        return override
    total = _memory_total()
    fact = _abi.FACT_MEMORY_MAX if facts.cgroup_version() == _abi.CGROUP_V2 else _abi.FACT_MEMORY_LIMIT
    limit = _cgroup_number(fact, int)
    if limit is not None and limit > 0:
        total = min(total, limit)
    return total / _GB


def get_parallel_threads(cloud_str: str | None = None) -> int:
    threads = max(4, (facts.cpu_count() or 1) - 1)
    return threads * 4 if cloud_str and cloud_str.lower() == "kubernetes" else threads


_LOW_FD_LIMIT = 1024
_RESERVED_FDS = 100
_FDS_PER_ENTRY = 5
_warned_low_limit = False


def warn_low_fd_limit(limit: float) -> None:
    """Says once a process that file mounts will be slow, as SkyPilot does."""
    global _warned_low_limit
    if limit < _LOW_FD_LIMIT and not _warned_low_limit:
        _warned_low_limit = True
        from skywasm import _log

        _log.logger().warning(
            "Open file descriptor limit (%s) is low. File sync to remote clusters may be slow. Consider increasing "
            "the limit using `ulimit -n <number>` or modifying system limits.",
            limit,
        )


def mount_entries(source: Any) -> int | None:
    """Entries of a file mount's source when it is a directory, else None."""
    if source is not None:
        # Listing alone tells a directory from the rest; only a refusal needs a second look.
        try:
            return facts.entry_count(source)
        except (OSError, ValueError):
            if not os.path.isdir(source):
                return None
            raise
        except TypeError:
            pass
    return facts.entry_count(source) if os.path.isdir(source) else None


def get_max_workers_for_file_mounts(common_file_mounts: Mapping[str, Any], cloud_str: str | None = None) -> int:
    limit = facts.open_files_limit()
    warn_low_fd_limit(limit)
    each = _FDS_PER_ENTRY
    for source in common_file_mounts.values():
        each = max(each, (mount_entries(source) or 0) * _FDS_PER_ENTRY)
    workers = max((limit - _RESERVED_FDS) // each, 1)
    return min(workers, get_parallel_threads(cloud_str))


_LAST_PID = 2**31 - 1
_EPERM = 1


def checked_pid(pid: Any) -> bool:
    """Whether a process of this number can exist at all; TypeError for what is no number."""
    if not isinstance(pid, int):
        raise TypeError(f"pid must be an int, not {type(pid).__name__}")
    return 0 < pid <= _LAST_PID


def is_process_alive(pid: int) -> bool:
    # A refusal (EPERM) proves that there is somebody to be protected.
    return checked_pid(pid) and facts.process_signal(pid) in (0, _EPERM)


def estimate_fd_for_directory(path: PathOrFd) -> int:
    return facts.entry_count(path) * _FDS_PER_ENTRY
